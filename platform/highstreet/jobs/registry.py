"""Which jobs exist: the name, the function that does the work, and when it comes round."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import time, timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

Run = Callable[[ScopedSession, Mapping[str, Any]], object]
Ending = Callable[[ScopedSession], object]
Errand = Callable[["Trip", Mapping[str, Any]], Ending | None]


LONGEST_JOB = 120
"""Seconds after which a job hangs, unless its handler says otherwise."""


class UnknownJob(HighstreetError):
    """No handler of that name is installed in this process."""

    type, status = "unknown-job", 500


class Trip(Protocol):
    """What a job that works outside of the house has in hand."""

    @property
    def id(self) -> UUID:
        """The job's id."""

    def session(self, *, write: bool = False) -> AbstractContextManager[ScopedSession]:
        """A session of the job's scope: one short transaction."""

    def report(self, done: int, total: int | None = None) -> None:
        """Note the progress. Raises LeaseLost if another worker has the job now."""


class JobError(HighstreetError):
    """Raise it in a handler to say what went wrong in words that the jobs page may show.

    `detail` must not hold a customer's data: it is stored in the control plane. `again=False`
    fails the job at once; `after` puts the next try off by at least that long.
    """

    type, status = "job-failed", 500

    def __init__(self, detail: str, *, again: bool = True, after: timedelta = timedelta(0)) -> None:
        super().__init__(detail)
        self.again = again
        self.after = after


class JobHandler(Struct, frozen=True):
    """How one kind of job is done.

    `run(s, payload)` works in a writing session of the job's store (or brand); what it writes and
    the job's `done` are one transaction, so it must not commit. A job is a chunk of work of about a
    second, never one person and never a whole brand: on SQLite nobody else writes meanwhile.
    What it does outside of the database can happen twice; give it an idempotency key.

    lease_seconds: how long after its worker died the job is taken up again.
    max_seconds: after this long it hangs: its process is killed, nothing of it is done, and that
    counts as a failed attempt. At most an hour, for all other jobs of its process wait. Where
    nobody keeps the process, the lease is no longer renewed.
    winddown: runs even while its tool is off (expiry, export, erasure).
    permission: what a person must hold to start it by hand.
    outside: its work is to wait for somebody outside of the house, so no transaction is open
    meanwhile: `run` gets a `Trip` that opens sessions for as short as it needs them, and may give a
    function that is called once the job has ended, in the transaction that ends it.
    """

    name: str
    run: Run | Errand
    plugin: str | None = None
    lease_seconds: int = 60
    permission: str | None = None
    winddown: bool = False
    max_seconds: int = LONGEST_JOB
    outside: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_.-]{0,79}", self.name):
            raise ValueError(f"a job's name is lower-case letters, digits, dots: {self.name!r}")
        if self.lease_seconds < 1 or self.max_seconds < self.lease_seconds:
            raise ValueError(f"{self.name}: 1 <= lease_seconds <= max_seconds")
        if self.max_seconds > 3600:
            raise ValueError(f"{self.name}: a job is a chunk of work; max_seconds is 3600 at most")


def handler(
    name: str,
    *,
    plugin: str | None = None,
    lease_seconds: int = 60,
    permission: str | None = None,
    winddown: bool = False,
    max_seconds: int = LONGEST_JOB,
    outside: bool = False,
) -> Callable[[Run | Errand], JobHandler]:
    """Decorator: make a function `(s, payload)` the handler of the job `name`; with `outside`, a
    function `(trip, payload)`."""

    def made(run: Run | Errand) -> JobHandler:
        return JobHandler(
            name, run, plugin, lease_seconds, permission, winddown, max_seconds, outside
        )

    return made


class Periodic(Struct, frozen=True):
    """Work that comes round by itself: the job `name`, once per store (or brand) and turn.

    every="day": at local time `at` ("HH:MM") of each local day, also where a clock change skips or
    repeats that minute. every="hour": at minute `at` ("00:MM" or "MM") of each hour that passes.
    Turns missed while nothing ran are made up once, for the latest only, unless `late` (how long
    after its minute a turn may still run) has passed. The handler's payload is
    `{"subject": "2026-03-29"}`: the local day, or the UTC minute for hourly work.
    """

    name: str
    every: Literal["day", "hour"] = "day"
    at: str = "03:00"
    scope: Literal["store", "brand"] = "store"
    late: timedelta | None = None

    def __post_init__(self) -> None:
        if self.every not in ("day", "hour") or self.scope not in ("store", "brand"):
            raise ValueError(f"{self.name}: every is day or hour, scope is store or brand")
        self.minute_of_day()

    def minute_of_day(self) -> time:
        """`at` as a time. Raises ValueError if it is not "HH:MM"."""
        return time.fromisoformat(self.at if ":" in self.at else f"00:{self.at}")


class JobRegistry:
    """All handlers and periodic jobs of this process; sessions carry it in `s.info["jobs"]`."""

    def __init__(self, *items: JobHandler | Periodic) -> None:
        self._handlers: dict[str, JobHandler] = {}
        self._periodic: dict[str, Periodic] = {}
        #: Tools whose jobs wait, as if they were not installed, until their tables are ready.
        self.away: frozenset[str] = frozenset()
        self.add(*items)

    def add(self, *items: JobHandler | Periodic) -> None:
        """Register. Raises ValueError for a second handler or turn of a name."""
        for item in items:
            into: dict[str, Any] = (
                self._handlers if isinstance(item, JobHandler) else self._periodic
            )
            if item.name in into:
                raise ValueError(f"the job {item.name!r} is registered twice")
            into[item.name] = item

    def __contains__(self, name: str) -> bool:
        found = self._handlers.get(name)
        return found is not None and found.plugin not in self.away

    def __iter__(self) -> Iterator[JobHandler]:
        return iter(self._handlers.values())

    def get(self, name: str) -> JobHandler:
        """The handler. Raises UnknownJob."""
        found = self._handlers.get(name)
        if found is None or found.plugin in self.away:
            raise UnknownJob(
                _("No job “%(name)s” is installed. Install its tool again or cancel it.", name=name)
            )
        return found

    def periodic(self) -> list[tuple[Periodic, JobHandler]]:
        """Periodic jobs with their handlers. Raises UnknownJob for one that has none."""
        pairs = [(turn, self._handlers.get(turn.name)) for turn in self._periodic.values()]
        return [
            (turn, handler or self.get(turn.name))
            for turn, handler in pairs
            if handler is None or handler.plugin not in self.away
        ]
