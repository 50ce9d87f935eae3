"""Behind the pages: functions, hooks and jobs reach no further than the scope they run in,
whatever they are handed.
"""

import inspect
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.customers import queries as customers
from highstreet.host import dispatch, faults, owed, policy
from highstreet.host.spec import Hook
from highstreet_tenants import aggregates
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.scopes import Scope
from probe import actors, asking, calls, marks
from probe.arguments import Untaught
from probe.calls import Bait
from probe.reading import Reach
from probe.rows import Untouched, tenant_tables
from probe.tool.spy import Listening
from probe.walk import report
from probe.world import CLUB, TOOL, TOOLS, World

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
                for tool in TOOLS:
                    try:
                        policy.resume(s, tool)
                    except HighstreetError:
                        continue


STORES = ("harbour-1", "quarry-1")
TODAY = date(2026, 11, 20)


def arguments_of(hook: Hook, bait: Bait) -> dict[str, Any]:
    """What a hook is called with, about a site's people. Raises Untaught."""
    known: dict[str, Any] = {
        "customer": bait.customer,
        "kept": bait.customer,
        "gone": bait.second,
        "purchases": [bait.purchase],
        "returned": bait.returned,
        "basket": bait.basket(),
        "on": TODAY,
        "limit": 5,
    }
    if hook.name == "till_deeds":
        known["purchases"] = [bait.purchase.id]
    for name in hook.arguments:
        if name not in known:
            raise Untaught(name, f"hook {hook.name}")
    return {name: known[name] for name in hook.arguments}


def ask(s: Any, hook: Hook, given: dict[str, Any]) -> Any:
    """Dispatch a hook as its kind demands."""
    if hook.kind == "first":
        return dispatch.first(s, hook.name, **given)
    if hook.kind == "veto":
        return dispatch.veto(s, hook.name, **given)
    if hook.kind == "chain":
        value = given.pop(hook.arguments[0])
        return dispatch.chain(s, hook.name, value, **given)
    return dispatch.collect(s, hook.name, **given)


@pytest.mark.parametrize("owner", STORES)
def test_a_tool_sees_its_own_store_in_every_hook(world: World, owner: str) -> None:
    hooks = world.house.host.hooks
    reach = Reach(world, world.sites[owner], owner)
    heard: set[str] = set()

    def ear(ctx: Any, what: str) -> None:
        # Thoroughly once for each kind of session, then the four ways that tools use.
        deep = not heard or what.endswith("_recorded")
        heard.add(what)
        reach.where = f"{what} in {owner}"
        reach.read(ctx.s, deep=deep)

    own = Bait(world, world.sites[owner])
    with Listening(ear):
        for hook in hooks.values():
            with (
                world.app.test_request_context("/"),
                world.session(owner, write=hook.writes) as s,
            ):
                ask(s, hook, arguments_of(hook, own))
                s.rollback()  # two who were merged here are wanted again
    assert heard == {f"hook:{name}" for name in hooks}
    print(owner, len(heard), reach.tried, reach.stopped)
    assert not reach.findings, report(reach.findings)


@pytest.mark.parametrize("owner", STORES)
def test_a_tool_that_is_handed_others_facts_tells_and_changes_nothing(
    world: World, owner: str
) -> None:
    findings: list[str] = []
    seen = actors.actors(world)[f"owner of {owner}"].visible
    strangers = world.foreign(owner)
    with Untouched(world, strangers, findings, f"hooks in {owner}"):
        for site in strangers:
            if site.store is None:
                continue
            for hook in world.house.host.hooks.values():
                try:
                    with (
                        world.app.test_request_context("/"),
                        world.session(owner, write=hook.writes) as s,
                    ):
                        given = arguments_of(hook, Bait(world, site))
                        said = ask(s, hook, given)
                        own = calls.texts(said)
                except Exception as error:
                    findings.append(f"{hook.name} raised {type(error).__name__}: {error}"[:300])
                    continue
                for mark in sorted(marks.found(own) - seen):
                    findings.append(f"{hook.name} with {site.owner}'s in {owner} gives {mark}")
    assert not findings, report(findings)


