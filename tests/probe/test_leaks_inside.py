"""Behind the pages: functions, hooks and jobs reach no further than the scope they run in,
whatever they are handed.
"""

from importlib.util import find_spec
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.customers import queries as customers
from highstreet.host import owed, policy
from highstreet.kit.rows import tenant_tables
from highstreet_tenants.errors import HighstreetError, NotFound
from probe import asking, functions, grouping, standing, telling, working
from probe.bait import Bait
from probe.reading import Reach
from probe.visiting import report
from probe.world import TOOLS, World

#: Two stores, and a head office that may not meet its stores' people.
OWNERS = ("harbour-1", "quarry-1", "quarry")
STORES = OWNERS[:2]


@pytest.fixture(autouse=True)
def _resumed(world: World) -> Any:
    yield
    for site in world.sites.values():
        if site.store is not None:
            with world.session(site.owner, write=True) as s:
                for tool in TOOLS:
                    try:
                        policy.resume(s, tool)
                    except HighstreetError:
                        continue


def test_what_is_left_out_exists(world: World) -> None:
    known = functions.functions(world.house.host)
    assert set(functions.INNER) <= set(known)
    assert all(find_spec(name) for name in functions.OUTSIDE)


@pytest.mark.parametrize(
    ("database_module", "owner"),
    # On PostgreSQL a third wall stands behind: a store of either brand tries it.
    [*(("sqlite", owner) for owner in OWNERS), *(("postgresql", owner) for owner in STORES)],
    indirect=["database_module"],
    scope="module",
)
def test_functions_give_nothing_of_others(world: World, owner: str) -> None:
    findings, counts = asking.ask_all(world, owner)
    print(owner, dict(counts))
    assert not findings, report(findings)


@pytest.mark.parametrize("owner", (*OWNERS, "harbour"))
def test_the_control_plane_works_for_whom_it_is_told(world: World, owner: str) -> None:
    findings = standing.ask_all(world, owner)
    assert not findings, report(findings)


@pytest.mark.parametrize("owner", OWNERS)
def test_no_way_of_reading_goes_round_the_walls(world: World, owner: str) -> None:
    reach = Reach(world, world.sites[owner], owner)
    with world.session(owner) as s:
        reach.read(s)
    print(owner, reach.tried, reach.stopped)
    assert not reach.findings, report(reach.findings)
    if world.sites[owner].store:  # else the probe would read nothing and find nothing
        assert reach.met == {table.name for table in tenant_tables()}


@pytest.mark.parametrize("owner", STORES)
def test_a_tool_sees_its_own_store_in_every_hook(world: World, owner: str) -> None:
    reach, heard = telling.listen(world, owner)
    assert heard == {f"hook:{name}" for name in world.house.host.hooks}
    print(owner, len(heard), reach.tried, reach.stopped)
    assert not reach.findings, report(reach.findings)


@pytest.mark.parametrize("owner", OWNERS)
def test_a_tool_that_is_handed_others_facts_tells_and_changes_nothing(
    world: World, owner: str
) -> None:
    findings = telling.tell_all(world, owner)
    assert not findings, report(findings)


@pytest.mark.parametrize("owner", OWNERS)
def test_jobs_work_in_their_own_place(world: World, owner: str) -> None:
    findings = working.work_all(world, owner)
    assert not findings, report(findings)
    if world.sites[owner].store is None:
        return
    with world.session(owner) as s:
        outcomes = s.scalars(
            sa.select(owed.TABLE.c.outcome).where(
                *s.scope.owns(owed.TABLE), owed.TABLE.c.node_id == s.store_id
            )
        ).all()
    # What was about others was found to be gone; what was about the store's own is done.
    assert "gone" in outcomes


@pytest.mark.parametrize("brand", ("harbour", "quarry"))
def test_aggregates_name_nobody_and_hide_small_cells(world: World, brand: str) -> None:
    asked = grouping.registered(world)
    assert asked
    findings = grouping.group_all(world, brand, asked)
    assert not findings, report(findings)


def test_head_office_meets_the_people_of_its_club_only(world: World) -> None:
    for slug, reached in (("harbour", True), ("quarry", False)):
        customer_id = Bait(world, world.sites[f"{slug}-1"]).one("customer")
        with world.session(slug) as s:
            if reached:
                assert customers.get(s, customer_id).id == customer_id
            else:
                with pytest.raises(NotFound):
                    customers.get(s, customer_id)
