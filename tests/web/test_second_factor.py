"""The second factor as people meet it: set up, asked for, lost, required."""

import re

import pyotp
import pytest

from highstreet_tenants.people import factors
from people_site import GOOD

ME = "/me/second-factor"


@pytest.fixture
def soon(monkeypatch):
    """soon(steps): that many half minutes later, for codes alone."""
    from highstreet_tenants import clock

    real = clock.now
    shift = [0]

    def now():
        from datetime import timedelta

        return real() + timedelta(seconds=30 * shift[0])

    monkeypatch.setattr(factors, "now", now)

    def go(steps=2):
        shift[0] += steps
        return now()

    go.now = now
    return go


def key_of(browser):
    shown = browser.get(ME).text
    return re.search(r'value="([A-Z2-7 ]{32,})"', shown)[1].replace(" ", "")


def set_up(browser, soon):
    """Gives the authenticator and the recovery codes."""
    assert browser.press(ME, "Set it up").status_code == 303
    app = pyotp.TOTP(key_of(browser))
    answer = browser.press(ME, "Switch it on", {"code": app.at(soon.now())})
    assert answer.status_code == 200, answer.text
    return app, re.findall(r'name="codes" value="([^"]+)"', answer.text)


def sign_in(site, email, **more):
    browser = site.browser()
    answer = browser.post("/signin", "/signin", {"email": email, "password": GOOD, **more})
    return browser, answer


def give(browser, code, **more):
    return browser.post("/signin/code", "/signin/code", {"code": code, **more})


@pytest.fixture
def hana(club, manager):
    return "hana@people.example"


def test_a_password_alone_opens_nothing_once_it_is_on(club, manager, hana, soon):
    app, codes = set_up(manager, soon)
    assert len(set(codes)) == 10
    assert manager.get("/office/harbour/").status_code == 200, "the device at hand stays"
    browser, answer = sign_in(club.site, hana, next="/office/harbour/stores/")
    assert answer.headers["Location"].startswith("/signin/code")
    assert browser.get("/office/harbour/").status_code == 303
    assert browser.get("/me").status_code == 303
    assert give(browser, "000000").status_code == 422
    soon()
    code = app.at(soon.now())
    answer = give(browser, f"{code[:3]} {code[3:]}", next="/office/harbour/stores/")
    assert answer.headers["Location"] == "/office/harbour/stores/"
    assert browser.get("/office/harbour/").status_code == 200


def test_a_code_works_once_and_so_does_a_recovery_code(club, manager, hana, soon):
    app, codes = set_up(manager, soon)
    soon()
    code = app.at(soon.now())
    first, _answer = sign_in(club.site, hana)
    assert give(first, code).status_code == 303
    second, _answer = sign_in(club.site, hana)
    assert give(second, code).status_code == 422, "read over a shoulder"
    assert give(second, codes[3].upper()).status_code == 303
    third, _answer = sign_in(club.site, hana)
    assert give(third, codes[3]).status_code == 422
    assert "9 recovery codes left" in manager.get(ME).text


def test_wrong_codes_lock_out_and_a_right_password_does_not_clear_them(club, manager, hana, soon):
    app, _codes = set_up(manager, soon)
    for _each in range(4):  # the one that confirmed it was right
        browser, _answer = sign_in(club.site, hana)
        assert give(browser, "000000").status_code == 422
    browser, _answer = sign_in(club.site, hana)
    assert give(browser, "000000").status_code == 422
    soon()
    answer = give(browser, app.at(soon.now()))
    assert answer.status_code == 429 and answer.headers["Retry-After"]


def test_other_devices_are_signed_out_when_it_goes_on(club, manager, hana, soon):
    other = club.site.browser(hana)
    set_up(manager, soon)
    assert other.get("/me").status_code == 303


def test_a_one_time_link_stands_for_the_password_only(club, manager, hana, soon):
    from highstreet_tenants.people import operate

    app, _codes = set_up(manager, soon)
    link = operate.make_link(club.site.house, hana, "reset").removeprefix("http://localhost")
    browser = club.site.browser()
    path = "/link/" + link.rpartition("/link/")[2]
    answer = browser.post(path, path, {"password": "four other words here"})
    assert answer.headers["Location"].startswith("/signin/code")
    soon()
    assert give(browser, app.at(soon.now())).status_code == 303
    assert browser.get("/office/harbour/").status_code == 200


