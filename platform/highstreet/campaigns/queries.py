"""Campaigns for pages and commands: lists, one with its steps, what came of it."""

from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.campaigns import standing, terms
from highstreet.campaigns.models import Campaign, CampaignPart
from highstreet.campaigns.standing import Standing
from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet_tenants import aggregates
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail.models import TrailEntry

State = Literal["draft", "approved", "scheduled", "running", "finished", "stopped"]


class Count(NamedTuple):
    """What came of a campaign in one store: purchases that it gave something for, the customers who
    made them, points that it gave. None: too few people to be told."""

    store_id: UUID
    purchases: int | None
    people: int | None
    points: int | None


class Heard(NamedTuple):
    """A campaign as one store hears of it."""

    campaign: Campaign
    standing: Standing
    state: State


def state_of(campaign: Campaign, at: datetime) -> State:
    """Where it stands at a moment (UTC)."""
    if campaign.status == "launched":
        assert campaign.begins_at is not None and campaign.ends_at is not None
        if at < campaign.begins_at:
            return "scheduled"
        return "running" if at < campaign.ends_at else "finished"
    return campaign.status  # type: ignore[return-value]  # checked by the database


def get(s: ScopedSession, campaign_id: UUID) -> Campaign:
    """A campaign as head office sees it. Raises NotFound, in a store for all: see `heard`."""
    found = s.get(Campaign, (s.brand_id, campaign_id)) if s.scope.store_id is None else None
    if found is None:
        raise NotFound(_("There is no such campaign."))
    return found


def by_number(s: ScopedSession, number: int) -> Campaign:
    """A campaign by its number in the brand. Raises NotFound that says which there are."""
    found = s.scalar(sa.select(Campaign).where(Campaign.number == number))
    if found is None:
        known = s.scalars(sa.select(Campaign.number).order_by(Campaign.number)).all()
        raise NotFound(
            _(
                "There is no campaign %(number)s in this brand; there are: %(known)s.",
                number=number,
                known=", ".join(map(str, known)) or "—",
            )
        )
    return found


def listed(s: ScopedSession, *, limit: int = 200) -> list[Campaign]:
    """The brand's campaigns, the newest first."""
    return list(s.scalars(sa.select(Campaign).order_by(Campaign.number.desc()).limit(limit)))


def unfinished(s: ScopedSession, at: datetime) -> list[Campaign]:
    """Those that are launched and not over, whichever begins first."""
    rows = sa.select(Campaign).where(Campaign.status == "launched", Campaign.ends_at > at)
    return list(s.scalars(rows.order_by(Campaign.begins_at, Campaign.number)))


def steps(s: ScopedSession, campaign_id: UUID, *, limit: int = 100) -> list[TrailEntry]:
    """Who did what, stores' answers too, the newest first: of the brand's trail."""
    return list(
        s.scalars(
            sa.select(TrailEntry)
            .where(TrailEntry.object_id == campaign_id, TrailEntry.object_kind == "campaign")
            .order_by(TrailEntry.at.desc(), TrailEntry.id.desc())
            .limit(limit)
        )
    )


def heard(s: ScopedSession, campaign_id: UUID, at: datetime) -> Heard:
    """A campaign as the session's store hears of it. Raises NotFound until it is launched."""
    found = _heard(s, at, Campaign.id == campaign_id)
    if not found:
        raise NotFound(_("There is no such campaign."))
    return found[0]


def heard_of(s: ScopedSession, at: datetime, *, limit: int = 200) -> list[Heard]:
    """The campaigns that the session's store hears of, whichever begins last first."""
    return _heard(s, at, limit=limit)


def heard_now(s: ScopedSession, at: datetime) -> list[Heard]:
    """Those of them that are not over."""
    return _heard(s, at, Campaign.status == "launched", CampaignPart.ends_at > at)


def _heard(
    s: ScopedSession, at: datetime, *those: sa.ColumnElement[bool], limit: int = 200
) -> list[Heard]:
    store_id = s.scope.store_id
    if store_id is None:
        return []
    rows = (
        sa.select(Campaign)
        .join(
            CampaignPart,
            sa.and_(
                CampaignPart.brand_id == Campaign.brand_id,
                CampaignPart.campaign_id == Campaign.id,
            ),
        )
        .where(CampaignPart.store_id == store_id, *those)
        .order_by(CampaignPart.begins_at.desc(), Campaign.number.desc())
        .limit(limit)
    )
    campaigns = s.scalars(rows).all()
    if not campaigns:
        return []
    found = standing.in_store(s, campaigns, store_id, at)
    return [
        Heard(campaign, one, state_in(campaign, one, at))
        for campaign, one in zip(campaigns, found, strict=True)
    ]


def state_in(campaign: Campaign, one: Standing, at: datetime) -> State:
    """Where a launched campaign stands in one store."""
    if campaign.status == "stopped":
        return "stopped"
    if at < one.begins_at:
        return "scheduled"
    return "running" if at < one.ends_at else "finished"


def tool_is_on(s: ScopedSession, campaign: Campaign) -> bool:
    """Whether the campaign's tool works in the session's place, so that it may be asked."""
    tool = terms.tool_of(campaign.action)
    return tool in hosts.of(s).plugins and state.is_on(s, tool)


def counts(s: ScopedSession, action: str, campaign_id: UUID) -> list[Count]:
    """What came of it, by store. Who reaches the customers anyway gets every figure; an aggregate
    session none of cells with few people. Ask `tool_is_on` before, in a session of the place."""
    found = terms.every(hosts.of(s)).get(action)
    if found is None or found[1].counts is None:
        return []
    name = found[1].counts
    if s.scope.reach in ("store", "personal"):
        query = aggregates.registry[name].query(s.scope, campaign_id=campaign_id)
        told = [dict(row) for row in s.execute(query).mappings()]
    else:
        told = aggregates.run(s, name, campaign_id=campaign_id)
    return [
        Count(row["store_id"], _int(row["purchases"]), _int(row["people"]), _int(row["points"]))
        for row in told
    ]


def _int(value: object) -> int | None:
    return None if value is None else int(str(value))


def shares(s: ScopedSession, campaign: Campaign, at: datetime) -> tuple[int, int, int]:
    """(stores that take part, all in reach, those that have not joined): as things are, or, of one
    that is over, as they answered."""
    if state_of(campaign, at) not in ("finished", "stopped"):
        found = standings(s, campaign, at)
        taking = sum(one.takes_part for one in found)
        return taking, len(found), sum(one.why == "silent" for one in found)
    said = CampaignPart.answer
    out = {"mandatory": sa.false(), "opt_out": said == "out"}.get(
        campaign.participation, sa.func.coalesce(said, "") != "in"
    )
    everyone, left = s.execute(
        sa.select(sa.func.count(CampaignPart.id), sa.func.count(sa.case((out, 1)))).where(
            CampaignPart.campaign_id == campaign.id
        )
    ).one()
    return everyone - left, everyone, 0


def standings(
    s: ScopedSession, campaign: Campaign, at: datetime, *, clashes: bool = False
) -> list[Standing]:
    """How each store in reach stands to a campaign at `at` (UTC): before the launch its dry run.
    Writes nothing. clashes: also what gets in the way in each."""
    return standing.of(s, campaign, at=at, clashes=clashes)
