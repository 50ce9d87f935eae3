"""Mailings: whom one goes to, why others get nothing, and what became of every single piece."""

from highstreet.customers import parts
from highstreet.mailings import carriers, queries
from highstreet.mailings.part import MailingsPart
from highstreet.mailings.post import Post
from highstreet.segments import queries as segments

parts.register(MailingsPart())
carriers.register("post", Post())
segments.register_users("mailing", queries.using)
