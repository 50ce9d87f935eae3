"""Off means off: the same question in front of every screen, operation, job, schedule and slot.

`state.require` is the question. This module asks it where Flask and the job runner come in; hooks,
navigation and slots never see a tool that is off, because `dispatch`, `nav` and `slots` start from
the tools that are on.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from uuid import UUID

from flask import Blueprint, Flask

from highstreet import host as hosts
from highstreet.host import faults, owed, state
from highstreet.host.pages import FACE, TOOL
from highstreet.i18n import gettext as _
from highstreet.jobs import Claimed
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.registry import Host

#: Opens a session for the place of the request.
OpenSession = Callable[[], AbstractContextManager[ScopedSession]]


def tool_of(blueprint: object) -> str | None:
    """The tool that a blueprint belongs to, or None for the core's own."""
    return getattr(blueprint, TOOL, None)


def face_of(blueprint: object) -> str | None:
    """The face that a tool's blueprint hangs in: "store", "office", "member" or "api"."""
    return getattr(blueprint, FACE, None)


def screens(host: "Host") -> Iterator[tuple[str, Blueprint]]:
    """Every screens' blueprint with its tool's name."""
    for name, loaded in host.plugins.items():
        for blueprint in loaded.plugin.screens:
            yield name, blueprint


def mount(app: Flask, host: "Host", session: OpenSession) -> None:
    """Register the tools' screens, each behind its gate: 404 with the reason where it is off.

    session: opens a reading session for the place of the request; asked once the face knows it.
    """
    for name, blueprint in screens(host):
        blueprint_gate(blueprint, name, session)
        app.register_blueprint(blueprint)


def blueprint_gate(blueprint: Blueprint, plugin: str, session: OpenSession) -> None:
    """Put the question before every view of a blueprint that is not registered yet."""

    def gate() -> None:
        with session() as s:
            state.require(s, plugin)

    if not getattr(blueprint, "highstreet_gated", False):  # one process may build two apps
        blueprint.before_request(gate)
        blueprint.highstreet_gated = True  # type: ignore[attr-defined]  # our mark on it


def job_guard(s: ScopedSession, job: Claimed) -> str:
    """Whether a tool's job may run now: "run", or "skip:" and why. Asked again when it runs, for
    the tool may have been switched off, or the store have closed, since it was queued."""
    if job.plugin is None:
        return "run"
    host = hosts.of(s)
    if job.plugin not in host.plugins:
        return f"skip:{job.plugin} is not installed or did not load"
    if not state.place(s).open:
        return "skip:" + _("The store has closed.")
    if state.is_on(s, job.plugin):
        return "run"
    return f"skip:{state.explain(s, job.plugin).reason}"


def job_killed(s: ScopedSession, job: Claimed, seconds: float | None) -> None:
    """A job hung and was killed after so many seconds, or took its process with it (None): that is
    a fault of its tool's like any other. The core's own have nobody to blame."""
    # What a tool owes is done by a job of the core's.
    tool = job.subject if job.name == owed.JOB else job.plugin
    if tool is None or tool not in hosts.of(s).plugins:
        return
    if seconds is None:
        kind, said = "Ended", "the process ended while the job ran"
    else:
        kind, said = "Hung", f"the job hung and was killed after {seconds:g} s"
    milliseconds = (seconds or 0.0) * 1000
    faults.record(
        s,
        faults.Fault(
            tool, f"job:{job.name}", job.store_id, "error", kind, said, "", milliseconds, now()
        ),
    )


def stores_on(s: ScopedSession, plugin: str, lanes: Sequence[UUID]) -> set[UUID]:
    """Where a tool is on; the scheduler asks before it queues periodic work.

    lanes: stores, or the brand's own id for its head office.
    """
    office = s.scope.brand_id
    state.prime(s, [lane for lane in lanes if lane != office])
    return {lane for lane in lanes if state.is_on(s, plugin, None if lane == office else lane)}
