"""The runner: effects and `done` together or not at all; failures wait; leases are kept."""

import logging
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from highstreet.jobs import JobError, backoff, cancel, enqueue, progress, runners
from highstreet.jobs.claim import Claimer
from highstreet.jobs.tidy import tidy
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id

from .conftest import effect, until


def test_effects_and_done_are_one_transaction(work):
    def run(s, payload):
        effect(s, payload)
        enqueue(s, "test.next")
        if payload["fails"]:
            raise ValueError("no")

    work.handle("test.note", run)
    bad = work.enqueue("test.note", {"fails": True}, max_attempts=1)
    good = work.enqueue("test.note", {"fails": False})
    runner = work.runner()
    assert sorted([runner.run_one(), runner.run_one()]) == ["done", "failed"]
    assert [job for job, _store in work.effects()] == [good.hex]
    assert [row.name for row in work.rows() if row.id not in (bad, good)] == ["test.next"]
    done = work.row(good)
    assert done.finished_at is not None and done.lease_token is None and done.error is None


def test_a_failure_waits_longer_each_time_and_ends(work, time_machine):
    time_machine.move_to(now(), tick=False)

    def run(_s, _payload):
        raise ValueError("Ada Lovelace, ada@example.com")

    work.handle("test.fails", run)
    job = work.enqueue("test.fails", max_attempts=3)
    runner, waits = work.runner(), []
    for _ in range(2):
        assert runner.run_one() == "queued"
        assert runner.run_one() is None
        waits.append((work.row(job).run_at - now()).total_seconds())
        time_machine.shift(waits[-1])
    assert runner.run_one() == "failed"
    assert 11 <= waits[0] <= 19 and 45 <= waits[1] <= 75
    row = work.row(job)
    assert row.attempts == 3 and row.lane is None and runner.run_one() is None


def test_back_off_grows_fourfold_up_to_six_hours():
    middle = [backoff(n, lambda: 0.5).total_seconds() for n in range(1, 9)]
    assert middle == [15, 60, 240, 960, 3840, 15360, 21600, 21600]
    assert backoff(1, lambda: 0.0).total_seconds() == 11.25
    assert backoff(10**6, lambda: 1.0).total_seconds() == 27000


def test_no_customers_data_in_errors_and_logs(work, caplog):
    secret = "ada@example.com"

    def run(s, payload):
        if payload["how"] == "database":
            s.execute(sa.text("INSERT INTO nowhere VALUES (:e)"), {"e": secret})
        raise Invalid(f"“{secret}” is not an address")

    work.handle("test.fails", run)
    caplog.set_level(logging.DEBUG, logger="highstreet")
    jobs = [work.enqueue("test.fails", {"how": how}) for how in ("database", "words")]
    runner = work.runner()
    runner.run_one(), runner.run_one()
    errors = [work.row(job).error for job in jobs]
    assert errors[1].startswith("invalid at ") and "in run" in errors[1]
    assert all("test_runner.py" in error for error in errors)
    assert secret not in caplog.text + "".join(errors)
    assert "test.fails" in caplog.text


def test_a_handler_says_what_went_wrong_in_its_own_words(work, time_machine):
    time_machine.move_to(now(), tick=False)

    def run(_s, payload):
        raise JobError(
            "The mail server refused us.", again=payload["again"], after=timedelta(hours=2)
        )

    work.handle("test.mail", run)
    later, never = (work.enqueue("test.mail", {"again": again}) for again in (True, False))
    runner = work.runner()
    runner.run_one(), runner.run_one()
    assert work.row(later).run_at == now() + timedelta(hours=2)
    assert work.row(never).status == "failed" and work.row(never).attempts == 1
    assert work.row(never).error == "The mail server refused us."


