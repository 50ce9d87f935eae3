"""A till enrols, finds and changes customers, and handles their cards."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from highstreet.consent import service as consent
from highstreet.customers import service
from highstreet.members import links
from highstreet.rest.models import IdempotencyKey
from highstreet_tenants.base import Base
from highstreet_tenants.errors import NotFound
from highstreet_tenants.scopes import Scope

ANN = {
    "name": "Ann Lee",
    "phone": "07700 900123",
    "email": "Ann@example.com",
    "card": "1234 5678",
    "birthday": "1990-02-03",
    "language": "en",
}


def test_enrolled_and_read_back(club_till):
    answer = club_till.post("/customers", ANN)
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["name"] == "Ann Lee"
    assert made["phones"] == ["07700 900123"]
    assert made["emails"] == ["ann@example.com"]
    assert [(c["number"], c["status"]) for c in made["cards"]] == [("12345678", "active")]
    assert made["home_store_id"] == str(club_till.store.id)
    read = club_till.get(answer.headers["Location"])
    assert read.get_json() == made
    assert read.headers["ETag"] == answer.headers["ETag"]
    assert read.headers["Cache-Control"] == "no-store", "people's data stay off the till's disk"


def test_a_repeated_enrolment_makes_one_customer(club_till):
    first = club_till.post("/customers", ANN, key="same")
    again = club_till.post("/customers", ANN, key="same")
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.get_json() == first.get_json()
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(club_till.get("/customers?q=ann").get_json()["items"]) == 1


def test_an_unchanged_customer_is_not_sent_again(club_till):
    made = club_till.post("/customers", ANN)
    answer = club_till.get(
        made.headers["Location"], headers={"If-None-Match": made.headers["ETag"]}
    )
    assert (answer.status_code, answer.get_data()) == (304, b"")


def test_found_by_each_key_and_by_the_beginning_of_the_name(club_till):
    made = club_till.enrol(**ANN)
    club_till.enrol(name="Bob Other", phone="07700 900999", card="999888")
    for query, by in (
        ("card=12345678", "card"),
        ("phone=%2B447700900123", "phone"),
        ("email=ann@EXAMPLE.com", "email"),
        ("q=lee", "name"),
        ("q=07700900123", "phone"),
    ):
        items = club_till.get(f"/customers?{query}").get_json()["items"]
        assert [(i["id"], i["by"]) for i in items] == [(made["id"], by)], query
    assert club_till.get("/customers?q=zed").get_json() == {"items": []}
    assert club_till.get("/customers?card=000111").get_json() == {"items": []}


def test_a_search_says_what_it_needs(club_till):
    for query in ("", "q=a&card=1", "crad=1", "q=", "limit=0&q=a", "limit=x&q=a", "phone=zz"):
        answer = club_till.get(f"/customers?{query}")
        assert answer.status_code == 422, query
        assert answer.get_json()["errors"], query


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("q", "a%07b"),
        ("q", "a" * 250),
        ("phone", "020%077946"),
        ("email", "a%07@example.com"),
        ("card", "1234%075678"),
        ("card", "!!!!"),
    ],
)
def test_a_search_names_what_is_wrong_as_it_was_sent(club_till, name, value):
    answer = club_till.get(f"/customers?{name}={value}")
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [name])


def test_a_change_needs_the_version_that_was_read(club_till):
    made = club_till.post("/customers", ANN)
    path, tag = made.headers["Location"], made.headers["ETag"]
    assert club_till.patch(path, {"name": "Anne"}).status_code == 428
    stale = club_till.patch(path, {"name": "Anne"}, headers={"If-Match": '"old"'})
    assert stale.status_code == 412
    assert stale.get_json()["type"] == "/problems/precondition-failed"
    changed = club_till.patch(path, {"name": "Anne", "phone": None}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert (changed.get_json()["name"], changed.get_json()["phones"]) == ("Anne", [])
    assert changed.get_json()["emails"] == ["ann@example.com"], "what is not named stays"
    assert changed.headers["ETag"] not in (tag, None)
    assert club_till.get(path).headers["ETag"] == changed.headers["ETag"]


def test_of_two_changes_of_one_version_one_is_made(club_till):
    made = club_till.post("/customers", ANN)
    path, tag = made.headers["Location"], made.headers["ETag"]

    def change(name: str) -> int:
        return club_till.patch(path, {"name": name}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(8) as pool:
        got = sorted(pool.map(change, [f"Ann {letter}" for letter in "abcdefgh"]))
    assert got == [200] + [412] * 7


def test_wrong_input_is_named_by_field(club_till):
    for body, field in (
        ({}, "name"),
        ({"name": "A", "phone": "12"}, "phone"),
        ({"name": "A", "email": "nobody"}, "email"),
        ({"name": "A", "birthday": "03/02/1990"}, "birthday"),
        ({"name": "A", "birthday": "2990-01-01"}, "birthday"),
        ({"name": "A", "card": "4111111111111111"}, "card"),
        ({"name": "4111 1111 1111 1111"}, "name"),
        ({"name": "A", "colour": "red"}, "colour"),
        ({"name": 5}, "name"),
        ({"name": "a\x1bb"}, "name"),
        ({"name": "A" * 201}, "name"),
        ({"name": "A", "language": "?"}, "language"),
        ({"name": "A", "phone": "020 7946\x07 0018"}, "phone"),
        ({"name": "A", "email": "a\x07nn@example.com"}, "email"),
        ({"name": "A", "card": "1234\x075678"}, "card"),
        ({"name": "A", "joined_at": "yesterday"}, "joined_at"),
        ({"name": "A", "joined_at": "2090-01-01T00:00:00Z"}, "joined_at"),
    ):
        answer = club_till.post("/customers", body)
        assert answer.status_code == 422, body
        assert field in answer.get_json()["errors"], (body, answer.get_json())


def test_names_of_every_script_are_kept(club_till):
    for name in ("李雷", "می‌خواهم", "Nguyễn Thị Ánh", "Zoë 👩‍🚀", "O’Brien-Smith"):
        assert club_till.enrol(name=name)["name"] == name


def test_a_card_is_one_customers(club_till):
    club_till.enrol(**ANN)
    answer = club_till.post("/customers", {"name": "Bob", "card": "12345678"})
    assert answer.status_code == 409
    assert "card" in answer.get_json()["errors"]


def test_a_lost_card_is_replaced_and_refused(club_till):
    made = club_till.enrol(**ANN)
    path = f"/customers/{made['id']}/cards"
    new = club_till.post(path, {"number": "87654321", "replaces": "1234-5678"})
    assert (new.status_code, new.get_json()["number"]) == (201, "87654321")
    old = club_till.get("/customers?card=12345678").get_json()["items"][0]
    assert old["card_status"] == "lost"
    refused = club_till.buy(card="12345678")
    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/card-blocked")
    assert club_till.buy(card="87654321").status_code == 201


def test_a_card_cannot_replace_what_is_not_there(club_till):
    made = club_till.enrol(**ANN)
    path = f"/customers/{made['id']}/cards"
    for replaces in ("99999999", "22223333"):
        answer = club_till.post(path, {"number": "22223333", "replaces": replaces})
        assert answer.status_code == 409
    assert [c["number"] for c in club_till.get(f"/customers/{made['id']}").get_json()["cards"]] == [
        "12345678"
    ], "nothing of a refused request stays"


def test_a_blocked_card_works_again(club_till):
    club_till.enrol(**ANN)
    assert club_till.patch("/cards/12345678", {"status": "blocked"}).status_code == 200
    assert club_till.buy(card="12345678").status_code == 409
    assert club_till.patch("/cards/1234-5678", {"status": "active"}).status_code == 200
    assert club_till.buy(card="12345678").status_code == 201
    assert club_till.patch("/cards/99999999", {"status": "lost"}).status_code == 404
    assert club_till.patch("/cards/12345678", {"status": "gone"}).status_code == 422


def test_old_ids_and_old_cards_go_on_working_after_a_merge(app, club_till, two_brands):
    kept = club_till.enrol(**ANN)
    gone = club_till.enrol(name="Ann L", phone="07700 900555", card="55556666")
    old, new = (f"/customers/{one['id']}" for one in (gone, kept))
    tenancy = app.extensions["highstreet"].tenancy
    with tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        service.merge(s, UUID(kept["id"]), UUID(gone["id"]))
    read = club_till.get(old)
    assert read.status_code == 200
    assert read.get_json()["id"] == kept["id"], "the answer says whose record it is"
    assert read.headers["ETag"] == club_till.get(new).headers["ETag"]
    for card in ("12345678", "55556666"):
        (found,) = club_till.get(f"/customers?card={card}").get_json()["items"]
        assert (found["id"], found["card_status"]) == (kept["id"], "active")
        assert club_till.buy(card=card).get_json()["purchase"]["customer_id"] == kept["id"]
    assert club_till.buy(customer_id=gone["id"]).get_json()["purchase"]["customer_id"] == kept["id"]
    changed = club_till.patch(
        old, {"birthday": "1991-01-01"}, headers={"If-Match": read.headers["ETag"]}
    )
    assert (changed.status_code, changed.get_json()["id"]) == (200, kept["id"])
    given = club_till.post(f"{old}/cards", {"number": "77778888", "replaces": "55556666"})
    assert given.status_code == 201
    assert club_till.get(f"{old}/timeline").get_json() == (
        club_till.get(f"{new}/timeline").get_json()
    )
    with tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        service.unmerge(s, UUID(gone["id"]))
    assert club_till.get(old).get_json()["name"] == "Ann L", "and each is its own again"
    (found,) = club_till.get("/customers?card=55556666").get_json()["items"]
    assert (found["id"], found["card_status"]) == (gone["id"], "lost")
    (found,) = club_till.get("/customers?card=77778888").get_json()["items"]
    assert found["id"] == kept["id"], "a card given since stays with the record that was kept"


def test_the_story_is_read_page_by_page(club_till):
    made = club_till.enrol(**ANN)
    for number in range(5):
        club_till.buy(1000 + number, card="12345678", occurred_at=f"2026-05-0{number + 1}T10:00:00")
    seen, cursor, pages = [], None, 0
    while True:
        page = club_till.get(
            f"/customers/{made['id']}/timeline?limit=2" + (f"&cursor={cursor}" if cursor else "")
        ).get_json()
        seen += page["items"]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            break
    whole = club_till.get(f"/customers/{made['id']}/timeline").get_json()
    assert [e["id"] for e in seen] == [e["id"] for e in whole["items"]]
    assert whole["next_cursor"] is None
    assert pages > 2
    assert {"enrolled", "purchase"} <= {e["kind"] for e in seen}
    moments = [e["occurred_at"] for e in seen]
    assert moments == sorted(moments, reverse=True)


@pytest.mark.parametrize(
    "place",
    [
        b'["0001-01-01T00:00:00+23:59","00000000000000000000000000000000"]',
        b'["9999-12-31T23:59:59-23:59","00000000000000000000000000000000"]',
        b'["2026-01-01T00:00:00","00000000000000000000000000000000"]',
        b'["2026-01-01T00:00:00+00:00",5]',
        b"[" * 120,
        b"{}",
        b"\xff",
    ],
)
def test_a_storys_foreign_cursor_is_refused(club_till, place):
    made = club_till.enrol(**ANN)
    cursor = base64.urlsafe_b64encode(place).decode().rstrip("=")
    answer = club_till.get(f"/customers/{made['id']}/timeline?cursor={cursor}")
    assert answer.status_code == 422
    assert "cursor" in answer.get_json()["errors"]


def test_a_story_speaks_the_language_asked_for(club_till):
    made = club_till.enrol(**ANN)
    club_till.buy(1250, card="12345678")
    titles = {
        e["title"] for e in club_till.get(f"/customers/{made['id']}/timeline").get_json()["items"]
    }
    assert any("12.50" in title for title in titles), titles


def test_the_unknown_is_not_found(club_till):
    for path in (f"/customers/{uuid4()}", f"/customers/{uuid4()}/timeline", "/customers/x"):
        answer = club_till.get(path)
        assert answer.status_code == 404, path
        assert answer.mimetype == "application/problem+json"


def test_an_erased_customer_leaves_nothing_in_the_kept_answers(app, club_till, two_brands):
    made = club_till.post("/customers", ANN, key="enrol")
    cards = f"/customers/{made.get_json()['id']}/cards"
    assert club_till.post(cards, {"number": "87654321"}).status_code == 201
    lost = {"number": "87654322", "replaces": "87654321"}
    assert club_till.post(cards, lost).status_code == 201
    other = club_till.post("/customers", {"name": "Bob Other"}, key="bob")
    tenancy = app.extensions["highstreet"].tenancy
    with tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        customer_id = UUID(made.get_json()["id"])
        assert service.export(s, customer_id)["kept_answers"] == {"count": 3}
        service.erase(s, customer_id, "asked for it")
    with tenancy.session(Scope.operator(two_brands[0].id)) as s:
        bodies = s.scalars(sa.select(IdempotencyKey.body)).all()
    assert len(bodies) == 1
    assert "Bob Other" in bodies[0]
    assert club_till.post("/customers", {"name": "Bob Other"}, key="bob").get_json() == (
        other.get_json()
    )


def leaver(brand):
    """Who may export and erase: head office for a club, the store for its own customers."""
    if brand.customers == "brand":
        return Scope.operator(brand.id)
    return Scope.store(brand.id, brand.stores[0].id)


def held_of(engine, brand_id, marks):
    """(table, column) wherever a mark stands in a row of the brand, among all tables there are."""
    found = set()
    with engine.connect() as connection:
        for name, table in Base.metadata.tables.items():
            if not sa.inspect(engine).has_table(name):
                continue
            query = sa.select(table)
            if "brand_id" in table.c:
                query = query.where(table.c.brand_id == brand_id)
            for row in connection.execute(query).mappings():
                for column, value in row.items():
                    # An id holds any four digits by chance.
                    said = [value.hex] if isinstance(value, UUID) else str(value)
                    found |= {(name, column, one) for one in marks if one in said}
    return found


@pytest.mark.parametrize("which", [0, 1])
def test_an_export_tells_all_that_an_erasure_leaves_nothing_of(
    app, database, make, two_brands, which
):
    """Whatever the API, the console and the tools wrote of a person, scanned for in every table."""
    brand, till = two_brands[which], make(which, 0)
    owner = sa.create_engine(database.extra["owner_url"])
    tenancy = app.extensions["highstreet"].tenancy
    ann = till.enrol(**{**ANN, "name": "Zyxwv Lee", "email": "zyxwv@example.com"})
    old = till.enrol(name="Zyxwv Old", card="55554444")
    customer_id, old_id = UUID(ann["id"]), UUID(old["id"])
    for number, replaces in (("66665555", None), ("66665556", "66665555")):
        body = {"number": number, "replaces": replaces}
        assert till.post(f"/customers/{customer_id}/cards", body).status_code == 201
    for number, who in enumerate((customer_id, old_id)):
        assert till.buy(9000, pos_ref=f"R-{number}", customer_id=str(who)).status_code == 201
    assert till.post("/returns", {"pos_ref": "RR", "purchase_pos_ref": "R-0"}).status_code == 201
    reason = {"points": 500, "reason": "zyxwv asked"}
    path = f"/tools/points_club/customers/{customer_id}/corrections"
    assert till.post(path, reason).status_code == 201
    changed = till.patch(f"/customers/{customer_id}", {"language": "fr"}, headers={"If-Match": "*"})
    assert changed.status_code == 200
    for who, street in ((customer_id, "1 Zyxwv Lane"), (old_id, "2 Zyxwv Lane")):
        body = {"country": "GB", "street": [street], "city": "Leeds", "postal_code": "LS1 4DY"}
        sent = till.call("PUT", f"/customers/{who}/address", json=body, headers={"If-Match": "*"})
        assert sent.status_code == 200
    with tenancy.session(leaver(brand), write=True) as s:
        service.add_note(s, customer_id, "zyxwv takes oat milk")
        consent.record(
            s,
            customer_id,
            purpose="marketing",
            channel="email",
            status="given",
            wording="May we write?",
            method="form",
            evidence="signed by zyxwv",
        )
    with tenancy.session(Scope.store(brand.id, brand.stores[0].id)) as s:
        token = links.make_link(tenancy, s, customer_id)
    for verb in (service.merge, lambda s, _kept, gone: service.unmerge(s, gone), service.merge):
        with tenancy.session(leaver(brand), write=True) as s:
            verb(s, customer_id, old_id)
    personal = [
        "yxwv",
        "66665555",
        "66665556",
        "12345678",
        "55554444",
        "900123",
        "1990-02-03",
        "LS1 4DY",
    ]
    before = held_of(owner, brand.id, personal)
    assert {mark for _table, _column, mark in before} == set(personal)

    with tenancy.session(leaver(brand), write=True) as s:
        told = service.export(s, customer_id)
    said = json.dumps(told, ensure_ascii=False)
    for mark in personal:
        assert mark in said, mark
    assert told["missing"] == []
    assert told["customer"]["earlier_ids"] == [str(old_id)]
    assert [p["receipt"] for p in told["purchases"]] == ["R-0", "R-1"]
    assert len(told["member_links"]) == 1
    assert told["tools"]["points_club"]["entries"]

    with tenancy.session(leaver(brand), write=True) as s:
        service.erase(s, customer_id, "asked for it")
    assert held_of(owner, brand.id, personal) == set()
    # What is left under the id: facts of the store's books, what was agreed to, and who did what.
    assert {table for table, _column, _mark in held_of(owner, brand.id, [customer_id.hex])} == {
        "core_consent_event",
        "core_customer",
        "core_customer_erasure",
        "core_customer_measure",  # the sums of those books
        "core_customer_merge",
        "core_purchase",
        "core_trail_entry",  # that it was asked for and done, by id
    }
    with pytest.raises(NotFound):
        links.open_link(tenancy, token)
    assert till.get(f"/customers/{customer_id}").status_code == 404
    assert till.get("/customers?card=66665556").get_json()["items"] == []
    owner.dispose()
