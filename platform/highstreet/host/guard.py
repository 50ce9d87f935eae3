"""Calling one tool: nothing it raises gets out, and what it takes is measured."""

import math
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any
from uuid import UUID

from sqlalchemy import orm

from highstreet import host as hosts
from highstreet.host import counts, faults, state
from highstreet.host.state import Here
from highstreet_tenants.failures import FAILURES
from highstreet_tenants.sessions import ScopedSession

#: What goes wrong in a tool's code is the tool's. KeyboardInterrupt is the operator's.
CAUGHT = FAILURES
_SHIELD = "host.shield"


class Shield:
    """A savepoint that opens when a reading hook first reaches for the database.

    PostgreSQL refuses everything after a failed statement until a rollback, so without it one
    tool's bad query would end the caller's transaction. Most reading hooks never get that far,
    and SQLite does not need it, so it costs nothing until then. Within it a statement may take as
    long as the host allows a hook.
    """

    __slots__ = ("_allowed", "_before", "_s", "_savepoint")

    def __init__(self, s: ScopedSession) -> None:
        self._s = s
        self._savepoint: orm.SessionTransaction | None = None
        self._allowed = s.seconds
        self._before = s.info.get(_SHIELD)
        s.info[_SHIELD] = self

    def arm(self) -> None:
        """Open the savepoint."""
        if self._savepoint is None:
            if self._before is not None:
                self._before.arm()
            self._savepoint = self._s.begin_nested()
            self._allowed = self._s.seconds
            seconds = hosts.of(self._s).query_seconds
            if 0 < seconds < (self._allowed or math.inf):
                self._s.allow(seconds)

    def settle(self, *, failed: bool) -> None:
        """Done with one hook: keep what it did, or undo it. The next may open a savepoint anew."""
        savepoint, self._savepoint = self._savepoint, None
        if savepoint is not None and savepoint.is_active:
            if failed or self._s.is_aborted():  # or the tool hid that its statement failed
                savepoint.rollback()
                self._s.seconds = self._allowed
            else:
                savepoint.commit()
                self._s.allow(self._allowed)

    def lift(self, *, failed: bool) -> None:
        """`settle`, and shield no longer."""
        self._s.info[_SHIELD] = self._before
        if self._savepoint is not None:
            self.settle(failed=failed)


def arm(s: ScopedSession) -> None:
    """`ctx` calls this before it hands out the session."""
    shield = s.info.get(_SHIELD)
    if shield is not None:
        shield.arm()


def needs_shield(s: ScopedSession) -> bool:
    """Whether this database forgets the transaction over one failed statement."""
    return s.dialect == "postgresql"


def ctx_of(s: ScopedSession, here: Here, plugin: str, store_id: UUID | None) -> Any:
    """The `ctx` of a tool in a place, made once per session."""
    ctx = here.ctxs.get(plugin)
    if ctx is None:
        ctx = here.ctxs[plugin] = make_ctx(s, plugin, store_id)
    return ctx


def make_ctx(s: ScopedSession, plugin: str, store_id: UUID | None) -> Any:
    """A fresh `ctx` of a tool. Raises RuntimeError for a host that was loaded without a maker."""
    host = hosts.of(s)
    if host.make_ctx is None:
        raise RuntimeError("the host was loaded without a maker of ctx")
    return host.make_ctx(s, host.plugins[plugin], store_id)


def size(values: Sequence[Any]) -> float:
    """How much longer than for one thing a hook may take for these: a batch of 1,000, 21 times."""
    many = values[0] if values and isinstance(values[0], list | tuple) else ()
    return 1 + max(0, len(many) - 1) / 50


def check_writing(s: ScopedSession, hook: str) -> None:
    """Raise TypeError where a hook that writes is called in a session that only reads."""
    if not s.writing:
        raise TypeError(f"the hook {hook} writes: open the session with write=True")


def call(
    s: ScopedSession,
    plugin: str,
    label: str,
    function: Callable[..., Any],
    values: tuple[Any, ...] = (),
    *,
    named: Mapping[str, Any] | None = None,
    store_id: UUID | None = None,
    budget: float,
) -> tuple[bool, Any]:
    """(whether it went well, what `function(ctx, …)` of a tool gave).

    A failure is recorded under `label` and the tool's reads are undone where need be; taking
    longer than `budget` (seconds) is a fault too.
    """
    here = state.here(s, store_id)
    node = s.scope.store_id if store_id is None else store_id
    ctx = ctx_of(s, here, plugin, store_id)
    shield = Shield(s) if needs_shield(s) else None
    began = perf_counter()
    try:
        value = function(ctx, *values, **(named or {}))
    except CAUGHT as error:
        if shield is not None:
            shield.lift(failed=True)
        ms = (perf_counter() - began) * 1000
        faults.record(s, faults.of_error(plugin, label, node, error, ms))
        return False, None
    except BaseException:
        if shield is not None:
            shield.lift(failed=True)
        raise
    took = perf_counter() - began
    (here.sheet or counts.on(s, here))[label][plugin].add(took)
    if shield is not None:
        shield.lift(failed=False)
    if took > budget:
        faults.record(s, faults.of_slowness(plugin, label, node, took * 1000, budget * 1000))
    return True, value
