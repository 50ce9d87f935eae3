"""What taking a merge back needs names people: a job throws it away once that can't be done."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine

from highstreet import rooms
from highstreet.customers import forgetting, service
from highstreet.customers.models import Merge
from highstreet.jobs import JobRegistry
from highstreet.jobs.models import Job
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def queue(floor: Floor) -> Any:
    """Sessions that can order work."""
    registry = JobRegistry(*forgetting.JOBS)

    def prepare(s: ScopedSession) -> None:
        s.info["jobs"] = registry

    floor.database.tenancy.on_open.append(prepare)
    yield registry
    floor.database.tenancy.on_open.remove(prepare)


@pytest.mark.parametrize("which", ["club", "shops"])
def test_a_days_merges_are_forgotten_by_one_job_thirty_days_later(
    floor: Floor, queue: Any, which: str
) -> None:
    brand = getattr(floor, which)
    with time_machine.travel(NOON, tick=False) as clock, floor.till(brand) as s:
        people = [service.enrol(s, name=f"Ana {n}").id for n in range(4)]
        service.merge(s, people[0], people[1])
        service.merge(s, people[0], people[2])
        clock.shift(timedelta(days=1))
        service.merge(s, people[0], people[3])
    with floor.operator(brand, write=False) as s:
        jobs = s.scalars(sa.select(Job).where(Job.brand_id == brand.id).order_by(Job.run_at)).all()
        assert [(job.name, job.run_at) for job in jobs] == [
            ("core.customers.forget_merges", datetime(2026, 6, 4, 0, 1, tzinfo=UTC)),
            ("core.customers.forget_merges", datetime(2026, 6, 5, 0, 1, tzinfo=UTC)),
        ]
    for job, left in zip(jobs, (1, 0), strict=True):
        with time_machine.travel(job.run_at, tick=False), floor.till(brand) as s:
            forgetting.forget_job.run(s, {})
            kept = s.scalars(sa.select(Merge).where(Merge.undo.is_not(None))).all()
            assert len(kept) == left


def test_the_core_knows_the_job() -> None:
    assert forgetting.forget_job in list(rooms.jobs())
