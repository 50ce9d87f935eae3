"""Customers in the console: list, one customer, cards, notes, details, merging, leaving."""

import json
import re
from typing import Any

import pytest

from highstreet.consent import service as consent
from highstreet.customers import queries as customers
from highstreet.customers import service
from highstreet_tenants.errors import NotFound


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def people(front: Any) -> str:
    return f"{front.store(0)}/customers/"


def test_an_empty_store_says_what_the_place_is_for(front: Any, clerk: Any, people: str) -> None:
    page = clerk.get(people)
    assert "No customers yet" in words(page)
    assert f"{front.store(0)}/till/enrol" in page.text


def test_the_list_goes_on_by_its_cursor_and_shows_everybody_once(
    front: Any, clerk: Any, people: str
) -> None:
    names = {f"Customer {n:03}" for n in range(120)}
    with front.session(0, write=True) as s:
        for name in sorted(names):
            service.enrol(s, name=name)
    seen: list[str] = []
    page, hops = people, 0
    while page and hops < 5:
        answer = clerk.get(page)
        seen += re.findall(r">(Customer \d{3})</a>", answer.text)
        found = re.search(r'href="([^"]+)" rel="next"', answer.text)
        page, hops = (found[1].replace("&amp;", "&") if found else ""), hops + 1
    assert (len(seen), set(seen)) == (120, names)
    assert "120 joined here" in words(clerk.get(people))
    assert clerk.get(f"{people}?before=nonsense").status_code == 422


def test_a_store_lists_who_joined_there_and_finds_the_whole_club(
    front: Any, clerk: Any, people: str
) -> None:
    front.enrol(0, store=1, name="Far Away")
    assert "Far Away" not in words(clerk.get(people))
    assert "Far Away" in words(clerk.get(f"{people}?q=far"))


def test_one_customer_shows_identities_notes_fields_consents_and_story(
    front: Any, owner: Any, people: str
) -> None:
    with front.office(0, write=True) as s:
        service.define_field(s, key="usual", label="The usual", kind="text")
    maren = front.enrol(
        0,
        name="Maren",
        phone="07700 900142",
        email="maren@example.org",
        card="40712286",
        fields={"usual": "flat white"},
    )
    with front.session(0, write=True) as s:
        service.add_note(s, maren, "brings her dog")
        consent.record(
            s,
            maren,
            purpose="marketing",
            channel="email",
            status="given",
            wording="Offers by e-mail",
            method="till",
        )
    front.buy(0, maren, 1240, "r-1")
    said = words(owner.get(f"{people}{maren}"))
    for part in (
        "4071 2286",
        "maren@example.org",
        "The usual",
        "flat white",
        "brings her dog",
        "Offers by e-mail",
        "Joined",
        "£12.40",
    ):
        assert part in said, part
    assert "7700900142" in said.replace(" ", "")


def test_notes_cards_and_details_are_kept(front: Any, owner: Any, people: str) -> None:
    maren = front.enrol(0, name="Maren", card="40711111")
    page = f"{people}{maren}"
    owner.post(page, f"{page}/notes", {"text": "oat milk"})
    owner.post(page, f"{page}/cards", {"number": "4071 2222"})
    owner.post(page, f"{page}/cards/status", {"number": "40711111", "status": "lost"})
    owner.post(
        f"{page}/details",
        f"{page}/details",
        {"name": "Maren Okafor", "phone": "07700 900142", "birthday": "1990-05-14"},
    )
    with front.session(0) as s:
        detail = customers.detail(s, maren)
    assert [note.text for note in detail.notes] == ["oat milk"]
    cards = {one.value: one.status for one in detail.identities if one.kind == "card"}
    assert cards == {"40711111": "lost", "40712222": "active"}
    assert (detail.customer.name, str(detail.birthday)) == ("Maren Okafor", "1990-05-14")


