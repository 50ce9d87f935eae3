"""When a tool fails: what is written down, and when it is stopped.

What an error said may name a customer, so the words stand apart from the traceback and go when
somebody is erased; nobody can tell whom they name, so those of every fault in reach go. Its kind
and its place stay.

A fault is recorded in the caller's transaction, outside of the savepoint that undid the tool's
part. Where that can't be (a session that only reads, a refusal that will roll everything back) it
is written in a transaction of its own as soon as the session's has ended.
"""

import logging
import traceback
from datetime import datetime, timedelta
from functools import partial
from typing import cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from highstreet import host as hosts
from highstreet.host import counts, state
from highstreet.host.models import PluginFault, PluginPause
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

log = logging.getLogger("highstreet.host")

#: Only faults of this long ago or less, and since the last resume, count towards a pause.
WINDOW = timedelta(days=1)
#: As much of a traceback as is kept, in characters from its end (where it says what went wrong).
MOST_TRACEBACK = 8000
_PENDING = "host.faults"
_MET = "host.faults.met"

_fault = cast(sa.Table, PluginFault.__table__)
_pause = cast(sa.Table, PluginPause.__table__)


class Fault(Struct, frozen=True):
    """One failure of one tool. store_id: where; milliseconds: how long the hook ran.

    error: the kind of error; said: its words, empty if they were forgotten. traceback: without
    words.
    """

    plugin: str
    hook: str
    store_id: UUID | None
    kind: str
    error: str
    said: str
    traceback: str
    milliseconds: float
    at: datetime

    @property
    def message(self) -> str:
        """ "ValueError: no such rate", or what is left of it: "ValueError"."""
        return f"{self.error}: {self.said}" if self.error and self.said else self.error or self.said


class Notice(Struct, frozen=True):
    """A tool that stands still in a place, for the page of the day. text is translated."""

    plugin: str
    title: str
    text: str
    at: datetime
    faults: int


def of_error(
    plugin: str,
    hook: str,
    store_id: UUID | None,
    error: BaseException,
    ms: float,
    *,
    again: bool = False,
) -> Fault:
    """The fault of a hook that raised. again: while the tool did what it owed since an earlier one.

    Those don't count towards a pause: one purchase that a tool can't digest, tried five times,
    would stop it for every customer.
    """
    text = "\nthen\n".join(
        f"{_kind(one)}\n{''.join(traceback.format_tb(one.__traceback__))}" for one in _chain(error)
    )
    return Fault(
        plugin,
        hook,
        store_id,
        "again" if again else "error",
        _storable(_kind(error))[:120],
        _storable(_words(error))[:500],
        _storable(text[-MOST_TRACEBACK:]),
        ms,
        clock.now(),
    )


def of_slowness(plugin: str, hook: str, store_id: UUID | None, ms: float, budget: float) -> Fault:
    """The fault of a hook that took longer than `budget` milliseconds."""
    message = f"took {ms:.0f} ms, more than {budget:.0f} ms"
    return Fault(plugin, hook, store_id, "slow", "", message, "", ms, clock.now())


def _chain(error: BaseException) -> list[BaseException]:
    """What led to an error, the first first, and what a group of errors holds."""
    found: list[BaseException] = []
    ahead: list[BaseException | None] = [error]
    while ahead:
        one = ahead.pop()
        if one is None or any(one is known for known in found):
            continue
        found.append(one)
        ahead.append(one.__cause__ or (None if one.__suppress_context__ else one.__context__))
        if isinstance(one, BaseExceptionGroup):
            ahead += one.exceptions
    return found[::-1]


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _words(error: BaseException) -> str:
    """What an error says and, unless it is the same, what led to it said."""
    return " ← ".join(dict.fromkeys(filter(None, map(_said, _chain(error)[::-1]))))


def _said(error: BaseException) -> str:
    try:
        return " ".join([str(error), *getattr(error, "__notes__", ())])
    except Exception:  # it is a tool's own kind of error, and as broken as the tool
        return ""


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL, and no half of a surrogate pair can be encoded."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def record(s: ScopedSession, fault: Fault, *, apart: bool = False) -> None:
    """Write a fault down and pause the tool in that place if it is one too many.

    apart: not in this transaction, because it will be rolled back. Never raises for a reading
    session: then it is written apart too.
    """
    log.warning("%s failed in %s: %s", fault.plugin, fault.hook, fault.error or fault.kind)
    hook = hosts.of(s).hooks.get(fault.hook)
    if hook is not None and hook.wordless and fault.kind != "slow":
        fault = replace(fault, said="")
    s.info.setdefault(_MET, []).append(fault)
    if fault.kind != "slow":  # that one was counted when it came back
        counts.failed(s, fault.plugin, fault.hook, fault.store_id, fault.milliseconds / 1000)
    if apart or not s.writing:
        _later(s, fault)
        return
    s.execute(sa.insert(_fault).values(**_row(s, fault)))
    _pause_if_too_many(s, fault)


def _row(s: ScopedSession, fault: Fault) -> dict[str, object]:
    reachable = fault.store_id == s.scope.store_id or s.scope.reaches_stores(personal=True)
    return {
        "brand_id": s.scope.brand_id,
        "id": new_id(),
        "store_id": fault.store_id if reachable else None,
        "node_id": fault.store_id or s.scope.brand_id,
        "plugin": fault.plugin,
        "hook": fault.hook,
        "kind": fault.kind,
        "error": fault.error,
        "message": fault.said,
        "traceback": fault.traceback,
        "milliseconds": fault.milliseconds,
        "at": fault.at,
    }


