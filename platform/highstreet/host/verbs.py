"""Verbs of tools on the command line: what an operator may ask of a tool, behind the same gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import UUID

from highstreet.host import answers, faults, guard, state
from highstreet.host.guard import CAUGHT
from highstreet.host.plugin import Facts, Verb
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import HighstreetError, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.registry import Host


class VerbFailed(HighstreetError):
    """A tool's verb failed; it is noted among the tool's faults."""

    type, status = "verb-failed", 500


def of(host: Host) -> dict[str, tuple[str, Verb]]:
    """Every verb by name, with its tool."""
    return {
        verb.name: (tool, verb)
        for tool, loaded in host.plugins.items()
        for verb in loaded.plugin.verbs
    }


def find(host: Host, name: str) -> tuple[str, Verb]:
    """A verb with its tool. Raises NotFound that lists those there are."""
    there = of(host)
    if name not in there:
        raise NotFound(
            _(
                "No tool has the verb “%(name)s”; there are: %(known)s.",
                name=name,
                known=", ".join(sorted(there)) or "—",
            )
        )
    return there[name]


def run(
    s: ScopedSession, name: str, options: Mapping[str, str], store_id: UUID | None = None
) -> Sequence[Facts]:
    """Do what a verb says, in a store or for the brand. Off means off.

    Raises NotFound for an unknown verb, ToolOff where the tool is off, Invalid for an option that
    it does not have or a place where it does not work, errors of ours that the tool raises, and
    VerbFailed for any other.
    """
    from highstreet import host as hosts

    tool, verb = find(hosts.of(s), name)
    if verb.at == "store" and store_id is None:
        raise Invalid(_("“%(name)s” works in one store: name it (--store).", name=name))
    if strange := sorted(set(options) - set(verb.options)):
        raise Invalid(
            _(
                "“%(name)s” has no option %(strange)s; it has: %(known)s.",
                name=name,
                strange=", ".join(strange),
                known=", ".join(verb.options) or "—",
            )
        )
    state.require(s, tool, store_id)
    began = perf_counter()
    try:
        return answers.facts(verb.run(guard.make_ctx(s, tool, store_id), options))
    except HighstreetError:
        raise
    except CAUGHT as error:
        took = (perf_counter() - began) * 1000
        node = s.scope.store_id if store_id is None else store_id
        # What it wrote is rolled back, and the note must outlive that.
        faults.record(s, faults.of_error(tool, f"verb:{name}", node, error, took), apart=True)
        raise VerbFailed(
            _(
                "%(tool)s failed at “%(name)s”: %(kind)s. See: highstreet plugins faults %(tool)s",
                tool=tool,
                name=name,
                kind=type(error).__name__,
            )
        ) from error