class Payload(Mapping[str, Any]):
    """A job's payload that gives whatever it is asked for. Raises Untaught for a new name."""

    def __init__(self, bait: Bait, subject: str) -> None:
        self._known: dict[str, Any] = {
            "subject": subject,
            "customer_id": str(bait.one("customer")),
            "customers": [str(bait.one("customer"))],
        }

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            raise Untaught(name, "a job's payload")
        return self._known[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


@pytest.mark.parametrize("owner", STORES)
def test_jobs_work_in_their_own_store(world: World, owner: str) -> None:
    findings: list[str] = []
    strangers = world.foreign(owner)
    reach = Reach(world, world.sites[owner], f"jobs in {owner}")
    tools = {handler.plugin for handler in world.house.jobs if handler.plugin}
    with (
        Untouched(world, strangers, findings, f"jobs in {owner}"),
        Listening(lambda ctx, what: reach.read(ctx.s, deep=False)),
    ):
        for site in strangers:
            if site.store is None:
                continue
            bait = Bait(world, site)
            _owe_others(world, owner, bait)
            for handler in world.house.jobs:
                for subject in (*sorted(tools), TODAY.isoformat(), str(bait.one("customer"))):
                    with world.session(owner, write=True) as s:
                        handler.run(s, Payload(bait, subject))
    findings += reach.findings
    with world.session(owner) as s:
        outcomes = s.scalars(
            sa.select(owed.TABLE.c.outcome).where(
                *s.scope.owns(owed.TABLE), owed.TABLE.c.node_id == s.store_id
            )
        ).all()
    # What was about others was found to be gone; what was about the store's own is done.
    assert "gone" in outcomes
    assert not findings, report(findings)


def _owe_others(world: World, owner: str, bait: Bait) -> None:
    """Write down in a store that its tools still owe something about somebody else's people."""
    with world.session(owner, write=True) as s:
        for hook in world.house.host.hooks.values():
            if hook.retry is not None:
                for tool in (CLUB, TOOL):
                    owed.note(s, hook, tool, s.store_id, arguments_of(hook, bait))


#: Arguments of registered aggregates.
GROUPED: Mapping[str, Any] = {
    "first": date(2020, 1, 1),
    "last": date(2036, 1, 1),
    "weeks": ((date(2020, 1, 1), date(2036, 1, 1)),),
    "since": faults.clock.now(),
}


@pytest.mark.parametrize("brand", ("harbour", "quarry"))
def test_aggregates_name_nobody_and_hide_small_cells(world: World, brand: str) -> None:
    site = world.sites[brand]
    assert aggregates.registry
    with world.house.tenancy.session(Scope.aggregate(site.brand.id)) as s:
        for name, entry in aggregates.registry.items():
            given = {}
            for parameter in list(inspect.signature(entry.query).parameters.values())[1:]:
                if parameter.name not in GROUPED:
                    raise Untaught(parameter.name, f"aggregate {name}")
                given[parameter.name] = GROUPED[parameter.name]
            s.grouped = True
            bare = [dict(row) for row in s.execute(entry.query(s.scope, **given)).mappings()]
            s.grouped = False
            cells = aggregates.run(s, name, **given)
            assert not marks.found(calls.texts(cells)), name
            for before, after in zip(bare, cells, strict=True):
                if 0 < (before[entry.people] or 0) < aggregates.SMALLEST_CELL:
                    shown = {k for k, v in after.items() if v is not None} - entry.keys
                    assert not shown, f"{name} shows {shown} of {before[entry.people]} people"


def test_head_office_meets_the_people_of_its_club_only(world: World) -> None:
    for slug, reached in (("harbour", True), ("quarry", False)):
        customer = Bait(world, world.sites[f"{slug}-1"]).customer
        with world.session(slug) as s:
            if reached:
                assert customers.get(s, customer.id) == customer
            else:
                with pytest.raises(NotFound):
                    customers.get(s, customer.id)
