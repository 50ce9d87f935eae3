"""Purchases and returns: facts from the till, each recorded exactly once."""
