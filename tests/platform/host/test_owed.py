"""What a tool could not do is done later, each part exactly once, whatever happened in between."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.host import dispatch, faults, gating, owed, policy, retry, state
from highstreet.host.handing import KEEP, KEEP_FAULTS, Handing
from highstreet.host.models import PluginFault, PluginOwed
from highstreet.host.registry import Host, Quarantine
from highstreet.i18n import lazy_gettext
from highstreet.jobs import JobRegistry, Runner, list_jobs
from highstreet.jobs.tidy import tidy
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy

from .test_dispatch import tool

MAKE = Callable[..., Host]


def do(ctx: Any, thing: str) -> None:
    """A tool's part. Done twice, it would be seen twice."""
    ctx.s.add(Region(brand_id=ctx.s.brand_id, slug=f"{thing}.{new_id().hex}", name=thing))


def done(s: Any) -> Counter[str]:
    """What was done, and how often."""
    return Counter(s.scalars(sa.select(Region.name).where(Region.slug.contains("."))))


class Switch:
    """A tool's part that can be broken. `hook` is the function to be called."""

    def __init__(self) -> None:
        self.broken = True
        self.poison: set[str] = set()

    @property
    def hook(self) -> Callable[..., None]:
        def call(ctx: Any, thing: str) -> None:
            if self.broken or thing in self.poison:
                raise RuntimeError(f"not now: {thing}")
            do(ctx, thing)

        return call


@pytest.fixture
def brand(two_brands: list[Any]) -> Any:
    """A brand whose stores own their customers: nobody but a store and the operator sees its
    debts."""
    return two_brands[1]


class Shop:
    """A store with tools, whose jobs run when the test says so."""

    def __init__(self, tenancy: Tenancy, opened: Any, brand: Any) -> None:
        self.tenancy, self.opened, self.brand = tenancy, opened, brand
        self.store = brand.stores[0]
        self.runner = Runner(tenancy, JobRegistry(*retry.JOBS), gating.job_guard)

    def at_store(self, *, write: bool = True) -> Any:
        return self.opened(self.brand, self.store, write=write)

    def happened(self, *things: str, hook: str = "happened") -> None:
        for thing in things:
            with self.at_store() as s:
                dispatch.collect(s, hook, thing=thing)

    def work(self) -> int:
        """What a job process does when its upkeep comes round; gives the parts handed out."""
        handed = Handing(self.tenancy).look()
        while self.runner.run_one():
            pass
        return handed

    def owes(self) -> int:
        with self.at_store(write=False) as s:
            return owed.count(s, "club")

    def done(self) -> Counter[str]:
        with self.at_store(write=False) as s:
            return done(s)

    def jobs(self) -> list[str]:
        with self.tenancy.control() as c:
            return [job.status for job in list_jobs(c)][::-1]


@pytest.fixture
def shop(make_host: MAKE, hung: Any, brand: Any, database: Any) -> Callable[..., Shop]:
    """shop({name: hooks}, on=(…)) → a Shop whose tools are on; shop.swap(host) is an update."""

    def make(tools: dict[str, Any], **about: Any) -> Shop:
        made = Shop(database.tenancy, hung(make_host(tools, **about)), brand)
        with made.at_store() as s:
            for name in tools:
                policy.choose(s, name, True)
        return made

    return make


def test_it_is_tried_again_later_and_later_until_it_is_done_once(
    shop: Any, time_machine: Any
) -> None:
    time_machine.move_to(clock.now(), tick=False)
    part = Switch()
    made = shop({"club": tool(happened=part.hook, forgettable=part.hook)})
    made.happened("one", "two", "gone")
    made.happened("lost", hook="forgettable")
    assert made.owes() == 3, "what has no codec can't be kept"
    assert made.work() == 0, "not at once"
    for wait, due in ((15, 3), (60, 2), (240, 2)):
        time_machine.shift(wait - 1)
        assert made.work() == 0
        time_machine.shift(1)
        assert made.work() == due
    assert made.owes() == 2, "of what is gone nothing is owed"
    with made.at_store(write=False) as s:
        (debt,) = owed.debts(s)
        assert (debt.plugin, debt.hook, debt.parts, debt.tries) == ("club", "happened", 2, 4)
        assert debt.next_try == clock.now() + timedelta(minutes=16)
    part.broken = False
    time_machine.shift(16 * 60)
    assert made.work() == 2
    assert (made.owes(), made.done()) == (0, {"one": 1, "two": 1})
    time_machine.shift(86400 * 2)
    assert made.work() == 0
    with made.at_store(write=False) as s:
        rows = s.scalars(sa.select(PluginOwed)).all()
        assert sorted(row.outcome for row in rows) == ["done", "done", "gone"]
        assert all(row.arguments == {} and row.settled_at for row in rows)


