"""Hooks that fail closed: without a tool's answer nothing is done."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import counts, faults, guard, state
from highstreet.host.asked import node_of, plan_in, slow
from highstreet.host.guard import CAUGHT
from highstreet.host.plans import Answer, Plan
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession


class Refused(HighstreetError):
    """A tool objects to what was to be done; the detail says why."""

    type, status = "refused", 409


def veto(s: ScopedSession, hook: str, store_id: UUID | None = None, **arguments: Any) -> None:
    """Ask whether anybody objects; paused tools too, for a check must not open by failing.

    A tool objects by raising an error of ours, which passes through, or by giving a text. Raises
    Refused for the text, and for a tool that failed: what can't be checked is not done.
    """

    def failed(tool: str) -> str:
        return _(
            "%(tool)s could not check this, so it was not done. Try again; if it goes on,"
            " switch the tool off or tell whoever runs Highstreet.",
            tool=tool,
        )

    for answer in _each(s, plan_in(s, hook, store_id, arguments), store_id, arguments, failed):
        raise Refused(str(answer.value))


def together(
    s: ScopedSession, hook: str, store_id: UUID | None = None, **arguments: Any
) -> list[Answer]:
    """Let every tool do its part in a deed that is done by all or not at all.

    A tool refuses by raising an error of ours, which passes through; one that fails raises Refused.
    Either way the caller lets its transaction go. Gives the answers (None is none).
    """
    plan = plan_in(s, hook, store_id, arguments)
    if plan.hook.writes:
        guard.check_writing(s, hook)
        s.flush()  # so that the caller's own mistakes are not laid at a tool's door

    def failed(tool: str) -> str:
        return _(
            "%(tool)s could not do its part, so nothing was done. Try again; if it goes on, tell"
            " whoever runs Highstreet.",
            tool=tool,
        )

    return list(_each(s, plan, store_id, arguments, failed))


def _each(
    s: ScopedSession,
    plan: Plan,
    store_id: UUID | None,
    arguments: dict[str, Any],
    failed: Callable[[str], str],
) -> Iterator[Answer]:
    here = state.here(s, store_id)
    values = tuple(arguments[name] for name in plan.hook.arguments)
    for plugin, function, _order in plan.calls:
        ctx = guard.ctx_of(s, here, plugin, store_id)
        began = perf_counter()
        try:
            value = function(ctx, *values)
        except HighstreetError:
            raise
        except CAUGHT as error:
            took = perf_counter() - began
            # The refusal will roll this transaction back, and the note must outlive it.
            fault = faults.of_error(
                plugin, plan.hook.name, node_of(s, store_id), error, took * 1000
            )
            faults.record(s, fault, apart=True)
            raise Refused(failed(hosts.of(s).title(plugin, language()))) from error
        took = perf_counter() - began
        (here.sheet or counts.on(s, here))[plan.hook.name][plugin].add(took)
        if took > plan.budget:
            slow(s, plan, plugin, store_id, took)
        if value is not None:
            yield Answer(plugin, value)
