"""Purchases and returns: facts from the till, each recorded exactly once."""

from highstreet.customers import parts
from highstreet.purchases.part import PurchasesPart

parts.register(PurchasesPart())
