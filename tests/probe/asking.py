"""Asking every function in a scope about what is another's, and looking at what it gives."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

from highstreet_tenants.errors import HighstreetError, WallBreach
from probe import actors, calls, marks
from probe.calls import Bait, Function
from probe.rows import Untouched
from probe.world import Site, World


def visible(world: World, owner: str) -> frozenset[marks.Mark]:
    """The marks that may be read in an owner's scope."""
    name = f"owner of {owner}" if world.sites[owner].store else f"head office of {owner}"
    return actors.actors(world)[name].visible


def ask_all(
    world: World, owner: str, functions: Mapping[str, Function] | None = None
) -> tuple[list[str], Counter[str]]:
    """Call each function with a sister's and a stranger's things. Gives findings and counts."""
    findings: list[str] = []
    counts: Counter[str] = Counter()
    seen = visible(world, owner)
    baits = [Bait(world, site) for site in _prey(world, owner)]
    strangers = world.foreign(owner)
    asked = calls.functions() if functions is None else functions
    with Untouched(world, strangers, findings, f"functions in {owner}"):
        for name, function in asked.items():
            if name in calls.INNER:
                continue
            counts["functions"] += 1
            for bait in baits:
                for everything in (False, True) if calls.has_more(function) else (False,):
                    counts["calls"] += 1
                    said = f"{name}({bait.site.owner}'s) in {owner}"
                    given, wrong = _ask(world, owner, bait, (name, function), everything, counts)
                    findings += [f"{said} {what}"[:300] for what in wrong]
                    for mark in sorted(marks.found(given) - seen):
                        findings.append(f"{said} gives {mark}")
    return findings, counts


def _prey(world: World, owner: str) -> Iterable[Site]:
    """Stores whose things to name: a sister's (or, for head office, one's own), a stranger's."""
    here = world.sites[owner]
    stores = [s for s in world.sites.values() if s.store and s.owner != owner]
    yield next(s for s in stores if s.brand is here.brand)
    yield next(s for s in stores if s.brand is not here.brand)


def _ask(
    world: World,
    owner: str,
    bait: Bait,
    what: tuple[str, Function],
    everything: bool,
    counts: Counter[str],
) -> tuple[str, list[str]]:
    """(all that a call gave, what is wrong with how it ended)."""
    name, function = what
    # What opens a transaction of its own is called while no other one writes.
    writes = "tenancy" not in signature(function).parameters
    try:
        with world.app.test_request_context("/"), world.session(owner, write=writes) as s:
            given: Any = calls.call(bait, name, function, s, everything=everything)
            return calls.texts(given), []
    except WallBreach:
        counts["stopped by a wall"] += 1
        return "", []
    except (HighstreetError, KeyError) as error:
        counts["refused"] += 1
        return f"{error} {getattr(error, 'fields', '')}", []
    except Exception as error:
        if _stopped_by_database(error):
            counts["stopped by the database"] += 1
            return "", []
        return "", [f"raised {type(error).__name__}: {error}"]


def _stopped_by_database(error: Exception) -> bool:
    """Keys carry the brand, so nothing points at another's row; or row-level security said no."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or ""
    return isinstance(cause, sqlite3.IntegrityError) or state.startswith("23") or state == "42501"
