"""Carrying deliveries to their receivers: at least once, with the same id at every try.

One job at a time works for a webhook, in the order in which things happened. Between a chunk's
first line and its last no transaction is open, for a receiver may take its time; a worker that is
killed leaves the chunk to the next, which sends again what was not written down as sent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.host import state
from highstreet.jobs import JobHandler, Trip, handler
from highstreet.webhooks import addresses, secrets, signing, subscriptions
from highstreet.webhooks.addresses import Target
from highstreet.webhooks.models import (
    ACTIVE,
    ADDRESS,
    CLOSED,
    FAILED,
    FAILING,
    GONE,
    PENDING,
    SECRET,
    Webhook,
    WebhookDelivery,
)
from highstreet.webhooks.sending import Answer, Post
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.sealing import Sealing, Unsealable
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: How long after the first try, the second, … the next comes: ten tries over some three days, as
#: Standard Webhooks suggests.
SCHEDULE = tuple(
    timedelta(seconds=one) for one in (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
)
#: A receiver that does not answer is left alone after so many failures in a row.
PATIENCE = 3
#: While it rests, for how long at most.
LONGEST_REST = timedelta(minutes=30)
#: Messages, and seconds, after which it is written down what became of them.
CHUNK, SECONDS = 50, 5.0
#: Seconds after which one webhook makes room for another's.
TURN = 30.0
#: Seconds that a message takes with a receiver that is slow.
SLOW = 1.0
#: How long after its job died another may deliver.
HELD_FOR = timedelta(seconds=90)

_delivery = cast(sa.Table, WebhookDelivery.__table__)
_WRITE = Statement(
    "UPDATE core_webhook_delivery AS d SET status = :status, attempts = :attempts,"
    " due_at = :due_at, first_at = :first_at, last_at = :last_at, answer_status = :answer_status,"
    " answer = :answer, took_ms = :took_ms"
    f" WHERE d.id = :id AND d.status = 'pending' AND {own('d')}",
    returns="none",
)
_TAKEN = Statement(
    "UPDATE core_webhook_delivery AS d SET status = 'sent', attempts = d.attempts + 1,"
    " first_at = COALESCE(d.first_at, :at), last_at = :at, answer_status = :answer_status,"
    " answer = :answer, took_ms = :took_ms"
    f" WHERE d.id = :id AND d.status = 'pending' AND {own('d')}",
    returns="none",
)


class Letter(NamedTuple):
    """A delivery to be tried."""

    id: UUID
    event_id: UUID
    body: str
    attempts: int
    first_at: datetime | None


class Round(Struct):
    """What one job needs of a webhook, and what became of a chunk."""

    target: Target
    keys: list[str]
    letters: Sequence[Letter]
    tried: list[tuple[Letter, Answer, datetime]] = field(default_factory=list)


def wait_after(
    attempts: int, asked: timedelta | None, jitter: Callable[[], float] = random.random
) -> timedelta | None:
    """How long to wait after a delivery failed for the `attempts`-th time, a tenth more or less;
    at least as long as the receiver asked for. None: it was the last time."""
    if attempts > len(SCHEDULE):
        return None
    wait = SCHEDULE[attempts - 1] * (0.9 + 0.2 * jitter())
    return max(wait, asked or timedelta(0))


def deliverer(local: bool = False) -> JobHandler:
    """The job that carries a webhook's deliveries; its subject is the webhook's id.

    local: http to this machine will do.
    """

    @handler(subscriptions.DELIVER, lease_seconds=60, max_seconds=600, outside=True)
    def deliver_job(trip: Trip, payload: Mapping[str, Any]) -> Callable[[ScopedSession], None]:
        webhook_id = UUID(str(payload["subject"]))
        began = monotonic()
        held, post = True, None
        try:
            while monotonic() - began < TURN:
                with trip.session(write=True) as s:
                    work = _take(s, webhook_id, trip.id, local)
                if work is None or not work.letters:
                    held = work is not None
                    break
                if post is None:
                    post = Post(work.target, local=local)
                _carry(post, work)
                with trip.session(write=True) as s:
                    going_on = _write_down(s, webhook_id, work)
                trip.report(0)
                if not going_on:
                    break
        finally:
            if post is not None:
                post.close()

        def ending(s: ScopedSession) -> None:
            if held:
                _let_go(s, webhook_id, trip.id)

        return ending

    return deliver_job


def _take(s: ScopedSession, webhook_id: UUID, job_id: UUID, local: bool) -> Round | None:
    """The next letters of a webhook, which is this job's meanwhile; None if it is another's, or
    nothing is to be sent."""
    row = _locked(s, webhook_id)
    at = now()
    if row is None or row.status != ACTIVE:
        return None
    if row.busy_by not in (None, job_id) and row.busy_until is not None and row.busy_until > at:
        return None
    if row.store_id is not None and not state.place(s, row.store_id).open:
        subscriptions.disable(s, row, CLOSED)
        return None
    sealing = cast(Sealing, s.info["sealing"])
    try:
        keys = secrets.signing_now(sealing, row, at)
    except Unsealable:
        subscriptions.disable(s, row, SECRET)
        return None
    try:
        target = addresses.read(row.url, local=local)
    except Invalid:  # it was made under other rules
        subscriptions.disable(s, row, ADDRESS)
        return None
    row.busy_by, row.busy_until = job_id, at + HELD_FOR
    letters: Sequence[Letter] = ()
    if row.rest_until is None or row.rest_until <= at:
        letters = [Letter(*one) for one in s.execute(_due(s, webhook_id, at))]
    s.flush()
    return Round(target, keys, letters)


def _due(s: ScopedSession, webhook_id: UUID, at: datetime) -> sa.Select[Any]:
    c = _delivery.c
    return (
        sa.select(c.id, c.event_id, c.body, c.attempts, c.first_at)
        .where(
            *s.scope.owns(_delivery),
            c.webhook_id == webhook_id,
            c.status == PENDING,
            c.due_at <= at,
        )
        .order_by(c.event_id)
        .limit(CHUNK)
    )


def _carry(post: Post, work: Round) -> None:
    """Send letters until they, the time or the receiver's patience with us have come to an end."""
    began = monotonic()
    failures = 0
    for letter in work.letters:
        at = now()
        body = letter.body.encode()
        message = signing.message_id(letter.event_id)
        answer = post.send(body, signing.headers(message, int(at.timestamp()), body, work.keys))
        work.tried.append((letter, answer, at))
        failures = 0 if answer.taken else failures + 1
        if answer.gone or failures >= PATIENCE or answer.wait or monotonic() - began >= SECONDS:
            break


