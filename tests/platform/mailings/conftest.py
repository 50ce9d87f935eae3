"""The shop floor for this room's tests, and a house with a mail server of its own."""

from mail_given import sink, street
from rooms_given import floor

__all__ = ["floor", "sink", "street"]
