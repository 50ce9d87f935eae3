"""The member's own page: only its link opens it, and only its member is on it."""

import json
import re
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from highstreet.consent import queries as consent
from highstreet.customers import service
from highstreet.members import links
from highstreet_tenants import clock


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def link(front: Any, brand: int, customer: Any, **more: Any) -> str:
    with front.session(brand) as s:
        token = links.make_link(front.site.tenancy, s, customer, **more)
    return f"/m/{token}"


@pytest.fixture
def maren(club: Any) -> Any:
    return club.enrol(0, name="Maren", card="40712286", email="maren@example.org")


def test_the_card_shows_name_number_and_balance(club: Any, maren: Any) -> None:
    club.buy(0, maren, 1240, "r-1")
    page = club.site.browser().get(link(club, 0, maren))
    assert page.status_code == 200
    assert "4071 2286" in words(page)
    assert '<span class="hs-big">12</span> points' in page.text


def test_nothing_on_it_leads_to_a_console(club: Any, maren: Any) -> None:
    card = link(club, 0, maren)
    for address in (card, f"{card}/held"):
        page = club.site.browser().get(address)
        found = set(re.findall(r'href="(/[^"]*)"', page.text))
        assert card in found, address
        assert not [one for one in found if one.startswith(("/store", "/office"))], address


def test_the_qr_code_reads_as_the_cards_number(club: Any, maren: Any) -> None:
    answer = club.site.browser().get(f"{link(club, 0, maren)}/card.svg")
    assert answer.mimetype == "image/svg+xml"
    assert _read_qr(answer.text) == "40712286"


def _read_qr(svg: str) -> str:
    """Draw segno's single path, row by row, and read it back with another library."""
    size = int(re.search(r'viewBox="0 0 (\d+) ', svg)[1])  # type: ignore[index]
    picture = Image.new("L", (size, size), 255)
    path = re.search(r'<path[^>]*stroke="#1b1f23"[^>]*d="([^"]+)"', svg) or re.search(
        r'<path[^>]*d="([^"]+)"[^>]*stroke="#1b1f23"', svg
    )
    assert path is not None, svg[:300]
    x = y = 0.0
    for command, given in re.findall(r"([Mmh])([^Mmh]*)", path[1]):
        numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", given)]
        if command == "M":
            x, y = numbers
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            for step in range(int(numbers[0])):
                picture.putpixel((int(x) + step, int(y)), 0)
            x += numbers[0]
    found = zxingcpp.read_barcodes(picture.resize((size * 8, size * 8), Image.Resampling.NEAREST))
    return str(found[0].text)


def test_consent_is_given_and_withdrawn_by_pressing_save(club: Any, maren: Any) -> None:
    page = link(club, 0, maren)
    browser = club.site.browser()

    def allowed() -> bool:
        with club.session(0) as s:
            return consent.may_contact(s, maren, "marketing", "email").allowed

    assert not allowed()
    browser.post(page, f"{page}/preferences", {"marketing-email": "1"})
    assert allowed()
    with club.session(0) as s:
        [said] = consent.state(s, maren)
    assert (said.method, said.wording) == (
        "member-page",
        "Offers by e-mail. From Harbour, to m•••@example.org.",
    )
    browser.post(page, f"{page}/preferences", {})
    assert not allowed()


def test_looking_never_changes_a_consent(club: Any, maren: Any) -> None:
    page = link(club, 0, maren)
    browser = club.site.browser()
    assert browser.get(f"{page}/preferences?marketing-email=1").status_code == 405
    browser.get(f"{page}?marketing-email=1")
    with club.session(0) as s:
        assert consent.state(s, maren) == []


def test_what_has_no_address_cannot_be_ticked(club: Any, maren: Any) -> None:
    page = link(club, 0, maren)
    browser = club.site.browser()
    assert re.search(r'id="marketing-sms"[^>]*disabled', browser.get(page).text)
    browser.post(page, f"{page}/preferences", {"marketing-sms": "1"})
    with club.session(0) as s:
        assert consent.state(s, maren) == []


def test_what_was_agreed_to_can_be_taken_back_though_the_address_is_gone(
    club: Any, maren: Any
) -> None:
    page = link(club, 0, maren)
    browser = club.site.browser()
    browser.post(page, f"{page}/preferences", {"marketing-email": "1"})
    with club.session(0, write=True) as s:
        service.update(s, maren, email=None)
    browser.post(page, f"{page}/preferences", {})
    with club.session(0) as s:
        assert [said.status for said in consent.state(s, maren)] == ["withdrawn"]


def test_nobody_is_told_of_a_home_address_that_is_not_held(club: Any, maren: Any) -> None:
    page = link(club, 0, maren)
    browser = club.site.browser()
    assert "We hold no home address of yours yet" in words(browser.get(page))
    browser.post(page, f"{page}/preferences", {"marketing-post": "1"})
    with club.session(0) as s:
        [said] = consent.state(s, maren)
    assert said.wording == (
        "Offers by post. From Harbour. We hold no home address of yours yet, so nothing comes by"
        " post."
    )


def test_everything_held_can_be_read_and_taken_away(club: Any, maren: Any) -> None:
    club.buy(0, maren, 1240, "r-1")
    page = link(club, 0, maren)
    browser = club.site.browser()
    held = words(browser.get(f"{page}/held"))
    assert "maren@example.org" in held
    assert "£12.40" in held
    copy = browser.get(f"{page}/copy.json")
    assert json.loads(copy.text)["customer"]["name"] == "Maren"


def test_a_wrong_old_or_revoked_link_opens_nothing(
    club: Any, maren: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = club.site.browser()
    assert browser.get("/m/" + "x" * 43).status_code == 404
    page = link(club, 0, maren)
    later = clock.now() + links.LIFETIME
    monkeypatch.setattr(links, "now", lambda: later)
    assert browser.get(page).status_code == 404
    monkeypatch.undo()
    assert browser.get(page).status_code == 200
    with club.site.tenancy.control(write=True) as c:
        assert links.revoke_all(c, club.brands[0].id, maren) == 1
    for path in ("", "/card.svg", "/held", "/copy.json"):
        answer = browser.get(page + path)
        assert answer.status_code == 404
        assert "Maren" not in answer.text


def test_the_link_of_somebody_erased_opens_nothing(club: Any) -> None:
    ines = club.enrol(1, name="Ines", card="40713333")
    page = link(club, 1, ines)
    assert "Ines" in club.site.browser().get(page).text
    with club.session(1, write=True) as s:
        service.erase(s, ines, "asked")
    assert club.site.browser().get(page).status_code == 404


def test_a_merged_members_link_leads_to_the_record_that_stays(club: Any, maren: Any) -> None:
    gone = club.enrol(0, name="M Okafor", card="40719999")
    page = link(club, 0, gone)
    with club.session(0, write=True) as s:
        service.merge(s, maren, gone)
    assert "Maren" in club.site.browser().get(page).text


def test_a_store_makes_the_link_and_shows_it_once(club: Any, owner: Any, maren: Any) -> None:
    page = f"{club.store(0)}/customers/{maren}"
    answer = owner.press(page, "Link to the member page")
    found = re.search(r'value="http://localhost(/m/[^"]+)"', answer.text)
    assert found is not None
    assert "Maren" in club.site.browser().get(found[1]).text
    assert found[1] not in owner.get(page).text


def test_links_are_kept_as_hashes_only(club: Any, maren: Any, database: Any) -> None:
    token = link(club, 0, maren).removeprefix("/m/")
    with database.owner.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM core_member_link").all()
    assert rows
    assert token not in str(rows)
