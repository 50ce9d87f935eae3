"""Head office's campaigns in the probe's world: one runs, one is a draft, each store has one."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from highstreet.campaigns import answering, drafting, launching, queries
from highstreet.campaigns.drafting import CampaignIn
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants import clock


def given(site: Any, firm: str, name: str, start: int, **more: Any) -> CampaignIn:
    """A campaign as head office writes it."""
    first = clock.business_date(clock.now(), "Europe/London") + timedelta(days=start)
    values: dict[str, Any] = {
        "participation": "mandatory",
        "terms": {"percent": 200},
        "description": f"{firm} says why",
        "bounds": {"percent": {"min": 150, "max": 300}},
    }
    return CampaignIn(
        f"{firm} {name}",
        "points_club.multiply",
        first,
        first + timedelta(days=6),
        **{**values, **more},
    )


def launch(s: Any, site: Any, firm: str) -> None:
    """Make them, as a head office; its stores are there."""
    perhaps = given(site, firm, "Perhaps", 30, reach="regions", regions=[site.brand.region_id])
    site.keep("campaign", drafting.draft(s, perhaps))
    for one in (
        given(site, firm, "Now", 0),
        *(
            given(site, firm, "Soon", 9, participation="opt_out", reach="stores", stores=[store.id])
            for store in site.brand.stores
        ),
    ):
        campaign_id = drafting.draft(s, one)
        site.keep("campaign", campaign_id)
        drafting.approve(s, campaign_id)
        drafting.launch(s, campaign_id)
        launching.go_on(s, queries.get(s, campaign_id))


def answer(s: Any, site: Any) -> None:
    """A store takes part in what is to come to it alone, with terms of its own."""
    for heard in queries.heard_of(s, clock.now()):
        if heard.campaign.reach == "stores":
            site.keep("campaign", heard.campaign.id)
            answering.answer(s, heard.campaign.id, True, {"percent": 250})


def buy(s: Any, site: Any) -> None:
    """A customer of the store buys while the first one runs."""
    at, who = clock.now(), site.ids["customer"][1]
    purchases.record(s, PurchaseIn(s.store_id, f"C{uuid4().hex}", at, 1000, "GBP", who))
