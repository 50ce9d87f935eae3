"""Names and addresses as a header may hold them: no control character gets into one."""

from __future__ import annotations

import re

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

#: Characters of a name, and of an address (RFC 5321 4.5.3.1: 64 before the @, 255 after it).
MOST_NAME, MOST_ADDRESS = 120, 320
_CONTROL = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+"
)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"(?=.{1,255}\Z)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)


class Mailbox(Struct, frozen=True):
    """Somebody's address, and what they are called there ("" for nobody's name)."""

    address: str
    name: str = ""


def plain(text: str, most: int = MOST_NAME) -> str:
    """A text for a header: what can't be seen becomes a space, so nothing begins a line."""
    return " ".join(_CONTROL.sub(" ", text).split())[:most].rstrip()


def holds_control(text: str) -> bool:
    """Whether a text holds what no header may: line breaks, control characters, turned text."""
    return _CONTROL.search(text) is not None


def on_the_wire(address: str) -> str:
    """The address in ASCII, its domain by IDNA: what any server takes.

    Raises Invalid for one that can't be written so: with spaces or line breaks, without a domain,
    or with other letters before the @ (few servers take those, RFC 6531).
    """
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            domain = ""
    if (
        at
        and len(local) <= 64
        and len(address) <= MOST_ADDRESS
        and _LOCAL.fullmatch(local)
        and _DOMAIN.fullmatch(domain)
    ):
        return f"{local}@{domain}"
    raise Invalid(_("This is no address that mail can be sent to."))


def domain_of(address: str) -> str:
    """What stands after the @ of an address that `on_the_wire` gave."""
    return address.rpartition("@")[2]
