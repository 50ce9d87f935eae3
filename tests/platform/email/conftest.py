"""A house with a mail server of its own for this room's tests."""

from mail_given import sink, street

__all__ = ["sink", "street"]
