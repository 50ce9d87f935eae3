"""Signs of life: each process that runs jobs says every few seconds that it is there."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from highstreet.jobs.models import beat_table
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import Tenancy

log = logging.getLogger(__name__)
EVERY = 15.0
"""Seconds between two signs."""

_beat = beat_table


@contextmanager
def heartbeat(tenancy: Tenancy, runner_id: UUID, kind: str) -> Iterator[None]:
    """Give signs of life from a thread of its own until the block ends, then sign off."""
    over = threading.Event()
    thread = threading.Thread(
        target=_go_on, args=(tenancy, runner_id, kind, over), name="job-heartbeat", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=30)
        try:
            with tenancy.control(write=True) as c:
                c.execute(sa.delete(_beat).where(_beat.c.id == runner_id))
        except sa.exc.SQLAlchemyError as error:
            log.warning("could not sign off (%s)", type(error).__name__)


def _go_on(tenancy: Tenancy, runner_id: UUID, kind: str, over: threading.Event) -> None:
    while True:
        try:
            beat(tenancy, runner_id, kind)
        except sa.exc.SQLAlchemyError as error:
            log.warning("no sign of life given (%s)", type(error).__name__)
        if over.wait(EVERY):
            return


def beat(tenancy: Tenancy, runner_id: UUID, kind: str) -> None:
    """One sign of life."""
    at = now()
    insert = postgresql.insert if tenancy.engine.dialect.name == "postgresql" else sqlite.insert
    row = {
        "id": runner_id,
        "kind": kind,
        "host": socket.gethostname()[:120],
        "pid": os.getpid(),
        "started_at": at,
        "seen_at": at,
    }
    with tenancy.control(write=True) as c:
        c.execute(
            insert(_beat)
            .values(**row)
            .on_conflict_do_update(index_elements=["id"], set_={"seen_at": at})
        )
