"""A till records purchases and returns, once each, and hears what the tools made of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import sqlalchemy as sa
import time_machine

from highstreet_tenants.models import Store
from highstreet_tenants.scopes import Scope

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _summer():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def ann(club_till):
    return club_till.enrol(name="Ann Lee", card="12345678")


def test_a_purchase_earns_and_says_so(club_till, ann):
    answer = club_till.post(
        "/purchases",
        {
            "pos_ref": "T1/0001",
            "card": "1234-5678",
            "total_minor": 1250,
            "lines": [
                {"product": "BREAD", "department": "Bakery", "quantity": 2, "amount_minor": 500},
                {"product": "HAM", "quantity": 0.532, "amount_minor": 750},
            ],
        },
    )
    assert answer.status_code == 201
    body = answer.get_json()
    assert body["created"] is True
    assert body["purchase"]["customer_id"] == ann["id"]
    assert body["purchase"]["currency"] == "GBP"
    assert body["purchase"]["business_date"] == "2026-07-01"
    assert [(x["line_no"], x["quantity"]) for x in body["purchase"]["lines"]] == [
        (1, 2),
        (2, 0.532),
    ]
    me = club_till.get("/store").get_json()["key"]["id"]
    assert body["purchase"]["recorded_by"] == {"kind": "key", "id": me}
    club = body["tools"]["points_club"]
    assert (club["points"], club["balance"]) == (12, 12)
    read = club_till.get(answer.headers["Location"])
    assert read.get_json() == body["purchase"]
    assert club_till.get("/purchases/T1%2F0001").get_json() == body["purchase"]


def test_somebody_unknown_buys_and_nothing_is_earned(club_till):
    answer = club_till.buy(1250)
    assert answer.status_code == 201
    assert answer.get_json()["purchase"]["customer_id"] is None
    assert answer.get_json()["tools"] == {}


def test_the_same_receipt_is_recorded_once(club_till, ann):
    what = {
        "pos_ref": "R-1",
        "total_minor": 1000,
        "card": "12345678",
        "occurred_at": "2026-06-30T10:00Z",
    }
    first = club_till.post("/purchases", what, key="k")
    replay = club_till.post("/purchases", what, key="k")
    anew = club_till.post("/purchases", what)
    assert (first.status_code, replay.status_code, anew.status_code) == (201, 201, 200)
    assert replay.get_json() == first.get_json()
    assert replay.headers["Idempotent-Replay"] == "true"
    assert anew.get_json()["created"] is False
    assert anew.get_json()["purchase"]["id"] == first.get_json()["purchase"]["id"]
    other = club_till.post("/purchases", {**what, "total_minor": 1001})
    assert other.status_code == 409
    reused = club_till.post("/purchases", {**what, "total_minor": 1001}, key="k")
    assert (reused.status_code, reused.get_json()["type"]) == (
        422,
        "/problems/idempotency-key-reused",
    )
    assert club_till.buy(100, card="12345678").get_json()["tools"]["points_club"]["balance"] == 11


@pytest.mark.parametrize("ref", ["Cafe\u0301-1", "R\u200b-1", "\ufeffR-1", " R-1 "])
def test_a_number_is_the_same_however_its_letters_are_sent(club_till, ref):
    """Decomposed, or with what nobody sees in it; and without a time, as tills send it."""
    first, again = (club_till.buy(1000, pos_ref=ref) for _n in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    kept = first.get_json()["purchase"]["pos_ref"]
    assert kept in ("Caf\u00e9-1", "R-1")
    for address in (first.headers["Location"], f"/purchases/{quote(ref.strip())}"):
        assert club_till.get(address).get_json()["pos_ref"] == kept
    for answer, status in ((201, True), (200, False)):
        sent = {"pos_ref": f"{ref}-back", "purchase_pos_ref": ref, "amount_minor": 100}
        back = club_till.post("/returns", sent)
        assert (back.status_code, back.get_json()["created"]) == (answer, status)


@pytest.mark.parametrize("ref", ["a/b", "/a", "a/", "a//b", "..", "a?b#c", "a%2Fb", "漢字", "a\tb"])
def test_whatever_a_till_calls_a_receipt_is_read_back_at_its_location(club_till, ref):
    sold = club_till.buy(1000, pos_ref=ref)
    assert sold.status_code == 201
    assert club_till.get(sold.headers["Location"]).get_json() == sold.get_json()["purchase"]


def test_a_refused_request_is_mended_under_its_key(club_till, ann):
    wrong = club_till.post("/purchases", {"pos_ref": "R-1", "total_minor": -1}, key="k")
    right = club_till.post("/purchases", {"pos_ref": "R-1", "total_minor": 1}, key="k")
    assert (wrong.status_code, right.status_code) == (422, 201)
    assert "Idempotent-Replay" not in right.headers


def test_many_equal_requests_at_once_have_one_effect(club_till, ann):
    what = {"pos_ref": "R-1", "total_minor": 5000, "card": "12345678"}

    def send(_number: int):
        return club_till.post("/purchases", what, key="k")

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    good = [a for a in answers if a.status_code == 201]
    waiting = [a for a in answers if a.status_code == 409]
    assert len(good) + len(waiting) == 10
    assert len({a.get_data() for a in good}) == 1
    assert sum("Idempotent-Replay" not in a.headers for a in good) == 1
    for answer in waiting:
        assert answer.get_json()["type"] == "/problems/idempotency-key-in-flight"
        assert answer.headers["Retry-After"] == "1"
    assert send(0).get_data() == good[0].get_data()
    assert len(club_till.get("/purchases").get_json()["items"]) == 1


def test_one_receipt_under_many_keys_earns_once(club_till, ann):
    what = {"pos_ref": "R-1", "total_minor": 5000, "card": "12345678"}

    def send(_number: int) -> int:
        return club_till.post("/purchases", what).status_code

    with ThreadPoolExecutor(8) as pool:
        got = sorted(pool.map(send, range(8)))
    assert got == [200] * 7 + [201]
    assert club_till.buy(100, card="12345678").get_json()["tools"]["points_club"]["balance"] == 51


def test_a_preview_tells_and_records_nothing(club_till, ann):
    basket = {"card": "12345678", "total_minor": 2000}
    answer = club_till.call(
        "POST", "/baskets/preview", json=basket, headers={"Idempotency-Key": ""}
    )
    assert answer.status_code == 200, "a preview needs no Idempotency-Key"
    club = answer.get_json()["tools"]["points_club"]
    assert (club["points"], club["balance_after"]) == (20, 20)
    assert club_till.get("/purchases").get_json()["items"] == []
    assert club_till.buy(2000, card="12345678").get_json()["tools"]["points_club"]["balance"] == 20


def test_three_returns_of_five_equal_one_of_fifteen(club_till, ann):
    club_till.buy(1550, pos_ref="R-1", card="12345678")
    for number in range(3):
        answer = club_till.post(
            "/returns",
            {"pos_ref": f"B-{number}", "purchase_pos_ref": "R-1", "amount_minor": 500},
        )
        assert answer.status_code == 201
    assert answer.get_json()["purchase"]["returned_minor"] == 1500
    assert answer.get_json()["returned"]["amount_minor"] == 500
    me = club_till.get("/store").get_json()["key"]["id"]
    assert answer.get_json()["returned"]["recorded_by"] == {"kind": "key", "id": me}
    assert answer.get_json()["tools"]["points_club"]["balance"] == 0
    again = club_till.post(
        "/returns", {"pos_ref": "B-2", "purchase_pos_ref": "R-1", "amount_minor": 500}
    )
    assert (again.status_code, again.get_json()["created"]) == (200, False)
    too_much = club_till.post(
        "/returns", {"pos_ref": "B-9", "purchase_pos_ref": "R-1", "amount_minor": 51}
    )
    assert too_much.status_code in (409, 422)


def test_a_line_is_returned_by_number_or_product(club_till):
    lines = [
        {"product": "BREAD", "quantity": 2, "amount_minor": 500},
        {"product": "HAM", "amount_minor": 700},
    ]
    club_till.buy(1200, pos_ref="R-1", lines=lines)
    for number, line in enumerate(({"line_no": 1}, {"product": "HAM"})):
        answer = club_till.post(
            "/returns", {"pos_ref": f"B-{number}", "purchase_pos_ref": "R-1", "lines": [line]}
        )
        assert answer.status_code == 201, answer.get_json()
    assert answer.get_json()["purchase"]["returned_minor"] == 250 + 700
    read = club_till.get("/purchases/R-1").get_json()["lines"]
    assert [x["returned_quantity"] for x in read] == [1, 1]


def test_a_return_of_nothing_known_names_the_field(club_till):
    answer = club_till.post("/returns", {"pos_ref": "B-1", "purchase_pos_ref": "R-9"})
    assert answer.status_code == 422
    assert "purchase_pos_ref" in answer.get_json()["errors"]


@pytest.mark.parametrize(
    ("sent", "kept", "day"),
    [
        ("2026-06-30T23:30:00", "2026-06-30T22:30:00Z", "2026-06-30"),  # store's wall time, BST
        ("2026-06-30T23:30:00Z", "2026-06-30T23:30:00Z", "2026-07-01"),
        ("2026-06-30T23:30:00+05:30", "2026-06-30T18:00:00Z", "2026-06-30"),
        ("2025-10-26T01:30:00", "2025-10-26T00:30:00Z", "2025-10-26"),  # repeated hour: first pass
        ("2026-03-29T01:30", "2026-03-29T01:30:00Z", "2026-03-29"),  # skipped hour
    ],
)
def test_times_without_a_zone_are_the_stores(club_till, sent, kept, day):
    bought = club_till.buy(100, occurred_at=sent).get_json()["purchase"]
    assert (bought["occurred_at"], bought["business_date"]) == (kept, day)


def test_absurd_purchases_are_refused_by_field(club_till, ann):
    tomorrow = (NOW + timedelta(days=3)).isoformat()
    for what, field in (
        ({"total_minor": -1}, "total_minor"),
        ({"total_minor": 12.5}, "total_minor"),
        ({"total_minor": "12"}, "total_minor"),
        ({"total_minor": True}, "total_minor"),
        ({"total_minor": 10**11}, "total_minor"),
        ({"currency": "USD"}, "currency"),
        ({"currency": "gbp"}, "currency"),
        ({"occurred_at": tomorrow}, "occurred_at"),
        ({"occurred_at": "1985-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "2026-02-30T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "01/02/2026 10:00"}, "occurred_at"),
        ({"pos_ref": ""}, "pos_ref"),
        ({"pos_ref": " "}, "pos_ref"),
        ({"pos_ref": "x" * 101}, "pos_ref"),
        ({"card": "99999999"}, "card"),
        ({"customer_id": "01890000-0000-7000-8000-000000000000"}, "customer_id"),
        ({"customer_id": "x"}, "customer_id"),
        ({"card": "12345678", "customer_id": ann["id"]}, "card"),
        ({"lines": [{"product": "A", "amount_minor": 1, "quantity": 0.0001}]}, "lines.0.quantity"),
        ({"lines": [{"product": "A", "amount_minor": 1, "quantity": -1}]}, "lines.0.quantity"),
        ({"lines": [{"product": "A"}]}, "lines.0.amount_minor"),
        ({"lines": [{"product": "A", "amount_minor": 1, "line_no": 2}] * 2}, "lines.1.line_no"),
        ({"lines": {"product": "A"}}, "lines"),
        ({"lines": [None]}, "lines.0"),
    ):
        answer = club_till.buy(**{"total_minor": 100, **what})
        assert answer.status_code == 422, (what, answer.get_json())
        assert field in answer.get_json()["errors"], (what, answer.get_json())
    assert club_till.get("/purchases").get_json()["items"] == []


def test_a_thousand_lines_fit(club_till):
    lines = [{"product": f"P{n}", "amount_minor": 1} for n in range(1000)]
    assert club_till.buy(1000, lines=lines).status_code == 201


def test_purchases_are_listed_page_by_page(club_till, sister_till, ann):
    moment = NOW - timedelta(days=10)
    for number in range(7):
        at = (moment + timedelta(hours=12 * (number // 2))).isoformat()  # ties, two a time
        club_till.buy(100 + number, occurred_at=at, card="12345678" if number % 2 else None)
    sister_till.buy(999)
    seen, cursor = [], None
    while True:
        path = "/purchases?limit=2" + (f"&cursor={cursor}" if cursor else "")
        page = club_till.get(path).get_json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(p["total_minor"] for p in seen) == list(range(100, 107))
    moments = [p["occurred_at"] for p in seen]
    assert moments == sorted(moments, reverse=True)
    mine = club_till.get(f"/purchases?customer_id={ann['id']}").get_json()["items"]
    assert sorted(p["total_minor"] for p in mine) == [101, 103, 105]
    some = club_till.get(
        f"/purchases?since={(moment + timedelta(hours=12)).strftime('%Y-%m-%dT%H:%MZ')}"
        f"&until={(moment + timedelta(hours=24)).strftime('%Y-%m-%dT%H:%MZ')}"
    ).get_json()["items"]
    assert sorted(p["total_minor"] for p in some) == [102, 103]


def test_a_foreign_cursor_is_refused(club_till):
    for cursor in ("x", "%00", "WzFd", "e30", "WyJhIiwiYiIsImMiXQ", "A" * 200):
        answer = club_till.get(f"/purchases?cursor={cursor}")
        assert answer.status_code == 422, cursor
        assert "cursor" in answer.get_json()["errors"]


def test_a_kill_between_effect_and_answer_leaves_nothing(club_till, ann, monkeypatch):
    """The answer is kept in the effect's own transaction: without it there is no effect."""
    from highstreet.rest import idempotency

    def die(*_whatever, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(idempotency, "keep", die)
        with pytest.raises(KeyboardInterrupt):
            club_till.buy(1000, pos_ref="R-1", card="12345678", key="k")
    assert club_till.get("/purchases/R-1").status_code == 404
    bought = club_till.post(
        "/purchases", {"pos_ref": "R-1", "total_minor": 1000, "card": "12345678"}, key="k"
    )
    assert bought.status_code == 201
    assert bought.get_json()["tools"]["points_club"]["balance"] == 10


def test_the_stores_own_zone_counts(app, club_till, two_brands):
    tenancy = app.extensions["highstreet"].tenancy
    with tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        s.execute(
            sa.update(Store).where(Store.id == club_till.store.id).values(zone="Australia/Sydney")
        )
        from highstreet.host import state

        state.touch(s)
    bought = club_till.buy(100, occurred_at="2026-06-30T08:00:00").get_json()["purchase"]
    assert bought["occurred_at"] == "2026-06-29T22:00:00Z"
    assert bought["business_date"] == "2026-06-30"


def test_the_card_shown_after_the_sale_earns_on_what_is_left(club_till, ann):
    club_till.buy(1550, pos_ref="R-1")
    part = {"pos_ref": "B-1", "purchase_pos_ref": "R-1", "amount_minor": 500}
    assert club_till.post("/returns", part).status_code == 201
    asked = {"purchase_pos_ref": "R-1", "card": "1234 5678"}
    done = club_till.post("/claims", asked, key="claim")
    assert (done.status_code, done.get_json()["created"]) == (201, True), done.get_json()
    assert done.get_json()["purchase"]["customer_id"] == ann["id"]
    club = done.get_json()["tools"]["points_club"]
    assert (club["points"], club["balance"]) == (10, 10)
    replay = club_till.post("/claims", asked, key="claim")
    anew = club_till.post("/claims", {"purchase_pos_ref": "R-1", "customer_id": ann["id"]})
    assert replay.get_json() == done.get_json()
    assert (anew.status_code, anew.get_json()["created"]) == (200, False)
    # The rest comes back, and with it all that it brought.
    rest = club_till.post("/returns", {"pos_ref": "B-2", "purchase_pos_ref": "R-1"})
    assert rest.get_json()["tools"]["points_club"]["balance"] == 0


def test_a_claim_that_cannot_be_says_why(club_till, sister_till, other_till, ann):
    bob = club_till.enrol(name="Bob", card="55554444")
    stranger = other_till.enrol(name="Cem")
    club_till.buy(1000, pos_ref="R-1", card="12345678")
    club_till.buy(1000, pos_ref="R-2")
    for body, status, field in (
        ({"purchase_pos_ref": "R-1", "card": "55554444"}, 409, "purchase_pos_ref"),
        ({"purchase_pos_ref": "R-9", "card": "55554444"}, 422, "purchase_pos_ref"),
        ({"purchase_pos_ref": "R-2", "card": "99999999"}, 422, "card"),
        ({"purchase_pos_ref": "R-2", "customer_id": stranger["id"]}, 422, "customer_id"),
        ({"purchase_pos_ref": "R-2"}, 422, "card"),
        ({"purchase_pos_ref": "R-2", "card": "55554444", "customer_id": bob["id"]}, 422, "card"),
        ({"card": "55554444"}, 422, "purchase_pos_ref"),
    ):
        answer = club_till.post("/claims", body)
        assert answer.status_code == status, (body, answer.get_json())
        assert field in answer.get_json()["errors"], (body, answer.get_json())
    assert (
        sister_till.post("/claims", {"purchase_pos_ref": "R-2", "card": "55554444"}).status_code
        == 422
    )
    assert club_till.get("/purchases/R-2").get_json()["customer_id"] is None
