"""The shop floor for this room's tests."""

from rooms_given import floor

__all__ = ["floor"]
