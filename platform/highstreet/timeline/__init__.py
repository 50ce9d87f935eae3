"""The timeline: one story per customer, written by every tool, read by whoever serves them."""

from highstreet.customers import parts
from highstreet.timeline.part import TimelinePart, tell

parts.register(TimelinePart())
parts.register_teller(tell)
