"""What a store says to a campaign: that it takes part or not, and what it changes of the terms.

It may until the campaign begins there; then members have been promised something.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.campaigns import terms
from highstreet.campaigns.models import Campaign, CampaignPart
from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Forbidden, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


def answer(
    s: ScopedSession,
    campaign_id: UUID,
    joins: bool,
    own: Mapping[str, Any] | None = None,
    *,
    store_id: UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Take part, or not. own: what the store changes of the terms ({}: nothing; None: as it was).

    store_id: for whom, where an operator passes on what a store said. at: when (now unless given; a
    demonstration is told of the past). Raises NotFound, Conflict (it has begun or was stopped; a
    mandatory one can't be left), Invalid.
    """
    campaign, part = _open(s, campaign_id, store_id, at)
    if campaign.participation == "mandatory" and not joins:
        raise Conflict(_("Head office requires it of every store in its reach."))
    if own is not None:
        part.own = _checked(s, campaign, own)
    part.answer = "in" if joins else "out"
    _said(s, campaign, part, "campaign.joined" if joins else "campaign.declined", at)


def change_terms(s: ScopedSession, campaign_id: UUID, own: Mapping[str, Any]) -> None:
    """Change what head office lets stores change ({}: back to head office's). Raises as `answer`
    does."""
    campaign, part = _open(s, campaign_id)
    part.own = _checked(s, campaign, own)
    _said(s, campaign, part, "campaign.own_terms")


def _checked(s: ScopedSession, campaign: Campaign, own: Mapping[str, Any]) -> dict[str, Any]:
    action = terms.find(s, campaign.action)
    return terms.check_own(action, campaign.terms, campaign.store_fields, own)


def _said(
    s: ScopedSession,
    campaign: Campaign,
    part: CampaignPart,
    action: str,
    at: datetime | None = None,
) -> None:
    part.said_by, part.said_at = s.scope.actor.name[:120], at or clock.now()
    record(
        s, action, "campaign", campaign.id, campaign.name, store_id=part.store_id, details=part.own
    )
    s.flush()
    state.touch(s)


def _open(
    s: ScopedSession, campaign_id: UUID, store_id: UUID | None = None, at: datetime | None = None
) -> tuple[Campaign, CampaignPart]:
    store_id = s.scope.store_id or store_id
    if store_id is None:
        raise Forbidden(_("Each store answers for itself."))
    state.one_at_a_time(s)
    campaign = s.get(Campaign, (s.brand_id, campaign_id), populate_existing=True)
    part = s.scalar(
        sa.select(CampaignPart)
        .where(CampaignPart.campaign_id == campaign_id, CampaignPart.store_id == store_id)
        .execution_options(populate_existing=True)
    )
    if campaign is None or part is None:
        raise NotFound(_("There is no such campaign."))
    if campaign.status != "launched":
        raise Conflict(_("Head office has stopped it."))
    if part.begins_at <= (at or clock.now()):
        raise Conflict(_("It has begun. What members were promised can’t be changed any more."))
    return campaign, part
