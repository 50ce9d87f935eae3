"""Nothing leaves: whoever opens a connection while the kit is at work is refused, and noted."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any
from unittest import mock

from msgspec import Struct, field

MAIL = frozenset({25, 465, 587, 2525})
"""Ports on which mail is handed over."""


class Outside(Struct):
    """What was tried. places: (host, port, who called: "file.py:12"), in the order they came."""

    places: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def mail(self) -> list[tuple[str, int, str]]:
        """Those that look like sending mail."""
        return [place for place in self.places if place[1] in MAIL]


@contextmanager
def closed(package: str = "") -> Iterator[Outside]:
    """Refuse every connection by TCP or UDP. package: whose line of code is blamed if it called."""
    seen = Outside()
    connect, ask = socket.socket.connect, socket.getaddrinfo

    def refuse(host: object, port: object) -> None:
        number = port if isinstance(port, int) else socket.getservbyname(str(port))
        seen.places.append((str(host), number, _caller(package)))
        raise ConnectionRefusedError(f"the kit lets nothing out: {host}:{port}")

    def refused(self: socket.socket, address: Any) -> None:
        if self.family not in (socket.AF_INET, socket.AF_INET6):
            return connect(self, address)
        return refuse(*address[:2])

    def asked(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        if host in (None, "", "127.0.0.1", "::1", "localhost"):
            return ask(host, port, *rest, **more)
        return refuse(host, port or 0)

    with (
        mock.patch.object(socket.socket, "connect", refused),
        mock.patch.object(socket.socket, "connect_ex", refused),
        mock.patch.object(socket, "getaddrinfo", asked),
    ):
        yield seen


def _caller(package: str) -> str:
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if package and frame.f_globals.get("__name__", "").split(".")[0] == package:
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
