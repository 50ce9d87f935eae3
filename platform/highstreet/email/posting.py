"""Sending what is in the outbox: each message at most once.

A chunk is marked as being sent, and that is committed, before a byte of it leaves; afterwards it is
written down what became of it. A worker that is killed in between leaves messages of which nobody
can know whether they went out. They are counted as such and not sent again: a missing reminder does
less harm than one that comes twice. What the server surely does not have is tried again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.consent import contacts
from highstreet.consent.facts import SERVICE
from highstreet.email import endings, gate, senders
from highstreet.email import house as houses
from highstreet.email.endings import Ended
from highstreet.email.gate import Asked
from highstreet.email.models import (
    BOUNCED,
    FAILED,
    LATE,
    QUEUED,
    SENDING,
    SENT,
    STOPPED,
    UNKNOWN,
    EmailMessage,
)
from highstreet.email.outbox import SEND, order
from highstreet.email.transports import Answer, Envelope
from highstreet.email.writing import Desk, Letter
from highstreet.jobs import JobHandler, Trip, handler
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: How long after the first try, the second, … the next comes.
SCHEDULE = tuple(timedelta(minutes=one) for one in (1, 5, 15, 60, 120, 240, 480, 720, 1440))
#: Messages of one chunk: so many at most are of unknown fate when a worker is killed.
CHUNK = 50
#: Seconds after which one place's outbox makes room for other work.
TURN = 30.0
#: How soon quiet hours are looked at again.
QUIET = timedelta(minutes=10)
#: How long after it was taken a message is nobody's any more, if its job never came back.
ABANDONED = timedelta(minutes=30)

_message = cast(sa.Table, EmailMessage.__table__)
_END = Statement(
    "UPDATE core_email_message AS m SET state = :state, code = :code, answer = :answer,"
    " due_at = :due_at, ended_at = :ended_at"
    f" WHERE m.id = :id AND m.attempts = :attempts AND m.state IN ('sending', 'unknown')"
    f" AND {own('m')}",
    returns="none",
)


class Chunk(Struct):
    """What one turn sends. unwritten: letters that could not be put together, and why."""

    letters: list[Letter]
    envelopes: list[Envelope] = field(default_factory=list)
    unwritten: list[tuple[Letter, str]] = field(default_factory=list)


def wait_after(attempts: int, jitter: Callable[[], float] = random.random) -> timedelta | None:
    """How long to wait after the `attempts`-th try, a tenth more or less; None: it was the last."""
    if attempts > len(SCHEDULE):
        return None
    return SCHEDULE[attempts - 1] * (0.9 + 0.2 * jitter())


@handler(SEND, lease_seconds=60, max_seconds=900, outside=True)
def send_job(trip: Trip, _payload: Mapping[str, Any]) -> Callable[[ScopedSession], None]:
    """Send what is due in the outbox of a store, or of head office."""
    began = monotonic()
    with trip.session(write=True) as s:
        mail = houses.of(s)
        _lost(s, trip.id)
    transport = mail.transport
    while transport is not None and monotonic() - began < TURN:
        with trip.session(write=True) as s:
            chunk = _take(s, trip.id)
        if chunk is None:
            break
        answers = transport.send(chunk.envelopes)
        with trip.session(write=True) as s:
            _write_down(s, chunk, answers)
        trip.report(0)
        if answers and all(one.fate == "untouched" for one in answers):
            break

    def ending(s: ScopedSession) -> None:
        if transport is not None:
            _go_on(s)
            endings.rested(s)

    return ending


def _here(s: ScopedSession) -> list[sa.ColumnElement[bool]]:
    """The messages of the place at hand, within the scope."""
    place = s.scope.store_id
    at = _message.c.place_id.is_(None) if place is None else _message.c.place_id == place
    return [*s.scope.owns(_message), at]


def _lost(s: ScopedSession, job_id: UUID) -> None:
    """What this very job had in hand when it was killed, or another that never came back."""
    c = _message.c
    s.execute(
        sa.update(_message)
        .where(
            *_here(s),
            c.state == SENDING,
            sa.or_(c.taken_by == job_id, c.taken_at < now() - ABANDONED),
        )
        .values(state=UNKNOWN, ended_at=now())
    )


def _take(s: ScopedSession, job_id: UUID) -> Chunk | None:
    """The next messages that may go out, marked as being sent; None if nothing is due."""
    at, c = now(), _message.c
    sender = senders.current(s)
    if sender is None or gate.is_quiet(s):
        return None
    rows = s.execute(
        sa.select(
            *(c.id, c.store_id, c.place_id, c.customer_id, c.piece_id, c.purpose, c.address),
            *(c.called, c.fills, c.attempts, c.not_after, c.kind, c.key, c.used_for),
        )
        .where(*_here(s), c.state == QUEUED, c.due_at <= at)
        .order_by(c.due_at, c.id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return None
    late = {row.id for row in rows if row.not_after <= at}
    asked = [
        Asked(row.id, row.customer_id, row.purpose, row.address, row.used_for)
        for row in rows
        if row.id not in late
    ]
    reasons = dict.fromkeys(late, "too_late") | gate.may_go(s, asked)
    stopped = {one for one, reason in reasons.items() if reason is not None} - late
    _close(s, late, LATE)
    _close(s, stopped, STOPPED)
    _tell(s, [(row, LATE if row.id in late else STOPPED, reasons[row.id]) for row in rows])
    letters = [
        Letter(*row[:9], row.attempts + 1, row.kind, row.key, row.used_for)
        for row in rows
        if reasons[row.id] is None
    ]
    s.execute(
        sa.update(_message)
        .where(*s.scope.owns(_message), c.id.in_([one.id for one in letters]))
        .values(state=SENDING, attempts=c.attempts + 1, taken_by=job_id, taken_at=at)
    )
    chunk = Chunk(letters)
    desk = Desk(s, sender, letters)
    seconds = int(at.timestamp())
    written = []
    for one in letters:
        try:
            chunk.envelopes.append(desk.write(one, seconds))
            written.append(one)
        except HighstreetError as error:
            chunk.unwritten.append((one, error.detail))
    chunk.letters = written
    return chunk


def _tell(s: ScopedSession, found: Iterable[tuple[Any, str, str | None]]) -> None:
    """Tell whoever queued them of (message, state, why) that did not arrive."""
    endings.tell(
        s,
        [
            (one.kind, Ended(one.key, one.customer_id, state, reason))
            for one, state, reason in found
            if reason is not None and one.key is not None
        ],
    )


def _close(s: ScopedSession, messages: set[UUID], state: str) -> None:
    # Why stands not with the message: it may have to do with the person, whose consent tells it.
    if messages:
        s.execute(
            sa.update(_message)
            .where(*s.scope.owns(_message), _message.c.id.in_(messages))
            .values(state=state, ended_at=now())
        )


def _write_down(s: ScopedSession, chunk: Chunk, answers: list[Answer]) -> None:
    """Keep what became of a chunk. A message that another declared lost meanwhile is known now."""
    at = now()
    rows = [_ended(one, answer, at) for one, answer in zip(chunk.letters, answers, strict=True)]
    rows += [_row(one, FAILED, None, why, at, at) for one, why in chunk.unwritten]
    _END.many(s, rows)
    became = {row["id"]: row["state"] for row in rows}
    gate.died(
        s, [(one.customer_id, one.address) for one in chunk.letters if became[one.id] == BOUNCED]
    )
    _tell(s, [(one, FAILED, "unwritten") for one, _why in chunk.unwritten])
    _tell(
        s,
        [
            (one, became[one.id], _why(became[one.id], answer))
            for one, answer in zip(chunk.letters, answers, strict=True)
        ],
    )
    for one in chunk.letters:
        # What concerns their own membership counts against no cap; a mailing has counted its own.
        if became[one.id] == SENT and one.purpose != SERVICE and one.used_for is None:
            contacts.note(
                s,
                [one.customer_id],
                channel=gate.CHANNEL,
                purpose=one.purpose,
                used_for=f"message:{one.id}",
                at=at,
            )


def _why(state: str, answer: Answer) -> str | None:
    """Why it did not arrive; None unless it is known that it did not."""
    if state == BOUNCED:
        return "bounced"
    if state == FAILED:
        return "refused" if answer.fate == "refused" else "not_taken"
    return None


def _ended(one: Letter, answer: Answer, at: datetime) -> dict[str, Any]:
    state, due = SENT, at
    if answer.fate == "unknown":
        state = UNKNOWN
    elif answer.fate == "refused":
        state = BOUNCED if answer.no_such_person else FAILED
    elif answer.fate != "taken":
        wait = wait_after(one.attempts)
        state, due = (FAILED, at) if wait is None else (QUEUED, at + wait)
    return _row(one, state, answer.code, answer.text, at, due)


def _row(
    one: Letter, state: str, code: int | None, answer: str, at: datetime, due: datetime
) -> dict[str, Any]:
    return {
        "id": one.id,
        "attempts": one.attempts,
        "state": state,
        "code": code,
        "answer": answer[:300],
        "due_at": due,
        "ended_at": None if state == QUEUED else at,
    }


def _go_on(s: ScopedSession) -> None:
    """If anything is left to be sent here, there is a job for it."""
    c = _message.c
    due = s.scalar(sa.select(sa.func.min(c.due_at)).where(*_here(s), c.state == QUEUED))
    if due is not None and gate.is_quiet(s):
        due = max(due, now() + QUIET)
    if due is not None:
        order(s, s.scope.store_id, due if due > now() else None)


JOBS: tuple[JobHandler, ...] = (send_job,)
