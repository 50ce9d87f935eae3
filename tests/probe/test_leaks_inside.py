"""Behind the pages: functions, hooks and jobs reach no further than the scope they run in."""

from typing import Any

import pytest

from highstreet.host import policy
from highstreet_tenants.errors import HighstreetError
from probe import asking, calls
from probe.reading import Reach
from probe.rows import tenant_tables
from probe.walk import report
from probe.world import World

SCOPES = ("harbour-1", "quarry-1", "quarry")


@pytest.mark.parametrize("owner", SCOPES)
def test_functions_give_nothing_of_others(world: World, owner: str) -> None:
    findings, counts = asking.ask_all(world, owner)
    print(owner, dict(counts))
    assert not findings, report(findings)


@pytest.mark.parametrize("owner", SCOPES)
def test_no_way_of_reading_goes_round_the_walls(world: World, owner: str) -> None:
    reach = Reach(world, world.sites[owner], owner)
    with world.session(owner) as s:
        reach.read(s)
    print(owner, reach.tried, reach.stopped)
    assert not reach.findings, report(reach.findings)
    if world.sites[owner].store:  # else the probe would read nothing and find nothing
        assert reach.met == {table.name for table in tenant_tables()}


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
