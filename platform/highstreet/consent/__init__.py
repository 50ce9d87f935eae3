"""Consent: who may be contacted for what, on which channel, by whom; proved, never assumed."""

from highstreet.consent.contact_part import ContactPart
from highstreet.consent.part import ConsentPart
from highstreet.customers import parts

parts.register(ConsentPart())
parts.register(ContactPart())