def _pause_if_too_many(s: ScopedSession, fault: Fault) -> None:
    if fault.kind == "again" or not state.is_on(s, fault.plugin, fault.store_id):
        return  # an obligation of a tool that is off, or paused already
    node = fault.store_id or s.scope.brand_id
    resumed = s.scalar(
        sa.select(PluginPause.resumed_at).where(
            PluginPause.plugin == fault.plugin, PluginPause.node_id == node
        )
    )
    since = fault.at - WINDOW
    count = s.scalar(
        sa.select(sa.func.count())
        .select_from(_fault)
        .where(
            *s.scope.owns(_fault),
            _fault.c.plugin == fault.plugin,
            _fault.c.node_id == node,
            _fault.c.kind != "again",
            _fault.c.at > (max(since, resumed) if resumed else since),
        )
    )
    if (count or 0) >= hosts.of(s).fault_limit:
        pause(s, fault.plugin, fault.store_id, faults=count or 0)


def pause(
    s: ScopedSession, plugin: str, store_id: UUID | None, *, faults: int = 0, by: str = ""
) -> bool:
    """Stop a tool in a place; False if it stood still already. `policy.pause` is the verb for
    people."""
    node = store_id or s.scope.brand_id
    values = {
        "faults": faults,
        "paused_by": (by or s.scope.actor.name)[:120],
        "paused_at": clock.now(),
        "resumed_by": None,
        "resumed_at": None,
    }
    state.one_at_a_time(s)
    mine = (*s.scope.owns(_pause), _pause.c.plugin == plugin, _pause.c.node_id == node)
    known = s.execute(sa.select(_pause.c.id, _pause.c.resumed_at).where(*mine)).first()
    if known is not None and known.resumed_at is None:
        return False
    state.touch(s)
    if known is None:
        s.execute(
            sa.insert(_pause).values(
                brand_id=s.scope.brand_id,
                id=new_id(),
                store_id=store_id,
                plugin=plugin,
                node_id=node,
                **values,
            )
        )
    else:
        s.execute(sa.update(_pause).where(*mine).values(**values))
    log.warning("%s is paused in %s after %s faults", plugin, node, faults)
    return True


def _later(s: ScopedSession, fault: Fault) -> None:
    pending: list[Fault] | None = s.info.get(_PENDING)
    if pending is None:
        pending = s.info[_PENDING] = []
        s.on_end.append(partial(_write_apart, s.info["tenancy"], s.scope, pending))
    pending.append(fault)


def _write_apart(tenancy: Tenancy, scope: Scope, pending: list[Fault]) -> None:
    if scope.reach == "aggregate":  # which reads sums and writes nothing
        scope = Scope.operator(scope.brand_id, scope.actor)
    try:
        with tenancy.session(scope, write=True) as s:
            for fault in pending:
                s.execute(sa.insert(_fault).values(**_row(s, fault)))
                _pause_if_too_many(s, fault)
    except Exception:
        # The caller's work is done and must not fail over our notes; the log still has them.
        log.exception("faults of %s were not recorded", {f.plugin for f in pending})


def of_session(s: ScopedSession, hook: str) -> list[Fault]:
    """The failures that this session met in a hook: whose answers are missing, and why."""
    met: list[Fault] = s.info.get(_MET, [])
    return [fault for fault in met if fault.hook == hook and fault.kind == "error"]


def forget(s: ScopedSession) -> int:
    """Forget what errors within reach said, for it may name somebody who is erased; gives how
    many."""
    done = s.execute(
        sa.update(_fault)
        .where(*s.scope.owns(_fault), _fault.c.kind != "slow", _fault.c.message != "")
        .values(message="")
    )
    return int(done.rowcount)  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult


def purge(s: ScopedSession, at: datetime) -> None:
    """Throw away faults from before a moment (aware)."""
    s.execute(sa.delete(_fault).where(*s.scope.owns(_fault), _fault.c.at < at))


def recent(
    s: ScopedSession, plugin: str, store_id: UUID | None = None, limit: int = 20
) -> list[Fault]:
    """The latest faults of a tool in a place, newest first."""
    node = store_id or s.scope.store_id
    query = sa.select(PluginFault).where(PluginFault.plugin == plugin)
    if node is not None:
        query = query.where(PluginFault.node_id == node)
    return [
        Fault(
            row.plugin, row.hook, row.store_id, row.kind, row.error, row.message, row.traceback,
            row.milliseconds, row.at,
        )
        for row in s.scalars(query.order_by(PluginFault.at.desc(), PluginFault.id).limit(limit))
    ]  # fmt: skip


def notices(s: ScopedSession, store_id: UUID | None = None) -> list[Notice]:
    """Tools that stand still in a place and would be on, with what to do; newest first."""
    found = []
    for name, effective in state.overview(s, store_id).items():
        if effective.state == "held":
            text = _(
                "%(tool)s stands still. %(why)s", tool=hosts.of(s).title(name), why=effective.reason
            )
            found.append(Notice(name, hosts.of(s).title(name), text, clock.now(), 0))
        if effective.state == "paused" and effective.at is not None:
            title = hosts.of(s).title(name)
            text = _(
                "%(tool)s stands still. %(why)s What it should have done is kept and is done when"
                " it resumes.",
                tool=title,
                why=effective.reason,
            )
            faults = int(effective.ruling.note or 0)
            found.append(Notice(name, title, text, effective.at, faults))
    return sorted(found, key=lambda notice: notice.at, reverse=True)