def test_who_lost_the_lease_changes_nothing(work, time_machine):
    """The first worker sleeps through its lease; the second does the job; the first wakes up."""
    time_machine.move_to(now(), tick=False)
    work.handle("test.note")
    job = work.enqueue("test.note")
    slow = Claimer(work.tenancy, work.registry, new_id()).next()
    time_machine.shift(61)
    assert tidy(work.tenancy).returned == 1
    assert work.runner().run_one() == "done"
    time_machine.shift(-61)  # so that only the token can tell
    assert work.runner().run_claimed(slow) == "lost"
    assert [noted for noted, _store in work.effects()] == [job.hex]


def test_a_lost_lease_is_noticed_before_the_work_begins(work, time_machine):
    time_machine.move_to(now(), tick=False)
    ran = []
    work.handle("test.note", lambda _s, _p: ran.append(1))
    work.enqueue("test.note")
    slow = Claimer(work.tenancy, work.registry, new_id()).next()
    time_machine.shift(60)
    assert work.runner().run_claimed(slow) == "lost"
    assert not ran


def test_a_failure_after_the_lease_was_lost_is_not_recorded(work):
    def run(_s, _payload):
        raise ValueError("late")

    work.handle("test.fails", run)
    job = work.enqueue("test.fails")
    claimed = Claimer(work.tenancy, work.registry, new_id()).next()
    work.alter(job, lease_token=new_id())
    assert work.runner().run_claimed(claimed) == "lost"
    assert work.row(job).status == "running" and work.row(job).error is None


def test_a_job_longer_than_its_lease_stays_with_its_worker(work):
    """PostgreSQL: the lease is renewed. SQLite: the job holds the write lock, so nobody gets in."""
    begun, finish = threading.Event(), threading.Event()

    def run(s, payload):
        effect(s, payload)
        begun.set()
        assert finish.wait(20)

    work.handle("test.long", run, lease_seconds=1)
    job = work.enqueue("test.long")
    results = []
    thread = threading.Thread(target=lambda: results.append(work.runner().run_one()))
    thread.start()
    assert begun.wait(20)
    first_lease = work.row(job).lease_until
    until(lambda: now() > first_lease + timedelta(seconds=0.5), "the first lease is over")
    if work.sqlite:
        rival = threading.Thread(target=lambda: results.append(work.runner().run_one()))
        rival.start()
        finish.set()
        rival.join(20)
    else:
        assert work.runner().run_one() is None
        assert work.row(job).lease_until > first_lease
        finish.set()
    thread.join(20)
    assert set(results) <= {"done", None} and results.count("done") == 1
    assert work.row(job).status == "done" and work.row(job).attempts == 1
    assert len(work.effects()) == 1


def test_a_hung_worker_loses_its_job_in_the_end(work):
    if work.sqlite:
        pytest.skip("on SQLite nobody can take a job over while its transaction is open")
    hung, let_go, calls = threading.Event(), threading.Event(), []

    def run(s, payload):
        calls.append(1)
        if len(calls) == 1:
            hung.set()
            assert let_go.wait(20)
        effect(s, payload)

    work.handle("test.hangs", run, lease_seconds=1, max_seconds=1)
    work.enqueue("test.hangs")
    results = []
    thread = threading.Thread(target=lambda: results.append(work.runner().run_one()))
    thread.start()
    assert hung.wait(20)
    assert until(work.runner().run_one, "another takes it over") == "done"
    let_go.set()
    thread.join(20)
    assert results == ["lost"] and len(work.effects()) == 1


def test_cancelling_a_running_job_undoes_it(work):
    if work.sqlite:
        pytest.skip("on SQLite cancelling waits until the job has ended")
    begun, told = threading.Event(), threading.Event()

    def run(s, payload):
        effect(s, payload)
        begun.set()
        assert told.wait(20)
        until(lambda: progress(s, 1, 2), "the news arrives")  # ends by LeaseLost

    work.handle("test.long", run, lease_seconds=1)
    job = work.enqueue("test.long")
    results = []
    thread = threading.Thread(target=lambda: results.append(work.runner().run_one()))
    thread.start()
    assert begun.wait(20)
    with work.tenancy.session(work.scope(), write=True) as s:
        cancel(s, job)
    told.set()
    thread.join(20)
    assert results == ["lost"] and work.effects() == []
    assert work.row(job).status == "cancelled"


