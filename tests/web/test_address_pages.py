"""Addresses in the console and on the member's page, without scripts."""

import csv
import io
import re
from typing import Any

import pytest

from highstreet.addresses import queries, service
from highstreet.addresses.facts import AddressIn
from highstreet.members import links

LEEDS = AddressIn("GB", "15 High St", "Leeds", "LS1 4DY")
TYPED = {"country": "GB", "street": "Flat 2\n15 High St", "city": "Leeds", "postal_code": "ls14dy"}


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def ann(front: Any) -> Any:
    return front.enrol(0, name="Ann Lee", card="40712286")


@pytest.fixture
def page(front: Any, ann: Any) -> str:
    return f"{front.store(0)}/customers/{ann}"


def held(front: Any, who: Any) -> Any:
    with front.session(0) as s:
        return queries.current(s, who)


def test_an_address_is_written_down_and_shown(front: Any, clerk: Any, page: str, ann: Any) -> None:
    assert "nothing can come by post" in words(clerk.get(page))
    form = clerk.get(f"{page}/address")
    assert form.status_code == 200
    assert 'name="postal_code"' in form.text and "EC1Y 8SY" in form.text
    assert clerk.post(f"{page}/address", f"{page}/address", TYPED).status_code == 303
    shown = words(clerk.get(page))
    assert "Flat 2 15 High St LEEDS LS1 4DY United Kingdom" in shown
    assert held(front, ann).source == "staff"


def test_the_form_asks_for_what_the_country_needs(clerk: Any, page: str) -> None:
    form = clerk.get(f"{page}/address?country=US")
    assert "ZIP code" in form.text and '<option value="MA">Massachusetts</option>' in form.text
    assert 'name="dependent_locality"' not in form.text
    assert "江苏省 / Jiangsu Sheng" in clerk.get(f"{page}/address?country=CN").text
    assert clerk.get(f"{page}/address?country=nowhere").status_code == 200


def test_a_refused_form_comes_back_as_it_was_typed(
    front: Any, clerk: Any, page: str, ann: Any
) -> None:
    answer = clerk.post(
        f"{page}/address", f"{page}/address", {**TYPED, "postal_code": "nine", "city": ""}
    )
    assert answer.status_code == 422
    assert 'value="nine"' in answer.text and "Flat 2\n15 High St</textarea>" in answer.text
    assert 'href="#postal_code"' in answer.text and 'href="#city"' in answer.text
    assert held(front, ann) is None
    assert (
        clerk.post(f"{page}/address", f"{page}/address", {**TYPED, "country": "XX"}).status_code
        == 422
    )


def test_the_household_is_shown_with_ways_to_its_members(front: Any, clerk: Any, page: str,
                                                          ann: Any) -> None:  # fmt: skip
    ben = front.enrol(0, store=1, name="Ben Lee")
    cat = front.enrol(0, name="Cat Shaw")
    with front.session(0, write=True) as s:
        for who in (ann, ben, cat):
            service.put(s, who, LEEDS)
    shown = clerk.get(page)
    assert f'/customers/{ben}">Ben Lee</a>' in shown.text
    assert "Cat Shaw" not in words(shown)


def test_moved_returned_and_removed(front: Any, clerk: Any, page: str, ann: Any) -> None:
    with front.session(0, write=True) as s:
        service.put(s, ann, LEEDS)
    assert clerk.post(page, f"{page}/address/returned").status_code == 303
    assert held(front, ann).state == "bad"
    clerk.post(page, f"{page}/address/moved")
    assert held(front, ann) is None
    assert clerk.post(page, f"{page}/address/moved").status_code == 404
    clerk.post(f"{page}/address", f"{page}/address", TYPED)
    clerk.post(page, f"{page}/address/remove")
    assert held(front, ann) is None
    assert "Moved away" in words(clerk.get(page))


def test_a_member_corrects_their_own(front: Any, ann: Any) -> None:
    with front.session(0) as s:
        card = f"/m/{links.make_link(front.site.tenancy, s, ann)}"
    browser = front.site.browser()
    assert "We hold none" in words(browser.get(card))
    form = browser.get(f"{card}/address")
    assert 'autocomplete="postal-code"' in form.text
    assert (
        browser.post(f"{card}/address", f"{card}/address", {**TYPED, "postal_code": ""}).status_code
        == 422
    )
    assert browser.post(f"{card}/address", f"{card}/address", TYPED).status_code == 303
    shown = words(browser.get(card))
    assert "15 High St LEEDS LS1 4DY" in shown
    assert "no home address" not in shown
    assert held(front, ann).source == "member"
    assert "Flat 2, 15 High St, LEEDS, LS1 4DY, United Kingdom" in words(
        browser.get(f"{card}/held")
    )


def test_the_list_takes_addresses_along_as_an_import_reads_them(
    front: Any, manager: Any, ann: Any
) -> None:
    with front.session(0, write=True) as s:
        service.put(s, ann, AddressIn("GB", ("a", "b", "c"), "Leeds", "LS1 4DY"))
    front.enrol(0, name="Ben Shaw")
    answer = manager.post(f"{front.head(0)}/customers/", f"{front.head(0)}/customers/all.csv")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")))}
    found = rows["Ann Lee"]
    assert [found[one] for one in ("street", "street_2", "street_3")] == ["a", "b", "c"]
    assert (found["city"], found["postal_code"], found["country"]) == ("Leeds", "LS1 4DY", "GB")
    assert rows["Ben Shaw"]["street"] == ""


def test_a_chinese_reader_reads_chinese(clerk: Any, page: str) -> None:
    form = clerk.get(f"{page}/address?country=CN", headers={"Accept-Language": "zh"})
    assert "邮政编码" in form.text and "街道和门牌号" in form.text


def test_two_records_are_compared_by_their_addresses_too(
    front: Any, owner: Any, page: str, ann: Any
) -> None:
    other = front.enrol(0, name="Anna Lee", card="40712287")
    with front.session(0, write=True) as s:
        service.put(s, other, LEEDS)
    compared = words(owner.get(f"{page}/merge/{other}"))
    assert "15 High St, LEEDS, LS1 4DY" in compared
