"""Verbs on the queue: enqueue in the caller's transaction, cancel, retry, report progress."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql, sqlite

from highstreet.i18n import gettext as _
from highstreet.jobs.models import (
    CANCELLED,
    EXPIRED,
    FAILED,
    OPEN,
    QUEUED,
    RUNNING,
    SKIPPED,
    job_table,
    payload_table,
)
from highstreet.jobs.queries import reach
from highstreet.jobs.registry import JobRegistry
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound, WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession

MOST_PAYLOAD = 64 * 1024
"""Bytes of JSON: a payload names what to work on; it does not carry it."""

_job = job_table
_payload = payload_table


class _Own:
    """The store of the session's scope."""


OWN: Final = _Own()


def enqueue(
    s: ScopedSession,
    name: str,
    payload: Mapping[str, Any] | None = None,
    *,
    run_at: datetime | None = None,
    not_after: datetime | None = None,
    unique_key: str | None = None,
    max_attempts: int = 5,
    plugin: str | None = None,
    subject: str | None = None,
    store_id: UUID | _Own | None = OWN,
) -> UUID:
    """Put a job into the queue as part of the caller's transaction; gives its id.

    It runs in the scope of `store_id` (the session's own store unless given; None: brand-wide), no
    sooner than `run_at` and never later than `not_after` (aware times). While a job with the same
    `unique_key` of the same store is queued or running, nothing is added and its id is returned.
    `subject` may say what it is about on the jobs page; never put customer data there.

    Head office of a brand whose stores own their customers may enqueue for a store, but cannot
    hand it a payload: rows about people are the store's to write. Use `subject`.

    Raises Invalid (payload too large, not JSON, a payment card in it, or times that cross),
    UnknownJob, WallBreach (reading session, or another store from a store's scope).
    """
    found = enqueue_many(
        s,
        name,
        [payload or {}],
        run_at=run_at,
        not_after=not_after,
        max_attempts=max_attempts,
        plugin=plugin,
        subject=subject,
        store_id=store_id,
        unique_keys=None if unique_key is None else [unique_key],
    )
    return found[0]


def enqueue_many(
    s: ScopedSession,
    name: str,
    payloads: Sequence[Mapping[str, Any]],
    *,
    run_at: datetime | None = None,
    not_after: datetime | None = None,
    max_attempts: int = 5,
    plugin: str | None = None,
    subject: str | None = None,
    store_id: UUID | _Own | None = OWN,
    unique_keys: Sequence[str] | None = None,
) -> list[UUID]:
    """One job per payload, otherwise as `enqueue`; `unique_keys` stands beside `payloads`."""
    if not s.writing:
        raise WallBreach("a reading session cannot enqueue: open it with write=True")
    store = s.scope.store_id if isinstance(store_id, _Own) else store_id
    if s.scope.reach == "store" and store not in (None, s.scope.store_id):
        raise WallBreach("a store cannot enqueue for another store")
    registry = s.info.get("jobs")
    if isinstance(registry, JobRegistry):
        plugin = registry.get(name).plugin or plugin
    at = now()
    due = run_at or at
    if not_after is not None and not_after <= due:
        raise Invalid(_("The job could never run: its last moment is before its first."))
    if max_attempts < 1:
        raise Invalid(_("A job needs at least one attempt."))
    brand = s.scope.brand_id
    lane = store or brand
    common = {
        "brand_id": brand,
        "store_id": store,
        "name": name,
        "plugin": plugin,
        "subject": subject,
        "lane": lane if due <= at else None,
        "run_at": due,
        "not_after": not_after,
        "max_attempts": max_attempts,
        "enqueued_at": at,
    }
    rows: list[dict[str, Any]] = [common | {"id": new_id()} for _payload in payloads]
    if unique_keys is not None:
        for row, key in zip(rows, unique_keys, strict=True):
            row["unique_key"] = lane_key(lane, key)
    for given in payloads:
        _check_payload(given)
    s.flush()  # the job's store may be new in this very transaction
    if unique_keys is None:
        if rows:
            s.execute(sa.insert(_job), rows)
        ids = fresh = [row["id"] for row in rows]
    else:
        ids = [_insert_unique(s, row) for row in rows]
        fresh = [row["id"] for row in rows if row["id"] in set(ids)]
    added = set(fresh)
    contents = [
        {"brand_id": brand, "id": row["id"], "store_id": store, "payload": dict(given)}
        for row, given in zip(rows, payloads, strict=True)
        if given and row["id"] in added
    ]
    if contents:
        s.execute(sa.insert(_payload), contents)
    return ids