def _write_down(s: ScopedSession, webhook_id: UUID, work: Round) -> bool:
    """Keep what became of a chunk; whether to go on with the next."""
    row = _locked(s, webhook_id)
    if row is None:
        return False  # it was deleted meanwhile, and its deliveries with it
    taken = [one for one in work.tried if one[1].taken]
    _TAKEN.many(
        s,
        [
            {
                "id": letter.id,
                "at": at,
                "answer_status": answer.status,
                "answer": answer.text,
                "took_ms": answer.took_ms,
            }
            for letter, answer, at in taken
        ],
    )
    given_up: list[datetime] = []
    for letter, answer, at in work.tried:
        if not answer.taken:
            given_up += _failed(s, letter, answer, at)
    for _letter, answer, at in work.tried:
        row.failures = 0 if answer.taken else row.failures + 1
        if answer.taken:
            row.last_sent_at = at
        else:
            row.last_failed_at = at
    last = work.tried[-1][1]
    row.rest_until = _rest(row.failures, last) or _pause(work)
    row.busy_until = now() + HELD_FOR
    if last.gone:
        subscriptions.disable(s, row, GONE)
    elif given_up and (row.last_sent_at is None or row.last_sent_at < min(given_up)):
        # For as long as a message was tried, nothing at all was taken.
        subscriptions.disable(s, row, FAILING)
    s.flush()
    return row.status == ACTIVE and row.rest_until is None


def _failed(s: ScopedSession, letter: Letter, answer: Answer, at: datetime) -> list[datetime]:
    """Keep that a try failed; the moment of the first, if it was the last."""
    attempts = letter.attempts + 1
    first_at = letter.first_at or at
    wait = wait_after(attempts, answer.wait)
    _WRITE(
        s,
        id=letter.id,
        status=PENDING if wait is not None else FAILED,
        attempts=attempts,
        due_at=at + (wait or timedelta(0)),
        first_at=first_at,
        last_at=at,
        answer_status=answer.status,
        answer=answer.text,
        took_ms=answer.took_ms,
    )
    return [] if wait is not None else [first_at]


def _rest(failures: int, last: Answer) -> datetime | None:
    """Until when the receiver is left alone, if so."""
    if last.taken:
        return None
    if last.wait:
        return now() + last.wait
    if failures < PATIENCE:
        return None
    step = min(failures // PATIENCE - 1, len(SCHEDULE) - 1)
    return now() + min(SCHEDULE[step], LONGEST_REST)


def _pause(work: Round) -> datetime | None:
    """Until when a receiver that takes everything, but slowly, makes room for others: it has a
    third of the time, or twenty of them could keep a worker to themselves."""
    took = sum(answer.took_ms for _letter, answer, _at in work.tried) / 1000
    if took < SECONDS or took / len(work.tried) < SLOW:
        return None
    return now() + timedelta(seconds=2 * took)


def _let_go(s: ScopedSession, webhook_id: UUID, job_id: UUID) -> None:
    """The webhook is nobody's again; if anything is left to be done, there is a job for it.

    Under its lock, and after the job has ended: what is written down from now on finds no job under
    way, and gets one of its own.
    """
    row = _locked(s, webhook_id)
    if row is None or row.busy_by != job_id:
        return
    row.busy_by = row.busy_until = None
    s.flush()
    if row.status != ACTIVE:
        return
    due = s.scalar(
        sa.select(sa.func.min(_delivery.c.due_at)).where(
            *s.scope.owns(_delivery),
            _delivery.c.webhook_id == webhook_id,
            _delivery.c.status == PENDING,
        )
    )
    if due is not None:
        at = max(due, row.rest_until or due)
        subscriptions.order(s, row, at if at > now() else None)


def _locked(s: ScopedSession, webhook_id: UUID) -> Webhook | None:
    return s.scalar(
        sa.select(Webhook)
        .where(Webhook.id == webhook_id, *subscriptions.mine(s))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
