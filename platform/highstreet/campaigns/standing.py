"""Which stores take part in a campaign and on what terms, or why not.

The dry run, the launch, a store's own page and what runs at the till all come from here, so none of
them can say what another doesn't. The launch writes down when it runs in a store, and the store's
answer; all else (closed, tool off, currency) is as it is now: a store that closes or switches the
tool off rests, and goes on once it is back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from marshmallow import ValidationError
from msgspec import Struct
from msgspec.structs import replace

from highstreet import host as hosts
from highstreet.campaigns import days, terms
from highstreet.campaigns.models import Campaign, CampaignPart, CampaignReach
from highstreet.host import guard, reasons, settings, snapshot
from highstreet.host.campaign_actions import CampaignAction
from highstreet.host.lattice import Ruling
from highstreet.host.snapshot import Place
from highstreet.i18n import gettext as _
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession

#: Why a store does not take part; "" if it does.
Why = Literal["", "closed", "tool", "currency", "terms", "out", "silent", "over"]
CHUNK = snapshot.CHUNK


class Reach(NamedTuple):
    """Whom a campaign is for: every store, or those of some regions, or some stores."""

    everyone: bool
    regions: frozenset[UUID] = frozenset()
    stores: frozenset[UUID] = frozenset()

    def holds(self, store_id: UUID, region_id: UUID | None) -> bool:
        """Whether a store is in it."""
        return self.everyone or store_id in self.stores or region_id in self.regions


class Standing(Struct, frozen=True):
    """How a store stands to a campaign.

    terms: the action's, loaded, with what the store changed (empty where the tool refuses them).
    own: what it changed. begins_at, ends_at: when it runs there (UTC). launched: they are written
    down. note: something to know though it takes part. clashes: what gets in the way, a sentence
    each.
    """

    place: Place
    why: Why
    reason: str
    terms: Mapping[str, Any]
    own: Mapping[str, Any]
    begins_at: datetime
    ends_at: datetime
    answer: str | None = None
    said_by: str | None = None
    said_at: datetime | None = None
    launched: bool = False
    note: str = ""
    clashes: tuple[str, ...] = ()

    @property
    def takes_part(self) -> bool:
        """Whether it runs in the store, as things are."""
        return not self.why

    def answerable(self, at: datetime) -> bool:
        """Whether the store may still answer and change terms."""
        return self.launched and at < self.begins_at


class Words(NamedTuple):
    """What decides besides the tool's own state, in one store."""

    why: Why
    terms: Mapping[str, Any]


def reach_of(s: ScopedSession, campaign: Campaign) -> Reach:
    """Whom it is for, as far as the session's reach (a store knows of itself only)."""
    if campaign.reach == "brand":
        return Reach(everyone=True)
    rows = s.execute(
        sa.select(CampaignReach.region_id, CampaignReach.store_id).where(
            CampaignReach.campaign_id == campaign.id
        )
    ).all()
    return Reach(
        False,
        frozenset(row[0] for row in rows if row[0] is not None),
        frozenset(row[1] for row in rows if row[1] is not None),
    )


def in_reach(s: ScopedSession, campaign: Campaign) -> list[UUID]:
    """The stores that it is for, closed ones too, in the order of their ids."""
    reach = reach_of(s, campaign)
    rows = s.execute(sa.select(Store.id, Store.region_id).where(*s.scope.owns(Store)))
    return sorted(row.id for row in rows if reach.holds(row.id, row.region_id))


def unreached(s: ScopedSession, campaign: Campaign) -> list[UUID]:
    """Stores in reach in which the launch has not been yet."""
    there = set(
        s.scalars(sa.select(CampaignPart.store_id).where(CampaignPart.campaign_id == campaign.id))
    )
    return [one for one in in_reach(s, campaign) if one not in there]


def stores_of(s: ScopedSession, campaign: Campaign) -> list[UUID]:
    """Stores in reach, and those that it was launched in and that left its reach since."""
    there = set(in_reach(s, campaign))
    if campaign.status in ("launched", "stopped"):
        launched = sa.select(CampaignPart.store_id).where(CampaignPart.campaign_id == campaign.id)
        there |= {one for one in s.scalars(launched) if one is not None}
    return sorted(there)


