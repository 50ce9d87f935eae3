"""Behind the pages: functions, hooks and jobs reach no further than the scope they run in."""

import sqlite3
from collections import Counter
from inspect import signature
from typing import Any

import pytest

from highstreet.host import policy
from highstreet_tenants.errors import HighstreetError, WallBreach
from probe import calls, marks, walk
from probe.calls import Bait
from probe.reading import Reach
from probe.rows import Untouched, tenant_tables
from probe.walk import report
from probe.world import World

SCOPES = ("harbour-1", "quarry-1", "quarry")


def visible(world: World, owner: str) -> frozenset[marks.Mark]:
    """The marks that may be read in an owner's scope."""
    actors = walk.actors(world)
    name = f"owner of {owner}" if world.sites[owner].store else f"head office of {owner}"
    return actors[name].visible


@pytest.mark.parametrize("owner", SCOPES)
def test_functions_give_nothing_of_others(world: World, owner: str) -> None:
    findings: list[str] = []
    counts: Counter[str] = Counter()
    seen = visible(world, owner)
    baits = [Bait(world, site) for site in _prey(world, owner)]
    strangers = world.foreign(owner)
    if world.sites[owner].store is None:
        # Head office's verbs reach what stores keep about themselves, and so may change it.
        strangers = [site for site in strangers if site.brand is not world.sites[owner].brand]
    with Untouched(world, strangers, findings, f"functions in {owner}"):
        for name, function in calls.functions().items():
            if name in calls.INNER:
                continue
            counts["functions"] += 1
            for bait in baits:
                for everything in (False, True) if calls.has_more(function) else (False,):
                    counts["calls"] += 1
                    _try(world, owner, bait, (name, function), everything, seen, findings, counts)
    print(owner, dict(counts))
    assert not findings, report(findings)


def _prey(world: World, owner: str) -> list[Any]:
    """Stores whose things to name: a sister's (or one's own, for head office), a stranger's."""
    here = world.sites[owner]
    stores = [s for s in world.sites.values() if s.store and s.owner != owner]
    return [
        next(s for s in stores if s.brand is here.brand),
        next(s for s in stores if s.brand is not here.brand),
    ]


def _try(
    world: World,
    owner: str,
    bait: Bait,
    what: tuple[str, calls.Function],
    everything: bool,
    seen: frozenset[marks.Mark],
    findings: list[str],
    counts: Counter[str],
) -> None:
    name, function = what
    said = f"{name}({bait.site.owner}'s{' and more' if everything else ''}) in {owner}"
    given: Any = None
    try:
        with (
            world.app.test_request_context("/"),
            # What opens a transaction of its own is called while no other one writes.
            world.session(owner, write="tenancy" not in signature(function).parameters) as s,
        ):
            given = calls.texts(calls.call(bait, name, function, s, everything=everything))
    except WallBreach:
        counts["stopped by a wall"] += 1
    except (HighstreetError, KeyError) as error:
        counts["refused"] += 1
        given = f"{error} {getattr(error, 'fields', '')}"
    except Exception as error:
        if _stopped_by_database(error):
            counts["stopped by the database"] += 1
        else:
            findings.append(f"{said} raised {type(error).__name__}: {error}"[:300])
    for mark in sorted(marks.found(given or "") - seen):
        findings.append(f"{said} gives {mark}")


@pytest.mark.parametrize("owner", SCOPES)
def test_no_way_of_reading_goes_round_the_walls(world: World, owner: str) -> None:
    reach = Reach(world, world.sites[owner], owner)
    with world.session(owner) as s:
        reach.read(s)
    print(owner, reach.tried, reach.stopped)
    assert not reach.findings, report(reach.findings)
    if world.sites[owner].store:  # else the probe would read nothing and find nothing
        assert reach.met == {table.name for table in tenant_tables()}


def _stopped_by_database(error: Exception) -> bool:
    """Keys carry the brand, so nothing points at another's row; or row-level security said no."""
    cause = getattr(error, "orig", None) or error
    state = getattr(cause, "sqlstate", None) or ""
    return isinstance(cause, sqlite3.IntegrityError) or state.startswith("23") or state == "42501"


def test_inner_functions_exist() -> None:
    assert set(calls.INNER) <= set(calls.functions())


@pytest.fixture(autouse=True)
def _resumed(world: World) -> Any:
    yield
    for site in world.sites.values():
        if site.store is not None:
            with world.session(site.owner, write=True) as s:
                for tool in ("points_club", "probe_tool"):
                    try:
                        policy.resume(s, tool)
                    except HighstreetError:
                        continue