def test_a_note_and_one_of_several_phones_can_be_taken_away(
    front: Any, owner: Any, clerk: Any, people: str
) -> None:
    maren = front.enrol(0, name="Maren", phone="07700 900142", email="m@example.org")
    with front.session(0, write=True) as s:
        note = service.add_note(s, maren, "meant for somebody else")
        service.add_identity(s, maren, "phone", "07700 900143")
    page = f"{people}{maren}"
    assert owner.get(page).text.count("/contacts/remove") == 2  # the only e-mail stays
    owner.post(page, f"{page}/contacts/remove", {"phone": "+447700900142"})
    assert "/contacts/remove" not in owner.get(page).text
    owner.post(page, f"{page}/notes/remove", {"note": str(note.id)})
    said = words(owner.get(page))
    assert "meant for somebody else" not in said
    assert "07700 900143" in said and "07700 900142" not in said
    for wrong in ("", "why not", str(maren)):
        assert owner.post(page, f"{page}/notes/remove", {"note": wrong}).status_code == 404
    assert (
        owner.post(page, f"{page}/contacts/remove", {"email": "x@example.org"}).status_code == 404
    )
    other = front.enrol(0, name="Other")
    with front.session(0, write=True) as s:
        theirs = service.add_note(s, other, "stays")
    assert owner.post(page, f"{page}/notes/remove", {"note": str(theirs.id)}).status_code == 404
    assert "stays" in words(owner.get(f"{people}{other}"))


def test_a_search_says_what_was_found_and_whether_the_card_may_be_used(
    front: Any, owner: Any, people: str
) -> None:
    maren = front.enrol(0, name="Maren", card="40711111")
    assert "Maren Card •••1111" in words(owner.get(f"{people}?q=mar"))
    with front.session(0, write=True) as s:
        service.set_card_status(s, "40711111", "lost")
    assert "40711111 Lost" in words(owner.get(f"{people}?q=40711111"))
    assert str(maren) in owner.get(f"{people}?q=40711111").text


def test_all_of_the_brands_own_fields_are_shown(front: Any, owner: Any, people: str) -> None:
    with front.office(0, write=True) as s:
        for number in range(5):
            service.define_field(s, key=f"f{number}", label=f"Field {number}", kind="text")
    maren = front.enrol(0, name="Maren", fields={f"f{n}": f"answer {n}" for n in range(5)})
    said = words(owner.get(f"{people}{maren}"))
    assert all(f"Field {n} answer {n}" in said for n in range(5))


def test_the_story_says_consents_in_the_words_of_people(
    front: Any, owner: Any, people: str
) -> None:
    maren = front.enrol(0, name="Maren")
    with front.session(0, write=True) as s:
        for status in ("given", "withdrawn"):
            consent.record(
                s, maren, purpose="marketing", channel="email", method="till",
                status=status, wording="Offers?",
            )  # fmt: skip
        consent.refuse_all(s, maren, method="phone")
    said = words(owner.get(f"{people}{maren}"))
    for part in ("Agreed: Offers by e-mail", "Refused: Offers by e-mail", "Refused: Everything"):
        assert part in said


def test_a_card_that_is_somebody_elses_is_refused_with_words(
    front: Any, owner: Any, people: str
) -> None:
    front.enrol(0, name="Anna", card="40711111")
    maren = front.enrol(0, name="Maren")
    page = f"{people}{maren}"
    owner.post(page, f"{page}/cards", {"number": "40711111"})
    assert "already belongs to another customer" in words(owner.get(page))
    owner.post(page, f"{page}/cards/status", {"number": "40711111", "status": "blocked"})
    assert "not this customer’s" in words(owner.get(page))
    with front.session(0) as s:
        assert customers.by_card(s, "40711111").name == "Anna"


def test_a_wrong_detail_comes_back_beside_its_field(front: Any, owner: Any, people: str) -> None:
    maren = front.enrol(0, name="Maren")
    page = f"{people}{maren}/details"
    answer = owner.post(page, page, {"name": "M", "email": "nowhere", "birthday": "14 May"})
    assert answer.status_code == 422
    assert 'value="nowhere"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_merging_shows_both_records_first_and_changes_nothing_until_pressed(
    front: Any, owner: Any, people: str
) -> None:
    keep = front.enrol(0, name="Maren Okafor", phone="07700 900142", card="40711111")
    gone = front.enrol(0, name="M Okafor", phone="07700 900142", card="40712222")
    assert "Maren Okafor" in words(owner.get(f"{people}likely"))
    page = f"{people}{keep}/merge/{gone}"
    dry = owner.get(page)
    assert "4071 1111, 4071 2222" in words(dry)
    with front.session(0) as s:
        assert customers.get(s, gone).id == gone
    assert owner.post(page, page).status_code == 303
    with front.session(0) as s:
        assert customers.get(s, gone).id == keep
        assert customers.by_card(s, "40712222").id == keep