def test_it_goes_off_and_its_codes_are_renewed_by_a_code_alone(club, manager, hana, soon):
    app, codes = set_up(manager, soon)
    assert manager.press(ME, "Make 10 new codes", {"code": "000000"}).status_code == 422
    soon()
    answer = manager.press(ME, "Make 10 new codes", {"code": app.at(soon.now())})
    new = re.findall(r'name="codes" value="([^"]+)"', answer.text)
    assert len(new) == 10 and not set(new) & set(codes)
    assert manager.press(ME, "Switch the second factor off", {"code": codes[0]}).status_code == 422
    assert manager.press(ME, "Switch the second factor off", {"code": new[0]}).status_code == 303
    _browser, answer = sign_in(club.site, hana)
    assert not answer.headers["Location"].startswith("/signin/code")


def test_the_secret_and_the_codes_do_not_stand_in_the_database(club, manager, hana, soon):
    import sqlalchemy as sa

    app, codes = set_up(manager, soon)
    with club.site.tenancy.control() as s:
        held = str(s.execute(sa.text("SELECT * FROM core_second_factor")).all())
        held += str(s.execute(sa.text("SELECT * FROM core_recovery_code")).all())
    assert app.secret not in held
    assert not [one for one in codes if one in held or one.replace("-", "") in held]


def test_codes_go_into_a_file(club, manager, soon):
    _app, codes = set_up(manager, soon)
    answer = manager.post("/me", f"{ME}/codes.txt", {"codes": [*codes, "<b>no code</b>"]})
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert all(one in answer.text for one in codes) and "no code" not in answer.text


def test_a_manager_resets_a_lost_one_and_that_is_written_down(club, manager, owner, soon):
    set_up(owner, soon)
    email = "olga@people.example"
    user = club.site.user(email)
    page = f"/office/harbour/people/{user.id}"
    assert manager.press(page, "Reset the second factor").status_code == 303
    assert owner.get("/me").status_code == 303, "signed out everywhere"
    _browser, answer = sign_in(club.site, email)
    assert not answer.headers["Location"].startswith("/signin/code")
    assert "Second factor reset" in manager.get("/office/harbour/trail/").text
    assert "Reset the second factor" not in manager.get(page).text


def test_nobody_resets_what_is_beyond_their_reach(club, manager, owner, soon):
    set_up(manager, soon)
    head = club.site.user("hana@people.example")
    answer = owner.post("/me", f"{club.store(0)}/people/{head.id}/factor/reset")
    assert answer.status_code in (403, 404)
    assert manager.get(ME).text.count("recovery codes left") == 1


def test_whoever_needs_one_and_has_none_is_led_to_it_and_back(club, manager, owner, soon):
    with club.office(0, write=True) as s:
        factors.require(s, ["store_owner"])
    shop = f"{club.store(0)}/customers/"
    answer = owner.get(shop)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(ME)
    shown = owner.get(answer.headers["Location"]).text
    assert "requires a second factor" in shown
    wrote = owner.post("/me", f"{club.store(0)}/pin", {"pin": "4071", "again": "4071"})
    assert wrote.status_code == 403
    assert manager.get("/office/harbour/").status_code == 200, "another role"
    set_up(owner, soon)
    assert owner.get(shop).status_code == 200
    refused = owner.post(ME, f"{ME}/off", {"code": "000000"})
    assert refused.status_code == 409


def test_head_office_says_who_needs_one_and_sees_who_has_none(club, manager, owner, soon):
    page = "/office/harbour/second-factor"
    assert manager.post(page, page, {"roles": ["store_owner"]}).status_code == 303
    assert "Olga" in manager.get(page).text
    shut_out = manager.post(page, page, {"roles": ["head_office_manager"]})
    assert shut_out.status_code == 403, "who has none does not lock themselves out"
    assert manager.post(page, page, {"roles": ["emperor"]}).status_code == 422
    set_up(manager, soon)
    assert manager.post(page, page, {"roles": ["head_office_manager"]}).status_code == 303
    assert "Everybody who needs one has one" in manager.get(page).text
    assert "Second factor required" in manager.get("/office/harbour/trail/").text
    assert owner.get(page).status_code == 404


def test_a_pin_opens_the_till_all_the_same_and_a_key_knows_nothing_of_it(club, counter):
    with club.office(0, write=True) as s:
        factors.require(s, ["store_owner", "till_staff"])
    till = club.site.browser()
    till.client.set_cookie("hs-till", counter, domain="localhost")
    answer = till.post("/signin", "/till/unlock", {"pin": "4071"})
    assert answer.status_code == 303
    assert till.get(f"{club.store(0)}/till/").status_code == 200
    assert till.get(f"{club.store(0)}/people").status_code == 403
    assert till.get("/me").status_code == 403
