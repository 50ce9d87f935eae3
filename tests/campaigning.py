"""What tests of campaigns start from: a campaign from draft to running, and its job done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from highstreet.campaigns import drafting, launching, queries
from highstreet.campaigns.drafting import CampaignIn
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

IMKE = Actor("user", None, "Imke Marketing")
HEAD = Actor("user", None, "Hanna Head")
#: Monday to Sunday.
FIRST, LAST = date(2026, 5, 4), date(2026, 5, 10)
BEFORE = datetime(2026, 4, 28, 9, tzinfo=UTC)


def double(**given: Any) -> CampaignIn:
    """Double points for a week, unless said otherwise."""
    values: dict[str, Any] = {
        "name": "Double points week",
        "action": "points_club.multiply",
        "first_day": FIRST,
        "last_day": LAST,
        "participation": "mandatory",
        "terms": {"percent": 200},
    }
    return CampaignIn(**{**values, **given})


@contextmanager
def office(
    tenancy: Tenancy, brand: SimpleNamespace, actor: Actor = HEAD
) -> Iterator[ScopedSession]:
    """A writing session of head office's."""
    with tenancy.session(Scope.brand(brand.row, actor), write=True) as s:
        yield s


def launched(tenancy: Tenancy, brand: SimpleNamespace, given: CampaignIn | None = None) -> UUID:
    """Draft, approve and launch one, now; its job has been through the stores."""
    with office(tenancy, brand, IMKE) as s:
        campaign_id = drafting.draft(s, given or double())
    with office(tenancy, brand) as s:
        drafting.approve(s, campaign_id)
        drafting.launch(s, campaign_id)
    go_through(tenancy, brand, campaign_id)
    return campaign_id


def go_through(tenancy: Tenancy, brand: SimpleNamespace, campaign_id: UUID) -> None:
    """What the launch's (or the stop's) job does, without the queue."""
    with office(tenancy, brand) as s:
        assert launching.go_on(s, queries.get(s, campaign_id)) == 0


def noon(days: int = 0) -> datetime:
    """Noon of a day of the campaign's, in London."""
    return datetime(2026, 5, 4, 11, tzinfo=UTC) + timedelta(days=days)
