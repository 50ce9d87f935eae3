"""The question in front of jobs, schedules and navigation, and what `ctx` lets a tool do."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from marshmallow import Schema, fields
from msgspec.structs import replace

from highstreet.customers import service as customers
from highstreet.host import faults, gating, nav, owed, policy, settings, state
from highstreet.host.plugin import NavEntry
from highstreet.host.registry import Host
from highstreet.jobs import Claimed, JobHandler
from highstreet.sdk import Ctx, ctx_of, new_id, screens
from highstreet.sdk.context import make
from highstreet_tenants import clock
from highstreet_tenants.errors import Forbidden, NotFound

MAKE = Callable[..., Host]


class OneSetting(Schema):
    rate = fields.Integer(load_default=3)


@pytest.fixture
def brand(two_brands: list[Any]) -> Any:
    return two_brands[0]


@pytest.fixture
def host(make_host: MAKE) -> Host:
    page = screens("club", import_name=__name__)
    page.get("/", endpoint="list")(lambda: "")
    page.get("/sums", endpoint="sums")(lambda: "")
    entry = NavEntry("Club", "club-store.list", "club.read")
    office = NavEntry("Club", "club-store.sums", "club.read", face="office")
    host = make_host(
        {"club": None, "bare": None},
        club={
            "plugin": {"settings": OneSetting, "screens": [page], "nav": [entry, office]},
            "permissions": {"club.read": "Read"},
            "capabilities": ["customers.read", "timeline.write"],
        },
    )
    host.make_ctx = make
    return host


@pytest.fixture
def opened(hung: Callable[[Host], Any], host: Host) -> Any:
    return hung(host)


def job_of(plugin: str | None) -> Claimed:
    now = clock.now()
    return Claimed(new_id(), uuid4(), None, "x", plugin, None, 1, 5, None, uuid4(), now)


def test_a_job_asks_again_when_it_runs(opened: Any, brand: Any) -> None:
    with opened(brand, brand.stores[0]) as s:
        assert gating.job_guard(s, job_of(None)) == "run"
        assert gating.job_guard(s, job_of("club")) == "skip:Off. Each store may switch it on."
        assert gating.job_guard(s, job_of("gone")).startswith("skip:gone is not installed")
        policy.choose(s, "club", True)
        assert gating.job_guard(s, job_of("club")) == "run"
        policy.pause(s, "club")
        assert gating.job_guard(s, job_of("club")).startswith("skip:Paused by Ruth")


def test_a_job_that_was_killed_is_a_fault_of_its_tool(opened: Any, brand: Any) -> None:
    owing = replace(job_of(None), name=owed.JOB, subject="club")
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        here = s.scope.store_id
        gating.job_killed(s, replace(job_of(None), store_id=here), 120)  # the core's own
        gating.job_killed(s, replace(job_of("gone"), store_id=here), 120)
        assert faults.recent(s, "club") == []
        gating.job_killed(s, replace(job_of("club"), store_id=here), None)
        gating.job_killed(s, replace(owing, store_id=here), 120)
        assert {(fault.hook, fault.message) for fault in faults.recent(s, "club")} == {
            ("job:x", "Ended: the process ended while the job ran"),
            (f"job:{owed.JOB}", "Hung: the job hung and was killed after 120 s"),
        }
        for _more in range(3):
            gating.job_killed(s, replace(job_of("club"), store_id=here), 120)
        assert not state.is_on(s, "club"), "five faults within a day pause it"


def test_the_scheduler_asks_for_many_stores_at_once(
    opened: Any, brand: Any, database: Any, two_brands: list[Any]
) -> None:
    here, there = brand.stores
    with opened(brand, here) as s:
        policy.choose(s, "club", True)
    asked: list[str] = []
    sa.event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: asked.append(statement),
    )
    stores = [here.id, there.id]
    with opened(brand, write=False) as s:
        assert gating.stores_on(s, "club", stores) == {here.id}
    first = len(asked)
    with opened(brand, write=False) as s:
        assert gating.stores_on(s, "club", stores) == {here.id}
    assert first <= 6 and len(asked) == first
    with opened(brand, write=False) as s, pytest.raises(NotFound):
        gating.stores_on(s, "club", [two_brands[1].stores[0].id])


def test_the_scheduler_asks_for_head_office_too(opened: Any, brand: Any) -> None:
    with opened(brand, write=False) as s:
        assert gating.stores_on(s, "club", [brand.id]) == set()
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
    with opened(brand, write=False) as s:  # head office has a tool as soon as one store uses it
        assert gating.stores_on(s, "club", [brand.id]) == {brand.id}


def test_navigation_shows_what_is_on_and_may_be_opened(opened: Any, brand: Any) -> None:
    with opened(brand, brand.stores[0]) as s:
        assert nav.entries(s, "store", lambda _permission: True) == []
        policy.choose(s, "club", True)
        (entry,) = nav.entries(s, "store", lambda permission: permission == "club.read")
        assert entry.endpoint == "club-store.list"
        assert nav.entries(s, "store", lambda _permission: False) == []


def test_jobs_of_a_tool_bear_its_name(make_host: MAKE) -> None:
    handler = JobHandler("club.tidy", lambda _s, _payload: None)
    host = make_host({"club": None}, club={"plugin": {"jobs": [handler]}})
    assert [job.plugin for job in host.jobs() if isinstance(job, JobHandler)] == ["club"]


def test_ctx_knows_its_place_and_keeps_to_what_was_declared(opened: Any, brand: Any) -> None:
    here, there = brand.stores
    with opened(brand, here) as s:
        settings.put(s, "club", {"rate": 7})
        ann = customers.enrol(s, name="Ann")
        ctx = ctx_of(s, "club")
        assert isinstance(ctx, Ctx)
        assert (ctx.plugin, ctx.store().name, ctx.store().store_id) == (
            "club",
            "Harbour 1",
            here.id,
        )
        assert (ctx.brand.name, ctx.brand.customers) == ("Harbour", "brand")
        # what a tool writes with it is this store's, not the whole brand's
        assert ctx.store_id == here.id
        assert ctx.settings()["rate"] == 7
        assert ctx.settings(at=clock.now().replace(year=2001))["rate"] == 3
        assert ctx.customers.get(ann.id).name == "Ann"
        entry = ctx.timeline.write(ann.id, "greeted", "Said hello", occurred_at=ctx.now())
        assert isinstance(entry, UUID)
        for refused in (
            lambda: ctx.customers.enrol(name="Bob"),
            lambda: ctx.timeline.read(ann.id),
            lambda: ctx.consent.may_contact(ann.id, "marketing", "email"),
            lambda: ctx.purchases.of_customer(ann.id),
            lambda: ctx.jobs.enqueue("club.tidy"),
        ):
            with pytest.raises(Forbidden, match="did not declare"):
                refused()
        with pytest.raises(NotFound):
            ctx.store(there.id)
    with opened(brand) as s:
        assert ctx_of(s, "club").store_id is None
        ctx = ctx_of(s, "club", there.id)
        assert ctx.store_id == there.id
        assert ctx.settings()["rate"] == 3 and ctx.settings(here.id)["rate"] == 7
        assert ctx.store().name == "Harbour 2"
        assert not ctx.is_on("club")


def test_entries_of_a_tool_bear_its_name(opened: Any, brand: Any) -> None:
    from highstreet.sdk import EntryIn
    from highstreet.timeline import queries

    with opened(brand, brand.stores[0]) as s:
        ann = customers.enrol(s, name="Ann")
        ctx = ctx_of(s, "club")
        told = EntryIn(ann.id, "greeted", "Hello", clock.now(), brand.stores[0].id, source="core")
        ctx.timeline.write_many([told])
        sources = {entry.kind: entry.source for entry in queries.read(s, ann.id).entries}
        assert sources["greeted"] == "club", "a tool can't write as if it were the core"


def test_changing_a_brand_is_seen_after_a_touch(opened: Any, brand: Any) -> None:
    from highstreet.host import facts
    from highstreet_tenants.models import Brand

    with opened(brand, write=False) as s:
        assert facts.brand(s).name == "Harbour"
    with opened(brand) as s:
        s.execute(sa.update(Brand).where(Brand.id == brand.id).values(name="Haven"))
        state.touch(s)
    with opened(brand, write=False) as s:
        assert facts.brand(s).name == "Haven"


def test_a_version_that_moved_back_is_never_trusted(host: Host) -> None:
    host.states.put("key", 5, SimpleNamespace(is_="five"))
    host.states.put("key", 4, SimpleNamespace(is_="four"))
    assert host.states.get("key", 4) is None
    assert host.states.get("key", 5).is_ == "five"
