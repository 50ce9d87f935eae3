"""Reading a server's replies (RFC 5321 4.2): within a time, and never more than is reasonable."""

from __future__ import annotations

import re
import socket
from time import monotonic

from msgspec import Struct

#: Bytes of a reply's line, and lines of a reply.
MOST_LINE, MOST_LINES = 2048, 100
#: Characters of what a server said that are kept.
EXCERPT = 300
_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?")


class SmtpTroubleError(Exception):
    """The connection is of no use any more; the words say why."""


class Reply(Struct, frozen=True):
    """A reply: its code, and what was said, one text for each line."""

    code: int
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it in one line, what can't be printed left out."""
        whole = " ".join(self.lines)
        return "".join(c if c.isprintable() else " " for c in whole).strip()[:EXCERPT]

    @property
    def fine(self) -> bool:
        """Whether the server agrees."""
        return 200 <= self.code < 300


class Replies:
    """The replies that come over a socket, one after another."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._held = b""

    @property
    def empty(self) -> bool:
        """Whether nothing was read that nobody has asked for yet."""
        return not self._held

    def next(self, within: float) -> Reply:
        """The next reply. within: seconds, however slowly it comes. Raises SmtpTroubleError."""
        until = monotonic() + within
        said: list[str] = []
        while len(said) < MOST_LINES:
            found = _LINE.fullmatch(self._line(until))
            if found is None:
                raise SmtpTroubleError("what it said is no reply of a mail server")
            code, more, text = found.groups()
            said.append((text or b"").decode("utf-8", "replace"))
            if more != b"-":
                return Reply(int(code), tuple(said))
        raise SmtpTroubleError("it does not stop talking")

    def _line(self, until: float) -> bytes:
        while b"\n" not in self._held:
            left = until - monotonic()
            if left <= 0:
                raise SmtpTroubleError("no answer in time")
            if len(self._held) > MOST_LINE:
                raise SmtpTroubleError("what it said is no reply of a mail server")
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(4096)
            except TimeoutError as error:
                raise SmtpTroubleError("no answer in time") from error
            except OSError as error:
                raise SmtpTroubleError(f"the connection failed ({type(error).__name__})") from error
            if not got:
                raise SmtpTroubleError("it closed the connection")
            self._held += got
        line, _newline, self._held = self._held.partition(b"\n")
        return line.rstrip(b"\r")
