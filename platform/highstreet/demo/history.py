"""Campaigns that were mailed, with who answered: handed to the tool for direct mail as its file."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from highstreet.demo.files import read
from highstreet.house import House
from highstreet.imports import tools
from highstreet_tenants.errors import NotFound, ToolOff
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Actor

#: The kind of file; whatever tool takes it in.
KIND = "direct_mail.history"
HEADING = ("mailing", "sent", "until", "ref", "answered")

Row = tuple[str, ...]


def pieces(folder: Path, households: Collection[str] | None = None) -> Iterator[Row]:
    """Who got which campaign of the original files, with the day of their first coupon: rows
    beneath HEADING. households: these alone."""
    first: dict[tuple[str, str], str] = {}
    for row in read(folder / "coupon_redemptions.csv"):
        key = row["campaign_id"], row["household_id"]
        first[key] = min(first.get(key, row["redemption_date"]), row["redemption_date"])
    days = {
        row["campaign_id"]: (row["start_date"], row["end_date"])
        for row in read(folder / "campaigns.csv")
    }
    yield HEADING
    for row in read(folder / "campaign_households.csv"):
        campaign, household = row["campaign_id"], row["household_id"]
        if households is None or household in households:
            answered = first.get((campaign, household), "")
            yield (f"Campaign {campaign}", *days[campaign], household, answered)


def moved(rows: Iterable[Row], by: timedelta, last_day: date, around: timedelta) -> Iterator[Row]:
    """The same campaigns at another time: all later by so much; what would then begin after
    `last_day` goes once round."""
    yield HEADING
    for name, *when in rows:
        sent, until, who, answered = when
        later = by if date.fromisoformat(sent) + by <= last_day else by - around
        days = [
            min(date.fromisoformat(one) + later, last_day).isoformat() if one else ""
            for one in (sent, until, answered)
        ]
        yield (name, days[0], days[1], who, days[2])


def take_over(house: House, brand: Brand, rows: Iterable[Row], actor: Actor) -> None:
    """Take it in, where a tool does."""
    try:
        tool, kind = tools.find(house.host, KIND)
        with tempfile.TemporaryDirectory() as made:
            path = Path(made) / "campaigns.csv"
            with path.open("w", encoding="utf-8", newline="") as out:
                csv.writer(out).writerows(rows)
            tools.run(house.tenancy, brand, tool, kind, path, actor=actor)
    except (NotFound, ToolOff):
        return  # nobody here who sends post
