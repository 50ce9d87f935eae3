"""The till finds the right customer, quickly, and nobody else's."""

import pytest
import sqlalchemy as sa

from highstreet.customers import identities, queries, service
from highstreet.customers.facts import EnrolIn
from highstreet_tenants import statements
from highstreet_tenants.errors import Invalid, NotFound
from rooms_given import Floor


def test_a_customer_is_found_by_everything_they_can_say(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(
            s,
            name="Ana María Núñez",
            phone="020 7946 0018",
            email="Ana@Example.com",
            card="4071 2286 93",
        )
        service.enrol(s, name="Anatol Núñez-Berg", card="555500001")
        service.enrol(s, name="王小明", card="555500002")
    for text, by in (
        ("4071-2286-93", "card"),
        ("4071228693\r\n", "card"),
        ("(020) 7946 0018", "phone"),
        ("+44 20 7946 0018", "phone"),
        ("ANA@example.COM", "email"),
        ("ana m", "name"),
        ("maria", "name"),
        ("nunez ana m", "name"),
    ):
        with floor.till(floor.club, write=False) as s:
            found = queries.find(s, text)
        assert [(f.customer.id, f.by) for f in found] == [(ana.id, by)], text
    with floor.till(floor.club, write=False) as s:
        assert len(queries.find(s, "núñez")) == 2
        assert [f.shown for f in queries.find(s, "小明")] == ["王小明"]
        assert queries.find(s, "zzz") == queries.find(s, "  ") == queries.find(s, "%") == []
        assert len(queries.find(s, "n", limit=1)) == 1


def test_a_name_is_found_without_its_apostrophe_and_hyphen(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        siobhan = service.enrol(s, name="Siobhán O’Brien")
        anne = service.enrol(s, name="Anne-Marie D'Arcy")
        kim = service.enrol(s, name="김철수")
    for text, who in (
        ("obrien", siobhan),
        ("O'Brien", siobhan),
        ("o brien", siobhan),
        ("brien", siobhan),
        ("obrien siob", siobhan),
        ("annemarie", anne),
        ("anne marie d", anne),
        ("darcy annem", anne),
        ("annemarie d'arcy", anne),
        ("철수", kim),
    ):
        with floor.till(floor.club, write=False) as s:
            assert [f.customer.id for f in queries.find(s, text)] == [who.id], text


def test_a_club_is_found_in_every_store_and_by_head_office(floor: Floor) -> None:
    with floor.till(floor.club, 0) as s:
        ana = service.enrol(s, name="Ana", card="4071228693", phone="020 7946 0018")
    with floor.till(floor.club, 1, write=False) as s:
        assert queries.by_card(s, "4071228693").id == ana.id
        assert queries.by_card(s, "4071228693").home_store_id == floor.club.stores[0].id
    with floor.office(floor.club, write=False) as s:
        assert [f.customer.id for f in queries.find(s, "020 7946 0018")] == [ana.id]


def test_a_store_s_own_customers_stay_its_own(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = service.enrol(s, name="Ana", card="4071228693", phone="020 7946 0018")
    with floor.till(floor.shops, 1) as s:
        # The same card number next door, and in the other brand, is another customer's.
        bea = service.enrol(s, name="Bea", card="4071228693", email="ana@example.com")
    with floor.till(floor.club) as s:
        cem = service.enrol(s, name="Cem", card="4071228693")
    for brand, number, who in ((floor.shops, 0, ana), (floor.shops, 1, bea), (floor.club, 0, cem)):
        with floor.till(brand, number, write=False) as s:
            assert queries.by_card(s, "4071228693").id == who.id
            assert {f.customer.id for t in ("a", "b", "c") for f in queries.find(s, t)} == {who.id}
            for other in {ana.id, bea.id, cem.id} - {who.id}:
                for ask in (queries.get, queries.record, queries.detail):
                    with pytest.raises(NotFound):
                        ask(s, other)
    with floor.till(floor.shops, 1, write=False) as s:
        assert queries.find(s, "020 7946 0018") == []


def test_without_a_store_the_operator_must_name_one_where_stores_own_customers(
    floor: Floor,
) -> None:
    with floor.till(floor.shops, 1) as s:
        bea = service.enrol(s, name="Bea", card="4071228693")
    with floor.operator(floor.shops, write=False) as s:
        with pytest.raises(Invalid):
            queries.by_card(s, "4071228693")
        there = floor.shops.stores[1].id
        assert queries.by_card(s, "4071228693", store_id=there).id == bea.id
        assert queries.find(s, "bea", store_id=there)[0].customer.id == bea.id
        with pytest.raises(NotFound):
            queries.by_card(s, "4071228693", store_id=floor.shops.stores[0].id)


def test_an_unknown_a_lost_and_a_blocked_card_say_what_to_do(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana", card="4071228693")
        service.issue_card(s, ana.id, "4071228694")
        service.set_card_status(s, "4071228693", "lost")
        with pytest.raises(NotFound, match="enrol a new member"):
            queries.by_card(s, "999999")
        with pytest.raises(queries.CardBlocked, match="reported lost"):
            queries.by_card(s, "4071228693")
        assert queries.by_card(s, "4071228694").id == ana.id
        service.set_card_status(s, "4071228694", "blocked")
        with pytest.raises(queries.CardBlocked, match="blocked"):
            queries.by_card(s, "4071228694")
        # Searching still shows whose card it is, and that it is not good.
        assert [f.card_status for f in queries.find(s, "4071228694")] == ["blocked"]


def test_search_text_that_no_keyboard_types_is_refused(floor: Floor) -> None:
    with floor.till(floor.club, write=False) as s:
        for text in ("a\x00b", "\ud800", "x" * 500):
            with pytest.raises(Invalid):
                queries.find(s, text)


def test_searching_reads_a_bounded_stretch_of_an_index(floor: Floor) -> None:
    """Under row-level security too: the bounds of the name prefix must reach the index."""
    if floor.database.kind != "postgresql":
        pytest.skip("plans are PostgreSQL's")
    store = floor.shops.stores[0].id
    with floor.operator(floor.shops) as s:
        service.enrol_batch(
            s, [EnrolIn(store, f"Person{n:05} Family{n:05}", card=f"{n:08}") for n in range(3000)]
        )
    with floor.database.owner.begin() as connection:
        connection.execute(sa.text("ANALYZE"))
    with floor.till(floor.shops, write=False) as s:
        for statement, binds in (
            (queries._BY_NAME, {"low": "family0001", "high": "family0002", "most": 30}),
            (queries._BY_KEY, {"kind": "card", "value": "00000100", "most": 1}),
        ):
            ready = statement._admitted(s)
            values = statements._values(s, ready, {"realm_id": store, **binds})
            plan = s.send("EXPLAIN " + ready.sql, values).fetchall()
            text = "\n".join(row[0] for row in plan)
            assert "Seq Scan" not in text, text
            conditions = [line for line in text.splitlines() if "Index Cond" in line]
            assert any("word" in c or "value" in c for c in conditions), text


def test_cards_of_a_list_are_found_whatever_became_of_them(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ana = service.enrol(s, name="Ana", card="555500001")
        ben = service.enrol(s, name="Ben", card="555500002")
        service.set_card_status(s, "555500002", "blocked")
        found = identities.holders(s, ["5555 00001", "555500002", "555500003", "no card"])
        assert found == {"5555 00001": ana.id, "555500002": ben.id}
    with floor.till(floor.shops) as s:
        assert identities.holders(s, ["555500001"]) == {}
    with floor.operator(floor.shops) as s, pytest.raises(Invalid):
        identities.holders(s, ["555500001"])
