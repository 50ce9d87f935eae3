"""The launch and the stop go through the stores in chunks, each once, whatever kills them."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from campaigning import BEFORE, FIRST, double, launched, noon, office
from highstreet import jobs
from highstreet.campaigns import answering, drafting, launching, queries, running, standing
from highstreet.campaigns.models import CampaignPart
from highstreet.host import policy, settings
from highstreet.jobs import Runner
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import Tenancy

from .conftest import TOOL, Chain

MANY = 23


def more_stores(chain: Chain, brand: SimpleNamespace, many: int, **given: Any) -> list[Any]:
    """So many stores more; gives their ids."""
    with chain.operator(brand) as s:
        start = len(s.scalars(sa.select(Store.id)).all()) + 1
        made = [
            Store(
                **{
                    "brand_id": brand.id,
                    "slug": f"{brand.slug}-more-{number}",
                    "code": str(500 + number),
                    "name": f"More {number:03}",
                    "region_id": brand.region_id,
                    "zone": "Europe/London",
                    "currency": "GBP",
                    "locale": "en_GB",
                    **given,
                }
            )
            for number in range(start, start + many)
        ]
        s.add_all(made)
        s.flush()
        return [one.id for one in made]


def parts(chain: Chain, brand: SimpleNamespace) -> list[CampaignPart]:
    """All rows of stores."""
    with chain.operator(brand) as s:
        return list(s.scalars(sa.select(CampaignPart).order_by(CampaignPart.store_id)))


def facts(found: list[standing.Standing]) -> list[tuple[Any, ...]]:
    """What a dry run says of each store."""
    return [
        (one.place.slug, one.why, one.reason, dict(one.terms), one.begins_at, one.ends_at,
         one.clashes)
        for one in found
    ]  # fmt: skip


@pytest.mark.parametrize("which", ["club", "shops"])
def test_the_dry_run_writes_nothing_and_is_what_the_launch_does(chain: Chain, which: str) -> None:
    brand = getattr(chain, which)
    tenancy = chain.database.tenancy
    more_stores(chain, brand, 2, zone="Pacific/Auckland")
    more_stores(chain, brand, 1, status="closed")
    more_stores(chain, brand, 1, currency="EUR")
    (off,) = more_stores(chain, brand, 1)
    with chain.operator(brand) as s:
        policy.set_policy(s, TOOL, "default_on")
        policy.choose(s, TOOL, False, store_id=off)
        settings.put(s, TOOL, {"bonuses": [{"name": "Happy hour", "percent": 150}]},
                     store_id=brand.stores[0].id,
                     valid_from=datetime(2020, 1, 1, tzinfo=UTC))  # fmt: skip
    with time_machine.travel(BEFORE, tick=False):
        launched(tenancy, brand, double(name="The other", reach="stores",
                                        stores=[brand.stores[1].id]))  # fmt: skip
        with office(tenancy, brand) as s:
            campaign_id = drafting.draft(
                s, double(participation="opt_out", terms={"percent": 200, "min_minor": 500})
            )
            drafting.approve(s, campaign_id)
        before = parts(chain, brand)
        with office(tenancy, brand) as s:
            version = s.state_version
            dry = queries.standings(s, queries.get(s, campaign_id), BEFORE, clashes=True)
            assert s.state_version == version and not s.new and not s.dirty
        assert len(parts(chain, brand)) == len(before)
        with office(tenancy, brand) as s:
            drafting.launch(s, campaign_id)
        chain.work()
        with office(tenancy, brand) as s:
            real = queries.standings(s, queries.get(s, campaign_id), BEFORE, clashes=True)
    assert facts(dry) == facts(real)
    assert {one.why for one in real} == {"", "closed", "currency", "tool"}
    told = {one.place.slug: one.clashes for one in real if one.clashes}
    assert told == {
        f"{brand.slug}-1": (
            "“Happy hour” runs there on some of these days, too: the better of both counts.",
        ),
        f"{brand.slug}-2": ("“The other” does the same there on some of these days.",),
    }
    # What takes part is what runs, and nowhere else.
    for one in real:
        assert one.place.store_id is not None
        with chain.operator(brand) as s:
            now = running.at(s, TOOL, noon(3), one.place.store_id)
        mine = [run for run in now if run.id == campaign_id]
        assert bool(mine) is (one.why in ("", "closed", "tool"))
        if mine:
            assert mine[0].terms == one.terms


def test_each_store_runs_from_its_own_midnight_to_its_own_midnight(chain: Chain) -> None:
    more_stores(chain, chain.club, 1, zone="Africa/Cairo")  # clocks skip midnight on 24 April
    more_stores(chain, chain.club, 1, zone="America/Los_Angeles")
    with time_machine.travel(datetime(2026, 4, 20, tzinfo=UTC), tick=False):
        launched(
            chain.database.tenancy,
            chain.club,
            double(
                first_day=FIRST.replace(month=4, day=24), last_day=FIRST.replace(month=4, day=24)
            ),
        )
    spans = {(one.begins_at, one.ends_at) for one in parts(chain, chain.club)}
    day = timedelta(days=1)
    london = datetime(2026, 4, 23, 23, tzinfo=UTC)
    cairo = datetime(2026, 4, 23, 22, tzinfo=UTC)  # 00:00 by the old time is 01:00 by the new
    angeles = datetime(2026, 4, 24, 7, tzinfo=UTC)
    assert spans == {
        (london, london + day),
        (cairo, cairo + timedelta(hours=23)),
        (angeles, angeles + day),
    }


def test_a_region_and_a_list_reach_only_their_own(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with chain.operator(chain.club) as s:
        inland = Region(brand_id=chain.club.id, slug="inland", name="Inland")
        s.add(inland)
        s.flush()
        region = inland.id
        s.get_one(Store, (chain.club.id, chain.club.stores[1].id)).region_id = region
    with time_machine.travel(BEFORE, tick=False):
        by_region = launched(tenancy, chain.club, double(reach="regions", regions=[region]))
        by_list = launched(
            tenancy, chain.club, double(reach="stores", stores=[chain.club.stores[0].id])
        )
    reached = {(one.campaign_id, one.store_id) for one in parts(chain, chain.club)}
    assert reached == {
        (by_region, chain.club.stores[1].id),
        (by_list, chain.club.stores[0].id),
    }
    with chain.store(chain.club, 0) as s:
        assert [one.campaign.id for one in queries.heard_of(s, BEFORE)] == [by_list]


def killed(
    chain: Chain, brand: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Another process works on the jobs and is killed with -9 in the middle of a chunk."""
    heard, ready = os.pipe()
    child = os.fork()
    if not child:
        try:
            chain.database.engine.dispose(close=False)  # they are the parent's
            tenancy = Tenancy(sa.create_engine(chain.database.engine.url))
            tenancy.on_open = chain.database.tenancy.on_open
            done = 0

            def touch(s: Any) -> None:
                nonlocal done
                done += 1
                if done == after:  # rows of this chunk are written, and not committed
                    s.flush()
                    os.write(ready, b".")
                    signal.pause()
                state_touch(s)

            state_touch = launching.state.touch
            launching.state.touch = touch
            runner = Runner(tenancy, chain.jobs)
            while runner.run_one() is not None:
                pass
        finally:
            os._exit(1)
    assert os.read(heard, 1) == b"."
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    os.close(heard)
    os.close(ready)