def test_one_part_that_can_not_be_done_stops_neither_the_tool_nor_the_other_parts(
    shop: Any, time_machine: Any
) -> None:
    time_machine.move_to(clock.now(), tick=False)
    part = Switch()
    part.broken, part.poison = False, {"poison"}
    made = shop({"club": tool(happened=part.hook)})
    made.happened("one", "poison", "two")
    for _day in range(40):
        time_machine.shift(6 * 3600)
        made.work()
    with made.at_store(write=False) as s:
        assert state.is_on(s, "club")
        kinds = Counter(fault.kind for fault in faults.recent(s, "club", limit=100))
        assert kinds["error"] == 1 and kinds["again"] > 5
        (debt,) = owed.debts(s)
        assert debt.parts == 1 and debt.tries > 8
        assert debt.next_try <= clock.now() + timedelta(days=1), "it goes on for ever"
    assert made.done() == {"one": 1, "two": 1}


def pause(made: Shop, on: bool) -> None:
    with made.at_store() as s:
        (policy.resume if on else policy.pause)(s, "club")


def by_choice(made: Shop, on: bool) -> None:
    with made.at_store() as s:
        policy.choose(s, "club", on)


def by_policy(made: Shop, on: bool) -> None:
    with made.opened(made.brand) as s:
        policy.set_policy(s, "club", "optional" if on else "forbidden")


def by_region(made: Shop, on: bool) -> None:
    with made.opened(made.brand) as s:
        policy.set_policy(s, "club", None if on else "forbidden", made.brand.region_id)


def by_approval(made: Shop, on: bool) -> None:
    with made.opened(made.brand) as s:
        policy.set_policy(s, "club", "restricted")
        (policy.approve if on else policy.refuse)(s, "club", made.store.id)


def base_off(made: Shop, on: bool) -> None:
    with made.at_store() as s:
        policy.choose(s, "base", on)


def base_paused(made: Shop, on: bool) -> None:
    with made.at_store() as s:
        (policy.resume if on else policy.pause)(s, "base")


WAYS = [pause, by_choice, by_policy, by_region, by_approval, base_off, base_paused]


@pytest.mark.parametrize("switch", WAYS)
def test_a_part_outlives_whatever_stops_the_tool_and_is_done_once_when_it_is_on_again(
    shop: Any, time_machine: Any, switch: Any
) -> None:
    time_machine.move_to(clock.now(), tick=False)
    part = Switch()
    made = shop({"base": None, "club": tool(happened=part.hook)}, club={"depends": ["base>=1"]})
    made.happened("one")
    time_machine.shift(15)
    assert Handing(made.tenancy).look() == 1
    switch(made, False)  # while the job waits in the queue
    part.broken = False
    made.work()
    time_machine.shift(86400)
    assert (made.work(), made.owes(), made.done()) == (0, 1, {})
    switch(made, True)
    made.work()
    assert (made.owes(), made.done()) == (0, {"one": 1})
    switch(made, False)
    switch(made, True)
    time_machine.shift(86400)
    made.work()
    assert made.done() == {"one": 1}


@pytest.mark.parametrize("switch", [pause, base_paused])
def test_what_comes_while_a_tool_stands_still_is_kept(shop: Any, switch: Any) -> None:
    parts = tool(happened=do, undone=lambda ctx, thing: do(ctx, f"un-{thing}"))
    made = shop({"base": None, "club": parts}, club={"depends": ["base>=1"]})
    switch(made, False)
    made.happened("kept")
    made.happened("obligation", hook="undone")
    assert made.done() == {"un-obligation": 1}, "obligations go on"
    assert (made.work(), made.owes()) == (0, 1)
    switch(made, True)
    made.work()
    assert (made.owes(), made.done()) == (0, {"un-obligation": 1, "kept": 1})


