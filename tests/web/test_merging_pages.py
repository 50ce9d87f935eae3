"""Duplicates in the consoles: dismissing a pair, merging, taking it back; old addresses lead on."""

import re
from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import queries as customers
from highstreet.customers import service
from highstreet.customers.dismissing import dismissals
from highstreet_points_club import history, rewards
from highstreet_tenants.sessions import ScopedSession


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def people(front: Any) -> str:
    return f"{front.store(0)}/customers/"


def two(front: Any, brand: int = 0) -> tuple[UUID, UUID]:
    keep = front.enrol(
        brand, name="Maren Lind", phone="07700 900142", card="40711111", language="en"
    )
    gone = front.enrol(
        brand, name="Maren Lindt", phone="07700 900142", email="m@example.org", card="40712222"
    )
    return keep, gone


def balance(front: Any, s: ScopedSession, who: UUID) -> int:
    from highstreet.sdk import ctx_of

    return history.balance(ctx_of(s, "points_club"), who).balance


@pytest.mark.parametrize("console", ["store", "office"])
def test_a_pair_is_dismissed_and_offered_again(
    front: Any, owner: Any, manager: Any, console: str
) -> None:
    who, base = (owner, front.store(0)) if console == "store" else (manager, front.head(0))
    one, other = two(front)
    with front.session(0, write=True) as s:
        service.update(s, one, email="other@example.org")
    likely = f"{base}/customers/likely"
    said = words(who.get(likely))
    assert "same phone number, names 95 % alike, same home store" in said
    assert "E-mail differs: other@example.org / m@example.org" in said
    answer = who.post(likely, f"{base}/customers/{one}/not-same/{other}")
    assert (answer.status_code, answer.headers["Location"]) == (303, likely)
    page = who.get(likely)
    assert "are two people. They are not offered again" in words(page)
    assert "Not the same person Maren Lind and Maren Lindt" in words(page)
    assert f"/merge/{other}" not in page.text
    assert "This may be one person" not in words(who.get(f"{base}/customers/{one}"))
    assert who.post(likely, f"{base}/customers/{other}/not-same/{one}/undo").status_code == 303
    assert f"/merge/{other}" in who.get(likely).text
    with front.session(0) as s:
        assert dismissals(s) == []


def test_they_are_two_people_is_said_where_one_sees_it(front: Any, owner: Any, people: str) -> None:
    one, other = two(front)
    page = f"{people}{one}"
    assert "Not the same person" in words(owner.get(page))
    answer = owner.post(page, f"{page}/not-same/{other}", {"to": "customer"})
    assert answer.headers["Location"] == page
    assert "They are two people" in words(owner.get(f"{page}/merge/{other}"))


def test_a_merge_is_taken_back_after_a_dry_run(club: Any, owner: Any, people: str) -> None:
    keep, gone = two(club)
    club.buy(0, keep, 1240, "r-1")
    club.buy(0, gone, 3000, "r-2")
    with club.session(0, write=True) as s:
        service.add_note(s, gone, "brings her dog")
    owner.post(f"{people}{keep}/merge/{gone}", f"{people}{keep}/merge/{gone}")
    page = owner.get(f"{people}{keep}")
    assert "can be taken back until" in words(page)
    assert "Merged into this record Maren Lindt" in words(page)
    club.buy(0, gone, 500, "r-3")
    back = f"{people}{keep}/unmerge/{gone}"
    assert back in page.text
    for _look in range(2):  # looking changes nothing
        said = words(owner.post(f"{people}{keep}", f"{back}/look"))
        for part in (
            "dry run: nothing is changed yet",
            "Goes back to Maren Lindt",
            "Cards 4071 2222",
            "m@example.org",
            "Notes 1",
            "Purchases in this store 1",
            "Points club: Points that go back 30 points",
            "Points club: Points that stay 17 points",
        ):
            assert part in said, (part, said)
    with club.session(0) as s:
        assert customers.get(s, gone).id == keep
        assert balance(club, s, keep) == 47
    assert owner.get(back).status_code == owner.get(f"{back}/look").status_code == 405
    answer = owner.post(f"{people}{keep}", back)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{people}{gone}")
    page = owner.get(f"{people}{gone}")
    assert "Maren Lindt is a record of its own again" in words(page)
    assert "brings her dog" in words(page)
    assert "Merged into this record" not in words(owner.get(f"{people}{keep}"))
    with club.session(0) as s:
        assert (balance(club, s, keep), balance(club, s, gone)) == (17, 30)
    again = owner.post(f"{people}{keep}", f"{back}/look")
    assert again.status_code == 409
    assert "There is nothing to take back" in words(again)


