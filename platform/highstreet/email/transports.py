"""Where messages go: what every transport does, and the two that send nothing anywhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol
from uuid import uuid4

from msgspec import Struct

#: taken: the next server has it. refused: it never will (5xx). put-off: try later (4xx, or trouble
#: with the sender). untouched: the connection failed before the end of the message, so nobody has
#: it. unknown: the connection failed after its end and before the answer: it may have arrived.
Fate = Literal["taken", "refused", "put-off", "untouched", "unknown"]


class Envelope(Struct, frozen=True):
    """One message to be handed over. sender: the return path, "" for none. data: ASCII, CRLF."""

    sender: str
    to: str
    data: bytes


class Answer(Struct, frozen=True):
    """What became of it. code: the server's reply, None where it gave none."""

    fate: Fate
    code: int | None
    text: str

    @property
    def no_such_person(self) -> bool:
        """Whether the address itself is dead: mail to it will never arrive (RFC 3463 3.2)."""
        return self.fate == "refused" and self.text.startswith(
            ("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
        )


class Transport(Protocol):
    """Hands messages over. Usable by several threads at once."""

    def send(self, envelopes: Iterable[Envelope]) -> list[Answer]:
        """One answer for each, in their order. Never raises for what a server or network does."""

    def close(self) -> None:
        """Let connections go."""


class Memory:
    """Keeps messages in a list: for tests and demonstrations."""

    def __init__(self) -> None:
        self.sent: list[Envelope] = []

    def send(self, envelopes: Iterable[Envelope]) -> list[Answer]:
        """Keep them."""
        taken = list(envelopes)
        self.sent += taken
        return [Answer("taken", 250, "kept in memory")] * len(taken)

    def close(self) -> None:
        """Nothing to let go."""


class Folder:
    """Writes each message as a file NAME.eml into `new` of a folder, whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def send(self, envelopes: Iterable[Envelope]) -> list[Answer]:
        """Write them, one after another."""
        return [self._write(one) for one in envelopes]

    def close(self) -> None:
        """Nothing to let go."""

    def _write(self, one: Envelope) -> Answer:
        name = f"{uuid4().hex}.eml"
        draft, done = self._folder / "tmp" / name, self._folder / "new" / name
        head = f"Return-Path: <{one.sender}>\r\nDelivered-To: {one.to}\r\n".encode("ascii")
        try:
            for place in (draft.parent, done.parent):
                place.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft.write_bytes(head + one.data)
            os.replace(draft, done)
        except OSError as error:
            return Answer("untouched", None, f"{error.strerror}: {self._folder}")
        return Answer("taken", 250, f"written to {done.name}")
