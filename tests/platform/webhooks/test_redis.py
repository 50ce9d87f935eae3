"""Through Redis and RQ, by a worker of its own: carried, tried again, none held up."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from redis import Redis

from highstreet.customers import service as customers
from highstreet.webhooks.models import WebhookDelivery

WORKER = """
from highstreet.app import create_app, house_of
from highstreet.jobs import rq_transport

house = house_of(create_app({config!r}, faces=False))
rq_transport.work({redis_url!r}, lambda: house.runner)
"""


@contextmanager
def worker(street: Any, database: Any, redis_url: str, folder: Any) -> Iterator[Any]:
    """A worker in a process of its own, as `highstreet worker` has one for its jobs."""
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(folder),
        "secret_key": street.house.config["secret_key"],
        "webhooks_local": True,
    }
    script = WORKER.format(config=config, redis_url=redis_url)
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def until(what: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def statuses(street: Any) -> list[str]:
    with street.till() as s:
        return sorted(s.scalars(sa.select(WebhookDelivery.status)))


@pytest.mark.slow
def test_a_worker_behind_redis_carries_and_tries_again(street, sink, database, redis_url, tmp_path):
    Redis.from_url(redis_url).flushall()  # our own server, see the fixture
    away = []

    def at_first_away(got: Any) -> tuple[int, dict[str, str], bytes]:
        if len(away) < 2:
            away.append(got.id)
            return 503, {}, b"not yet"
        return 204, {}, b""

    sink.reply = at_first_away
    with street.till() as s:
        street.listen(s, sink.url)
    with worker(street, database, redis_url, tmp_path) as process:
        for number in range(30):
            with street.till() as s:
                customers.enrol(s, name=f"Member {number}")
        until(lambda: len(statuses(street)) == 30 and set(statuses(street)) == {"sent"})
        assert process.poll() is None
    assert len({one.id for one in sink.got}) == 30
    assert len(sink.got) == 32, "what failed came again under its id, and nothing else did"
    assert {one.id for one in sink.got[:2]} <= set(away)


@pytest.mark.slow
def test_a_receiver_that_hangs_holds_up_no_other_webhook(
    street, sink, database, redis_url, tmp_path
):
    """The one that never answers is cut off; the worker goes on, and so does the other webhook."""
    Redis.from_url(redis_url).flushall()

    def hangs_on_one_path(got: Any) -> tuple[int, dict[str, str], bytes]:
        if got.path == "/slow":
            time.sleep(20)
        return 204, {}, b""

    sink.reply = hangs_on_one_path
    with street.till() as s:
        street.listen(s, sink.url.replace("/hooks?from=highstreet", "/slow"))
        street.listen(s, sink.url)
        customers.enrol(s, name="Anna")
    with worker(street, database, redis_url, tmp_path):
        until(lambda: statuses(street).count("sent") == 1)
        until(lambda: _answers(street) == ["No answer in time."])


def _answers(street: Any) -> list[str]:
    with street.till() as s:
        return list(
            s.scalars(
                sa.select(WebhookDelivery.answer).where(
                    WebhookDelivery.status == "pending", WebhookDelivery.answer.is_not(None)
                )
            )
        )
