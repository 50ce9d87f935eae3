"""Doing what a tool owes: the job behind `owed`."""

from collections.abc import Collection, Mapping
from time import perf_counter
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.host import counts, faults, guard, owed, state
from highstreet.host.guard import CAUGHT
from highstreet.host.owed import TABLE
from highstreet.host.spec import Hook
from highstreet.jobs import JobHandler
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession, TransactionEnded


def settle(
    s: ScopedSession,
    plugin: str,
    store_id: UUID | None = None,
    ids: Collection[UUID] | None = None,
) -> dict[str, int]:
    """Do what a tool owes in a place, oldest first; gives how many parts were "done", "failed",
    "gone" (what they were about no longer exists), "dropped" (the tool no longer answers that hook)
    or "left".

    ids: these parts only. Parts in hooks that wind down obligations are done wherever the tool is
    loaded, the others where it is on; where it is paused, off or not loaded they are left, and done
    once it is on again.
    """
    host = hosts.of(s)
    outcome = dict.fromkeys(("done", "failed", "gone", "dropped", "left"), 0)
    query = sa.select(TABLE.c.id, TABLE.c.hook, TABLE.c.arguments, TABLE.c.tries).where(
        *owed.unsettled(s, plugin, store_id)
    )
    if ids is not None:
        query = query.where(TABLE.c.id.in_(ids))
    rows = s.execute(
        query.order_by(TABLE.c.owed_at, TABLE.c.id)
        .limit(owed.CHUNK)
        .with_for_update(skip_locked=True)  # two jobs at once must not do a part twice
    ).all()
    for row in rows:
        how = _try(s, host.hooks.get(row.hook), plugin, store_id, row.arguments)
        outcome[how] += 1
        at = clock.now()
        values: dict[str, Any] = {"outcome": how, "settled_at": at, "arguments": {}}
        if how == "failed":
            # Who gave it to a job counted the try, so that one that ends the process counts too.
            tries = row.tries + (ids is None)
            values = {"tries": tries, "due_at": at + owed.backoff(tries)}
        elif how == "left":
            values = {"due_at": at}
        s.execute(
            sa.update(TABLE).where(*s.scope.owns(TABLE), TABLE.c.id == row.id).values(**values)
        )
    return outcome


def _try(
    s: ScopedSession,
    hook: Hook | None,
    plugin: str,
    store_id: UUID | None,
    arguments: Mapping[str, Any],
) -> str:
    host = hosts.of(s)
    if plugin not in host.plugins:
        return "left"  # it may come back
    call = host.calls.get(hook.name, {}).get(plugin) if hook is not None else None
    if hook is None or hook.retry is None or call is None:
        return "dropped"
    # Asked for each part: the one before may have been the fault too many.
    if not (hook.winddown or state.is_on(s, plugin, store_id)):
        return "left"
    node = s.scope.store_id if store_id is None else store_id
    try:
        with s.savepoint():
            given = hook.retry.load(s, arguments)
            if given is None:
                return "gone"
            here = state.here(s, store_id)
            ctx = guard.ctx_of(s, here, plugin, store_id)
            began = perf_counter()
            call.function(ctx, *(given[name] for name in hook.arguments))
            counts.on(s, here)[hook.name][plugin].add(perf_counter() - began)
    except TransactionEnded:
        raise
    except CAUGHT as error:
        faults.record(s, faults.of_error(plugin, hook.name, node, error, 0.0, again=True))
        return "failed"
    if hook.wordless:
        faults.forget(s)  # until now the tool could still say whom it had not forgotten
    return "done"


def _run(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    plugin, ids = str(payload["subject"]), [UUID(one) for one in payload["ids"]]
    running = s.info.get("job")
    if running is not None and running.attempt > 1 and len(ids) > 1:
        # One of them takes the whole job with it (it ends the transaction, or the process). Each
        # gets a job of its own, so that the others are done.
        for one in ids:
            owed.enqueue(s, plugin, s.scope.store_id, [one])
        return
    settle(s, plugin, ids=ids)


#: It belongs to no tool, so that the guard lets it look for itself.
JOBS = (JobHandler(owed.JOB, _run),)
