"""Doing what a tool owes: the job behind `owed`."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.host import faults, guard, owed, state
from highstreet.host.guard import CAUGHT
from highstreet.host.owed import TABLE
from highstreet.host.spec import Hook
from highstreet.jobs import JobHandler
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession, TransactionEnded

#: So many are settled in one job; the next follows at once.
CHUNK = 200
#: After so many tries it waits for somebody to resume the tool or press "try again".
MOST_TRIES = 5


def settle(s: ScopedSession, plugin: str, store_id: UUID | None = None) -> dict[str, int]:
    """Do what a tool owes in a place, oldest first; gives how many were "done", "failed", "gone"
    and "dropped".

    A paused tool is left alone. One that was switched off meanwhile owes only obligations
    (winddown hooks); the rest is dropped.
    """
    host = hosts.of(s)
    outcome = {"done": 0, "failed": 0, "gone": 0, "dropped": 0}
    if plugin not in host.plugins:
        return outcome  # it may come back; what it owes stays
    rows = s.execute(
        sa.select(TABLE.c.id, TABLE.c.hook, TABLE.c.arguments, TABLE.c.tries)
        .where(*owed.unsettled(s, plugin, store_id))
        .order_by(TABLE.c.owed_at, TABLE.c.id)
        .limit(CHUNK)
        .with_for_update(skip_locked=True)  # two jobs at once must not do a part twice
    ).all()
    for row in rows:
        active = state.here(s, store_id).active
        if plugin in active.paused:
            return outcome  # perhaps by the faults of this very run
        hook = host.hooks.get(row.hook)
        how = "dropped"
        if hook is not None and (hook.winddown or plugin in active.names):
            how = _do(s, hook, plugin, store_id, row.arguments)
        outcome[how] += 1
        values: dict[str, Any] = {"outcome": how, "settled_at": clock.now(), "arguments": {}}
        if how == "failed":
            values = {"tries": row.tries + 1}
        s.execute(
            sa.update(TABLE).where(*s.scope.owns(TABLE), TABLE.c.id == row.id).values(**values)
        )
    _go_on(s, plugin, store_id, [row.tries + 1 for row in rows], outcome)
    return outcome


def _go_on(
    s: ScopedSession,
    plugin: str,
    store_id: UUID | None,
    tries: Iterable[int],
    outcome: Mapping[str, int],
) -> None:
    least = min(tries, default=MOST_TRIES)
    if outcome["failed"]:
        if least < MOST_TRIES:
            owed.start(s, plugin, store_id, tries=least, follows=True)
    elif owed.count(s, plugin, store_id):
        owed.start(s, plugin, store_id, follows=True)


def _do(
    s: ScopedSession, hook: Hook, plugin: str, store_id: UUID | None, arguments: Mapping[str, Any]
) -> str:
    host = hosts.of(s)
    call = host.calls[hook.name].get(plugin)
    if call is None or hook.retry is None:
        return "dropped"  # a newer version of the tool no longer answers this hook
    node = s.scope.store_id if store_id is None else store_id
    try:
        with s.savepoint():
            given = hook.retry.load(s, arguments)
            if given is None:
                return "gone"
            ctx = guard.ctx_of(s, state.here(s, store_id), plugin, store_id)
            call.function(ctx, *(given[name] for name in hook.arguments))
    except TransactionEnded:
        raise
    except CAUGHT as error:
        faults.record(s, faults.of_error(plugin, hook.name, node, error, 0.0))
        return "failed"
    if hook.wordless:
        faults.forget(s)  # until now the tool could still say whom it had not forgotten
    return "done"


def _run(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    settle(s, str(payload["subject"]))


#: It belongs to no tool, so that the guard lets it look for itself.
JOBS = (JobHandler(owed.JOB, _run),)
