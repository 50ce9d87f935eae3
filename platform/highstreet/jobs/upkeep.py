"""What a job process does besides jobs: fires periodic work, and sees that what is old or erased is
gone."""

from collections.abc import Callable, Sequence
from time import monotonic

from highstreet.jobs.periodic import Enabled, Scheduler, everywhere
from highstreet.jobs.registry import JobRegistry
from highstreet.jobs.tidy import BATCH, purge
from highstreet_tenants.sessions import Tenancy

PURGE_EVERY = 3600.0
"""Seconds."""


class Upkeep:
    """Call it about every second (`Runner.upkeep`, the relay); it knows itself what is due.

    others: what the house wants looked after besides, each of which knows what is due, too.
    """

    def __init__(
        self,
        tenancy: Tenancy,
        registry: JobRegistry,
        enabled: Enabled = everywhere,
        others: Sequence[Callable[[], object]] = (),
    ) -> None:
        self.scheduler = Scheduler(tenancy, registry, enabled)
        self._tenancy = tenancy
        self._others = others
        self._purged = monotonic()

    def __call__(self) -> None:
        self.scheduler.turn()
        for other in self._others:
            other()
        if self._tenancy.to_scrub:
            self._tenancy.scrub()
        if monotonic() - self._purged >= PURGE_EVERY:
            full = purge(self._tenancy) >= BATCH
            self._tenancy.scrub()
            self._purged = monotonic() - (PURGE_EVERY - 60 if full else 0)
