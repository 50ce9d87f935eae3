"""Verbs of tools on the command line: what an operator may ask of a tool, behind the same gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from highstreet.host import guard, state
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.registry import Host

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """`highstreet tool <name> --brand BRAND [--store STORE] [OPTION=VALUE …]`.

    name: `<tool>.<what>`. title: a lazy translation. run: gets `ctx` and the options given, as
    texts; gives rows of plain facts, which are printed as a table or as JSON. options: each with
    what it means (a lazy translation). at: "brand" works for the whole brand, or for one store if
    the operator names it; "store" in one store only. writes: it changes something.
    """

    name: str
    title: object
    run: Callable[[Any, Mapping[str, str]], Sequence[Facts]]
    options: Mapping[str, object] = field(default_factory=dict)
    at: Literal["brand", "store"] = "brand"
    writes: bool = False


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
    it does not have or a place where it does not work, and what the tool raises.
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
    return verb.run(guard.make_ctx(s, tool, store_id), options)
