"""The shipped extract of real purchases, moved in time so that it ends yesterday."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

from highstreet.demo import history
from highstreet.demo.extract import DATA, SHARED
from highstreet.demo.files import read

WEEK = timedelta(days=7)
#: The facts cover a year and some hours; in 53 weeks a weekday comes round to itself.
ROUND = 53 * WEEK


class Line(Struct, frozen=True):
    """What a basket held of one department: rows of the receipt, and cents."""

    department: str
    rows: int
    amount_minor: int


class Basket(Struct, frozen=True):
    """One purchase. ``at`` is the wall clock of the store, without a zone."""

    number: str
    household: str
    store_code: str
    at: datetime
    total_minor: int
    lines: tuple[Line, ...]


def brands_of_stores() -> dict[str, str]:
    """Which demo brand each store of the extract was dealt to: ``{store code: brand}``."""
    return {row["store_id"]: row["brand"] for row in read(DATA / "stores.csv.gz")}


def baskets(brand: str, *, last_day: date) -> list[Basket]:
    """A brand's purchases in the order of time, the last of them on ``last_day`` at the latest.

    Every one keeps its weekday and its time of day: all move by the same number of weeks, so that
    the first days of the extract follow the last ones of a round of 53 weeks.
    """
    lines = _lines()
    stores = {code for code, dealt in brands_of_stores().items() if dealt == brand}
    found = [
        Basket(
            row["basket_id"],
            row["household_id"],
            row["store_id"],
            datetime.fromisoformat(row["occurred_at"]),
            int(row["sales_minor"]),
            tuple(lines.get(row["basket_id"], ())),
        )
        for row in read(DATA / "baskets.csv.gz")
        if row["store_id"] in stores
    ]
    return sorted(_moved(found, last_day), key=lambda basket: (basket.at, basket.number))


def mailed(last_day: date) -> Iterator[history.Row]:
    """Who of the club's households got which campaign and answered it, moved as its baskets are."""
    stores = {code for code, dealt in brands_of_stores().items() if dealt == SHARED}
    newest = max(
        datetime.fromisoformat(row["occurred_at"]).date()
        for row in read(DATA / "baskets.csv.gz")
        if row["store_id"] in stores
    )
    rows = (tuple(row.values()) for row in read(DATA / "mailed.csv.gz"))
    return history.moved(rows, _later(newest, last_day), last_day, ROUND)


def _later(newest: date, last_day: date) -> timedelta:
    """The fewest weeks that bring the newest to the last day or beyond it; what then lies beyond
    goes once round, to the beginning of the year."""
    return -((newest - last_day) // WEEK) * WEEK


def _lines() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    for row in read(DATA / "departments.csv.gz"):
        name = row["department"].capitalize()
        found[row["basket_id"]].append(Line(name, int(row["lines"]), int(row["amount_minor"])))
    return found


def _moved(found: list[Basket], last_day: date) -> Iterator[Basket]:
    if not found:
        return
    later = _later(max(basket.at for basket in found).date(), last_day)
    for basket in found:
        at = basket.at + later
        if at.date() > last_day:
            at -= ROUND
        yield Basket(
            basket.number,
            basket.household,
            basket.store_code,
            at,
            basket.total_minor,
            basket.lines,
        )
