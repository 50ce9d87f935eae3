"""A shared till through its pages: set up by a manager, opened by PIN, locked, signed out."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from highstreet.host import access
from highstreet_tenants import clock
from highstreet_tenants.people import tries
from people_site import Browser

PIN = "4071"


def shown(answer: Any) -> str:
    """A page's words without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def tills(club: Any) -> str:
    """Address of the list of tills."""
    return f"{club.store(0)}/people/tills"


@pytest.fixture
def till(club: Any, owner: Browser, tills: str) -> Browser:
    """The owner's browser, made a till; Clara has a PIN there."""
    email = club.site.person("carla", ("till_staff", club.node(0, 0)))
    own = club.site.browser(email)
    page = f"{club.store(0)}/pin"
    assert own.post(page, page, {"pin": PIN, "again": PIN}).status_code == 303
    answer = owner.post(tills, tills, {"name": "Till 2", "lock": "120"})
    assert (answer.status_code, answer.location) == (303, "/signin")
    return owner


def unlock(till: Browser, pin: str = PIN, **more: Any) -> Any:
    return till.post("/signin", "/till/unlock", {"pin": pin, **more})


def test_a_device_becomes_a_till_and_its_maker_is_out(club: Any, till: Browser) -> None:
    page = till.get("/signin")
    assert "This is a shared till" in page.text
    assert "Harbour 1, Till 2" in shown(page)
    assert till.get(f"{club.store(0)}/").status_code == 303


def test_the_cookies_of_a_till_are_out_of_reach_of_scripts(owner: Browser, tills: str) -> None:
    answer = owner.post(tills, tills, {"name": "Till 2", "lock": "120"})
    [line] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("hs-till=")]
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Max-Age=34560000" in line


def test_a_pin_opens_the_till_and_what_is_done_is_in_its_persons_name(
    club: Any, till: Browser
) -> None:
    maren = club.enrol(0, name="Maren")
    answer = unlock(till)
    assert (answer.status_code, answer.location) == (303, f"{club.store(0)}/till/")
    page = f"{club.store(0)}/till/{maren}"
    assert "Carla, Till 2" in till.get(page).text
    till.post(page, f"{page}/purchase", {"amount": "60", "receipt": "1"})
    assert "£60.00 paid · Carla" in shown(till.get(page))
    till.press(page, "<kbd>1</kbd><span>Coffee", {"reward": "coffee"})
    assert "Coffee redeemed · Carla" in shown(till.get(page))


def test_the_undoer_is_named_too(club: Any, till: Browser, clerk: Browser) -> None:
    maren = club.enrol(0, name="Maren")
    page = f"{club.store(0)}/till/{maren}"
    clerk.post(page, f"{page}/purchase", {"amount": "60", "receipt": "1"})
    unlock(till)
    assert "£60.00 paid · Clara" in shown(till.get(page))
    till.press(page, "Undo +60 for Maren")
    assert "£60.00 undone · Carla" in shown(till.get(page))


def test_a_member_is_enrolled_by_who_unlocked_the_till(club: Any, till: Browser) -> None:
    unlock(till)
    form = f"{club.store(0)}/till/enrol"
    assert till.post(form, form, {"name": "Tobias Wren"}).status_code == 303


def test_a_pin_opens_nothing_but_the_till(club: Any, till: Browser) -> None:
    """Every route of the house, asked of somebody who owns the store but gave a PIN only."""
    club.site.person("olaf", ("store_owner", club.node(0, 0)))
    page = f"{club.store(0)}/pin"
    own = club.site.browser("olaf@people.example")
    assert own.post(page, page, {"pin": "5082", "again": "5082"}).status_code == 303
    unlock(till, "5082")
    brand, store = club.store(0).split("/")[2:]
    opened = set()
    for rule in club.site.app.url_map.iter_rules():
        view = club.site.app.view_functions[rule.endpoint]
        needs = access.permission_of(view)
        if needs is None or rule.rule.startswith("/api/") or "GET" not in (rule.methods or ()):
            continue
        if set(rule.arguments) - {"brand", "store"} or needs == "place":
            continue
        with club.site.app.test_request_context():
            values = {n: v for n, v in (("brand", brand), ("store", store)) if n in rule.arguments}
            path = rule.build(values)[1]
        if till.get(path).status_code not in (403, 404):
            opened.add(needs)
    assert opened == {"till.use"}
    assert "A PIN opens the till only" in till.get(f"{club.store(0)}/customers/").text


def test_a_pin_opens_no_other_store(club: Any, till: Browser) -> None:
    email = club.site.person(
        "zoe", ("till_staff", club.node(0, 0)), ("till_staff", club.node(0, 1))
    )
    page = f"{club.store(0)}/pin"
    own = club.site.browser(email)
    own.post(page, page, {"pin": "5082", "again": "5082"})
    unlock(till, "5082")
    assert till.get(f"{club.store(0)}/till/").status_code == 200
    assert till.get(f"{club.store(0, 1)}/till/").status_code == 404
    assert own.get(f"{club.store(0, 1)}/till/").status_code == 200


def test_a_pin_changes_nothing_of_the_account(club: Any, till: Browser) -> None:
    unlock(till)
    page = f"{club.store(0)}/till/"
    for path in ("/me", "/places", f"{club.store(0)}/pin"):
        assert till.get(path).status_code == 403
    till.post(page, "/choose/theme/dark", {"next": page})
    own = club.site.browser("carla@people.example")
    assert re.search(r'value="light"[^>]* checked', own.get("/me").text)