@pytest.mark.parametrize("switch", [by_choice, by_policy, base_off])
def test_what_comes_while_a_tool_is_off_is_not_the_tools(shop: Any, switch: Any) -> None:
    parts = tool(happened=do, undone=lambda ctx, thing: do(ctx, f"un-{thing}"))
    made = shop({"base": None, "club": parts}, club={"depends": ["base>=1"]})
    switch(made, False)
    made.happened("while-off")
    made.happened("late", hook="undone")
    switch(made, True)
    made.work()
    assert (made.owes(), made.done()) == (0, {"un-late": 1})


@pytest.fixture
def update(make_host: MAKE, hung: Any) -> Callable[..., None]:
    """update(made, {name: hooks}, broken=("club",)): the house starts again with other tools."""

    def start(made: Shop, tools: dict[str, Any], broken: tuple[str, ...] = ()) -> None:
        host = make_host(tools)
        for name in broken:
            host.quarantined[name] = Quarantine(name, "import-error", lazy_gettext("broken"))
        made.opened = hung(host)

    return start


def test_what_comes_while_an_update_broke_a_tool_is_kept_until_it_loads_again(
    shop: Any, update: Any, time_machine: Any
) -> None:
    time_machine.move_to(clock.now(), tick=False)
    part = Switch()
    made = shop({"club": tool(happened=part.hook)})
    made.happened("before")
    update(made, {}, broken=("club", "never_used"))
    made.happened("meanwhile")
    made.happened("meanwhile", hook="undone")
    with made.at_store() as s:
        assert state.explain(s, "club").code == "absent"
        assert {debt.plugin for debt in owed.debts(s)} == {"club"}, "the other was never on here"
    time_machine.shift(86400)
    assert (made.work(), made.owes()) == (0, 3)
    part.broken = False
    update(made, {"club": tool(happened=part.hook)})  # the new version has no `undone`
    made.work()
    assert (made.owes(), made.done()) == (0, {"before": 1, "meanwhile": 1})
    with made.at_store(write=False) as s:
        rows = s.scalars(sa.select(PluginOwed.outcome)).all()
        assert Counter(rows) == {"done": 2, "dropped": 1}


def test_a_broken_tool_that_was_off_owes_its_obligations_alone(shop: Any, update: Any) -> None:
    parts = tool(happened=do, undone=lambda ctx, thing: do(ctx, f"un-{thing}"))
    made = shop({"club": parts})
    by_choice(made, False)
    update(made, {}, broken=("club",))
    made.happened("sale")
    made.happened("sale", hook="undone")
    assert made.owes() == 1
    update(made, {"club": parts})
    made.work()
    assert (made.owes(), made.done()) == (0, {"un-sale": 1})


def test_two_job_processes_at_once_do_each_part_once(shop: Any, brand: Any, database: Any) -> None:
    made = shop({"club": tool(happened=do)})
    pause(made, False)
    made.happened(*map(str, range(10)))
    with made.at_store() as s:
        policy.resume(s, "club")
        # As if a second process had looked at the very same moment.
        ids = s.scalars(sa.select(PluginOwed.id)).all()
        owed.enqueue(s, "club", made.store.id, ids)
    with made.at_store() as s:
        assert retry.settle(s, "club", ids=ids[:4])["done"] == 4
        if database.kind == "postgresql":  # SQLite lets one write at a time
            scope = Scope.store(brand.id, made.store.id)
            with database.tenancy.session(scope, write=True) as other:
                assert retry.settle(other, "club")["done"] == 6, "it does not wait for the first"
    made.work()
    assert made.done() == {str(number): 1 for number in range(10)}