@pytest.mark.parametrize("after", [1, 3])
def test_killed_in_the_middle_each_store_is_reached_and_ended_once(
    chain: Chain, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    tenancy = chain.database.tenancy
    more_stores(chain, chain.club, MANY)
    monkeypatch.setattr(launching, "CHUNK", 5)
    first = datetime.now(UTC).date() + timedelta(days=10)
    with office(tenancy, chain.club) as s:
        given = double(first_day=first, last_day=first + timedelta(days=6))
        campaign_id = drafting.draft(s, given)
        drafting.approve(s, campaign_id)
        drafting.launch(s, campaign_id)
    killed(chain, chain.club, monkeypatch, after)
    assert len(parts(chain, chain.club)) == 5 * (after - 1)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):  # its lease is over
        chain.work()
    reached = parts(chain, chain.club)
    assert len({one.store_id for one in reached}) == len(reached) == MANY + 2
    assert len({(one.begins_at, one.ends_at) for one in reached}) == 1

    with office(tenancy, chain.club) as s:
        drafting.stop(s, campaign_id)
    killed(chain, chain.club, monkeypatch, after)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        chain.work()
    with office(tenancy, chain.club) as s:
        stopped = queries.get(s, campaign_id).stopped_at
    ended = parts(chain, chain.club)
    assert {(one.begins_at, one.ends_at) for one in ended} == {(stopped, stopped)}
    assert [one.id for one in ended] == [one.id for one in reached]
    with tenancy.control() as c:
        from highstreet.jobs.models import Job

        names = [row.status for row in c.scalars(sa.select(Job))]
        assert set(names) == {"done"}


def test_a_store_that_comes_later_takes_part_from_its_next_midnight(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(tenancy, chain.club, double(participation="opt_out"))
    with time_machine.travel(noon(2), tick=False):
        (late,) = more_stores(chain, chain.club, 1)
        with office(tenancy, chain.club) as s:
            assert standing.unreached(s, queries.get(s, campaign_id)) == [late]
            jobs.enqueue(s, "core.campaigns.newcomers", store_id=None)
        chain.work()
    (part,) = [one for one in parts(chain, chain.club) if one.store_id == late]
    assert part.begins_at == datetime(2026, 5, 6, 23, tzinfo=UTC)
    assert part.ends_at == datetime(2026, 5, 10, 23, tzinfo=UTC)


def test_a_store_that_closes_rests_and_one_that_left_the_reach_goes_on(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(
            tenancy, chain.club, double(reach="regions", regions=[chain.club.region_id])
        )
    with chain.operator(chain.club) as s:
        closing, leaving = (s.get_one(Store, (chain.club.id, one.id)) for one in chain.club.stores)
        closing.status, leaving.region_id = "closed", None
    with office(tenancy, chain.club) as s:
        found = queries.standings(s, queries.get(s, campaign_id), noon())
        assert [one.why for one in found] == ["closed", ""]
    with chain.operator(chain.club) as s:
        s.get_one(Store, (chain.club.id, chain.club.stores[0].id)).status = "open"
    with office(tenancy, chain.club) as s:
        found = queries.standings(s, queries.get(s, campaign_id), noon())
        assert [one.why for one in found] == ["", ""]


def test_what_runs_is_asked_of_the_database_once(chain: Chain) -> None:
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(chain.database.tenancy, chain.club, double(participation="opt_in"))
        with chain.store(chain.club) as s:
            answering.answer(s, campaign_id, True)
    asked: list[str] = []

    def ear(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if "core_campaign" in statement:
            asked.append(statement)

    sa.event.listen(chain.database.engine, "before_cursor_execute", ear)
    try:
        for _each in range(3):
            with chain.store(chain.club) as s:
                (one,) = running.at(s, TOOL, noon())
                assert (one.id, one.runs_at(noon(7))) == (campaign_id, False)
    finally:
        sa.event.remove(chain.database.engine, "before_cursor_execute", ear)
    assert len(asked) == 1