def test_locking_leads_back_to_the_page_it_was_locked_on(club: Any, till: Browser) -> None:
    maren = club.enrol(0, name="Maren")
    unlock(till)
    page = f"{club.store(0)}/till/{maren}"
    locked = till.post(page, "/signout", {"next": page})
    assert locked.location == f"/signin?next={page}"
    assert till.get(page).status_code == 303
    assert unlock(till, next=page).location == page
    for elsewhere in ("/office/harbour/", "https://evil.example/", f"{club.store(0, 1)}/till/"):
        till.post(page, "/signout")
        assert unlock(till, next=elsewhere).location == f"{club.store(0)}/till/"


def test_a_till_left_alone_is_locked_and_says_that_nothing_was_entered(
    club: Any, till: Browser
) -> None:
    maren = club.enrol(0, name="Maren")
    unlock(till)
    page = f"{club.store(0)}/till/{maren}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', till.get(page).text)
    assert token is not None
    assert '<meta http-equiv="refresh" content="151;url=/signin?next=' in till.get(page).text
    with time_machine.travel(clock.now() + timedelta(seconds=151), tick=False):
        assert till.get("/till/awake").status_code == 401
        form = {"amount": "5", "receipt": "1", "csrf_token": token[1]}
        answer = till.client.post(f"{page}/purchase", data=form)
        assert (answer.status_code, answer.location) == (303, "/signin")
        assert "Nothing was entered" in shown(till.get("/signin"))


def test_a_page_that_is_touched_keeps_the_till_open(club: Any, till: Browser) -> None:
    unlock(till)
    at = clock.now()
    for seconds in range(60, 600, 60):
        with time_machine.travel(at + timedelta(seconds=seconds), tick=False):
            assert till.get("/till/awake").status_code == 204


def test_wrong_pins_lock_the_till_out_and_a_password_still_opens_it(
    club: Any, till: Browser
) -> None:
    for left in ("4 tries left", "3 tries left", "2 tries left", "1 try left", "No try left"):
        answer = unlock(till, "9999")
        assert answer.status_code == 422
        assert left in shown(answer)
    answer = unlock(till)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= tries.WINDOW.total_seconds() + 1
    assert "sign in with a password" in shown(answer)
    enter = {"email": "olga@people.example", "password": "correct horse"}
    assert till.post("/signin", "/signin", enter).status_code == 303
    assert "Olga, Till 2" in till.get(f"{club.store(0)}/").text


def test_a_device_that_is_no_till_is_asked_for_no_pin(club: Any) -> None:
    stranger = club.site.browser()
    assert "Staff PIN" not in stranger.get("/signin").text
    answer = unlock(stranger)
    assert (answer.status_code, answer.location) == (303, "/signin")


def test_a_manager_signs_a_till_out_from_elsewhere(club: Any, till: Browser, tills: str) -> None:
    unlock(till)
    elsewhere = club.site.browser("olga@people.example")
    listed = shown(elsewhere.get(tills))
    assert "Till 2" in listed
    assert "Open: Carla" in listed
    assert elsewhere.press(tills, "Sign the till out").status_code == 303
    assert till.get(f"{club.store(0)}/till/").status_code == 303
    assert "Staff PIN" not in till.get("/signin").text
    assert "No shared till yet" in shown(elsewhere.get(tills))


def test_a_tills_name_and_time_can_be_changed(club: Any, till: Browser, tills: str) -> None:
    owner = club.site.browser("olga@people.example")
    owner.press(tills, "Save", {"name": "Counter", "lock": "30"})
    unlock(till)
    page = till.get(f"{club.store(0)}/till/").text
    assert "Carla, Counter" in page
    assert 'data-hs-lock="30"' in page
    wrong = owner.press(tills, "Save", {"name": "", "lock": "30"})
    assert wrong.status_code == 422
    assert "Name the till" in shown(wrong)


def test_clerks_and_head_offices_of_others_set_up_no_till(club: Any, clerk: Browser) -> None:
    assert clerk.get(f"{club.store(0)}/people/tills").status_code == 403
    hana = club.person("hana", "head_office_manager", 1, None)
    assert hana.get(f"{club.store(1)}/people/tills").status_code == 403, "customers are the store's"


def test_the_owner_sets_a_pin_on_the_people_page_and_it_is_never_shown(
    club: Any, owner: Browser
) -> None:
    email = club.site.person("milo", ("till_staff", club.node(0, 0)), password=None)
    page = f"{club.store(0)}/people/{club.site.user(email).id}"
    assert "None yet" in shown(owner.get(page))
    wrong = owner.press(page, "Set the PIN", {"pin": "1234", "again": "1234"})
    assert wrong.status_code == 422
    assert "among the first" in shown(wrong)
    differ = owner.press(page, "Set the PIN", {"pin": "4071", "again": "4072"})
    assert "The two differ" in shown(differ)
    for answer in (wrong, differ):
        assert not re.search(r'type="password"[^>]*value="\d', answer.text)
    assert owner.press(page, "Set the PIN", {"pin": PIN, "again": PIN}).status_code == 303
    after = owner.get(page)
    assert "Set on" in shown(after)
    assert PIN not in after.text
    assert owner.press(page, "Take the PIN away").status_code == 303
    assert "None yet" in shown(owner.get(page))


def test_a_manager_is_not_offered_the_owners_pin(club: Any, owner: Browser) -> None:
    mina = club.person("mina", "store_manager", 0)
    page = f"{club.store(0)}/people/{club.site.user('olga@people.example').id}"
    assert "Set the PIN" not in mina.get(page).text
    answer = mina.post(f"{club.store(0)}/people", f"{page}/pin", {"pin": PIN, "again": PIN})
    assert answer.status_code == 403
