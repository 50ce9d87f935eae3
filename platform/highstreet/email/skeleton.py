"""Building messages: what all of a mailing share is written once, and filled for each person.

Quoted-printable can be broken anywhere by a soft line break, so the frame of the HTML is encoded
piece by piece, once, and only what differs is encoded for each message. `tests/platform/email`
proves that a parser reads the same out of it as out of the library's own `EmailMessage`.
"""

from __future__ import annotations

import secrets
from binascii import b2a_qp
from collections.abc import Mapping, Sequence

from msgspec import Struct

from highstreet.email import headers
from highstreet.email.mailboxes import Mailbox

#: The tag that must not be copied from anywhere: nobody but us writes what stands behind it.
ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
_SOFT = b"=\r\n"


class Slot(Struct, frozen=True):
    """A place in the frame that each message fills with HTML of its own."""

    name: str


class Common(Struct, frozen=True):
    """What all messages of a mailing share. domain: for the ids of messages. automatic: nobody
    wrote it to this person by hand (RFC 3834), so no absence notice should answer."""

    sender: Mailbox
    domain: str
    reply_to: Mailbox | None = None
    automatic: bool = False


class Personal(Struct, frozen=True):
    """What one message has of its own.

    at: seconds since 1970. html: by slot, escaped already. stop: address of one-click unsubscribing
    (RFC 8058), None where there is nothing to stop.
    """

    to: Mailbox
    subject: str
    text: str
    html: Mapping[str, str]
    name: str
    at: int
    stop: str | None = None


class Skeleton:
    """The serialised part of a mailing. frame: HTML with slots; empty for text alone."""

    def __init__(self, common: Common, frame: Sequence[str | Slot]) -> None:
        # "=" is written =3D in both parts, so a boundary with "=_" can stand in neither.
        boundary = b"=_" + secrets.token_hex(12).encode()
        head = b"From: " + headers.mailbox(common.sender) + b"\r\n"
        if common.reply_to is not None:
            head += b"Reply-To: " + headers.mailbox(common.reply_to) + b"\r\n"
        if common.automatic:
            head += b"Auto-Submitted: auto-generated\r\n"
        head += b"MIME-Version: 1.0\r\n"
        self._head = head
        self._domain = common.domain.encode("ascii")
        self._before_text = _part(b"plain")
        self._frame: list[bytes | str] = []
        if frame:
            self._head += b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n'
            self._before_text = b"\r\n--" + boundary + b"\r\n" + self._before_text
            self._between = b"\r\n--" + boundary + b"\r\n" + _part(b"html")
            self._end = b"\r\n--" + boundary + b"--\r\n"
            self._frame = [one.name if isinstance(one, Slot) else _open(one) for one in frame]

    def fill(self, one: Personal) -> bytes:
        """A whole message, ASCII, its lines ended by CRLF. Its texts hold no control characters in
        what goes into headers: see `mailboxes.plain`."""
        parts = [
            self._head,
            b"To: ",
            headers.mailbox(one.to),
            b"\r\nSubject: ",
            headers.words(one.subject, 9),
            b"\r\nDate: ",
            headers.date(one.at),
            b"\r\nMessage-ID: <",
            one.name.encode("ascii"),
            b"@",
            self._domain,
            b">\r\n",
        ]
        if one.stop is not None:
            parts += (b"List-Unsubscribe: <", one.stop.encode("ascii"), b">\r\n", ONE_CLICK)
        parts += (self._before_text, _closed(one.text))
        if self._frame:
            parts.append(self._between)
            html = one.html
            parts += [
                piece if isinstance(piece, bytes) else _open(html[piece]) for piece in self._frame
            ]
            parts.append(self._end)
        return b"".join(parts)


def _part(kind: bytes) -> bytes:
    return (
        b"Content-Type: text/"
        + kind
        + b"; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def _quoted(text: str) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return b2a_qp(text.encode("utf-8", "replace")).replace(b"\n", b"\r\n")


def _closed(text: str) -> bytes:
    """A whole text, ended by a line break."""
    return _quoted(text if text.endswith("\n") else f"{text}\n")


def _open(text: str) -> bytes:
    """A piece that goes on in the next, on a line of its own."""
    done = _quoted(text)
    if not done or done.endswith(b"\r\n"):
        return done
    begins = done.rfind(b"\n") + 1
    if len(done) - begins < 76:
        return done + _SOFT
    cut = -3 if done[-3:-2] == b"=" else -1  # =C3 stays whole
    return done[:cut] + _SOFT + done[cut:] + _SOFT
