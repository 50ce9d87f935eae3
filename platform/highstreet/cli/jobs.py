"""``highstreet jobs``: background work."""

from __future__ import annotations

from uuid import UUID

import click

from highstreet import jobs as room
from highstreet.cli.base import json_option, open_house, print_done, print_json, print_table
from highstreet.i18n import gettext as _
from highstreet.jobs.models import STATUSES


@click.group()
def jobs() -> None:
    """Background jobs of all brands."""


@jobs.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only these.")
@click.option("--name", help="Only jobs of this name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 500))
@json_option
def list_jobs(status: str | None, name: str | None, limit: int, as_json: bool) -> None:
    """The newest jobs, and how many there are of each status."""
    with open_house() as house, house.tenancy.control() as s:
        rows = room.list_jobs(s, status=status, name=name, limit=limit)
        counts = room.counts(s)
    if as_json:
        print_json({"counts": counts, "jobs": rows})
        return
    print_table(
        ("id", "name", "status", "run at", "tries", "error"),
        [
            (
                job.id,
                job.name,
                job.status,
                f"{job.run_at:%Y-%m-%d %H:%M:%S}",
                job.attempts,
                (job.error or "").splitlines()[-1][:80] if job.error else "",
            )
            for job in rows
        ],
        _("No jobs."),
    )
    if counts:
        click.echo(", ".join(f"{status}: {count}" for status, count in sorted(counts.items())))


@jobs.command()
@click.argument("job_id", type=click.UUID)
@json_option
def show(job_id: UUID, as_json: bool) -> None:
    """One job, without its payload (which may name customers)."""
    with open_house() as house, house.tenancy.control() as s:
        job = room.detail(s, job_id)
    if as_json:
        print_json(job)
        return
    for name in job.__struct_fields__:
        value = getattr(job, name)
        if value is not None:
            click.echo(f"{name}: {value}")


@jobs.command()
@click.argument("job_id", type=click.UUID)
@json_option
def retry(job_id: UUID, as_json: bool) -> None:
    """Queue a failed, skipped, expired or cancelled job again."""
    with open_house() as house, house.tenancy.control(write=True) as s:
        room.retry(s, job_id)
    print_done(as_json, _("The job is queued again."), id=job_id, status="queued")


@jobs.command()
@click.argument("job_id", type=click.UUID)
@json_option
def cancel(job_id: UUID, as_json: bool) -> None:
    """Stop a job that is queued or runs."""
    with open_house() as house, house.tenancy.control(write=True) as s:
        room.cancel(s, job_id)
    print_done(as_json, _("The job is cancelled."), id=job_id, status="cancelled")
