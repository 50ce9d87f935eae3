"""Some days in a town: people join, buy and bring back, and every text tells whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from msgspec import Struct, field

from highstreet.customers.facts import CustomerFact
from highstreet.host import dispatch
from highstreet.kit import marks
from highstreet.kit.marks import Mark
from highstreet.kit.town import Office, Shop, Town
from highstreet.purchases.facts import LineIn, PurchaseFact, ReturnFact
from highstreet_tenants import clock

#: Minor units; far above whatever a tool takes for little, and no two alike.
LARGE = 23_417
#: A leap year: any day of a year is a birthday.
BORN = 1980


class Life(Struct):
    """What happened in one shop."""

    shop: Shop
    people: list[CustomerFact] = field(default_factory=list)
    bought: list[PurchaseFact] = field(default_factory=list)
    returned: list[ReturnFact] = field(default_factory=list)


def people_of(shop: Shop) -> str:
    """The key of whoever owns the people met in a shop: the brand's slug, or the shop's."""
    return shop.office.slug if shop.office.customers == "brand" else shop.slug


def visible(place: Shop | Office) -> frozenset[Mark]:
    """The marks that may be read in a place."""
    if isinstance(place, Shop):
        return marks.all_of({place.office.slug, place.slug})
    stores = {shop.slug for shop in place.shops}
    if place.customers == "brand":
        return marks.all_of({place.slug, *stores})
    return marks.all_of({place.slug, *stores}, {"firm"})


def live(town: Town) -> dict[str, Life]:
    """Two members in each shop, three purchases and a return; gives what happened by shop."""
    marks.begin()
    return {shop.slug: _live(shop) for shop in town.shops}


def _live(shop: Shop) -> Life:
    life = Life(shop)
    today = clock.business_date(clock.now(), "Europe/London")
    for ahead, first in enumerate(("Ann", "Bea")):  # what looks for birthdays finds some
        born = (today + timedelta(days=ahead)).replace(year=BORN)
        life.people.append(join(shop, first, born))
    for ago, customer in enumerate((life.people[0], *reversed(life.people))):
        at = clock.now() - timedelta(minutes=ago)  # no two in one second: each is told by itself
        life.bought.append(shop.buy(amount(shop), customer, at=at, lines=lines(shop)).purchase)
    life.returned.append(shop.give_back(life.bought[-1], 1_000))
    with shop.session(write=True) as s:
        dispatch.collect(s, "demo_day", buyers=[one.id for one in life.people])
    return life


def join(shop: Shop, first: str, born: date = date(BORN, 5, 17)) -> CustomerFact:
    """Somebody joins a shop, with all that can be known of them."""
    owner = people_of(shop)
    folk, number = marks.word(owner, "folk"), marks.number(owner)
    return shop.enrol(
        f"{folk} {first} Quill",
        card=f"C{number}",
        phone=f"+49{number}",
        email=f"{folk.lower()}.{number}@example.com",
        birthday=born,
    )


def amount(shop: Shop) -> int:
    """A large amount that no other purchase has."""
    return LARGE + 131 * next(shop.town.numbers)


def lines(shop: Shop) -> Sequence[LineIn]:
    """Lines whose words tell in which shop they were sold."""
    folk = marks.word(shop.slug, "folk")
    return (LineIn(1, f"{folk} hat", f"{folk} hats", 1, 4_000),)


def facts(life: Life) -> dict[str, Any]:
    """What every hook and slot is told, by the names of arguments, about a shop's own people."""
    today = clock.business_date(clock.now(), "Europe/London")
    return {
        "customer": life.people[0],
        "customers": life.people[:1],
        "kept": life.people[0],
        "gone": life.people[1],
        "buyers": [one.id for one in life.people],
        "purchase": life.bought[0],
        "purchases": life.bought[:1],
        "returned": life.returned[0],
        "basket": _basket(life),
        "on": today,
        "first": today - timedelta(days=6),
        "last": today,
        "limit": 5,
    }


def _basket(life: Life) -> Any:
    from highstreet.purchases.facts import PurchaseIn

    shop = life.shop
    return PurchaseIn(
        shop.id, "K-basket", clock.now(), LARGE, "GBP", life.people[0].id, tuple(lines(shop))
    )
