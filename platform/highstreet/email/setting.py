"""The operator's setting HIGHSTREET_SMTP_URL: where mail goes, if anywhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from highstreet.email.smtp import Server
from highstreet.email.smtp_pool import Smtp
from highstreet.email.transports import Folder, Memory, Transport
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

_TLS = ("start", "none")


def read(url: str, *, only_here: bool = False) -> Transport | None:
    """The transport that a URL names; None for "": no mail leaves.

    smtp://USER:PASSWORD@HOST:587 demands STARTTLS (but on this very machine), smtps:// speaks TLS
    from the first byte, ?tls=none no TLS at all, ?ca=FILE trusts other authorities. file:///FOLDER
    writes .eml files, memory: keeps them. only_here: refuse to send to any other machine.
    Raises Invalid.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _wrong() from None
    if parts.scheme == "memory":
        return Memory()
    if parts.scheme == "file" and not parts.netloc and parts.path not in ("", "/"):
        return Folder(Path(unquote(parts.path)))
    options = parse_qs(parts.query, keep_blank_values=True)
    tls = options.pop("tls", [""])[-1]
    authorities = options.pop("ca", [""])[-1]
    if parts.scheme not in ("smtp", "smtps") or not host or options or parts.path.strip("/"):
        raise _wrong()
    server = Server(
        host,
        port or 0,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        authorities=authorities,
    )
    if parts.scheme == "smtps":
        tls = tls or "always"
    elif not tls:
        tls = "none" if server.here else "start"
    if tls not in (*_TLS, "always") or (tls == "always") != (parts.scheme == "smtps"):
        raise _wrong()
    if server.user and tls == "none" and not server.here:
        raise Invalid(_("A password would go over the network in the clear: leave ?tls=none out."))
    from msgspec.structs import replace

    ports = {"always": 465, "start": 587, "none": 25}
    return Smtp(replace(server, tls=tls, port=port or ports[tls]), only_here=only_here)


def shown(url: str) -> str:
    """The setting without its password, for people."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username}:***@{host}").geturl()


def _wrong() -> Invalid:
    return Invalid(
        _(
            "A setting is wrong: %(what)s",
            what="smtp_url: smtp://USER:PASSWORD@HOST:587, smtps://…, or file:///FOLDER",
        )
    )
