"""Where made-up members live: in the town of the store where they joined, the same in every run.

Streets are made up, and stand in the stores' own made-up towns. Some members live with one who
joined there before them; a few addresses fill five lines, a few are abroad.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from highstreet.addresses.facts import AddressIn

STREETS = """Acorn Adder Barley Bellows Bramble Candle Chalk Clover Cobble Copper Dovecote Elder
Fallow Fennel Flint Garnet Gorse Hazel Heron Hollow Ivory Juniper Kettle Lark Linden Lupin
Mallow Maple Meadow Merlin Nettle
Oakum Osprey Pepper Plover Quince Raven Rowan Saffron Sedge Sorrel Teasel
Thistle Thrush Tinder Vetch Walnut Weaver Willow Wren""".split()
KINDS = ("Street", "St", "Road", "Lane", "Avenue", "Drive", "Court", "Place")

#: Chance that a member's address is known, and that they live with whoever joined before them.
KNOWN = 0.8
TOGETHER = 0.2
#: Of so many members one has an address of five lines, one lives in China, one in Israel.
LONG_EVERY = 90
ABROAD_EVERY = 150


def together(club: str, household: str) -> bool:
    """Whether a member is one of the family of whoever joined in the same store before them."""
    return Random(f"together {club} {household}").random() < TOGETHER


def lives(club: str, household: str, number: int, store: Mapping[str, Any]) -> AddressIn | None:
    """The address of a member of a club, or None if they did not give it.

    number: counts the club's members. store: the address of the store where they joined, in whose
    town they live (`city`, `state`, `postcode`, `country`).
    """
    dice = Random(f"lives {club} {household}")
    if number % ABROAD_EVERY == 7:
        street = f"中山路{dice.randrange(1, 400)}号"
        return AddressIn("CN", street, "南京市", "210008", "江苏省", "鼓楼区")
    if number % ABROAD_EVERY == 107:
        return AddressIn("IL", f"דרך יפו {dice.randrange(1, 200)}", "תל אביב", "6100000")
    if dice.random() >= KNOWN:
        return None
    street = f"{dice.randrange(1, 900)} {dice.choice(STREETS)} {dice.choice(KINDS)}"
    lines: tuple[str, ...] = (street,)
    if number % LONG_EVERY == 31:
        lines = ("Apartment 12B", "The Old Foundry", street, "Canal Side")
    elif dice.random() < 0.15:
        lines = (street, f"Apt {dice.randrange(1, 40)}")
    return AddressIn(
        str(store.get("country", "US")),
        lines,
        str(store.get("city", "")),
        str(store.get("postcode", "")),
        str(store.get("state", "")),
    )
