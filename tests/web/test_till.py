"""The till, form by form, as it works without scripts."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from highstreet.customers import queries as customers
from highstreet.host import settings
from highstreet.purchases import queries as purchases
from highstreet.till import last
from highstreet.till.hooks import Deed, Deeds
from highstreet_tenants import clock


def shown(answer: Any) -> str:
    """A page's words without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def balance(answer: Any) -> str:
    found = re.search(r'class="hs-big">([^<]+)<', answer.text)
    assert found is not None, shown(answer)
    return found[1]


def test_a_card_is_taken_in_hand_at_once(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren Okafor-Lind", card="4071 2286 93")
    till = f"{club.store(0)}/till/"
    answer = clerk.get(f"{till}?q=4071228693")
    assert (answer.status_code, answer.location) == (303, f"{till}{maren}")
    page = clerk.get(answer.location)
    assert "Maren Okafor-Lind" in page.text
    assert "Card 4071 2286 93" in page.text
    assert balance(page) == "0"


def test_several_hits_are_listed_and_none_offers_to_enrol(club: Any, clerk: Any) -> None:
    club.enrol(0, name="Anna Smith")
    club.enrol(0, name="Anna Jones")
    till = f"{club.store(0)}/till/"
    assert "2 members found" in shown(clerk.get(f"{till}?q=anna"))
    page = clerk.get(f"{till}?q=07700900142")
    assert "No member with 07700900142" in shown(page)
    assert "/till/enrol?given=07700900142" in page.text
    assert 'value="07700900142"' in clerk.get(f"{till}enrol?given=07700900142").text


def test_a_lost_card_is_not_taken_silently(club: Any, clerk: Any) -> None:
    from highstreet.customers import service

    club.enrol(0, name="Priya Halden", card="40711234")
    with club.session(0, write=True) as s:
        service.set_card_status(s, "40711234", "lost")
    page = clerk.get(f"{club.store(0)}/till/?q=40711234")
    assert page.status_code == 200
    assert "This card was reported lost" in shown(page)


def test_enrolling_leaves_the_new_member_in_hand(club: Any, clerk: Any) -> None:
    till = f"{club.store(0)}/till/"
    answer = clerk.post(
        f"{till}enrol", f"{till}enrol", {"name": "Tobias Wren", "phone": "07700 900142"}
    )
    assert answer.status_code == 303
    page = clerk.get(answer.location)
    assert "Tobias Wren is a member now." in shown(page)
    with club.session(0) as s:
        assert customers.find(s, "07700900142")[0].customer.name == "Tobias Wren"


def test_a_birthday_may_be_typed_when_enrolling(club: Any, clerk: Any) -> None:
    page = f"{club.store(0)}/till/enrol"
    answer = clerk.post(page, page, {"name": "Tobias Wren", "birthday": "1984-02-29"})
    assert answer.status_code == 303
    with club.session(0) as s:
        (found,) = customers.find(s, "Tobias Wren")
        assert customers.detail(s, found.customer.id).birthday == date(1984, 2, 29)
    wrong = clerk.post(page, page, {"name": "Joss", "birthday": "29.2.84"})
    assert wrong.status_code == 422
    assert "This is not a date" in shown(wrong)
    assert 'value="29.2.84"' in wrong.text


def test_a_refused_enrolment_keeps_what_was_typed_and_says_where(club: Any, clerk: Any) -> None:
    till = f"{club.store(0)}/till/"
    answer = clerk.post(
        f"{till}enrol", f"{till}enrol", {"name": "Joss", "phone": "123", "email": "no"}
    )
    assert answer.status_code == 422
    assert 'value="Joss"' in answer.text
    assert re.search(
        r'id="phone"[^>]*aria-describedby="phone-e"[^>]*aria-invalid="true"', answer.text
    )
    assert '<a href="#phone">' in answer.text


def test_points_are_given_and_the_new_balance_is_shown(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    answer = clerk.post(page, f"{page}/purchase", {"amount": "12.40", "receipt": "20931"})
    assert answer.status_code == 303
    after = clerk.get(answer.location)
    assert "£12.40 entered for Maren." in shown(after)
    assert balance(after) == "12"
    assert "+12" in shown(after)


def test_the_preview_promises_what_the_purchase_then_gives(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    promised = clerk.get(f"{page}/preview?amount=12.40").get_json()
    assert promised["button"] == "Give 12 points"
    assert "New balance: 12." in promised["hint"]
    clerk.post(page, f"{page}/purchase", {"amount": "12.40", "receipt": "1"})
    assert balance(clerk.get(page)) == "12"
    assert clerk.get(f"{page}/preview?amount=abc").get_json() == {}


def test_the_same_receipt_twice_counts_once(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    once = {"amount": "20", "receipt": "77"}
    clerk.post(page, f"{page}/purchase", once)
    clerk.post(page, f"{page}/purchase", {"amount": "21", "receipt": "77"})
    again = clerk.post(page, f"{page}/purchase", {"amount": "21", "receipt": "77"})
    assert again.status_code == 409
    assert 'value="21"' in again.text
    assert balance(clerk.get(page)) == "20"


def test_a_press_that_is_repeated_is_one_purchase(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    found = re.search(r'name="ref" value="([0-9a-f]+)"', clerk.get(page).text)
    assert found is not None
    with_ref = {"amount": "5.00", "ref": found[1]}
    clerk.post(page, f"{page}/purchase", with_ref)
    with club.session(0) as s:
        assert len(purchases.of_customer(s, maren)) == 1


@pytest.mark.parametrize("amount", ["", "abc", "-5", "12.345", "1e3", "99999999999999999999"])
def test_an_amount_that_is_none_is_refused_beside_its_field(
    club: Any, clerk: Any, amount: str
) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    answer = clerk.post(page, f"{page}/purchase", {"amount": amount, "receipt": "1"})
    assert answer.status_code == 422
    assert 'id="amount-e"' in answer.text
    with club.session(0) as s:
        assert purchases.of_customer(s, maren) == []


def test_a_card_number_as_receipt_is_refused(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    answer = clerk.post(page, f"{page}/purchase", {"amount": "5", "receipt": "4111 1111 1111 1111"})
    assert answer.status_code == 422
    with club.session(0) as s:
        assert purchases.of_customer(s, maren) == []


def test_undo_takes_the_purchase_and_its_points_back(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    clerk.post(page, f"{page}/purchase", {"amount": "8.20", "receipt": "1"})
    assert "Undo +8 for Maren" in shown(clerk.get(page))  # the tool answers till_deeds
    answer = clerk.press(page, "Undo +8 for Maren", {"next": page})
    assert (answer.status_code, answer.location) == (303, page)
    after = clerk.get(page)
    assert "Undone: £8.20 for Maren." in shown(after)
    assert balance(after) == "0"
    assert "<s" in after.text
    assert "Undo +8" not in after.text


def test_undoing_twice_takes_back_once(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    clerk.post(page, f"{page}/purchase", {"amount": "30", "receipt": "1"})
    clerk.post(page, f"{page}/purchase", {"amount": "8", "receipt": "2"})
    with club.session(0) as s:
        newest = purchases.of_customer(s, maren)[0]
    for _each in range(2):
        clerk.post(page, f"{club.store(0)}/till/undo/{newest.id}")
    assert balance(clerk.get(page)) == "30"


def test_a_till_cannot_undo_what_another_store_sold(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren")
    sold = club.buy(0, maren, 900, "other-1", store=1)
    till = f"{club.store(0)}/till/"
    assert clerk.post(f"{till}enrol", f"{till}undo/{sold}").status_code == 404
    with club.session(0, 1) as s:
        assert purchases.get(s, sold).returned_minor == 0


def test_a_late_entry_counts_from_the_time_of_the_purchase(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren", card="40719999", at=clock.now() - timedelta(days=30))
    yesterday = (clock.now() - timedelta(days=1)).date()
    till = f"{club.store(0)}/till/"
    answer = clerk.post(
        f"{till}late",
        f"{till}late",
        {
            "card": "4071 9999",
            "amount": "14.00",
            "receipt": "501",
            "day": yesterday.isoformat(),
            "time": "10:41",
        },
    )
    assert answer.status_code == 303
    with club.session(0) as s:
        [bought] = purchases.of_customer(s, maren)
    assert bought.business_date == yesterday
    assert balance(clerk.get(f"{till}{maren}")) == "14"


def test_a_late_entry_in_the_future_or_for_nobody_is_refused(club: Any, clerk: Any) -> None:
    club.enrol(0, name="Maren", card="40719999")
    till = f"{club.store(0)}/till/"
    entry = {"card": "40719999", "amount": "14", "day": "2099-01-01", "time": "10:00"}
    assert clerk.post(f"{till}late", f"{till}late", entry).status_code == 422
    nobody = {**entry, "card": "555", "day": "2024-01-01"}
    answer = clerk.post(f"{till}late", f"{till}late", nobody)
    assert answer.status_code == 404
    assert 'id="card-e"' in answer.text


def test_all_that_is_wrong_with_a_late_entry_is_told_at_once(club: Any, clerk: Any) -> None:
    late = f"{club.store(0)}/till/late"
    entry = {"card": "555", "amount": "x", "day": "2026-05-14", "time": "25:00"}
    answer = clerk.post(late, late, entry)
    for field in ("card", "amount", "time"):
        assert f'id="{field}-e"' in answer.text
    assert "3 things to put right" in shown(answer)
    assert 'value="555"' in answer.text
    club.enrol(0, name="Anna Smith", phone="07700 900142")
    club.enrol(0, name="Anna Jones", email="anna@people.example")
    several = clerk.post(late, late, {**entry, "card": "anna", "amount": "5", "time": "10:00"})
    assert several.status_code == 422
    assert re.search(r'id="card-e">Several customers fit', several.text)


def test_a_late_entry_can_be_taken_back_however_old_it_is(club: Any, clerk: Any) -> None:
    """A slip of the pen: the till's last actions go back to yesterday only."""
    maren = club.enrol(0, name="Maren", card="40719999", at=clock.now() - timedelta(days=30))
    day = (clock.now() - timedelta(days=9)).date().isoformat()
    late = f"{club.store(0)}/till/late"
    entry = {"card": "40719999", "amount": "140.00", "day": day, "time": "10:41"}
    answer = clerk.post(late, late, entry)
    page = clerk.get(answer.location)
    assert "Just entered" in shown(page)
    assert f'value="{day}"' in page.text, "the rest of the pad is of the same day"
    undone = clerk.press(answer.location, "Undo £140.00 for Maren", {"next": late})
    assert (undone.status_code, undone.location) == (303, late)
    assert balance(clerk.get(f"{club.store(0)}/till/{maren}")) == "0"
    assert "Just entered" not in shown(clerk.get(answer.location))
    other = club.buy(0, maren, 900, "other-1", store=1)
    for nothing in (other, maren, "x"):
        assert "Just entered" not in shown(clerk.get(f"{late}?entered={nothing}"))


def test_the_undo_key_takes_back_ones_own_last_action_and_no_more(club: Any, clerk: Any) -> None:
    """A key is pressed blindly: not at a colleague's deed, and twice is not the one before."""
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    for receipt in ("1", "2"):
        clerk.post(page, f"{page}/purchase", {"amount": "10", "receipt": receipt})
    assert 'data-hs-key="F9"' in clerk.get(page).text
    clerk.press(page, "Undo +10 for Maren", {"next": page})
    after = clerk.get(page)
    assert "Undo +10 for Maren" in shown(after), "the one before is still a button"
    assert 'data-hs-key="F9"' not in after.text
    clerk.post(page, f"{page}/purchase", {"amount": "12", "receipt": "3"})
    assert 'data-hs-key="F9"' in clerk.get(page).text
    colleague = club.person("milo", "till_staff", 0)
    theirs = colleague.get(page)
    assert "Undo +12 for Maren" in shown(theirs)
    assert 'data-hs-key="F9"' not in theirs.text


def test_a_reward_taken_back_says_whose_it_was(club: Any, clerk: Any) -> None:
    maren, priya = club.enrol(0, name="Maren"), club.enrol(0, name="Priya")
    club.buy(0, maren, 6000, "1")
    page = f"{club.store(0)}/till/{maren}"
    clerk.press(page, "<kbd>1</kbd><span>Coffee", {"reward": "coffee", "next": page})
    other = f"{club.store(0)}/till/{priya}"
    clerk.press(other, "Undo −10 for Maren", {"next": other})
    assert "Undone: Coffee for Maren." in shown(clerk.get(other))


def test_what_was_taken_back_reads_so_whatever_the_tools_words(
    club: Any, clerk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren = club.enrol(0, name="Maren")
    given: Any = {"customer_id": maren, "what": "Cake handed over"}
    at = clock.now()
    own = [
        Deed(at=at, **given),
        Deed(at=at - timedelta(minutes=1), undone=True, **given),
        Deed(at=at - timedelta(minutes=2), change="−1", undone=True, **given),
    ]

    monkeypatch.setattr(last, "_deeds", lambda *_given: [Deeds(own=own)])
    page = clerk.get(f"{club.store(0)}/till/")
    rows = [row for row in page.text.split("<li>") if "Cake handed over" in row]
    assert ["taken back" in row for row in rows] == [False, True, True]
    assert "<s " not in rows[1], "nothing to strike out"
    assert "−1</s>" in rows[2]


def test_without_a_points_tool_a_purchase_is_kept_all_the_same(front: Any, clerk: Any) -> None:
    maren = front.enrol(0, name="Maren")
    page = f"{front.store(0)}/till/{maren}"
    assert "No points tool is on in this store" in shown(clerk.get(page))
    clerk.post(page, f"{page}/purchase", {"amount": "5", "receipt": "1"})
    with front.session(0) as s:
        assert [one.total_minor for one in purchases.of_customer(s, maren)] == [500]


def test_a_paused_tool_says_that_points_follow(club: Any, clerk: Any) -> None:
    from highstreet.host import policy

    maren = club.enrol(0, name="Maren")
    with club.session(0, write=True) as s:
        policy.pause(s, "points_club")
    page = shown(clerk.get(f"{club.store(0)}/till/{maren}"))
    assert "Points club is paused" in page
    assert "given when it resumes" in page


def test_another_stores_member_of_the_club_is_served_here_too(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, store=1, name="Maren", card="40711111")
    club.buy(0, maren, 5000, "far-1", store=1)
    page = clerk.get(f"{club.store(0)}/till/{maren}")
    assert balance(page) == "50"
    assert "First visit to this store" in shown(page)


def test_names_and_notes_are_text_and_never_markup(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="<script>alert(1)</script>")
    page = clerk.get(f"{club.store(0)}/till/{maren}")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    page = clerk.get(f'{club.store(0)}/till/?q="><img src=x>')
    assert "<img src=x>" not in page.text


def test_a_merged_record_is_still_found_by_its_old_address(club: Any, clerk: Any) -> None:
    from highstreet.customers import service

    keep, gone = club.enrol(0, name="Maren"), club.enrol(0, name="Maren O")
    with club.session(0, write=True) as s:
        service.merge(s, keep, gone)
    page = f"{club.store(0)}/till/{gone}"
    answer = clerk.post(page, f"{page}/purchase", {"amount": "5", "receipt": "1"})
    assert answer.location.startswith(f"{club.store(0)}/till/{keep}")


def test_the_shopkeepers_own_programme_earns_at_the_shop(club: Any, shopkeeper: Any) -> None:
    """Customers that belong to the store work the same, and the next store has none of them."""
    with club.office(1, write=True) as s:
        settings.put(s, "points_club", {"accruals": [{"mode": "visit", "points": 1}]})
    ines = club.enrol(1, name="Ines", card="40715555")
    page = f"{club.store(1)}/till/{ines}"
    shopkeeper.post(page, f"{page}/purchase", {"amount": "3.10", "receipt": "1"})
    assert balance(shopkeeper.get(page)) == "1"
    other = club.person("otto", "store_owner", 1, 1)
    assert "No member with" in shown(other.get(f"{club.store(1, 1)}/till/?q=40715555"))
    assert other.get(f"{club.store(1, 1)}/till/{ines}").status_code == 404


def test_a_part_is_given_back_for_a_purchase_of_another_day(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren", card="40712286")
    bought = club.buy(0, maren, 1500, "r-77", at=clock.now() - timedelta(days=9))
    back = f"{club.store(0)}/till/returns"
    for found in ("?q=r-77", f"?customer={maren}", "?q=40712286"):
        assert 'value="15.00"' in clerk.get(back + found).text
    done = clerk.post(f"{back}?q=r-77", f"{back}/{bought}", {"amount": "5", "ref": "a"})
    page = clerk.get(done.location)
    assert "£5.00 given back. 5 points taken back" in shown(page)
    assert balance(page) == "10"
    clerk.post(f"{back}?q=r-77", f"{back}/{bought}", {"amount": "5", "ref": "a"})
    assert balance(clerk.get(f"{club.store(0)}/till/{maren}")) == "10", (
        "the same form is one return"
    )
    assert "£5.00 given back already" in shown(clerk.get(f"{back}?q=r-77"))


def test_no_more_is_given_back_than_was_paid_and_the_amount_stays_typed(
    club: Any, clerk: Any
) -> None:
    bought = club.buy(0, club.enrol(0, name="Maren"), 1500, "r-77")
    back = f"{club.store(0)}/till/returns"
    page = clerk.post(f"{back}?q=r-77", f"{back}/{bought}", {"amount": "15.01"})
    assert page.status_code == 422
    assert "At most £15.00 is left" in shown(page)
    assert 'value="15.01"' in page.text
    with club.session(0) as s:
        assert purchases.get(s, bought).returned_minor == 0


def test_a_purchase_of_another_store_is_not_given_back_here(club: Any, clerk: Any) -> None:
    maren = club.enrol(0, name="Maren", card="40712286")
    elsewhere = club.buy(0, maren, 1500, "r-78", store=1)
    back = f"{club.store(0)}/till/returns"
    assert "No receipt" in shown(clerk.get(f"{back}?q=r-78"))
    assert "Nothing bought in this store yet" in shown(clerk.get(f"{back}?q=40712286"))
    assert (
        clerk.post(back + "?customer=x", f"{back}/{elsewhere}", {"amount": "1"}).status_code == 404
    )
