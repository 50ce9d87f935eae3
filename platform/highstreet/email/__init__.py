"""E-mail: building messages, sending them once at most, letting people stop them."""

from highstreet.customers import parts
from highstreet.email.part import EmailPart

parts.register(EmailPart())
