"""Lets head offices of the demo brands run campaigns, before the purchases of their days are in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from highstreet import host as hosts
from highstreet.campaigns import answering, days, drafting, launching, queries, terms
from highstreet.campaigns.drafting import CampaignIn
from highstreet.demo.extract import DATA
from highstreet_tenants import clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.sessions import ScopedSession

FILE = DATA / "campaigns.toml"
#: So long before its first day a campaign was launched, and the stores answered.
BEFORE = timedelta(days=7)


def run(s: ScopedSession, brand: Brand, stores: Mapping[str, Store]) -> None:
    """Run the brand's campaigns, as they began some days ago. stores: by their codes."""
    by_slug = {store.slug: store for store in stores.values()}
    offered = terms.every(hosts.of(s))
    for given in tomllib.loads(FILE.read_text(encoding="utf-8"))["campaigns"]:
        if given["brand"] == brand.slug and given["action"] in offered:
            _run(s, brand, by_slug, given)


def _run(
    s: ScopedSession, brand: Brand, stores: Mapping[str, Store], given: Mapping[str, Any]
) -> None:
    first = clock.business_date(clock.now(), brand.zone) - timedelta(days=given["began"])
    launched: datetime = days.midnight(first, brand.zone) - BEFORE
    campaign_id = drafting.draft(
        s,
        CampaignIn(
            name=given["name"],
            description=given["description"],
            action=given["action"],
            first_day=first,
            last_day=first + timedelta(days=given["days"] - 1),
            participation=given["participation"],
            terms=given["terms"],
            bounds=given["bounds"],
        ),
    )
    drafting.approve(s, campaign_id)
    drafting.launch(s, campaign_id, at=launched)
    while launching.go_on(s, queries.get(s, campaign_id)):
        pass
    answered = launched + timedelta(days=1)
    for slug in given.get("declines", ()):
        answering.answer(s, campaign_id, False, store_id=stores[slug].id, at=answered)
    for slug, own in given.get("own", {}).items():
        answering.answer(s, campaign_id, True, own, store_id=stores[slug].id, at=answered)
