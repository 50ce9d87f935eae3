"""What head office writes, approves, launches and stops. Each verb is one step, kept in the trail.

Whoever approves has read what they approve: a change takes the approval away, and one that was made
meanwhile is not approved unseen.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.campaigns import days, launching, standing, terms
from highstreet.campaigns.models import (
    PARTICIPATIONS,
    REACHES,
    Campaign,
    CampaignReach,
)
from highstreet.host import facts, state
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

MOST_DAYS = 366
"""A campaign that lasts longer is a setting."""


class CampaignIn(Struct, frozen=True):
    """A campaign as head office writes it. terms: the action's fields, money in minor units of the
    brand's currency. bounds: fields that stores may change → {"min": …, "max": …} ({} for what is
    no number). reach: "brand", "regions" or "stores", and then ids of these.
    """

    name: str
    action: str
    first_day: date
    last_day: date
    participation: str
    terms: Mapping[str, Any]
    description: str = ""
    bounds: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reach: str = "brand"
    regions: Sequence[UUID] = ()
    stores: Sequence[UUID] = ()


def draft(s: ScopedSession, given: CampaignIn) -> UUID:
    """Write a new campaign down; gives its id. Raises Invalid, NotFound, Forbidden (a store)."""
    _head_office(s)
    state.one_at_a_time(s)
    values, nodes = _checked(s, given)
    number = 1 + (s.scalar(sa.select(sa.func.max(Campaign.number))) or 0)
    campaign = Campaign(
        brand_id=s.brand_id,
        id=new_id(),
        number=number,
        currency=facts.brand(s).currency,
        changed_by=_by(s),
        changed_at=clock.now(),
        **values,
    )
    s.add(campaign)
    s.flush()
    _set_reach(s, campaign, nodes)
    _step(s, campaign, "campaign.drafted")
    return campaign.id


def change(s: ScopedSession, campaign_id: UUID, given: CampaignIn) -> None:
    """Write a draft anew; an approval that it had is void. Raises Conflict once it is launched."""
    campaign = _locked(s, campaign_id)
    _only(campaign, ("draft", "approved"), _("What is launched can’t be changed. Stop it, and draft"
                                             " a new one."))  # fmt: skip
    values, nodes = _checked(s, given)
    for name, value in values.items():
        setattr(campaign, name, value)
    campaign.currency = facts.brand(s).currency
    campaign.changed_by, campaign.changed_at = _by(s), clock.now()
    s.execute(sa.delete(CampaignReach).where(CampaignReach.campaign_id == campaign.id))
    _set_reach(s, campaign, nodes)
    details = {"approval": [campaign.approved_by, "void"]} if campaign.approved_by else {}
    campaign.status, campaign.approved_by, campaign.approved_at = "draft", None, None
    _step(s, campaign, "campaign.changed", details)
    s.flush()


def discard(s: ScopedSession, campaign_id: UUID) -> None:
    """Throw away one that was never launched. Raises Conflict once it is."""
    campaign = _locked(s, campaign_id)
    _only(campaign, ("draft", "approved"), _("What was launched stays on record."))
    s.execute(sa.delete(CampaignReach).where(CampaignReach.campaign_id == campaign.id))
    _step(s, campaign, "campaign.discarded")
    s.delete(campaign)
    s.flush()


def approve(s: ScopedSession, campaign_id: UUID, *, seen: datetime | None = None) -> None:
    """Say that a draft may be launched as it is. seen: its `changed_at` as the approver read it.

    Raises Conflict for what is no draft, or was changed since.
    """
    campaign = _locked(s, campaign_id)
    _only(campaign, ("draft",), _("Only a draft can be approved."))
    if seen is not None and seen != campaign.changed_at:
        raise Conflict(_("It was changed meanwhile by %(who)s. Read it again, then approve it.",
                         who=campaign.changed_by))  # fmt: skip
    campaign.status = "approved"
    campaign.approved_by, campaign.approved_at = _by(s), clock.now()
    _step(s, campaign, "campaign.approved")
    s.flush()


def launch(s: ScopedSession, campaign_id: UUID, *, at: datetime | None = None) -> None:
    """Start what was approved: from now on stores see it, and a job goes through them. One that is
    launched already: go through the stores that came since.

    at: when (now unless given; a demonstration is told of the past). Raises Conflict (no approval,
    over before it could begin), NotFound (its action is gone).
    """
    campaign = _locked(s, campaign_id)
    if campaign.status == "launched":
        launching.order(s, campaign, "launch")
        return
    _only(campaign, ("approved",), _("Only what is approved can be launched."))
    terms.check(terms.find(s, campaign.action), campaign.terms)
    at = at or clock.now()
    spans = _spans(s, campaign, at)
    if not spans:
        raise Conflict(_("No store is in its reach. Change whom it is for."))
    running = [(begins, ends) for begins, ends in spans if begins < ends]
    if not running:
        raise Conflict(
            _("It would be over before it could begin in any store. Change its last day.")
        )
    campaign.status = "launched"
    campaign.launched_by, campaign.launched_at = _by(s), at
    campaign.begins_at = min(begins for begins, _ends in running)
    campaign.ends_at = max(ends for _begins, ends in running)
    _step(s, campaign, "campaign.launched")
    launching.order(s, campaign, "launch")


def stop(s: ScopedSession, campaign_id: UUID, *, reason: str = "") -> None:
    """End it now, in every store; what it gave stays given. A job goes through the stores.

    reason: told to the stores. Raises Conflict for one that does not run, Invalid.
    """
    campaign = _locked(s, campaign_id)
    at = clock.now()
    _only(campaign, ("launched",), _("Only a campaign that is launched can be stopped."))
    if campaign.ends_at is not None and campaign.ends_at <= at:
        raise Conflict(_("It is over already."))
    campaign.stop_reason = _text(reason, "reason", 300)
    campaign.status = "stopped"
    campaign.stopped_by, campaign.stopped_at = _by(s), at
    _step(s, campaign, "campaign.stopped", {"reason": campaign.stop_reason})
    # From this moment nothing runs anywhere; the job makes each store's own days say so, too.
    state.touch(s)
    launching.order(s, campaign, "stop")


def _spans(s: ScopedSession, campaign: Campaign, at: datetime) -> list[tuple[datetime, datetime]]:
    """When it would run, in each zone in which it has stores."""
    reach = standing.reach_of(s, campaign)
    rows = s.execute(sa.select(Store.id, Store.region_id, Store.zone).where(*s.scope.owns(Store)))
    zones = {row.zone for row in rows if reach.holds(row.id, row.region_id)}
    answers = campaign.participation != "mandatory"
    return [
        days.span(campaign.first_day, campaign.last_day, zone, at, may_answer=answers)
        for zone in sorted(zones)
    ]


def _checked(s: ScopedSession, given: CampaignIn) -> tuple[dict[str, Any], Sequence[UUID]]:
    """Columns of the campaign, and ids of what it is for. Raises Invalid with all that is wrong."""
    action = terms.find(s, given.action)
    errors: dict[str, list[str]] = {}
    found: dict[str, Any] = {
        "action": action.name,
        "first_day": given.first_day,
        "last_day": given.last_day,
    }
    for name, most, needed in (("name", 80, True), ("description", 1000, False)):
        try:
            found[name] = _text(getattr(given, name), name, most, needed=needed)
        except Invalid as error:
            errors |= error.fields
    errors |= _wrong_days(given)
    for name, values in (("participation", PARTICIPATIONS), ("reach", REACHES)):
        found[name] = getattr(given, name)
        if found[name] not in values:
            errors[name] = [_("Use one of: %(known)s.", known=", ".join(values))]
    try:
        found["terms"] = terms.check(action, given.terms)
        found["store_fields"] = terms.check_bounds(action, found["terms"], given.bounds)
    except Invalid as error:
        errors |= error.fields or {"terms": [error.detail]}
    nodes: Sequence[UUID] = ()
    if given.reach in ("regions", "stores"):
        nodes = sorted(set(given.regions if given.reach == "regions" else given.stores))
        kind = cast("Any", Region if given.reach == "regions" else Store)
        known = set(s.scalars(sa.select(kind.id).where(kind.id.in_(nodes)))) if nodes else set()
        if not nodes:
            errors[given.reach] = [_("Choose at least one.")]
        elif known != set(nodes):
            errors[given.reach] = [_("One of these is not in this brand.")]
    if errors:
        raise Invalid(_("The campaign can’t be so. Nothing was saved."), fields=errors)
    return found, nodes


def _wrong_days(given: CampaignIn) -> dict[str, list[str]]:
    if given.last_day < given.first_day:
        return {"last_day": [_("The last day is before the first.")]}
    if given.last_day - given.first_day > timedelta(days=MOST_DAYS):
        return {"last_day": [_("A campaign lasts a year at most.")]}
    if given.first_day.year < 2000 or given.last_day.year > 2200:
        return {"first_day": [_("Use a year from 2000 to 2200.")]}
    return {}


def _text(text: str, name: str, most: int, *, needed: bool = False) -> str:
    said = text.strip()
    if needed and not said:
        words = _("This is needed.")
        raise Invalid(words, fields={name: [words]})
    if len(said) > most or "\x00" in said:
        words = _("Use at most %(most)s characters.", most=most)
        raise Invalid(words, fields={name: [words]})
    refuse_payment_cards(said, name)
    return said


def _set_reach(s: ScopedSession, campaign: Campaign, nodes: Sequence[UUID]) -> None:
    regional = campaign.reach == "regions"
    s.add_all(
        CampaignReach(
            brand_id=s.brand_id,
            campaign_id=campaign.id,
            node_id=node,
            region_id=node if regional else None,
            store_id=None if regional else node,
        )
        for node in nodes
    )
    s.flush()


def _locked(s: ScopedSession, campaign_id: UUID) -> Campaign:
    """The campaign, while nobody else changes any of this brand's. Raises NotFound, Forbidden."""
    _head_office(s)
    state.one_at_a_time(s)
    found = s.get(Campaign, (s.brand_id, campaign_id), populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such campaign."))
    return found


def _only(campaign: Campaign, statuses: Sequence[str], otherwise: str) -> None:
    if campaign.status not in statuses:
        raise Conflict(otherwise)


def _head_office(s: ScopedSession) -> None:
    if s.scope.store_id is not None:
        raise Forbidden(_("Campaigns are head office’s."))


def _by(s: ScopedSession) -> str:
    return s.scope.actor.name[:120]


def _step(
    s: ScopedSession, campaign: Campaign, action: str, details: Mapping[str, Any] | None = None
) -> None:
    record(s, action, "campaign", campaign.id, campaign.name, details=details)
