"""Durable jobs: the row is the truth, Redis (if there is one) only carries its id.

`enqueue` writes the row in the caller's transaction. A `Runner`, embedded or behind RQ, claims it
under a lease and runs its handler; the handler's effects and the job's `done` are one transaction.
So a job whose worker is killed is run again, and its effects are there exactly once.
`highstreet.jobs.rq_transport` is imported only where Redis is used.
"""

from highstreet.jobs.claim import Claimed
from highstreet.jobs.lease import LeaseLost, RunningJob
from highstreet.jobs.periodic import Scheduler
from highstreet.jobs.queries import JobView, RunnerView, counts, detail, list_jobs, runners
from highstreet.jobs.queue import cancel, enqueue, enqueue_many, progress, retry
from highstreet.jobs.registry import (
    JobError,
    JobHandler,
    JobRegistry,
    Periodic,
    Trip,
    UnknownJob,
    handler,
)
from highstreet.jobs.runner import Runner, backoff
from highstreet.jobs.tidy import purge
from highstreet.jobs.upkeep import Upkeep

__all__ = [
    "Claimed",
    "JobError",
    "JobHandler",
    "JobRegistry",
    "JobView",
    "LeaseLost",
    "Periodic",
    "Runner",
    "RunnerView",
    "RunningJob",
    "Scheduler",
    "Trip",
    "UnknownJob",
    "Upkeep",
    "backoff",
    "cancel",
    "counts",
    "detail",
    "enqueue",
    "enqueue_many",
    "handler",
    "list_jobs",
    "progress",
    "purge",
    "retry",
    "runners",
]