def lane_key(lane: UUID, key: str) -> str:
    """The stored form of a unique key. It holds the store, so that two stores that choose the same
    key (a date, say) cannot swallow one another's job."""
    if not key or len(key) > 200:
        raise Invalid(_("A job's unique key has 1 to 200 characters."))
    return f"{lane.hex}:{key}"


def insert_once(s: orm.Session, row: Mapping[str, Any]) -> bool:
    """Insert a job's row unless an open one holds its unique key; whether it went in."""
    insert = postgresql.insert if s.get_bind().dialect.name == "postgresql" else sqlite.insert
    found = s.execute(
        insert(_job)
        .values(**row)
        .on_conflict_do_nothing(
            index_elements=["brand_id", "unique_key"],
            index_where=sa.text(f"unique_key IS NOT NULL AND {OPEN}"),
        )
        .returning(_job.c.id)
    )
    return found.first() is not None


def _insert_unique(s: ScopedSession, row: dict[str, Any]) -> UUID:
    # The open job can end between our insert and our look, so look again until one of them holds.
    while not insert_once(s, row):
        open_id = s.scalar(
            sa.select(_job.c.id).where(
                _job.c.brand_id == row["brand_id"],
                _job.c.unique_key == row["unique_key"],
                sa.text(OPEN),
            )
        )
        if open_id is not None:
            return UUID(str(open_id))
    return UUID(str(row["id"]))


def _check_payload(payload: Mapping[str, Any]) -> None:
    try:
        text = json.dumps(dict(payload), allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise Invalid(_("A job's payload must be plain JSON: texts, numbers, lists.")) from error
    if len(text) > MOST_PAYLOAD:
        raise Invalid(_("A job's payload is too large. Hand over ids, not the rows themselves."))
    if "\\u0000" in text:
        raise Invalid(_("A job's payload must not hold a NUL character."))
    refuse_payment_cards(payload)


def cancel(s: orm.Session, job_id: UUID) -> None:
    """Stop a queued or running job; what a running one did is rolled back when it ends.

    `s` is a scoped session (its own brand's or store's jobs) or a control session (all). On SQLite
    a running job holds the write lock, so cancelling waits for it and then finds it done.
    Raises NotFound, Conflict if it has ended.
    """
    changed = s.execute(
        sa.update(_job)
        .where(_job.c.id == job_id, _job.c.status.in_((QUEUED, RUNNING)), *reach(s))
        .values(status=CANCELLED, finished_at=now(), **RELEASED)
        .returning(_job.c.id)
    ).first()
    if changed is None:
        _status(s, job_id)
        raise Conflict(_("The job has already ended."))


def retry(s: orm.Session, job_id: UUID) -> None:
    """Queue a failed, skipped, expired or cancelled job again, with all its attempts before it.

    Raises NotFound; Conflict if it is open or done, if its last moment has passed, or if another
    job took its unique key meanwhile.
    """
    at = now()
    _status(s, job_id)
    try:
        with s.begin_nested():
            changed = s.execute(
                sa.update(_job)
                .where(
                    _job.c.id == job_id,
                    _job.c.status.in_((FAILED, SKIPPED, EXPIRED, CANCELLED)),
                    sa.or_(_job.c.not_after.is_(None), _job.c.not_after > at),
                    *reach(s),
                )
                .values(
                    **(RELEASED | {"lane": LANE}),
                    status=QUEUED,
                    attempts=0,
                    run_at=at,
                    finished_at=None,
                    error=None,
                )
                .returning(_job.c.id)
            ).first()
    except sa.exc.IntegrityError as error:
        raise Conflict(_("The same work is already queued by a newer job.")) from error
    if changed is None:
        raise Conflict(
            _("The job is still open, is done, or its last moment has passed. Start it anew.")
        )


LANE = sa.func.coalesce(_job.c.store_id, _job.c.brand_id)
RELEASED: dict[str, Any] = {
    "lane": None,
    "lease_until": None,
    "leased_by": None,
    "lease_token": None,
    "handed_at": None,
}
"""Column values of a job that nobody runs, waits for, or carries."""


def _status(s: orm.Session, job_id: UUID) -> str:
    status = s.scalar(sa.select(_job.c.status).where(_job.c.id == job_id, *reach(s)))
    if status is None:
        raise NotFound(_("There is no such job."))
    return str(status)


def progress(s: ScopedSession, done: int, total: int | None = None) -> None:
    """Say from inside a handler how far it is, in whatever it counts.

    Shown while the job runs on PostgreSQL; on SQLite, where the job holds the only write lock, when
    it ends. Raises LeaseLost if the job was cancelled or taken over: stop and let it through.
    Outside of a job it does nothing.
    """
    running = s.info.get("job")
    if running is not None:
        running.report(done, total)
