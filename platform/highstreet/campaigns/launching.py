"""Going through the stores of a campaign: to launch it, to stop it. A chunk of stores is a job.

A store's row is unique, so however often a job runs, is killed and runs again, each store is
reached once. The next chunk's job is written in the same transaction as the stores of this one;
what is left to do is told by the rows, never by where a job had got to.
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from highstreet import jobs
from highstreet.campaigns import days, standing
from highstreet.campaigns.models import Campaign, CampaignPart
from highstreet.host import state
from highstreet.jobs import JobHandler, Periodic, handler
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession

CHUNK = 500
"""Stores a job: on SQLite nobody else writes meanwhile."""


def order(s: ScopedSession, campaign: Campaign, what: Literal["launch", "stop"]) -> None:
    """See that a job goes through its stores; one is enough, however often it is asked for."""
    jobs.enqueue(
        s,
        f"core.campaigns.{what}",
        {"campaign": str(campaign.id)},
        unique_key=f"core.campaigns.{what}:{campaign.id}",
        subject=f"{campaign.number}",
        store_id=None,
    )


def go_on(s: ScopedSession, campaign: Campaign, most: int | None = None) -> int:
    """Go through the next stores of a campaign that was launched or stopped; gives how many are
    left."""
    most = CHUNK if most is None else most
    if campaign.status == "launched":
        return _reach(s, campaign, most)
    return _end(s, campaign, most) if campaign.status == "stopped" else 0


def _reach(s: ScopedSession, campaign: Campaign, most: int) -> int:
    # Stores that were there at the launch run by its moment, those that came later by theirs.
    first = campaign.reached_at is None
    at = (campaign.launched_at if first else None) or clock.now()
    waiting = standing.unreached(s, campaign)
    chunk = waiting[:most]
    zones = {
        row.id: row.zone
        for row in s.execute(sa.select(Store.id, Store.zone).where(Store.id.in_(chunk)))
    }
    rows: list[dict[str, Any]] = []
    for store_id in chunk:
        begins, ends = days.span(
            campaign.first_day,
            campaign.last_day,
            zones[store_id],
            at,
            may_answer=campaign.participation != "mandatory",
        )
        rows.append(
            {
                "brand_id": s.brand_id,
                "id": new_id(),
                "campaign_id": campaign.id,
                "store_id": store_id,
                "begins_at": begins,
                "ends_at": ends,
                "own": {},
                "reached_at": clock.now(),
            }
        )
    if rows:
        insert = postgresql.insert if s.dialect == "postgresql" else sqlite.insert
        # By Core one row each: the walls look at whose every row is.
        s.execute(
            insert(CampaignPart).on_conflict_do_nothing(
                index_elements=["brand_id", "campaign_id", "store_id"]
            ),
            rows,
        )
        running = [row for row in rows if row["begins_at"] < row["ends_at"]]
        for row in running:  # a store of another zone may have come since
            campaign.begins_at = min(row["begins_at"], campaign.begins_at or row["begins_at"])
            campaign.ends_at = max(row["ends_at"], campaign.ends_at or row["ends_at"])
        state.touch(s)
    if first and len(chunk) == len(waiting):
        campaign.reached_at = clock.now()
    return len(waiting) - len(chunk)


def _end(s: ScopedSession, campaign: Campaign, most: int) -> int:
    at = campaign.stopped_at
    if at is None:
        return 0
    open_ = (CampaignPart.campaign_id == campaign.id, CampaignPart.ends_at > at)
    chunk = s.scalars(
        sa.select(CampaignPart.id).where(*open_).order_by(CampaignPart.id).limit(most)
    ).all()
    if not chunk:
        return 0
    s.execute(
        sa.update(CampaignPart)
        .where(*open_, CampaignPart.id.in_(chunk))
        .values(
            ends_at=at,
            begins_at=sa.case((CampaignPart.begins_at > at, at), else_=CampaignPart.begins_at),
        )
        .execution_options(synchronize_session=False)
    )
    state.touch(s)
    return s.scalar(sa.select(sa.func.count(CampaignPart.id)).where(*open_)) or 0


def _go_on(s: ScopedSession, payload: Mapping[str, Any], status: str) -> None:
    """The next chunk; what was stopped meanwhile is launched no further."""
    campaign = s.get(Campaign, (s.brand_id, UUID(str(payload["campaign"]))))
    if campaign is None or campaign.status != status or not go_on(s, campaign):
        return
    # Its own key is taken: by the job that writes this.
    jobs.enqueue(
        s,
        f"core.campaigns.{'launch' if status == 'launched' else 'stop'}",
        {"campaign": str(campaign.id)},
        subject=f"{campaign.number}",
        store_id=None,
    )


@handler("core.campaigns.launch", max_seconds=600)
def launch_job(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """The next stores of a campaign that was launched."""
    _go_on(s, payload, "launched")


@handler("core.campaigns.stop", max_seconds=600)
def stop_job(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """The next stores of a campaign that was stopped."""
    _go_on(s, payload, "stopped")


@handler("core.campaigns.newcomers", max_seconds=600)
def newcomers_job(s: ScopedSession, _payload: Mapping[str, Any]) -> None:
    """Stores that came into the reach of what runs, since it was launched."""
    running = s.scalars(
        sa.select(Campaign).where(Campaign.status == "launched", Campaign.ends_at > clock.now())
    )
    for campaign in running:
        if standing.unreached(s, campaign):
            order(s, campaign, "launch")


JOBS: tuple[JobHandler | Periodic, ...] = (
    launch_job,
    stop_job,
    newcomers_job,
    Periodic(newcomers_job.name, every="hour", at="10", scope="brand"),
)