def of(
    s: ScopedSession,
    campaign: Campaign,
    stores: Sequence[UUID] | None = None,
    *,
    at: datetime,
    clashes: bool = False,
) -> list[Standing]:
    """How stores (all in reach, unless given) stand to it at `at` (UTC), by name.

    clashes: also what gets in the way in each. Writes nothing; a few queries for 500 stores.
    """
    found: list[Standing] = []
    wanted = stores_of(s, campaign) if stores is None else list(stores)
    others = _others(s, campaign) if clashes else []
    for start in range(0, len(wanted), CHUNK):
        found += _of_some(s, campaign, wanted[start : start + CHUNK], at, others, clashes=clashes)
    return sorted(found, key=lambda one: (one.place.name, one.place.slug))


def _of_some(
    s: ScopedSession,
    campaign: Campaign,
    stores: Sequence[UUID],
    at: datetime,
    others: Sequence[Campaign],
    *,
    clashes: bool,
) -> Iterator[Standing]:
    host = hosts.of(s)
    action = _action(s, campaign)
    usual = _load(campaign, action, {})
    rows = snapshot.load_some(s, stores)
    parts = _parts(s, [campaign], stores)
    beside = _parts(s, others, stores)
    tool = terms.tool_of(campaign.action)
    if clashes and action is not None and action.clashes is not None:
        settings.prime(s, tool, stores)
    for store_id in stores:
        place = rows.places.get(store_id)
        if place is None:
            continue  # gone, or out of the session's reach
        ruling = rows.rulings(host, store_id).get(tool)
        part = parts.get((campaign.id, store_id))
        own = part.own if part is not None else {}
        loaded = _load(campaign, action, own) if own else usual
        one = _one(campaign, action, loaded, place, ruling, part, at)
        if clashes and one.why in ("", "silent"):
            running = [other for other in others if _meets(other, one, beside, store_id)]
            said = _clashes(s, campaign, action, one, running)
            one = replace(one, clashes=tuple(said))
        yield one


def in_store(
    s: ScopedSession, campaigns: Sequence[Campaign], store_id: UUID, at: datetime
) -> list[Standing]:
    """How one store stands to several campaigns, in their order. A few queries, however many."""
    host = hosts.of(s)
    rows = snapshot.load_some(s, [store_id])
    parts = _parts(s, campaigns, [store_id])
    rulings = rows.rulings(host, store_id)
    found = []
    for campaign in campaigns:
        action, part = _action(s, campaign), parts.get((campaign.id, store_id))
        loaded = _load(campaign, action, part.own if part is not None else {})
        ruling = rulings.get(terms.tool_of(campaign.action))
        found.append(_one(campaign, action, loaded, rows.places[store_id], ruling, part, at))
    return found