def test_a_part_that_ends_the_transaction_costs_the_others_nothing(
    shop: Any, time_machine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes the whole job with it, so at the second attempt each part has a job of its own."""
    time_machine.move_to(clock.now(), tick=False)

    def part(ctx: Any, thing: str) -> None:
        do(ctx, thing)
        if thing == "rude":
            ctx.s.raw().rollback()

    made = shop({"club": tool(happened=part)})
    pause(made, False)
    made.happened("one", "rude", "two")
    pause(made, True)
    for _hour in range(30):
        made.work()
        time_machine.shift(3600)
    assert made.done() == {"one": 1, "two": 1}
    assert made.owes() == 1
    with made.at_store(write=False) as s:
        (debt,) = owed.debts(s)
        assert debt.tries > 2 and debt.next_try > clock.now() + timedelta(hours=2)
    assert Counter(made.jobs())["failed"] < 8, "it is tried less and less often"


def _die_in_the_middle(url: str, host: Host) -> None:
    """Another process: it does what is owed, and is killed before it has committed."""
    tenancy = Tenancy(sa.create_engine(url))
    registry = JobRegistry(*retry.JOBS)

    def prepare(s: Any) -> None:
        s.info["host"], s.info["jobs"] = host, registry

    tenancy.on_open.append(prepare)
    call = host.calls["happened"]["club"]

    def fatal(ctx: Any, thing: str) -> None:
        call.function(ctx, thing)
        ctx.s.flush()
        if thing == "two":
            os.kill(os.getpid(), signal.SIGKILL)

    host.calls["happened"]["club"] = call._replace(function=fatal)
    Handing(tenancy).look()
    Runner(tenancy, registry, gating.job_guard).run_one()


def test_each_part_is_done_once_though_the_process_is_killed_between(
    shop: Any, database: Any, time_machine: Any
) -> None:
    made = shop({"club": tool(happened=do)})
    pause(made, False)
    made.happened("one", "two", "three")
    pause(made, True)
    with made.at_store(write=False) as s:
        host = s.info["host"]
    child = multiprocessing.get_context("fork").Process(
        target=_die_in_the_middle, args=(database.url, host)
    )
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    assert (made.done(), made.owes()) == ({}, 3), "nothing of it is half done"
    time_machine.move_to(clock.now() + timedelta(seconds=61))  # its lease lapses
    tidy(made.tenancy)
    while made.runner.run_one():
        pass
    assert (made.done(), made.owes()) == ({"one": 1, "two": 1, "three": 1}, 0)


def test_what_head_office_resumes_is_done_though_it_can_not_see_it(shop: Any, brand: Any) -> None:
    made = shop({"club": tool(happened=do)})
    pause(made, False)
    made.happened("one")
    with made.opened(brand) as s:
        assert owed.debts(s) == [], "what is owed may name a store's customers"
        policy.resume(s, "club", made.store.id)
    made.work()
    assert made.done() == {"one": 1}


def test_a_job_that_somebody_cancelled_is_not_the_end_of_it(shop: Any, time_machine: Any) -> None:
    from highstreet.jobs import cancel

    time_machine.move_to(clock.now(), tick=False)
    made = shop({"club": tool(happened=do)})
    pause(made, False)
    made.happened("one")
    pause(made, True)
    with made.tenancy.control(write=True) as c:
        (job,) = list_jobs(c)
        cancel(c, job.id)
    assert made.work() == 0
    time_machine.shift(owed.HANDED.total_seconds())
    assert made.work() == 1
    assert made.done() == {"one": 1}


def test_what_is_settled_and_faults_of_long_ago_are_thrown_away(
    shop: Any, time_machine: Any
) -> None:
    time_machine.move_to(clock.now(), tick=False)
    part = Switch()
    made = shop({"club": tool(happened=part.hook)})
    made.happened("one", "two")
    part.broken, part.poison = False, {"two"}
    time_machine.shift(20)
    made.work()
    handing = Handing(made.tenancy)

    def kept(model: Any) -> int:
        with made.at_store(write=False) as s:
            return len(s.scalars(sa.select(model)).all())

    time_machine.shift((KEEP - timedelta(days=1)).total_seconds())
    handing.purge()
    assert kept(PluginOwed) == 2
    time_machine.shift(2 * 86400)
    handing.purge()
    assert (kept(PluginOwed), made.owes()) == (1, 1), "what is owed is kept for ever"
    assert kept(PluginFault) == 3
    time_machine.shift((KEEP_FAULTS - KEEP).total_seconds())
    handing.purge()
    assert kept(PluginFault) == 0