def test_till_staff_do_not_merge_or_erase(front: Any, clerk: Any, people: str) -> None:
    one, other = front.enrol(0, name="One"), front.enrol(0, name="Two")
    assert clerk.get(f"{people}{one}/merge/{other}").status_code == 403
    assert clerk.get(f"{people}{one}/erase").status_code == 403
    page = clerk.get(f"{people}{one}").text
    assert "/erase" not in page
    assert "/merge" not in page


def test_a_shop_erases_its_customer_after_the_name_is_typed(front: Any, shopkeeper: Any) -> None:
    ines = front.enrol(1, name="Ines Quarry", card="40713333")
    page = f"{front.store(1)}/customers/{ines}/erase"
    answer = shopkeeper.post(page, page, {"name": "Ines", "reason": "asked by the customer"})
    assert answer.status_code == 422
    assert "Type “Ines Quarry”" in words(answer)
    done = shopkeeper.post(page, page, {"name": "ines quarry", "reason": "asked by the customer"})
    assert done.status_code == 303
    with front.session(1) as s, pytest.raises(NotFound):
        customers.get(s, ines)
    assert "Ines" not in shopkeeper.get(f"{front.store(1)}/customers/").text


def test_a_copy_of_all_that_is_held_is_a_file(front: Any, shopkeeper: Any) -> None:
    ines = front.enrol(1, name="Ines Quarry", email="ines@example.org")
    front.buy(1, ines, 990, "r-1")
    page = f"{front.store(1)}/customers/{ines}"
    answer = shopkeeper.post(page, f"{page}/copy.json")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    held = json.loads(answer.text)
    assert held["customer"]["name"] == "Ines Quarry"
    assert "ines@example.org" in answer.text


def test_a_store_of_a_club_sends_to_head_office_for_copy_and_erasure(
    front: Any, owner: Any, manager: Any, people: str
) -> None:
    maren = front.enrol(0, name="Maren")
    assert "Head office gives a copy" in words(owner.get(f"{people}{maren}"))
    assert owner.post(people, f"{people}{maren}/copy.json").status_code == 403
    refused = owner.get(f"{people}{maren}/erase")
    assert refused.status_code == 403, "before a name is typed in vain"
    assert "Ask head office to do this for them." in words(refused)
    club = f"{front.head(0)}/customers/{maren}"
    assert manager.post(club, f"{club}/copy.json").status_code == 200
    answer = manager.post(
        f"{club}/erase", f"{club}/erase", {"name": "Maren", "reason": "asked by the customer"}
    )
    assert answer.status_code == 303
    assert owner.get(f"{people}{maren}").status_code == 404


def test_all_customers_are_a_file_for_whoever_owns_them_and_may_export(
    front: Any, shopkeeper: Any, manager: Any, owner: Any
) -> None:
    front.enrol(1, name="=HYPERLINK(1)", card="40711111", email="maren@example.org")
    front.enrol(1, store=1, name="Of the other store")
    people = f"{front.store(1)}/customers/"
    file = shopkeeper.post(people, f"{people}all.csv")
    assert "'=HYPERLINK(1)" in file.text
    assert "maren@example.org" in file.text
    assert "other store" not in file.text
    assert "all.csv" in shopkeeper.get(people).text
    clerk = front.person("cleo", "till_staff", 1)
    assert clerk.post(people, f"{people}all.csv").status_code == 403
    assert "all.csv" not in clerk.get(people).text
    front.enrol(0, name="Of the club")
    assert (
        "Of the club"
        in manager.post(f"{front.head(0)}/customers/", f"{front.head(0)}/customers/all.csv").text
    )
    assert (
        owner.post(
            f"{front.store(0)}/customers/", f"{front.store(0)}/customers/all.csv"
        ).status_code
        == 403
    )
    assert "all.csv" not in owner.get(f"{front.store(0)}/customers/").text
