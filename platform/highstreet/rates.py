"""Rate limits: so many requests in a minute for one API key, and for the strangers of one address.

Fixed windows: counts begin anew with each minute of the clock, so at the turn of a minute twice
the limit may pass. In one process they are numbers in memory (under a microsecond); where a Redis
is set, all processes count there together. A Redis that is away refuses nobody: each process
counts for itself until it is back, and says so in the log.

This guards the machine. Guessing passwords and PINs is stopped elsewhere, by `people.tries`.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import TooMany
from highstreet_tenants.people.tries import network

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger(__name__)

#: Seconds.
WINDOW = 60
#: How long a request may wait for Redis, and how long a Redis that did not answer is left alone.
_PATIENCE, _APART = 0.25, 10.0


class RateExceeded(TooMany):
    """More requests than the limit. `retry_after`: seconds until the next minute begins.

    `headers` say so to a machine.
    """

    type = "rate-exceeded"

    def __init__(self, policy: str, most: int, retry_after: int) -> None:
        self.retry_after = retry_after
        self.headers = dict(Room(policy, most, 0, retry_after).fields())
        super().__init__(
            _(
                "More than %(most)s requests in a minute. Go on in %(seconds)s s.",
                most=most,
                seconds=retry_after,
            )
        )


class Room(NamedTuple):
    """How much of a limit is left. seconds: until the next minute begins."""

    policy: str
    most: int
    left: int
    seconds: int

    def fields(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """It as header fields (draft-ietf-httpapi-ratelimit-headers-10)."""
        return (
            ("RateLimit-Policy", f'"{self.policy}";q={self.most};w={WINDOW}'),
            ("RateLimit", f'"{self.policy}";r={self.left};t={self.seconds}'),
        )


class Counter(Protocol):
    """Counts by name within one window."""

    def add(self, name: str, window: int) -> int:
        """One more; gives how many there are now. `window` numbers the minute."""


class InMemory:
    """Counts of this process. They are all forgotten when the window turns, so they stay few."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def add(self, name: str, window: int) -> int:
        """See Counter."""
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            count = self._counts[name] = self._counts.get(name, 0) + 1
        return count


class InRedis:
    """Counts that all processes share; its own while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own = InMemory()
        self._apart_until = 0.0

    def add(self, name: str, window: int) -> int:
        """See Counter."""
        from redis.exceptions import RedisError

        if time.monotonic() >= self._apart_until:
            key = f"highstreet:rate:{window}:{name}"
            try:
                with self._redis.pipeline(transaction=False) as both:
                    both.incr(key)
                    both.expire(key, 2 * WINDOW)
                    return int(both.execute()[0])
            except RedisError as error:
                self._apart_until = time.monotonic() + _APART
                log.warning("Redis is away, so each process counts requests for itself: %s", error)
        return self._own.add(name, window)


class Rates:
    """The limits of this installation, in requests a minute; 0 for none."""

    def __init__(self, counter: Counter, *, per_key: int, per_address: int) -> None:
        self._counter = counter
        self.per_key = per_key
        self.per_address = per_address

    def key(self, key_id: UUID) -> Room | None:
        """Count a request of an API key; gives what is left, None where there is no limit.

        Raises RateExceeded.
        """
        return self._count("key", key_id.hex, self.per_key) if self.per_key else None

    def stranger(self, address: str | None) -> Room | None:
        """Count a request of somebody unknown, by address (an IPv6 /64 is one); gives as `key`.

        Raises RateExceeded.
        """
        if not self.per_address:
            return None
        return self._count("address", network(address or ""), self.per_address)

    def _count(self, policy: str, who: str, most: int) -> Room:
        window, gone = divmod(int(time.time()), WINDOW)
        count = self._counter.add(f"{policy}:{who}", window)
        if count > most:
            if count == most + 1:
                log.warning("%s %s went over %s requests a minute", policy, who, most)
            raise RateExceeded(policy, most, WINDOW - gone)
        return Room(policy, most, most - count, WINDOW - gone)


def from_settings(redis_url: str, *, per_key: int, per_address: int) -> Rates:
    """The limits, counted in the Redis of that address if there is one. It need not answer."""
    counter: Counter = InMemory()
    if redis_url:
        from redis import Redis

        counter = InRedis(
            Redis.from_url(
                redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=None
            )
        )
    return Rates(counter, per_key=per_key, per_address=per_address)
