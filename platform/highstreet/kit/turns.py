"""What comes round by itself in the kit's town, when the clock is moved."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from msgspec import Struct

from highstreet.host import gating
from highstreet.jobs import JobHandler, JobRegistry, Periodic, Scheduler
from highstreet.jobs.periodic import turn_of
from highstreet_tenants import clock

ZONE = "Europe/London"
"""Of both brands and their stores."""


class Due(Struct, frozen=True):
    """Periodic work that a scheduler is to look at, as a registry gives it."""

    work: list[tuple[Periodic, JobHandler]]

    def periodic(self) -> list[tuple[Periodic, JobHandler]]:
        """All of it."""
        return self.work


def fire(house: Any, tool: str, since: datetime) -> int:
    """Put into the queue, as a scheduler does, the tool's turns that began since a moment; gives
    how many jobs that were.

    An installation makes up the latest turn when a tool is switched on; the town had that before.
    """
    at = clock.now()
    work = [
        (turn, handler)
        for turn, handler in house.jobs.periodic()
        if handler.plugin == tool
        and turn_of(turn, at, ZONE).slot != turn_of(turn, since, ZONE).slot
    ]
    due = cast(JobRegistry, Due(work))
    return Scheduler(house.tenancy, due, gating.stores_on).tick() if work else 0
