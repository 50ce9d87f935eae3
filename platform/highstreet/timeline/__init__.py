"""The timeline: one story per customer, written by every tool, read by whoever serves them."""
