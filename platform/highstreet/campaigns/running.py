"""What runs in a store, asked at every purchase: kept in memory as long as settings are.

What is kept is all that was ever launched there, so that a purchase that comes late, or an import
of last year's, finds what ran when it was made. Launch, answer and stop move the brand's
`state_version` on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import host as hosts
from highstreet.campaigns import standing, terms
from highstreet.campaigns.models import Campaign, CampaignPart
from highstreet.host import snapshot, state
from highstreet_tenants.sessions import ScopedSession

_ROOM = "campaigns"


class Running(Struct, frozen=True, eq=False):
    """A campaign as it runs, ran or will run in a store. One object as long as it is kept.

    terms: the action's, loaded, as they hold in this store. begins_at, ends_at: UTC; from then on,
    until before then.
    """

    id: UUID
    name: str
    action: str
    tool: str
    terms: Mapping[str, Any]
    begins_at: datetime
    ends_at: datetime

    def runs_at(self, at: datetime) -> bool:
        """Whether it runs at a moment."""
        return self.begins_at <= at < self.ends_at


NONE: tuple[Running, ...] = ()


def at(
    s: ScopedSession, tool: str, moment: datetime, store_id: UUID | None = None
) -> tuple[Running, ...]:
    """A tool's campaigns that run in a store (the session's own, unless named) at a moment (aware),
    the first to begin first. Whether the tool is on there is not asked: whoever acts is.

    Raises NotFound for a store out of reach.
    """
    kept = every(s, store_id)
    if not kept:
        return NONE
    return tuple([one for one in kept if one.tool == tool and one.runs_at(moment)])


def every(s: ScopedSession, store_id: UUID | None = None) -> tuple[Running, ...]:
    """All that was ever launched in a store and in which it takes part."""
    here = state.here(s, store_id)
    found: tuple[Running, ...] | None = here.kept.get(_ROOM)
    if found is None:
        node = here.place.store_id
        found = here.kept[_ROOM] = NONE if node is None else _load(s, [node]).get(node, NONE)
    return found


def prime(s: ScopedSession, stores: Iterable[UUID]) -> None:
    """Read what runs in many stores in a few queries; one out of reach is left to whoever asks."""
    wanted = list(stores)
    state.prime(s, wanted)
    known = state.memory(s)
    fresh = [one for one in wanted if one in known and _ROOM not in known[one].kept]
    for start in range(0, len(fresh), snapshot.CHUNK):
        chunk = fresh[start : start + snapshot.CHUNK]
        found = _load(s, chunk)
        for one in chunk:
            known[one].kept[_ROOM] = found.get(one, NONE)


def _load(s: ScopedSession, stores: list[UUID]) -> dict[UUID, tuple[Running, ...]]:
    actions = terms.every(hosts.of(s))
    rows = s.execute(
        sa.select(CampaignPart, Campaign)
        .join(
            Campaign,
            sa.and_(
                Campaign.brand_id == CampaignPart.brand_id,
                Campaign.id == CampaignPart.campaign_id,
            ),
        )
        .where(CampaignPart.store_id.in_(stores))
        .order_by(CampaignPart.begins_at, Campaign.number)
    )
    found: dict[UUID, tuple[Running, ...]] = {}
    for part, campaign in rows:
        store_id = part.store_id
        assert store_id is not None  # checked by the database
        ends_at = min(part.ends_at, campaign.stopped_at or part.ends_at)
        offered = actions.get(campaign.action)
        if offered is None or ends_at <= part.begins_at:
            continue
        tool, action = offered
        place = state.place(s, store_id)
        words = standing.judge(campaign, action, place, part.answer, part.own)
        if words.why:
            continue
        one = Running(
            campaign.id, campaign.name, action.name, tool, words.terms, part.begins_at, ends_at
        )
        found[store_id] = (*found.get(store_id, NONE), one)
    return found


def names(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Campaigns of the brand by name."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = s.execute(sa.select(Campaign.id, Campaign.name).where(Campaign.id.in_(wanted)))
    return {row.id: row.name for row in rows}
