"""Postal addresses and households: where people get post, and who gets it together."""

from highstreet.addresses.knowing import FIELDS
from highstreet.addresses.part import AddressesPart
from highstreet.addresses.service import rejoin
from highstreet.customers import parts, published

parts.register(AddressesPart())
parts.register_listener(rejoin)
published.add(*FIELDS)
