"""Asking every function in a scope about what is another's, and looking at what it gives."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from inspect import signature

from highstreet.kit import marks
from highstreet_tenants.errors import HighstreetError, WallBreach
from probe import actors
from probe.arguments import Untaught
from probe.bait import Bait
from probe.calls import Call, calls, texts
from probe.functions import INNER, Function, functions
from probe.rows import Untouched
from probe.world import Site, World


def visible(world: World, owner: str) -> frozenset[marks.Mark]:
    """The marks that may be read in an owner's scope."""
    name = f"owner of {owner}" if world.sites[owner].store else f"head office of {owner}"
    return actors.actors(world)[name].visible


def ask_all(
    world: World, owner: str, asked: Mapping[str, Function] | None = None
) -> tuple[list[str], Counter[str]]:
    """Call each function with a sister's and a stranger's things. Gives findings and counts.

    Those that are told no secret come first: whatever of others' stands in rows here afterwards,
    some function has read.
    """
    findings: list[str] = []
    counts: Counter[str] = Counter()
    planted: set[str] = set()
    made: list[Call] = []
    for name, function in (functions(world.house.host) if asked is None else asked).items():
        if name not in INNER:
            counts["functions"] += 1
            try:
                made += _calls(world, owner, name, function)
            except Untaught as error:
                findings.append(str(error))
    strangers = world.foreign(owner)
    silent = [call for call in made if not call.says]
    with Untouched(world, strangers, findings, f"functions in {owner}", learns=True):
        for call in silent:
            findings += _ask(world, owner, call, planted, counts)
    with Untouched(world, strangers, findings, f"functions in {owner}"):
        for call in made:
            if call.says:
                findings += _ask(world, owner, call, planted, counts)
    return findings, counts


def _calls(world: World, owner: str, name: str, function: Function) -> Iterable[Call]:
    for site in _prey(world, owner):
        own = Bait(world, world.sites[owner], own=True) if world.sites[owner].store else None
        yield from calls(name, function, Bait(world, site), own)


def _prey(world: World, owner: str) -> Iterable[Site]:
    """Stores whose things to name: a sister's (or, for head office, one's own), a stranger's."""
    here = world.sites[owner]
    stores = [s for s in world.sites.values() if s.store and s.owner != owner]
    yield next(s for s in stores if s.brand is here.brand)
    yield next(s for s in stores if s.brand is not here.brand)


def _ask(
    world: World, owner: str, call: Call, planted: set[str], counts: Counter[str]
) -> list[str]:
    """Call it. Gives what it tells of others, in its answer or in its refusal.

    planted: cards and the like that calls named, and which may be one's own people's by now.
    """
    counts["calls"] += 1
    said = f"{call.what} in {owner}"
    for text in texts(call.given).splitlines():
        planted |= marks.planted(text)
    # What opens a transaction of its own is called while no other one writes.
    writes = "tenancy" not in signature(call.function).parameters
    given = ""
    try:
        with world.app.test_request_context("/"), world.session(owner, write=writes) as s:
            given = texts(call.run(s))
    except WallBreach:
        counts["stopped by a wall"] += 1
    except (HighstreetError, KeyError) as error:
        counts["refused"] += 1
        given = f"{error} {getattr(error, 'fields', '')}"
    except Exception as error:
        if not stopped_by_database(error):
            return [f"{said} raised {type(error).__name__}: {error}"[:300]]
        counts["stopped by the database"] += 1
    told = marks.found(given, but=planted) - visible(world, owner)
    return [f"{said} gives {mark}" for mark in sorted(told)]


def stopped_by_database(error: Exception) -> bool:
    """Keys carry the brand, so nothing points at another's row; or row-level security said no."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or ""
    return isinstance(cause, sqlite3.IntegrityError) or state.startswith("23") or state == "42501"
