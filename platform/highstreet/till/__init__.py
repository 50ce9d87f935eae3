"""The till: what tools show of a member in hand, and the last actions of a store."""