def _load(
    campaign: Campaign, action: CampaignAction | None, own: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The terms as they hold with what a store changed; None where the tool refuses them."""
    if action is None:
        return None
    try:
        return terms.load(action, {**campaign.terms, **own})
    except ValidationError:
        return None


def judge(
    campaign: Campaign,
    action: CampaignAction,
    place: Place,
    answer: str | None,
    own: Mapping[str, Any],
) -> Words:
    """What decides besides the tool's own state and the store's: its answer, money, the terms."""
    return _judge(campaign, action, _load(campaign, action, own), place, answer)


def _judge(
    campaign: Campaign,
    action: CampaignAction,
    loaded: Mapping[str, Any] | None,
    place: Place,
    answer: str | None,
) -> Words:
    if loaded is None:
        return Words("terms", {})
    if place.currency != campaign.currency and terms.money_in(action, loaded):
        return Words("currency", loaded)
    if campaign.participation == "opt_out" and answer == "out":
        return Words("out", loaded)
    if campaign.participation == "opt_in" and answer != "in":
        return Words("out" if answer == "out" else "silent", loaded)
    return Words("", loaded)


def _one(
    campaign: Campaign,
    action: CampaignAction | None,
    loaded: Mapping[str, Any] | None,
    place: Place,
    ruling: Ruling | None,
    part: CampaignPart | None,
    at: datetime,
) -> Standing:
    if part is not None:
        begins, ends = part.begins_at, part.ends_at
        if campaign.stopped_at is not None:
            ends = min(ends, campaign.stopped_at)
    else:
        begins, ends = days.span(
            campaign.first_day,
            campaign.last_day,
            place.zone,
            at,
            may_answer=campaign.participation != "mandatory",
        )
    own = part.own if part is not None else {}
    answer = part.answer if part is not None else None
    words = _judge(campaign, action, loaded, place, answer) if action is not None else None
    why: Why
    if not place.open:
        why = "closed"
    elif words is None or ruling is None or not (ruling.on or ruling.paused_only):
        why = "tool"
    elif words.why:
        why = words.why
    else:
        why = "over" if ends <= begins else ""
    return Standing(
        place,
        why,
        _reason(why, place, ruling, part, campaign),
        words.terms if words is not None else {},
        own,
        begins,
        ends,
        answer,
        part.said_by if part is not None else None,
        part.said_at if part is not None else None,
        part is not None,
        _note(place, ruling) if not why else "",
    )


def _reason(
    why: Why, place: Place, ruling: Ruling | None, part: CampaignPart | None, campaign: Campaign
) -> str:
    match why:
        case "closed":
            return _("The store is closed.")
        case "tool":
            if ruling is None:
                return _("The tool that does it is not installed.")
            return reasons.reason(ruling, zone=place.zone, locale=place.locale)
        case "currency":
            return _(
                "Its terms name amounts in %(one)s; the store takes %(other)s.",
                one=campaign.currency,
                other=place.currency,
            )
        case "terms":
            return _("The tool no longer accepts the campaign’s terms.")
        case "out":
            assert part is not None and part.said_at is not None
            day = reasons.on_day(part.said_at, place.zone, place.locale)
            return _("%(who)s said no on %(day)s.", who=part.said_by, day=day)
        case "silent":
            return _("The store has not joined.")
        case "over":
            return _("It is over before it could begin there.")
        case "":
            return ""


def _note(place: Place, ruling: Ruling | None) -> str:
    if ruling is not None and ruling.paused_only:
        said = reasons.reason(ruling, zone=place.zone, locale=place.locale)
        return _("%(why)s What it misses is made up for.", why=said)
    return ""


def _action(s: ScopedSession, campaign: Campaign) -> CampaignAction | None:
    found = terms.every(hosts.of(s)).get(campaign.action)
    return found[1] if found is not None else None


def _parts(
    s: ScopedSession, campaigns: Iterable[Campaign], stores: Sequence[UUID]
) -> dict[tuple[UUID, UUID], CampaignPart]:
    ids = [one.id for one in campaigns]
    if not ids:
        return {}
    rows = s.scalars(
        sa.select(CampaignPart).where(
            CampaignPart.campaign_id.in_(ids), CampaignPart.store_id.in_(stores)
        )
    )
    return {(row.campaign_id, row.store_id): row for row in rows if row.store_id is not None}


def _others(s: ScopedSession, campaign: Campaign) -> list[Campaign]:
    """Launched campaigns with the same action on overlapping days."""
    return list(
        s.scalars(
            sa.select(Campaign)
            .where(
                Campaign.status == "launched",
                Campaign.action == campaign.action,
                Campaign.id != campaign.id,
                Campaign.first_day <= campaign.last_day,
                Campaign.last_day >= campaign.first_day,
            )
            .order_by(Campaign.number)
        )
    )


def _meets(
    other: Campaign,
    one: Standing,
    parts: Mapping[tuple[UUID, UUID], CampaignPart],
    store_id: UUID,
) -> bool:
    """Whether another campaign runs in a store, as it answered, at some of the same time."""
    part = parts.get((other.id, store_id))
    if part is None or part.begins_at >= one.ends_at or part.ends_at <= one.begins_at:
        return False
    if other.participation == "opt_in":
        return part.answer == "in"
    return other.participation == "mandatory" or part.answer != "out"


def _clashes(
    s: ScopedSession,
    campaign: Campaign,
    action: CampaignAction | None,
    one: Standing,
    running: Sequence[Campaign],
) -> Iterator[str]:
    for other in running:
        yield _(
            "“%(name)s” does the same there on some of these days.",
            name=other.name,
        )
    if action is None or action.clashes is None:
        return
    well, said = guard.call(
        s,
        terms.tool_of(action.name),
        f"action:{action.name}:clashes",
        action.clashes,
        (one.terms, campaign.first_day, campaign.last_day),
        store_id=one.place.store_id,
        budget=hosts.of(s).slow_ms / 1000,
    )
    if not well:
        yield _("The tool could not say what gets in the way.")
    for sentence in said or ():
        yield str(sentence)


def says(
    s: ScopedSession, action: str, loaded: Mapping[str, Any], store_id: UUID | None = None
) -> str:
    """What terms mean to a member, in a few words, in a store (the session's own place unless
    named); empty where the tool can't say."""
    found = terms.every(hosts.of(s)).get(action)
    if found is None or not loaded:
        return ""
    well, said = guard.call(
        s,
        found[0],
        f"action:{action}:says",
        found[1].says,
        (loaded,),
        store_id=store_id,
        budget=hosts.of(s).slow_ms / 1000,
    )
    return str(said) if well and said else ""
