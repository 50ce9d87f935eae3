"""Segments: customers picked by rules, counted, looked into, and kept as they were when used."""

from highstreet.customers import parts
from highstreet.segments.part import SegmentsPart

parts.register(SegmentsPart())
