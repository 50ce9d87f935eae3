"""Highstreet: franchise marketing for a brand, its stores and the tools each store chooses."""

__version__ = "0.1.0"
