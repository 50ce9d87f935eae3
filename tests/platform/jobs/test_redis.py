"""Redis carries ids only: killed workers, a flushed Redis and a Redis that is away lose nothing."""

import random
import signal
import threading
from collections import Counter
from datetime import timedelta

import pytest
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from highstreet.jobs import enqueue_many, rq_transport
from highstreet.jobs.rq_transport import ENTRY, QUEUE, Relay, connect

from .conftest import until, zygote

JOBS = 210


@pytest.fixture
def redis(redis_url):
    connection = Redis.from_url(redis_url)
    connection.flushall()  # our own server, see the fixture
    yield connection
    connection.close()


def waiting(redis):
    return [entry.decode().split("-")[0] for entry in redis.lrange(f"rq:queue:{QUEUE}", 0, -1)]


def test_killed_workers_and_flushed_redis_lose_nothing(work, redis, redis_url):
    work.notes(JOBS // 3)
    dice = random.Random(7)
    with zygote(work.database.url, redis_url) as workers:
        first, second = workers.spawn(), workers.spawn()
        for blow in range(1, 8):
            goal = blow * JOBS // 10 + dice.randrange(5)
            until(lambda goal=goal: len(work.effects()) >= goal, f"{goal} effects")
            if blow % 3 == 2:
                redis.flushall()
            else:
                until(lambda pid=first: work.caught(pid), "it is in the middle of a job")
                workers.kill(first)
                first, second = second, workers.spawn()
        until(lambda: {row.status for row in work.rows()} == {"done"}, "all done", 60)
        until(lambda: work.lives(second), "a sign of life")
        workers.kill(second, signal.SIGTERM)
        until(lambda: not work.lives(second), "it signs off")
    rows = work.rows()
    assert Counter(job for job, _store in work.effects()) == {row.id.hex: 1 for row in rows}
    assert all(row.handings > 0 for row in rows), "these did not travel through Redis"
    assert any(row.attempts > 1 for row in rows), "no kill fell into a job"


def test_a_window_of_ids_in_turn_between_stores(work, redis, redis_url):
    with work.tenancy.session(work.scope(0), write=True) as s:
        enqueue_many(s, "test.letters", [{}] * 50)
    reminder = work.enqueue("test.reminder", store=1)
    relay = Relay(work.tenancy, connect(redis_url), window=8)
    assert relay.turn() == 8
    assert reminder.hex in waiting(redis)[:2]
    assert relay.turn() == 0, "the window is full"
    carried = Queue(QUEUE, connection=redis, serializer=JSONSerializer).jobs
    assert {(job.func_name, job.args[0]) for job in carried} == {
        (ENTRY, job_id) for job_id in waiting(redis)
    }


def test_two_relays_hand_each_id_once(work, redis, redis_url):
    with work.tenancy.session(work.scope(), write=True) as s:
        jobs = enqueue_many(s, "test.note", [{}] * 30)
    relays = [Relay(work.tenancy, connect(redis_url), window=100) for _ in range(2)]
    threads = [threading.Thread(target=relay.turn) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(waiting(redis)) == {job.hex: 1 for job in jobs}


def test_only_ids_that_are_gone_are_handed_again(work, redis, redis_url):
    jobs = [work.enqueue("test.note").hex for _ in range(3)]
    relay = Relay(work.tenancy, connect(redis_url), recheck=timedelta(0))
    relay.turn()
    assert relay.turn() == 0, "they wait in Redis"
    redis.rpop(f"rq:queue:{QUEUE}")
    assert relay.turn() == 1
    redis.flushall()
    assert relay.turn() == 3
    assert sorted(waiting(redis)) == sorted(jobs)
    assert sorted(row.handings for row in work.rows()) == [2, 2, 3]


def test_an_id_that_comes_twice_runs_once(work, monkeypatch):
    work.handle("test.note")
    job = work.enqueue("test.note")
    monkeypatch.setattr(rq_transport, "_runner", work.runner())
    rq_transport.run_row(job.hex)
    rq_transport.run_row(job.hex)
    assert len(work.effects()) == 1 and work.row(job).status == "done"


def test_the_entry_needs_a_house():
    with pytest.raises(RuntimeError, match="highstreet worker"):
        rq_transport.run_row("0" * 32)


def test_without_redis_the_rows_wait(work):
    job = work.enqueue("test.note")
    relay = Relay(work.tenancy, connect("redis://127.0.0.1:1/0"), recheck=timedelta(0))
    with pytest.raises(RedisError):
        relay.turn()
    assert work.row(job).status == "queued"
    work.handle("test.note")
    assert work.runner().run_one() == "done", "an embedded runner may take it all the same"
