"""A card that was handed out blank is registered to somebody who has a record already."""

from typing import Any

import pytest

from highstreet.customers import queries, service
from highstreet_tenants.errors import Conflict
from rooms_given import Floor

CARD = "4071228693"


def test_a_blank_card_becomes_part_of_the_record(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana", email="a@example.com", card="4071228700")
        blank = service.enrol(s, name="", card=CARD)
        given = service.issue_card(s, ana.id, "4071 2286 93")
        assert (given.value, given.status) == (CARD, "active")
        assert queries.by_card(s, CARD).id == ana.id
        assert queries.get(s, blank.id).id == ana.id, "the old id goes on working"
        assert {one.value for one in queries.detail(s, ana.id).identities} >= {CARD, "4071228700"}
        assert service.issue_card(s, ana.id, CARD) == given


@pytest.mark.parametrize(
    "known",
    [
        {"name": "Ben"},
        {"phone": "020 7946 0018"},
        {"email": "b@example.com"},
        {"note": "Likes rye"},
        {"status": "lost"},
        {"status": "blocked"},
    ],
    ids=lambda known: "-".join(known) + "-" + next(iter(known.values())).split()[0],
)
def test_a_card_of_somebody_who_is_known_is_not_taken(floor: Floor, known: dict[str, Any]) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana")
        keys = {key: value for key, value in known.items() if key in ("name", "phone", "email")}
        holder = service.enrol(s, **({"name": ""} | keys), card=CARD)
        if "note" in known:
            service.add_note(s, holder.id, known["note"])
        if "status" in known:
            service.set_card_status(s, CARD, known["status"])
        with pytest.raises(Conflict):
            service.issue_card(s, ana.id, CARD)
        assert queries.get(s, holder.id).id == holder.id


def test_another_stores_blank_card_is_another_card(floor: Floor) -> None:
    """Where stores own their customers, the same number may be handed out in both."""
    with floor.till(floor.shops, 0) as s:
        blank = service.enrol(s, name="", card=CARD)
    with floor.till(floor.shops, 1) as s:
        ana = service.enrol(s, name="Ana")
        service.issue_card(s, ana.id, CARD)
        assert queries.by_card(s, CARD).id == ana.id
    with floor.till(floor.shops, 0) as s:
        assert queries.by_card(s, CARD).id == blank.id
