"""Rate limits: who is refused, what they are told, and that a Redis that is away refuses nobody."""

import logging
import socket
import threading
import time
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from redis import Redis

from highstreet import rates
from highstreet.app import create_app
from highstreet.rates import InMemory, InRedis, RateExceeded, Rates
from highstreet_tenants.errors import Invalid

#: The turn of a minute: a test that counts must not straddle one.
MINUTE = 1_795_608_000


@pytest.fixture
def still() -> Any:
    """The clock stands 18 s before the minute turns."""
    with time_machine.travel(MINUTE - 18, tick=False) as clock:
        yield clock


@pytest.fixture
def redis(redis_url: str) -> Any:
    connection = Redis.from_url(redis_url)
    yield connection
    for key in connection.scan_iter("highstreet:rate:*"):
        connection.delete(key)
    connection.close()


def spend(limits: Rates, key: Any, times: int) -> int:
    """How many of so many requests pass."""
    passed = 0
    for _each in range(times):
        try:
            limits.key(key)
            passed += 1
        except RateExceeded:
            pass
    return passed


def test_a_key_over_its_limit_is_told_when_to_go_on(still: Any) -> None:
    limits, key = Rates(InMemory(), per_key=3, per_address=0), uuid4()
    assert spend(limits, key, 3) == 3
    with pytest.raises(RateExceeded) as refused:
        limits.key(key)
    assert refused.value.retry_after == 18
    assert refused.value.headers == {
        "RateLimit-Policy": '"key";q=3;w=60',
        "RateLimit": '"key";r=0;t=18',
    }
    limits.key(uuid4())  # another key has its own count
    still.shift(18)
    limits.key(key)  # and the next minute a new one


def test_an_address_is_one_machine_or_one_ipv6_customer(still: Any) -> None:
    limits = Rates(InMemory(), per_key=0, per_address=2)
    limits.stranger("192.0.2.7")
    limits.stranger("192.0.2.7")
    limits.stranger("192.0.2.8")
    with pytest.raises(RateExceeded):
        limits.stranger("192.0.2.7")
    limits.stranger("2001:db8::1")
    limits.stranger("2001:db8::2")
    with pytest.raises(RateExceeded):
        limits.stranger("2001:db8::3")
    limits.stranger("2001:db8:0:1::1")


def test_zero_is_no_limit(still: Any) -> None:
    limits, key = Rates(InMemory(), per_key=0, per_address=0), uuid4()
    assert spend(limits, key, 1000) == 1000
    limits.stranger(None)


def test_threads_do_not_lose_counts(still: Any) -> None:
    limits, key, passed = Rates(InMemory(), per_key=400, per_address=0), uuid4(), []
    threads = [
        threading.Thread(target=lambda: passed.append(spend(limits, key, 100))) for _n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 400


def test_what_was_counted_is_forgotten_when_the_minute_turns(still: Any) -> None:
    counter = InMemory()
    for n in range(1000):
        counter.add(f"key:{n}", 1)
    counter.add("key:0", 2)
    assert len(counter._counts) == 1


def test_two_processes_share_one_count_in_redis(redis: Any, redis_url: str, still: Any) -> None:
    key = uuid4()
    one, other = (rates.from_settings(redis_url, per_key=5, per_address=0) for _n in range(2))
    assert spend(one, key, 3) + spend(other, key, 4) == 5
    [name] = [k for k in redis.scan_iter("highstreet:rate:*") if key.hex in k.decode()]
    assert 0 < redis.ttl(name) <= 2 * rates.WINDOW


def test_a_redis_that_is_away_refuses_nobody_and_is_not_waited_for(caplog: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    limits = rates.from_settings(f"redis://127.0.0.1:{port}/0", per_key=600, per_address=0)
    began = time.monotonic()
    with caplog.at_level(logging.WARNING):
        assert spend(limits, uuid4(), 200) == 200
    assert time.monotonic() - began < 2
    assert caplog.text.count("Redis is away") == 1


def test_a_redis_that_hangs_costs_one_short_wait() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        limits = rates.from_settings(f"redis://127.0.0.1:{port}/0", per_key=600, per_address=0)
        began = time.monotonic()
        assert spend(limits, uuid4(), 50) == 50
        assert time.monotonic() - began < 3


def test_redis_counts_again_once_it_is_back(redis: Any, redis_url: str, still: Any) -> None:
    counter = InRedis(Redis.from_url(redis_url))
    counter._apart_until = time.monotonic() + 0.05
    name = f"key:{uuid4().hex}"
    assert counter.add(name, 1) == 1
    assert redis.get(f"highstreet:rate:1:{name}") is None
    counter._apart_until = 0.0
    counter.add(name, 1)
    assert redis.get(f"highstreet:rate:1:{name}") == b"1"


@pytest.mark.parametrize(
    "wrong", [{"rate_per_key": -1}, {"rate_per_address": "many"}, {"proxies": 9}]
)
def test_a_wrong_setting_stops_the_start(tmp_path: Any, wrong: Any) -> None:
    with pytest.raises(Invalid, match=next(iter(wrong))):
        create_app({"instance": str(tmp_path), **wrong}, faces=False)


def test_a_busy_shop_stays_below_the_usual_limits(tmp_path: Any) -> None:
    house = create_app({"instance": str(tmp_path)}, faces=False).extensions["highstreet"]
    # Eight registers on one key, a sale each every eight seconds: find, preview, purchase.
    assert house.rates.per_key > 8 * (60 / 8) * 3 * 2
    assert house.rates.per_address > 0
