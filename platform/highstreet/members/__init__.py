"""Members' own pages: the links that open them."""

from highstreet.customers import parts
from highstreet.members.part import MemberLinksPart

parts.register(MemberLinksPart())
