"""Periodic work: once per store and local day, over clock changes and pauses, whoever asks."""

import threading
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from highstreet.jobs import JobHandler, Periodic, Scheduler
from highstreet.jobs.periodic import turn_of
from highstreet_tenants.models import Store
from highstreet_tenants.scopes import Scope

from .conftest import effect


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def turns(periodic, zone, start, hours):
    """Slots in the order in which they begin, asking every ten minutes."""
    seen = []
    for minute in range(0, hours * 60, 10):
        slot = turn_of(periodic, at(start) + timedelta(minutes=minute), zone).slot
        if not seen or seen[-1] != slot:
            seen.append(slot)
    return seen


@pytest.mark.parametrize(
    ("zone", "start", "minute", "begins"),
    [
        # New York springs forward on 8 March 2026 from 02:00 to 03:00: 02:30 is passed over.
        ("America/New_York", "2026-03-08T00:00", "02:30", "2026-03-08T07:30"),
        # … and back on 1 November from 02:00 to 01:00: 01:30 comes twice; the first counts.
        ("America/New_York", "2026-11-01T00:00", "01:30", "2026-11-01T05:30"),
        ("Europe/London", "2026-03-29T00:00", "01:30", "2026-03-29T01:30"),
        ("Europe/London", "2026-10-25T00:00", "01:30", "2026-10-25T00:30"),
        # Lord Howe moves by half an hour, Cairo at midnight.
        ("Australia/Lord_Howe", "2026-10-03T12:00", "02:15", "2026-10-03T15:45"),
        ("Africa/Cairo", "2026-04-23T20:00", "00:15", "2026-04-23T22:15"),
        ("Asia/Kathmandu", "2026-05-01T00:00", "03:00", "2026-05-01T21:15"),
    ],
)
def test_a_daily_turn_begins_once_on_the_day_the_clocks_change(zone, start, minute, begins):
    periodic = Periodic("t", at=minute)
    seen = turns(periodic, zone, start, 72)
    days = [datetime.fromisoformat(slot).date() for slot in seen]
    assert days == sorted(set(days)) and len(days) in (3, 4)
    assert all(b - a == timedelta(days=1) for a, b in pairwise(days))
    just_before = turn_of(periodic, at(begins) - timedelta(seconds=1), zone)
    just_then = turn_of(periodic, at(begins), zone)
    assert just_then.due == at(begins) and just_before.slot < just_then.slot


def test_hourly_work_comes_with_every_hour_that_passes():
    """25 hours on the day that has 25, 23 on the day that has 23."""
    hourly = Periodic("t", every="hour", at="15")
    autumn = turns(hourly, "Europe/London", "2026-10-24T23:00", 25)  # 25 October, whole
    assert len(autumn) == len(set(autumn)) == 26 and autumn == sorted(autumn)
    spring = turns(hourly, "Europe/London", "2026-03-29T00:00", 23)
    assert len(spring) == 24
    assert turn_of(hourly, at("2026-05-01T10:20"), "Asia/Kathmandu").due == at("2026-05-01T09:30")


def test_wrong_turns_are_refused():
    for wrong in ({"at": "25:00"}, {"at": "soon"}, {"every": "week"}, {"scope": "region"}):
        with pytest.raises(ValueError):
            Periodic("t", **wrong)


def settle(work, zones):
    """Give the stores these zones."""
    with work.tenancy.session(Scope.operator(work.brand.id), write=True) as s:
        for store, zone in zip(work.brand.stores, zones, strict=True):
            s.get_one(Store, (work.brand.id, store.id)).zone = zone


def fired(work):
    numbers = {store.id: n for n, store in enumerate(work.brand.stores)} | {None: "brand"}
    return [(numbers[row.store_id], row.subject) for row in work.rows()]


def test_each_store_in_its_own_day_and_once(work, time_machine):
    settle(work, ["Pacific/Auckland", "Europe/London", "America/Los_Angeles"])
    work.every("night.run", at="03:00")
    order = []
    schedulers = [Scheduler(work.tenancy, work.registry) for _ in range(2)]
    time_machine.move_to(at("2026-05-10T00:00"), tick=False)
    for scheduler in schedulers:
        scheduler.tick()
    order.append(set(fired(work)))
    assert order[0] == {(0, "2026-05-10"), (1, "2026-05-09"), (2, "2026-05-09")}
    for _quarter in range(4 * 24):
        time_machine.shift(900)
        for scheduler in schedulers:
            scheduler.tick()
        if set(fired(work)) != order[-1]:
            order.append(set(fired(work)))
    new = [later - earlier for earlier, later in pairwise(order)]
    assert new == [{(1, "2026-05-10")}, {(2, "2026-05-10")}, {(0, "2026-05-11")}]
    assert len(fired(work)) == 6


