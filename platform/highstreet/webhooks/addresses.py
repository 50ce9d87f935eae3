"""Where a webhook may go: to public addresses, and to the very one that was looked at.

Whoever subscribes chooses an address that this server then talks to, from inside of whatever
network it stands in. So a name is resolved once, every address that it has must be public, and the
connection goes to one of those, whatever the name says a moment later (no DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Besides 443: what a person may listen on without being the machine's owner.
LEAST_PORT = 1024
LONGEST = 500
#: All that IPv6 has given out so far (RFC 4291 2.4). IPv4 within IPv6, NAT64 and what is local to a
#: site or a link are outside of it.
_GLOBAL = ipaddress.IPv6Network("2000::/3")
# What Python 3.11 takes for global and is not: addresses of protocols (some clouds have their
# metadata there), 6to4's relays, documentation; and those in which another is wrapped, so that a
# gateway may lead inside again: 6to4 and Teredo.
_INSIDE: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = tuple(
    ipaddress.ip_network(one)
    for one in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3fff::/20")
)
# An IPv4 address in the last half (RFC 5214 6.1).
_ISATAP = re.compile(rb"^[\x00\x02]\x00\x5e\xfe")
_NAME = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9-]{1,63}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Target(Struct, frozen=True):
    """A webhook's URL in its parts. host: without brackets, as a certificate names it."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """As HTTP wants it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"


def read(url: str, *, local: bool = False) -> Target:
    """The URL's parts. local: http to this very machine will do, for development.

    Raises Invalid (field "url") for what no webhook may be sent to, as far as the URL alone tells.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
        if ":" not in host:
            host = host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        raise _bad(_("Write the whole address, such as https://example.com/webhooks.")) from None
    here = local and host in _LOCAL
    sound = bool(_NAME.fullmatch(host.lower())) or ":" in host
    if parts.scheme not in ("https", "http") or not sound or len(text) > LONGEST:
        raise _bad(_("Write the whole address, such as https://example.com/webhooks."))
    if re.search(r"[\x00-\x20\x7f]", text):
        raise _bad(_("An address has no blanks in it."))
    if parts.scheme == "http" and not here:
        raise _bad(_("Webhooks go by https only, so that nobody on the way can read them."))
    if parts.username is not None or parts.password is not None:
        raise _bad(_("Leave out user and password: the signature tells who sends."))
    if parts.fragment:
        raise _bad(_("Leave out what stands behind “#”: it is never sent."))
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if not here and port != 443 and port < LEAST_PORT:
        raise _bad(_("Use port 443, or one from %(least)s on.", least=LEAST_PORT))
    if not here and _is_inside(host):
        raise _bad(_("This address is not public, so nothing is sent to it."))
    path = parts.path or "/"
    return Target(parts.scheme, host, port, f"{path}?{parts.query}" if parts.query else path)


def resolve(target: Target, *, local: bool = False, within: float = 5.0) -> list[str]:
    """The addresses to connect to, as the resolver orders them.

    within: seconds. Raises Invalid where one of them is not public, TimeoutError where the name's
    servers keep us waiting, and OSError where there is none.
    """
    found = _look_up(target, within)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    here = local and target.host in _LOCAL
    for text in addresses:
        address = ipaddress.ip_address(text)
        if not (is_public(address) or (here and address.is_loopback)):
            raise _bad(
                _("%(host)s is not a public address, so nothing is sent to it.", host=target.host)
            )
    return addresses


def _look_up(target: Target, within: float) -> Sequence[Any]:
    """What the system's resolver finds. It has no time limit that we could set, so it is asked by a
    thread that is left behind where it takes too long; it ends by itself."""
    found: list[Sequence[Any]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)
        except ValueError as error:  # a label that is too long for names
            failed.append(socket.gaierror(str(error)))

    asking = threading.Thread(target=ask, name="webhooks-resolve", daemon=True)
    asking.start()
    asking.join(within)
    if failed:
        raise failed[0]
    if not found:
        raise TimeoutError
    return found[0]


def is_public(address: Address) -> bool:
    """Whether an address is one of the whole Internet's, and leads nowhere else."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL or address.scope_id or _ISATAP.search(address.packed[8:12]):
            return False
    if any(address.version == one.version and address in one for one in _INSIDE):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_inside(host: str) -> bool:
    """Whether a host is an address that is not public, or one in a spelling that only some
    programmes understand (2130706433, 0x7f.1, 0177.0.0.1)."""
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        last = host.rsplit(".", 1)[-1].lower()
        numeric = bool(re.fullmatch(r"\d+|0x[0-9a-f]*", last))
        return numeric or last in ("localhost", "local", "internal") or "." not in host


def _bad(words: str) -> Invalid:
    return Invalid(words, fields={"url": [words]})
