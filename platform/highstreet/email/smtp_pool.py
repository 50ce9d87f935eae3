"""Handing many messages to one server over few connections, which are kept between them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from highstreet.email.smtp import Connection, Server
from highstreet.email.smtp_reply import SmtpTroubleError
from highstreet.email.transports import Answer, Envelope

#: Connections to the server at a time, for all of a process.
CONNECTIONS = 4
#: Seconds: a connection that lay idle for so long is asked whether it lives; for longer, let go.
DOUBTFUL, OLD = 5.0, 60.0
#: Connections that one batch may lose on each of its ways before it gives that way up.
PATIENCE = 3


class Smtp:
    """Sends by SMTP. `only_here`: to this very machine alone, as tests must."""

    def __init__(
        self, server: Server, *, connections: int = CONNECTIONS, only_here: bool = False
    ) -> None:
        self._server, self._connections = server, connections
        self._only_here = only_here
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Connection]] = []
        self._threads: ThreadPoolExecutor | None = None

    def send(self, envelopes: Iterable[Envelope]) -> list[Answer]:
        """See Transport; the messages are built by whoever iterates, one after another."""
        if self._only_here and not self._server.here:
            raise RuntimeError("a test would send real mail: use a server on this machine")
        batch = _Batch(envelopes)
        ways = [self._workers().submit(self._way, batch) for _one in range(self._connections)]
        for way in ways:
            way.result()
        return batch.done()

    def close(self) -> None:
        """Say goodbye on every connection."""
        with self._lock:
            idle, self._idle = self._idle, []
            threads, self._threads = self._threads, None
        for _since, connection in idle:
            connection.quit()
        if threads is not None:
            threads.shutdown(wait=False)

    def _workers(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._connections, "smtp")
            return self._threads

    def _way(self, batch: _Batch) -> None:
        """Send what is left of the batch, until nothing is or the server can't be had."""
        connection: Connection | None = None
        lost = 0
        while (work := batch.take()) is not None:
            number, envelope = work
            try:
                if connection is None:
                    connection = self._open()
                answer = connection.send(envelope)
            except SmtpTroubleError as trouble:
                answer = Answer("untouched", None, str(trouble))
            batch.put(number, answer)
            if (answer.code is None and answer.fate != "refused") or answer.code == 421:
                if connection is not None:
                    connection.close()
                    connection = None
                lost += 1
                if lost >= PATIENCE:
                    batch.gave_up(answer.text)
                    return
        if connection is not None:
            with self._lock:
                self._idle.append((monotonic(), connection))

    def _open(self) -> Connection:
        while True:
            with self._lock:
                since, connection = self._idle.pop() if self._idle else (0.0, None)
            if connection is None:
                return Connection(self._server)
            idle = monotonic() - since
            if idle < DOUBTFUL or (idle < OLD and connection.alive()):
                return connection
            connection.close()


class _Batch:
    """Messages that several ways take from, and what became of each."""

    def __init__(self, envelopes: Iterable[Envelope]) -> None:
        self._left: Iterator[Envelope] = iter(envelopes)
        self._lock = threading.Lock()
        self._taken = 0
        self._why = ""
        self._answers: dict[int, Answer] = {}

    def take(self) -> tuple[int, Envelope] | None:
        """The next message and its number; None if there is none."""
        with self._lock:
            envelope = next(self._left, None)
            if envelope is None:
                return None
            self._taken += 1
            return self._taken - 1, envelope

    def put(self, number: int, answer: Answer) -> None:
        """What became of one."""
        self._answers[number] = answer

    def gave_up(self, why: str) -> None:
        """A way is closed."""
        self._why = why

    def done(self) -> list[Answer]:
        """All answers; whatever no way took was not touched."""
        for _one in self._left:
            self._answers[self._taken] = Answer("untouched", None, self._why)
            self._taken += 1
        return [self._answers[number] for number in range(self._taken)]
