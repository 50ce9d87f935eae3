"""Claims: one winner, in turn between stores, never late, at a cost that does not grow."""

import re
import threading
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from highstreet.jobs import enqueue_many
from highstreet.jobs.claim import FIRST, Claimer, pick
from highstreet.jobs.models import job_table
from highstreet.jobs.tidy import idle, tidy
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id


def claimer(work):
    return Claimer(work.tenancy, work.registry, new_id())


def test_a_long_queue_of_one_store_does_not_hold_up_anothers_reminder(work):
    with work.tenancy.session(work.scope(0), write=True) as s:
        enqueue_many(s, "test.letters", [{}] * 300)
    reminder = work.enqueue("test.reminder", store=1)
    claims = claimer(work)
    first = [claims.next() for _ in range(2)]
    assert reminder in {claimed.id for claimed in first}


def test_stores_take_turns(work):
    for store, count in ((0, 30), (1, 6), (2, 12)):
        with work.tenancy.session(work.scope(store), write=True) as s:
            enqueue_many(s, "test.letters", [{}] * count)
    claims = claimer(work)
    served = [claims.next().lane for _ in range(18)]
    assert Counter(served) == {store.id: 6 for store in work.brand.stores}
    for turn in range(0, 18, 3):
        assert len(set(served[turn : turn + 3])) == 3
    assert Counter(claims.next().lane for _ in range(12)) == {
        work.brand.stores[0].id: 6,
        work.brand.stores[2].id: 6,
    }


def test_within_a_store_the_earliest_goes_first(work):
    late, early = (work.enqueue("t", run_at=now() - timedelta(minutes=m)) for m in (1, 5))
    claims = claimer(work)
    assert [claims.next().id, claims.next().id] == [early, late]


def test_many_claimers_one_winner_each(work):
    with work.tenancy.session(work.scope(), write=True) as s:
        jobs = enqueue_many(s, "test.note", [{}] * 40)
    won, lock, start = [], threading.Lock(), threading.Barrier(8)

    def claim_all():
        claims = claimer(work)
        start.wait()
        while claimed := claims.next():
            with lock:
                won.append(claimed.id)

    threads = [threading.Thread(target=claim_all) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(won) == dict.fromkeys(jobs, 1)


def test_a_job_waits_for_its_time(work, time_machine):
    time_machine.move_to(now(), tick=False)
    job = work.enqueue("test.note", run_at=now() + timedelta(hours=1))
    claims = claimer(work)
    assert not tidy(work.tenancy) and claims.next() is None
    with work.tenancy.control() as c:
        assert idle(c)
    time_machine.shift(3600)
    with work.tenancy.control() as c:
        assert not idle(c)
    assert tidy(work.tenancy).due == 1
    assert claims.next().id == job


def test_never_after_its_last_moment(work, time_machine):
    time_machine.move_to(now(), tick=False)
    work.handle("test.note")
    soon = now() + timedelta(minutes=5)
    waiting = work.enqueue("test.note", run_at=now() + timedelta(minutes=1), not_after=soon)
    ready = work.enqueue("test.note", not_after=soon)
    time_machine.shift(300)
    assert work.runner().run_one() is None
    assert tidy(work.tenancy).late in (0, 1)
    assert [work.row(job).status for job in (waiting, ready)] == ["expired", "expired"]
    assert work.row(ready).attempts == 0
    assert work.effects() == []


def test_its_last_moment_passes_between_claim_and_run(work, time_machine):
    time_machine.move_to(now(), tick=False)
    work.handle("test.note")
    work.enqueue("test.note", not_after=now() + timedelta(seconds=10))
    claimed = claimer(work).next()
    time_machine.shift(10)
    assert work.runner().run_claimed(claimed) == "expired"
    assert work.effects() == []


def test_a_dead_workers_job_is_claimed_again(work, time_machine):
    time_machine.move_to(now(), tick=False)
    work.handle("test.note", lease_seconds=20)
    job = work.enqueue("test.note", max_attempts=2)
    claims = claimer(work)
    first = claims.next()
    assert first.lease_until == now() + timedelta(seconds=20)
    time_machine.shift(20)
    assert not tidy(work.tenancy)
    time_machine.shift(0.001)
    assert tidy(work.tenancy).returned == 1
    second = claims.next()
    assert (second.id, second.attempts) == (job, 2) and second.token != first.token
    time_machine.shift(21)
    assert tidy(work.tenancy).given_up == 1
    row = work.row(job)
    assert row.status == "failed" and "worker" in row.error and row.finished_at is not None
    assert claims.next() is None


def test_a_claim_reads_one_entry_of_its_index(work):
    """Whatever is ended, waits for its time, or is queued by others is not looked at."""
    rows = [
        {
            "id": new_id(),
            "brand_id": work.brand.id,
            "store_id": work.brand.stores[n % 3].id,
            "name": "t",
            "status": ("done", "queued", "queued")[n % 3],
            "lane": work.brand.stores[2].id if n % 3 == 2 else None,
            "run_at": now() + timedelta(hours=n % 3),
            "finished_at": now() if n % 3 == 0 else None,
        }
        for n in range(3000)
    ]
    with work.tenancy.control(write=True) as c:
        c.execute(sa.insert(job_table), rows)
    explain = "EXPLAIN (ANALYZE, BUFFERS)" if not work.sqlite else "EXPLAIN QUERY PLAN"
    if not work.sqlite:
        # The jobs of the tests before stand first in the index until they are vacuumed away, and
        # whether that has happened is not the plan's doing.
        with work.database.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            c.exec_driver_sql("VACUUM (ANALYZE) core_job")
    with work.database.owner.connect() as c:
        one = sa.select(job_table).where(job_table.c.id == pick(work.database.kind))
        text = one.params(after=FIRST).compile(c, compile_kwargs={"literal_binds": True})
        plan = "\n".join(str(row) for row in c.exec_driver_sql(f"{explain} {text}"))
    assert "ix_core_job_lane" in plan, plan
    assert "Sort" not in plan and "TEMP B-TREE" not in plan and "SCAN core_job" not in plan, plan
    if not work.sqlite:
        touched = int(re.search(r"Buffers: shared hit=(\d+)", plan)[1])
        assert touched < 12, plan
        assert re.search(r"ix_core_job_lane .*actual .*rows=1 ", plan), plan


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("lease_until < '2020-01-01'", "ix_core_job_lease"),
        ("status = 'queued' AND lane IS NULL AND run_at < '2020-01-01'", "ix_core_job_waiting"),
        (
            "status = 'queued' AND not_after IS NOT NULL AND not_after < '2020-01-01'",
            "ix_core_job_perishable",
        ),
        ("finished_at < '2020-01-01'", "ix_core_job_finished"),
        ("handed_at < '2020-01-01'", "ix_core_job_handed"),
    ],
)
def test_tidying_reads_an_index_of_its_own(work, condition, index):
    with work.database.owner.begin() as c:
        if not work.sqlite:
            c.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the table is empty
        explain = "EXPLAIN" if not work.sqlite else "EXPLAIN QUERY PLAN"
        plan = str(c.exec_driver_sql(f"{explain} SELECT id FROM core_job WHERE {condition}").all())
    assert index in plan