def test_a_day_with_a_clock_change_fires_once(work, time_machine):
    settle(work, ["America/New_York"] * 3)
    work.every("night.run", at="02:30")
    scheduler = Scheduler(work.tenancy, work.registry)
    for start in ("2026-03-08T05:00", "2026-11-01T04:00"):
        time_machine.move_to(at(start), tick=False)
        scheduler.tick(afresh=True)
        before = len(fired(work))
        for _ in range(5 * 12):
            time_machine.shift(300)
            scheduler.tick(afresh=True)
        day = start[:10]
        assert [slot for _store, slot in fired(work)[before:]] == [day] * 3


def test_missed_days_are_made_up_once(work, time_machine):
    work.every("night.run")
    scheduler = Scheduler(work.tenancy, work.registry)
    time_machine.move_to(at("2026-05-01T12:00"), tick=False)
    scheduler.tick()
    time_machine.move_to(at("2026-05-06T12:00"), tick=False)
    assert scheduler.tick() == 3
    assert scheduler.tick(afresh=True) == 0
    assert {slot for _store, slot in fired(work)} == {"2026-05-01", "2026-05-06"}


def test_what_would_be_too_late_is_left_out(work, time_machine):
    work.every("morning.call", at="09:00", late=timedelta(hours=2))
    scheduler = Scheduler(work.tenancy, work.registry)
    time_machine.move_to(at("2026-01-05T11:30"), tick=False)
    assert scheduler.tick() == 0
    time_machine.move_to(at("2026-01-06T10:30"), tick=False)
    assert scheduler.tick() == 3
    assert all(row.not_after == at("2026-01-06T11:00") for row in work.rows())
    time_machine.shift(1800)
    assert work.runner().run_one() is None
    assert {row.status for row in work.rows()} == {"expired"}


def test_only_open_stores_with_the_tool_on(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    with work.tenancy.session(Scope.operator(work.brand.id), write=True) as s:
        s.get_one(Store, (work.brand.id, work.brand.stores[0].id)).status = "closed"
    on = work.brand.stores[1].id
    work.every("club.birthday", plugin="club")
    scheduler = Scheduler(work.tenancy, work.registry, lambda _s, _plugin, stores: {on} & {*stores})
    assert scheduler.tick() == 1
    assert fired(work) == [(1, "2026-05-10")]


def test_obligations_go_on_in_a_store_that_has_closed(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    with work.tenancy.session(Scope.operator(work.brand.id), write=True) as s:
        s.get_one(Store, (work.brand.id, work.brand.stores[0].id)).status = "closed"
    work.registry.add(JobHandler("club.lapse", effect, plugin="club", winddown=True))
    work.registry.add(Periodic("club.lapse"))
    scheduler = Scheduler(work.tenancy, work.registry, lambda _s, _plugin, _stores: set())
    assert scheduler.tick() == 3
    assert sorted(store for store, _day in fired(work)) == [0, 1, 2]


def test_brand_wide_work_once_a_day(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    seen = []
    work.every("brand.totals", lambda s, p: seen.append((s.scope.store_id, dict(p))), scope="brand")
    for _ in range(3):
        Scheduler(work.tenancy, work.registry).tick()
    assert fired(work) == [("brand", "2026-05-10")]
    assert work.runner().run_one() == "done"
    assert seen == [(None, {"subject": "2026-05-10"})]


def test_brand_wide_work_of_a_tool_waits_until_head_office_has_it(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    work.every("club.totals", plugin="club", scope="brand")
    on = set()
    scheduler = Scheduler(work.tenancy, work.registry, lambda _s, _plugin, lanes: on & {*lanes})
    assert scheduler.tick() == 0
    on.add(work.brand.id)
    assert scheduler.tick(afresh=True) == 1
    assert fired(work) == [("brand", "2026-05-10")]


def test_many_askers_at_once_fire_once(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    for name in ("one", "two", "three"):
        work.every(name)
    start, errors = threading.Barrier(6), []

    def ask():
        scheduler = Scheduler(work.tenancy, work.registry)
        start.wait()
        try:
            scheduler.tick()
        except Exception as error:  # reported below, by the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(row.name for row in work.rows()) == sorted(["one", "two", "three"] * 3)
    assert len({(row.name, row.store_id) for row in work.rows()}) == 9


def test_nothing_due_costs_nothing(work, time_machine):
    time_machine.move_to(at("2026-05-10T12:00"), tick=False)
    work.every("night.run")
    scheduler = Scheduler(work.tenancy, work.registry)
    scheduler.tick()
    opened = []
    work.tenancy.on_open.append(opened.append)
    try:
        scheduler.tick()
    finally:
        work.tenancy.on_open.pop()
    assert opened == [], "no store was looked at"