def test_why_it_can_not_be_taken_back_is_said_with_what_to_do(
    club: Any, owner: Any, people: str
) -> None:
    from highstreet.sdk import ctx_of

    keep, gone = two(club)
    club.buy(0, gone, 4500, "r-1")
    club.buy(0, keep, 2000, "r-2")
    with club.session(0, write=True) as s:
        service.merge(s, keep, gone)
        spent = rewards.redeem_now(ctx_of(s, "points_club"), keep, "lunch")
    back = f"{people}{keep}/unmerge/{gone}"
    for deed in (f"{back}/look", back):
        answer = owner.post(f"{people}{keep}", deed)
        assert answer.status_code == 409
        assert "“Lunch for two” was given on" in words(answer)
        assert "take it back first" in words(answer)
    with club.session(0, write=True) as s:
        rewards.give_back(ctx_of(s, "points_club"), spent.id)
    assert owner.post(f"{people}{keep}", back).status_code == 303


def test_head_office_takes_back_what_a_store_merged(
    front: Any, owner: Any, manager: Any, people: str
) -> None:
    keep, gone = two(front)
    owner.post(f"{people}{keep}/merge/{gone}", f"{people}{keep}/merge/{gone}")
    page = f"{front.head(0)}/customers/{keep}"
    back = f"{page}/unmerge/{gone}"
    assert "Goes back to Maren Lindt" in words(manager.post(page, f"{back}/look"))
    assert manager.post(page, back).status_code == 303
    with front.session(0) as s:
        assert customers.get(s, gone).name == "Maren Lindt"


def test_till_staff_neither_dismiss_nor_take_back(front: Any, clerk: Any, people: str) -> None:
    keep, gone = two(front)
    with front.session(0, write=True) as s:
        service.merge(s, keep, gone)
    page = f"{people}{keep}"
    assert "Merged into this record" not in words(clerk.get(page))
    back = f"{page}/unmerge/{gone}"
    for deed in (back, f"{back}/look", f"{page}/not-same/{gone}"):
        assert clerk.post(page, deed).status_code == 403


def test_another_stores_merge_is_not_found(front: Any, shopkeeper: Any) -> None:
    with front.session(1, 1, write=True) as s:
        keep = service.enrol(s, name="Zyxwv One").id
        gone = service.enrol(s, name="Zyxwv Two").id
        service.merge(s, keep, gone)
    mine = front.enrol(1, name="Ines")
    here = f"{front.store(1)}/customers"
    for address in (f"{here}/{keep}/unmerge/{gone}", f"{here}/{mine}/unmerge/{gone}"):
        for deed in (address, f"{address}/look"):
            answer = shopkeeper.post(f"{here}/{mine}", deed)
            assert (answer.status_code, "Zyxwv" in answer.text) == (404, False)


def test_a_merge_is_not_taken_back_through_somebody_elses_page(
    front: Any, owner: Any, people: str
) -> None:
    keep, gone = two(front)
    other = front.enrol(0, name="Other")
    with front.session(0, write=True) as s:
        service.merge(s, keep, gone)
    address = f"{people}{other}/unmerge/{gone}"
    for deed in (address, f"{address}/look"):
        assert owner.post(f"{people}{other}", deed).status_code == 404
    with front.session(0) as s:
        assert customers.get(s, gone).id == keep


def test_old_addresses_and_old_cards_lead_to_the_record_that_is_left(
    front: Any, owner: Any, clerk: Any, people: str
) -> None:
    keep, gone = two(front)
    with front.session(0, write=True) as s:
        service.merge(s, keep, gone)
    answer = owner.get(f"{people}{gone}")
    # Not for good: a merge may be taken back.
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{people}{keep}")
    till = f"{front.store(0)}/till"
    for card in ("40711111", "4071 2222"):
        found = clerk.get(f"{till}/?q={card}")
        while found.status_code in (302, 303):
            found = clerk.get(found.headers["Location"])
        assert "Maren Lind" in words(found)
        assert str(keep) in found.text
    held = clerk.get(f"{till}/{gone}")
    while held.status_code in (301, 302, 303):
        held = clerk.get(held.headers["Location"])
    assert held.status_code == 200 and str(keep) in held.text
    form = owner.get(f"{people}{gone}/details")
    assert "Details of Maren Lind" in words(form)
    owner.post(f"{people}{keep}", f"{people}{gone}/notes", {"text": "said to the old id"})
    assert "said to the old id" in words(owner.get(f"{people}{keep}"))


def test_several_phones_outlive_a_changed_birthday(front: Any, owner: Any, people: str) -> None:
    """After a merge somebody may have two; the form shows one and takes none away."""
    maren = front.enrol(0, name="Maren", phone="07700 900142", email="m@example.org")
    with front.session(0, write=True) as s:
        service.add_identity(s, maren, "phone", "07700 900143")
        service.add_identity(s, maren, "email", "old@example.org")
    page = f"{people}{maren}/details"
    shown = {"name": "Maren", "phone": "07700 900142", "email": "m@example.org"}
    owner.post(page, page, {**shown, "birthday": "1990-05-14"})
    with front.session(0) as s:
        detail = customers.detail(s, maren)
    assert str(detail.birthday) == "1990-05-14"
    assert len([i for i in detail.identities if i.kind != "card"]) == 4
    owner.post(page, page, {**shown, "phone": "07700 900144"})
    with front.session(0) as s:
        held = [i.value for i in customers.detail(s, maren).identities if i.kind == "phone"]
    assert held == ["+447700900144"]