def test_progress_shows(work):
    reported, go_on = threading.Event(), threading.Event()

    def run(s, _payload):
        progress(s, 30, 100)
        reported.set()
        assert go_on.wait(20)
        progress(s, 100, 100)

    work.handle("test.long", run, lease_seconds=1)
    job = work.enqueue("test.long")
    thread = threading.Thread(target=work.runner().run_one)
    thread.start()
    assert reported.wait(20)
    if not work.sqlite:
        until(lambda: work.row(job).progress_done == 30, "progress while it runs")
    go_on.set()
    thread.join(20)
    assert (work.row(job).progress_done, work.row(job).progress_total) == (100, 100)


def test_a_tool_that_is_off_does_nothing_but_wind_down(work):
    asked = []

    def guard(s, claimed):
        asked.append((claimed.name, claimed.plugin, s.store_id))
        return "skip:forbidden by head office on 3 May"

    work.handle("club.birthday", plugin="club")
    work.handle("club.expire", plugin="club", winddown=True)
    work.handle("core.sweep")
    names = ("club.birthday", "club.expire", "core.sweep")
    jobs = {name: work.enqueue(name) for name in names}
    runner = work.runner(guard=guard)
    assert sorted(runner.run_one() for _ in jobs) == ["done", "done", "skipped"]
    assert asked == [("club.birthday", "club", work.brand.stores[0].id)]
    assert work.row(jobs["club.birthday"]).error == "forbidden by head office on 3 May"
    assert len(work.effects()) == 2


def test_a_job_whose_tool_is_gone_waits_until_it_is_back(work, time_machine):
    time_machine.move_to(now(), tick=False)
    job = work.enqueue("gone.job", max_attempts=1)
    for _ in range(3):
        assert work.runner().run_one() == "queued"
        assert work.row(job).error.startswith("unknown-job")
        time_machine.shift(3600)
    work.handle("gone.job")
    assert work.runner().run_one() == "done"
    assert work.row(job).error is None


def test_a_process_told_to_end_gives_its_job_back(work):
    def run(s, payload):
        effect(s, payload)
        if payload["first"]:
            payload["first"] = False
            raise KeyboardInterrupt

    calls = {"first": True}
    work.handle("test.note", lambda s, _p: run(s, calls))
    job = work.enqueue("test.note")
    with pytest.raises(KeyboardInterrupt):
        work.runner().run_one()
    assert (work.row(job).status, work.row(job).attempts) == ("queued", 0)
    assert work.runner().run_one() == "done"
    assert len(work.effects()) == 1


def test_a_runner_goes_on_until_it_is_stopped_and_shows_that_it_lives(work):
    turns = []
    work.handle("test.note")
    runner, stop = work.runner(upkeep=lambda: turns.append(1)), threading.Event()
    thread = threading.Thread(target=runner.run_forever, args=(stop,))
    thread.start()

    def alive():
        with work.tenancy.control() as c:
            return [seen.id for seen in runners(c)]

    assert until(alive, "a sign of life") == [runner.id]
    jobs = [work.enqueue("test.note", store=n % 3) for n in range(9)]
    until(lambda: {row.status for row in work.rows()} == {"done"}, "all done")
    stop.set()
    thread.join(20)
    assert not thread.is_alive() and turns and alive() == []
    assert len(work.effects()) == len(jobs)


def test_a_failing_upkeep_does_not_end_the_runner(work):
    stop, calls = threading.Event(), []

    def upkeep():
        calls.append(1)
        if len(calls) > 1:
            stop.set()
        raise RuntimeError("the database is away")

    thread = threading.Thread(target=work.runner(upkeep=upkeep).run_forever, args=(stop,))
    thread.start()
    thread.join(20)
    assert not thread.is_alive() and len(calls) == 2
