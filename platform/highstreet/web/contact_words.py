"""What is laid down about contacting people, in words for pages."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent import laying_down
from highstreet.consent.facts import EVERY
from highstreet.consent.laying_down import RuleFact
from highstreet.host import shops
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.results import holdouts
from highstreet.segments.words import CHANNELS
from highstreet.web import formats
from highstreet_tenants.models import Region
from highstreet_tenants.sessions import ScopedSession


def channel_words(channel: str) -> str:
    """A channel, or all of them."""
    return _("all ways together") if channel == EVERY else str(CHANNELS.get(channel, channel))


def clock(minutes: int | None) -> str:
    """A minute of the day as a field of a form has it."""
    hour, minute = divmod(minutes or 0, 60)
    return f"{hour:02d}:{minute:02d}"


def what(one: RuleFact) -> str:
    """What a rule says."""
    if one.kind == "cap":
        return ngettext(
            "At most %(most)s within %(num)s day",
            "At most %(most)s within %(num)s days",
            one.days or 1,
            most=formats.num(one.most or 0),
        )
    if one.kind == "quiet":
        return _("From %(start)s to %(end)s", start=clock(one.starts), end=clock(one.ends))
    return _("No yes is needed; a no holds all the same")


def shown(s: ScopedSession, rules: Iterable[RuleFact]) -> list[dict[str, Any]]:
    """Rules as pages show them."""
    found = list(rules)
    regions = _regions(s, {one.region_id for one in found if one.region_id})
    stores = shops.named(s, {one.place_id for one in found if one.place_id})
    return [
        {
            "id": one.id,
            "kind": one.kind,
            "what": what(one),
            "channel": channel_words(one.channel),
            "where": stores[one.place_id].name
            if one.place_id in stores
            else regions.get(one.region_id, "")
            if one.region_id
            else _("Whole brand"),
            "level": "store" if one.place_id else "region" if one.region_id else "brand",
            "by": one.changed_by,
            "at": one.changed_at,
        }
        for one in found
    ]


def here(s: ScopedSession) -> list[dict[str, str]]:
    """What holds in a store, a line each, with who laid it down for whom."""
    level = {
        "brand": _("Laid down by head office for all stores, on %(day)s"),
        "region": _("Laid down by head office for your region, on %(day)s"),
        "store": _("Laid down by head office for your store, on %(day)s"),
    }
    lines = [
        {
            "what": f"{one['what']} · {one['channel']}",
            "why": level[one["level"]] % {"day": formats.day(one["at"], year=True)},
        }
        for one in shown(s, laying_down.here(s))
    ]
    everything = holdouts.of_use(s, "")
    if everything is not None and everything.share:
        lines.append(
            {
                "what": _(
                    "%(percent)s of the households get nothing from anybody",
                    percent=formats.percent(everything.share / 100),
                ),
                "why": _("Drawn by lot, so that head office can tell what all mailings do"),
            }
        )
    return lines


def _regions(s: ScopedSession, ids: set[UUID]) -> dict[UUID, str]:
    rows = s.execute(sa.select(Region.id, Region.name).where(Region.id.in_(ids)))
    return {row.id: row.name for row in rows}
