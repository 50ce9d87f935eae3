"""Customers: who they are, how they are found, how two records become one, how one leaves."""
