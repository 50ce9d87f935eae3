"""Whether a customer may be contacted, what stands against it, and why they got a piece."""

import io
import re
from typing import Any
from uuid import UUID

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.consent import suppressions

WORDING = "Larks may write to me"


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def ann(front: Any) -> UUID:
    return person(front, "Ann Lee", "40712286", "15 High St")


@pytest.fixture
def page(front: Any, ann: UUID) -> str:
    return f"{front.store(0)}/customers/{ann}"


def person(front: Any, name: str, card: str, street: str, store: int = 0, brand: int = 0) -> UUID:
    who: UUID = front.enrol(brand, store, name=name, card=card)
    with front.session(brand, store, write=True) as s:
        addresses.put(s, who, AddressIn("GB", street, "Leeds", "LS1 4DY"))
        for purpose in ("marketing", "news"):
            consent.record(
                s, who, purpose=purpose, channel="post", status="given", wording=WORDING,
                method="till",
            )  # fmt: skip
    return who


def test_a_reason_is_written_down_and_lifted(front: Any, clerk: Any, page: str, ann: UUID) -> None:
    shown = words(clerk.get(page))
    assert "Offers by post They may be contacted. Yes" in shown
    assert "Offers by e-mail They were never asked, or never said yes. No" in shown
    given = {"reason": "do_not_mail", "until": ""}
    assert clerk.post(page, f"{page}/contact", given).status_code == 303
    shown = words(clerk.get(page))
    assert "Offers by post They are on a do-not-mail list. No" in shown
    assert "On a do-not-mail list post · since" in shown and "by staff" in shown
    past = {"reason": "do_not_contact", "until": "2020-01-01"}
    clerk.post(page, f"{page}/contact", past)
    assert "Choose a day to come." in clerk.get(page).text
    with front.session(0) as s:
        (stop,) = suppressions.of_customer(s, ann)
    bo = person(front, "Bo Shaw", "40712287", "2 Low Rd")
    other = f"{front.store(0)}/customers/{bo}"
    assert clerk.post(other, f"{other}/contact/lift", {"suppression": stop.id}).status_code == 404
    clerk.post(page, f"{page}/contact/lift", {"suppression": stop.id})
    assert "They may be contacted. Yes" in words(clerk.get(page))


def test_that_somebody_died_is_asked_again_and_spares_the_household(
    front: Any, clerk: Any, page: str, ann: UUID
) -> None:
    bo = person(front, "Bo Lee", "40712287", "15 High St")
    asked = clerk.post(page, f"{page}/contact", {"reason": "deceased", "until": ""})
    assert "Their household is untouched" in words(asked)
    assert "They may be contacted. Yes" in words(clerk.get(page))
    clerk.post(page, f"{page}/contact", {"reason": "deceased", "sure": "1"})
    assert "Offers by post They are deceased. No" in words(clerk.get(page))
    other = words(clerk.get(f"{front.store(0)}/customers/{bo}"))
    assert "Offers by post They may be contacted. Yes" in other


def test_a_list_is_shown_before_it_is_written_down(
    front: Any, owner: Any, clerk: Any, ann: UUID
) -> None:
    page = f"{front.store(0)}/customers/suppress"
    assert clerk.get(page).status_code == 403
    assert "Choose a file" in words(owner.post(page, page, {"reason": "deceased"}))
    data = b"card;name\n40712286;Ann\n999999;Nobody\n40712286;again\n"
    sent = {"reason": "deceased", "file": (io.BytesIO(data), "list.csv")}
    shown = owner.post(page, page, sent)
    assert "1 person was found, 1 card is nobody’s." in words(shown)
    assert "Ann Lee" in words(shown) and "999999" in words(shown)
    hidden = dict(re.findall(r'name="(data|digest|reason)" value="([^"]+)"', shown.text))
    broken = hidden | {"digest": "0" * 64}
    assert owner.post(page, f"{page}/confirm", broken).status_code == 422
    with front.session(0) as s:
        assert suppressions.of_customer(s, ann) == []
    assert owner.post(page, f"{page}/confirm", hidden).status_code == 303
    with front.session(0) as s:
        assert [one.reason for one in suppressions.of_customer(s, ann)] == ["deceased"]
    assert "Newly written down for 0 people" in words(follow(owner, page, hidden))


def follow(owner: Any, page: str, hidden: dict[str, str]) -> Any:
    return owner.get(owner.post(page, f"{page}/confirm", hidden).headers["Location"])
