"""Trying a tool's settings on the last whole month before they are saved, in one store or many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from highstreet import host as hosts
from highstreet.host import answers, guard, settings, state
from highstreet.host.settings import Proposal
from highstreet.host.settings_trial import KINDS, SettingsTrial, TrialOutcome, TrialPeriod
from highstreet.host.snapshot import Place
from highstreet.host.trial_sums import Tried, hidden
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.sessions import ScopedSession

#: How it is called among a tool's faults and figures.
LABEL = "settings:trial"
#: Seconds that a trial in one store may take; what takes longer is a fault of the tool.
SECONDS = 10.0
#: Seconds after which no further store is tried, and the most stores that are.
MOST_SECONDS, MOST_STORES = 10.0, 200


class TrialFailed(HighstreetError):
    """A tool failed at trying its settings; it is noted among the tool's faults."""

    type, status = "trial-failed", 500


class TriedStores(Struct):
    """The trials of many stores. waiting: how many were not come to in the time there is."""

    tried: list[Tried] = field(default_factory=list)
    waiting: int = 0


def offered(s: ScopedSession, plugin: str) -> SettingsTrial | None:
    """What a tool offers for trying its settings. Raises NotFound for a tool that is not loaded."""
    host = hosts.of(s)
    if plugin not in host.plugins:
        raise state.no_tool(plugin)
    return host.plugins[plugin].plugin.trial


def last_month(place: Place, now: datetime) -> TrialPeriod:
    """The last whole calendar month as it was in a place at a moment (aware)."""
    last = clock.business_date(now, place.zone).replace(day=1) - timedelta(days=1)
    return TrialPeriod(last.replace(day=1), last)


def run(
    s: ScopedSession,
    proposal: Proposal,
    store_id: UUID | None = None,
    *,
    hide: bool = False,
    period: TrialPeriod | None = None,
) -> Tried:
    """What a proposal would have come to last month in a store (the session's own unless named).

    hide: leave out what is about fewer than five people. period: other days. Raises ToolOff where
    the tool is off, NotFound where it has nothing to try or the store is out of reach. A tool that
    fails has no outcome, and the fault is noted.
    """
    plugin = proposal.plugin
    trial = offered(s, plugin)
    if trial is None:
        raise NotFound(_("The settings of this tool can't be tried."))
    state.require(s, plugin, store_id)
    place = state.place(s, store_id)
    period = period or last_month(place, clock.now())
    now = settings.resolve(s, plugin, store_id)
    then = settings.resolve_proposed(s, proposal, store_id)
    well, outcome = guard.call(
        s,
        plugin,
        LABEL,
        _held(trial),
        (now, then, period),
        store_id=store_id,
        budget=SECONDS,
    )
    unchanged = bool(proposal.changes) and dict(now) == dict(then)
    if not well or outcome is None:
        return Tried(place, period, None, unchanged)
    return Tried(place, period, hidden(outcome) if hide else outcome, unchanged)


def _held(trial: SettingsTrial) -> Callable[..., TrialOutcome]:
    """The tool's function, raising TypeError for an answer that no page could show."""
    take = answers.held(trial.run, TrialOutcome)

    def run(*given: Any) -> TrialOutcome:
        outcome = take(*given)
        if not isinstance(outcome, TrialOutcome):
            raise TypeError("a trial must give a TrialOutcome")
        facts = (*outcome.facts, *outcome.changes)
        lines = (*outcome.lines, *outcome.parts)
        if strange := ({one.kind for one in facts} | {one.kind for one in lines}) - set(KINDS):
            raise TypeError(f"figures are of {', '.join(KINDS)}, and there is {sorted(strange)}")
        return outcome

    return run


def failed(title: str) -> TrialFailed:
    """What to say where a tool failed at it."""
    return TrialFailed(
        _("%(tool)s failed at trying this; nothing was changed. It is noted among what failed.",
          tool=title)
    )  # fmt: skip


def run_many(
    opened: Callable[[UUID], AbstractContextManager[ScopedSession]],
    stores: Sequence[UUID],
    proposal: Proposal,
    *,
    hide: bool = False,
) -> TriedStores:
    """The same in each of many stores where the tool is on, each in a session of its own.

    opened: opens a reading session of a store. Stops after MOST_SECONDS or MOST_STORES.
    """
    found = TriedStores()
    began = perf_counter()
    for number, store_id in enumerate(stores):
        if number >= MOST_STORES or perf_counter() - began > MOST_SECONDS:
            found.waiting = len(stores) - number
            break
        with opened(store_id) as s:
            if state.is_on(s, proposal.plugin):
                found.tried.append(run(s, proposal, hide=hide))
    return found
