"""Header fields as bytes (RFC 5322, encoded words of RFC 2047): small, for thousands a second."""

from __future__ import annotations

import re
from binascii import b2a_base64
from datetime import UTC, datetime
from functools import lru_cache

from highstreet.email.mailboxes import Mailbox

#: Characters of a line, and bytes of text in one encoded word: 12 + 60 are at most 75 (RFC 2047 2).
LINE, WORD = 76, 45
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")


def words(text: str, used: int = 0) -> bytes:
    """Free text, such as a subject: as it is, or as encoded words; folded.

    used: characters that stand on its line already. The text holds no control character.
    """
    if text.isascii() and "=?" not in text and "  " not in text:
        folded = _folded(text, used)
        if folded is not None:
            return folded
    return _encoded(text)


def mailbox(of: Mailbox) -> bytes:
    """A name and an address, or the address alone. The address is ASCII already."""
    address = of.address.encode("ascii")
    name = of.name
    if not name:
        return address
    if not name.isascii() or "=?" in name or "  " in name or len(name) > 60:
        return _encoded(name) + b"\r\n <" + address + b">"
    if not _PHRASE.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return name.encode("ascii") + b"\r\n <" + address + b">"


def _folded(text: str, used: int) -> bytes | None:
    """ASCII text with its lines broken at spaces; None where a word is too long for a line."""
    if used + len(text) <= LINE:
        return text.encode("ascii")
    lines, line = [], ""
    for word in text.split(" "):
        if len(word) > LINE - 1:
            return None
        if line and used + len(line) + 1 + len(word) > LINE:
            lines.append(line)
            line, used = word, 1
        else:
            line = f"{line} {word}" if line else word
    return "\r\n ".join([*lines, line]).encode("ascii")


def _encoded(text: str) -> bytes:
    found, chunk, size = [], "", 0
    for character in text:
        took = len(character.encode("utf-8", "replace"))
        if size + took > WORD:
            found.append(chunk)
            chunk, size = "", 0
        chunk += character
        size += took
    found.append(chunk)
    return b"\r\n ".join(
        b"=?utf-8?B?" + b2a_base64(one.encode("utf-8", "replace"), newline=False) + b"?="
        for one in found
    )


@lru_cache(maxsize=8)
def date(at: int) -> bytes:
    """A moment (seconds since 1970) as a Date field has it."""
    from email.utils import format_datetime

    return format_datetime(datetime.fromtimestamp(at, UTC)).encode("ascii")
