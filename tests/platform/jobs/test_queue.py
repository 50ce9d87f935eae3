"""Enqueueing, cancelling, retrying and looking: in the caller's transaction, within its walls."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from highstreet.jobs import (
    UnknownJob,
    cancel,
    counts,
    detail,
    enqueue,
    enqueue_many,
    list_jobs,
    purge,
    retry,
)
from highstreet.jobs.models import JobPayload, payload_table
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound, WallBreach
from highstreet_tenants.scopes import Scope

VISA = "4111 1111 1111 1111"


def test_a_job_is_part_of_the_callers_transaction(work):
    with pytest.raises(RuntimeError), work.tenancy.session(work.scope(), write=True) as s:
        enqueue(s, "test.note", {"n": 1})
        raise RuntimeError("the sale was not recorded after all")
    assert work.rows() == []
    work.enqueue("test.note", {"n": 1})
    assert [row.status for row in work.rows()] == ["queued"]


def test_a_unique_key_holds_while_its_job_is_open(work):
    work.handle("test.note")
    first = work.enqueue("test.note", {"n": 1}, unique_key="2026-05-01")
    assert work.enqueue("test.note", {"n": 2}, unique_key="2026-05-01") == first
    other_store = work.enqueue("test.note", {"n": 3}, store=1, unique_key="2026-05-01")
    assert other_store != first, "another store's job must not be swallowed"
    with work.tenancy.session(work.scope(), write=True) as s:
        assert s.scalars(sa.select(JobPayload.payload)).all() == [{"n": 1}]
    runner = work.runner()
    assert [runner.run_one(), runner.run_one(), runner.run_one()] == ["done", "done", None]
    assert work.enqueue("test.note", unique_key="2026-05-01") not in (first, other_store)


def test_unique_keys_of_many(work):
    with work.tenancy.session(work.scope(), write=True) as s:
        first = enqueue_many(s, "t", [{"n": 1}, {"n": 2}], unique_keys=["a", "b"])
        again = enqueue_many(s, "t", [{"n": 3}, {"n": 4}], unique_keys=["b", "c"])
    assert again[0] == first[1] and again[1] not in first
    assert len(work.rows()) == 3


def test_the_payload_is_read_in_scope_and_gone_once_done(work):
    seen = []
    work.handle("test.see", lambda s, payload: seen.append((s.scope, dict(payload))))
    work.enqueue("test.see", {"customer": "Ada"}, subject="2026-05-01")
    with work.tenancy.session(work.scope(1)) as s:
        assert s.scalars(sa.select(JobPayload)).all() == []
    head_office = Scope.brand(work.brand.row)
    with work.tenancy.session(head_office) as s:
        assert s.scalars(sa.select(JobPayload)).all() == [], "the store's customers are the store's"
        assert detail(s, work.rows()[0].id).subject == "2026-05-01"
    with work.tenancy.control() as c, pytest.raises(WallBreach):
        c.execute(sa.select(payload_table))
    work.runner().run_one()
    scope, payload = seen[0]
    assert (scope.store_id, scope.reach, scope.actor.kind) == (
        work.brand.stores[0].id,
        "store",
        "job",
    )
    assert payload == {"customer": "Ada", "subject": "2026-05-01"}
    with work.tenancy.session(work.scope()) as s:
        assert s.scalars(sa.select(JobPayload)).all() == []


@pytest.mark.parametrize(
    "payload",
    [
        {"card": VISA},
        {"list": [{"deep": VISA.replace(" ", "")}]},
        {"when": now()},
        {"nan": float("nan")},
        {"nul": "a\0b"},
        {"big": "x" * 70_000},
    ],
    ids=["card", "card-deep", "not-json", "nan", "nul", "large"],
)
def test_a_bad_payload_is_refused(work, payload):
    with pytest.raises(Invalid):
        work.enqueue("test.note", payload)
    assert work.rows() == []


def test_what_can_never_run_is_refused(work):
    with pytest.raises(Invalid):
        work.enqueue("t", run_at=now() + timedelta(hours=2), not_after=now() + timedelta(hours=1))
    with pytest.raises(Invalid):
        work.enqueue("t", max_attempts=0)
    with pytest.raises(Invalid):
        work.enqueue("t", unique_key="k" * 201)


def test_an_unknown_name_is_refused_where_the_registry_is_at_hand(work):
    work.tenancy.on_open.append(lambda s: s.info.update(jobs=work.registry))
    try:
        with pytest.raises(UnknownJob):
            work.enqueue("test.typo")
        work.handle("test.note", plugin="points_club")
        assert work.row(work.enqueue("test.note")).plugin == "points_club"
    finally:
        work.tenancy.on_open.pop()


def test_walls_stand_around_enqueueing(work):
    with work.tenancy.session(work.scope()) as s, pytest.raises(WallBreach):
        enqueue(s, "test.note")
    with work.tenancy.session(work.scope(), write=True) as s, pytest.raises(WallBreach):
        enqueue(s, "test.note", store_id=work.brand.stores[1].id)


def test_head_office_enqueues_for_a_store(work):
    seen = []
    work.handle("test.see", lambda s, payload: seen.append((s.scope.store_id, payload["subject"])))
    with work.tenancy.session(Scope.brand(work.brand.row), write=True) as s:
        for store in work.brand.stores:
            enqueue(s, "test.see", store_id=store.id, subject="spring-campaign")
        brand_wide = enqueue(s, "test.see", {"n": 1}, subject="totals")
    runner = work.runner()
    while runner.run_one():
        pass
    assert set(seen) == {(store.id, "spring-campaign") for store in work.brand.stores} | {
        (None, "totals")
    }
    assert work.row(brand_wide).status == "done"


def test_only_ones_own_jobs_are_seen_and_touched(work):
    mine, other = work.enqueue("test.a"), work.enqueue("test.b", store=1)
    with work.tenancy.session(work.scope(), write=True) as s:
        assert [job.id for job in list_jobs(s)] == [mine]
        assert counts(s) == {"queued": 1}
        for verb in (detail, cancel, retry):
            with pytest.raises(NotFound):
                verb(s, other)
    with work.tenancy.session(Scope.brand(work.brand.row)) as s:
        assert {job.id for job in list_jobs(s)} == {mine, other}
    with work.tenancy.control() as c:
        assert counts(c) == {"queued": 2}


def test_pages_of_jobs(work):
    with work.tenancy.session(work.scope(), write=True) as s:
        made = enqueue_many(s, "test.note", [{"n": n} for n in range(7)])
        enqueue(s, "test.other")
    newest_first = sorted(made, reverse=True)
    with work.tenancy.session(work.scope()) as s:
        page = list_jobs(s, name="test.note", limit=3)
        assert [job.id for job in page] == newest_first[:3]
        page = list_jobs(s, name="test.note", before=page[-1].id, limit=3)
        assert [job.id for job in page] == newest_first[3:6]
        assert list_jobs(s, status="failed") == []


def test_cancel_and_retry(work):
    work.handle("test.note")
    job = work.enqueue("test.note", unique_key="once")
    with work.tenancy.session(work.scope(), write=True) as s:
        cancel(s, job)
    with work.tenancy.session(work.scope(), write=True) as s, pytest.raises(Conflict):
        cancel(s, job)
    assert work.runner().run_one() is None
    newer = work.enqueue("test.note", unique_key="once")
    with work.tenancy.session(work.scope(), write=True) as s, pytest.raises(Conflict):
        retry(s, job)
    assert work.runner().run_row(newer) == "done"
    with work.tenancy.session(work.scope(), write=True) as s:
        retry(s, job)
        with pytest.raises(Conflict):
            retry(s, newer)
    assert work.runner().run_one() == "done"
    assert [row.status for row in work.rows()] == ["done", "done"]


def test_what_came_too_late_is_not_retried(work):
    job = work.enqueue("test.note", not_after=now() + timedelta(hours=1))
    work.alter(job, status="expired", lane=None, not_after=now() - timedelta(seconds=1))
    with work.tenancy.session(work.scope(), write=True) as s, pytest.raises(Conflict):
        retry(s, job)


def test_old_jobs_are_thrown_away_with_their_payloads(work):
    old, young = (work.enqueue("test.note", {"n": n}) for n in range(2))
    for job in (old, young):
        with work.tenancy.session(work.scope(), write=True) as s:
            cancel(s, job)
    work.alter(old, finished_at=now() - timedelta(days=31))
    assert purge(work.tenancy) == 1
    assert [row.id for row in work.rows()] == [young]
    with work.tenancy.session(work.scope()) as s:
        assert [row.id for row in s.scalars(sa.select(JobPayload))] == [young]
