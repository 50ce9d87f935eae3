"""Signing in through the pages: what a person sees, and what a stranger and a scanner don't get."""

import re
import threading
from datetime import timedelta

import pytest
import time_machine

from highstreet_tenants.clock import now
from highstreet_tenants.people import accounts, links, operate
from highstreet_tenants.people.tree import Node
from people_site import GOOD, Browser, make_site

MOBILE = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"
)


@pytest.fixture(scope="module")
def module_site(database_module, tmp_path_factory):
    return make_site(database_module, str(tmp_path_factory.mktemp("instance")))


@pytest.fixture
def site(module_site, database, two_brands):
    """The application on a database that was emptied, then given two brands."""
    return module_site


@pytest.fixture
def store(two_brands):
    first = two_brands[0]
    it = first.stores[0]
    return Node(first.id, first.customers, first.region_id, it.owner_id, it.id)


@pytest.fixture
def dana(site, store):
    """Manager of one store; she has nowhere else to go."""
    return site.person("dana", ("store_manager", store))


def cookie(answer, name="hs-session"):
    """The Set-Cookie line of that name, or None."""
    lines = answer.headers.getlist("Set-Cookie")
    return next((one for one in lines if one.startswith(f"{name}=")), None)


def link_path(site, email, purpose="sign_in"):
    return operate.make_link(site.house, email, purpose).removeprefix("http://localhost")


def test_signing_in_leads_to_the_only_place(site, dana):
    browser = site.browser()
    answer = browser.post("/signin", "/signin", {"email": dana, "password": GOOD})
    assert (answer.status_code, answer.location) == (303, "/store/harbour/harbour-1/")
    assert browser.get("/me").status_code == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_ends_with_the_browser(site, dana):
    answer = site.browser().post("/signin", "/signin", {"email": dana, "password": GOOD})
    line = cookie(answer)
    assert "HttpOnly" in line
    assert "SameSite=Lax" in line
    assert "Path=/" in line
    assert "Max-Age" not in line
    assert "Secure" not in line  # http on this very machine


def test_a_kept_device_keeps_the_cookie_thirty_days(site, dana):
    answer = site.browser().post(
        "/signin", "/signin", {"email": dana, "password": GOOD, "keep": "1"}
    )
    assert "Max-Age=2592000" in cookie(answer)


@pytest.mark.parametrize("base", ["https://club.example", "https://localhost"])
def test_over_tls_the_cookie_is_bound_to_host_and_tls(site, dana, base):
    answer = site.browser().post(
        "/signin",
        "/signin",
        {"email": dana, "password": GOOD},
        base_url=base,
        headers={"Referer": f"{base}/signin"},
    )
    line = cookie(answer, "__Host-hs-session")
    assert "Secure" in line
    assert cookie(answer) is None


def test_a_links_button_works_over_tls_as_a_browser_sends_it(site, dana):
    path, base = link_path(site, dana), "https://club.example"
    shown = site.browser().get(path, base_url=base)
    # A browser sends the Referer to the page's own origin unless the page's policy forbids it.
    assert shown.headers["Referrer-Policy"] == "same-origin"
    answer = site.browser().post(path, path, base_url=base, headers={"Referer": base + path})
    assert answer.status_code == 303


def test_on_an_open_line_the_page_warns_and_the_cookie_is_secure_all_the_same(site, dana):
    browser = site.browser()
    shown = browser.get("/signin", base_url="http://club.example")
    assert "not encrypted" in shown.text
    answer = browser.post(
        "/signin", "/signin", {"email": dana, "password": GOOD}, base_url="http://club.example"
    )
    assert "Secure" in cookie(answer, "__Host-hs-session")
    assert "not encrypted" not in browser.get("/signin").text


def test_a_wrong_password_says_how_many_tries_are_left_then_to_wait(site, dana):
    browser = site.browser()
    for left in ("4 tries left", "3 tries left", "2 tries left", "1 try left", "No try left"):
        answer = browser.post("/signin", "/signin", {"email": dana, "password": "wrong"})
        assert answer.status_code == 422
        assert f"E-mail and password do not match. {left}" in answer.text
        assert f'value="{dana}"' in answer.text  # not typed again
        assert re.search(r'<input[^>]*id="pw"[^>]*aria-invalid="true"', answer.text)
        assert cookie(answer) is None
    locked = browser.post("/signin", "/signin", {"email": dana, "password": GOOD})
    assert locked.status_code == 429
    assert "Wait 15 min" in locked.text
    assert 880 <= int(locked.headers["Retry-After"]) <= 901


def test_a_stranger_is_told_the_same_as_somebody_known(site, dana):
    def tell(email):
        answer = site.browser().post("/signin", "/signin", {"email": email, "password": "wrong"})
        text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)
        return answer.status_code, text.replace(email, "…")

    assert tell(dana) == tell("nobody@people.example")


@pytest.mark.parametrize(
    "form",
    [{}, {"email": "x" * 10_000, "password": "y" * 100_000}, {"email": "\0", "password": "\0"}],
)
def test_odd_forms_are_answered_and_let_nobody_in(site, dana, form):
    answer = site.browser().post("/signin", "/signin", form)
    assert answer.status_code == 422
    assert cookie(answer) is None


def test_without_the_forms_token_nothing_happens(site, dana):
    client = site.app.test_client()
    client.get("/signin")
    answer = client.post("/signin", data={"email": dana, "password": GOOD})
    assert answer.status_code == 400
    assert cookie(answer) is None


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/me", "/me"),
        ("/store/harbour/harbour-1/people?q=x", "/store/harbour/harbour-1/people?q=x"),
        ("//evil.example/", "/store/harbour/harbour-1/"),
        ("https://evil.example/", "/store/harbour/harbour-1/"),
        ("/\\evil.example", "/store/harbour/harbour-1/"),
        ("javascript:alert(1)", "/store/harbour/harbour-1/"),
    ],
)
def test_one_goes_on_to_where_one_wanted_but_never_out_of_the_house(site, dana, wanted, goes):
    answer = site.browser().post(
        "/signin", "/signin", {"email": dana, "password": GOOD, "next": wanted}
    )
    assert answer.location == goes


def test_a_page_asked_for_before_signing_in_is_where_one_arrives(site, dana):
    browser = site.browser()
    sent = browser.get("/store/harbour/harbour-1/people")
    assert sent.status_code == 303
    answer = browser.post(sent.location, "/signin", {"email": dana, "password": GOOD})
    shown = browser.get(sent.location)
    assert shown.status_code == 303  # signed in already: on to the place
    assert shown.location == "/store/harbour/harbour-1/people"
    assert answer.status_code == 303


def test_signing_in_again_rotates_the_session_and_the_forms_token(site, dana):
    browser = site.browser(dana)
    first = browser.client.get_cookie("hs-session").value
    # Somebody else takes the device over without signing out first.
    pat = site.person("pat")
    copy = site.app.test_client()
    copy.set_cookie("hs-session", first)
    assert copy.get("/me").status_code == 200
    answer = browser.post("/me", "/signin", {"email": pat, "password": GOOD})
    assert answer.status_code == 303
    assert browser.client.get_cookie("hs-session").value != first
    assert copy.get("/me").status_code == 303  # the old session is over


def test_a_token_planted_before_signing_in_is_worth_nothing(site, dana):
    client = site.app.test_client()
    client.set_cookie("hs-session", "A" * 43)
    browser = Browser(client)
    browser.post("/signin", "/signin", {"email": dana, "password": GOOD})
    assert client.get_cookie("hs-session").value != "A" * 43
    planted = site.app.test_client()
    planted.set_cookie("hs-session", "A" * 43)
    assert planted.get("/me").status_code == 303


def test_signing_out_ends_it_on_the_server_too(site, dana):
    browser = site.browser(dana)
    carried = browser.client.get_cookie("hs-session").value
    answer = browser.press("/me", "Sign out")
    assert answer.location == "/signin"
    assert browser.get("/me").status_code == 303
    thief = site.app.test_client()
    thief.set_cookie("hs-session", carried)
    assert thief.get("/me").status_code == 303


def test_pages_for_people_are_kept_in_no_cache(site, dana):
    assert site.browser(dana).get("/me").headers["Cache-Control"] == "no-store"


# ── One-time links ────────────────────────────────────────────────────────────────────────


def test_a_link_is_opened_by_one_click_on_its_button(site, dana):
    path = link_path(site, dana)
    browser = site.browser()
    for _scan in range(3):  # a mail scanner looks first, and again
        shown = site.app.test_client().get(path)
        assert shown.status_code == 200
        assert cookie(shown) is None
        assert site.app.test_client().head(path).status_code == 200
    shown = browser.get(path)
    assert "Sign in as Dana" in shown.text
    assert shown.headers["Referrer-Policy"] == "same-origin"  # the address is told to nobody else
    answer = browser.press(path, "Sign in as Dana")
    assert (answer.status_code, answer.location) == (303, "/store/harbour/harbour-1/")
    assert browser.get("/me").status_code == 200
    again = site.browser().get(path)
    assert again.status_code == 404
    assert "has been used" in again.text


def test_of_two_who_press_at_once_one_gets_in(site, dana):
    path = link_path(site, dana)
    browsers = [site.browser() for _each in range(4)]
    tokens = [
        re.search(r'name="csrf_token" value="([^"]+)"', b.get(path).text)[1] for b in browsers
    ]
    gate, statuses = threading.Barrier(4), []

    def press(browser, token):
        gate.wait()
        statuses.append(browser.client.post(path, data={"csrf_token": token}).status_code)

    threads = [
        threading.Thread(target=press, args=one) for one in zip(browsers, tokens, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [303, 404, 404, 404]


def test_an_old_or_invented_link_says_what_to_do(site, dana):
    with time_machine.travel(now() - timedelta(days=2), tick=False):
        old = link_path(site, dana)
    for path, words in ((old, "too old"), ("/link/" + "A" * 43, "does not work")):
        answer = site.browser().get(path)
        assert answer.status_code == 404
        assert words in answer.text
        assert "Ask for a new one" in answer.text


def test_a_locked_out_person_gets_in_by_link(site, dana):
    browser = site.browser()
    for _each in range(6):
        browser.post("/signin", "/signin", {"email": dana, "password": "wrong"})
    path = link_path(site, dana)
    assert browser.press(path, "Sign in as Dana").status_code == 303


def test_an_invitation_asks_for_name_and_password_and_survives_a_weak_one(site, dana, store):
    email = site.person("new", ("till_staff", store), password=None)
    path = link_path(site, email, "invite")
    browser = site.browser()
    weak = browser.press(path, "Save and sign in", {"name": "Nell", "password": "short"})
    assert weak.status_code == 422
    assert "at least 10 characters" in weak.text
    nameless = browser.press(path, "Save and sign in", {"name": " ", "password": "a long ladder"})
    assert nameless.status_code == 422
    done = browser.press(path, "Save and sign in", {"name": "Nell", "password": "a long ladder"})
    assert done.status_code == 303
    assert site.user(email).name == "Nell"
    assert site.browser(email, "a long ladder").get("/me").status_code == 200
    assert site.browser().get(path).status_code == 404


def test_a_reset_signs_other_devices_out(site, dana):
    other = site.browser(dana)
    path = link_path(site, dana, "reset")
    assert site.browser(dana).get("/me").status_code == 200  # until then all stays as it was
    answer = site.browser().press(path, "Save and sign in", {"password": "a long ladder"})
    assert answer.status_code == 303
    assert other.get("/me").status_code == 303
    old = site.browser().post("/signin", "/signin", {"email": dana, "password": GOOD})
    assert old.status_code == 422


def test_an_offer_is_accepted_only_by_its_person_signed_in(site, dana, store, two_brands):
    pat = site.person("pat")
    with site.tenancy.control(write=True) as s:
        user = accounts.find_user(s, pat)
        token = links.make_link(s, user.id, "join", offer=store.grant("till_staff"))
    path = f"/link/{token}"
    stranger = site.browser()
    shown = stranger.get(path)
    assert "Till staff" in shown.text
    assert "Harbour 1, Harbour" in shown.text
    sent = stranger.post("/signin", path)
    assert sent.status_code == 303
    assert "/signin" in sent.location
    assert stranger.get("/me").status_code == 303  # the link alone signs nobody in
    wrong = site.browser(dana)
    assert "signed in as" in wrong.get(path).text
    assert wrong.post("/me", path).status_code == 404
    right = site.browser(pat)
    answer = right.press(path, "Accept")
    assert answer.status_code == 303
    assert ("till_staff", store.store_id) in site.user(pat).roles
    assert "You are now Till staff" in right.get(answer.location).text


# ── One's own account and places ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["/me", "/places"])
def test_ones_own_pages_are_for_who_is_signed_in(site, two_brands, path):
    answer = site.browser().get(path)
    assert answer.status_code == 303
    assert answer.location.startswith("/signin?next=")


def test_with_several_places_one_chooses(site, store, two_brands):
    quarry = two_brands[1]
    region = Node(quarry.id, quarry.customers, region_id=quarry.region_id)
    office = Node(quarry.id, quarry.customers)
    email = site.person("both", ("till_staff", store), ("head_office_marketing", office))
    browser = site.browser()
    answer = browser.post("/signin", "/signin", {"email": email, "password": GOOD})
    assert answer.location == "/places"
    text = browser.get("/places").text
    assert 'href="/office/quarry/"' in text
    assert 'href="/store/harbour/harbour-1/"' in text
    assert "harbour-2" not in text
    # A region does not see people where stores own them: its manager enters by the tools.
    regional = site.person("regional", ("regional_manager", region))
    text = site.browser(regional).get("/places").text
    assert 'href="/store/quarry/quarry-1/tools/"' in text


def test_without_a_role_one_is_told_whom_to_ask(site, two_brands):
    email = site.person("nobody")
    browser = site.browser()
    answer = browser.post("/signin", "/signin", {"email": email, "password": GOOD})
    assert answer.location == "/places"
    assert "hold no role" in browser.get("/places").text


def test_name_language_and_theme_are_kept_with_the_person(site, dana):
    browser = site.browser(dana)
    answer = browser.press(
        "/me", "Save", {"name": " Dana  M ", "locale": "zh_Hans", "theme": "dark"}
    )
    assert answer.status_code == 303
    shown = browser.get("/me").text
    assert 'lang="zh-Hans"' in shown
    assert 'data-bs-theme="dark"' in shown
    assert 'value="Dana M"' in shown
    # On another device, too, as soon as she is signed in.
    other = site.browser(dana).get("/me").text
    assert 'lang="zh-Hans"' in other
    assert 'data-bs-theme="dark"' in other


def test_a_device_stays_dark_whoever_signs_in(site, dana):
    browser = site.browser()
    browser.client.set_cookie("hs-theme", "dark")
    browser.post("/signin", "/signin", {"email": dana, "password": GOOD})
    assert 'data-bs-theme="dark"' in browser.get("/me").text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": "", "locale": "en", "theme": "dark"}, "name"),
        ({"name": "Dana", "locale": "xx", "theme": "dark"}, "locale"),
        ({"name": "Dana", "locale": "en", "theme": "pink"}, "theme"),
    ],
)
def test_a_wrong_choice_is_pointed_out_and_nothing_is_kept(site, dana, form, field):
    browser = site.browser(dana)
    answer = browser.press("/me", "Save", form)
    assert answer.status_code == 422
    assert "Not saved" in answer.text
    assert site.user(dana).name == "Dana"


def test_devices_are_named_and_signed_out_one_or_all(site, dana):
    browser, phone, old = site.browser(dana), site.browser(), site.browser(dana)
    phone.post(
        "/signin",
        "/signin",
        {"email": dana, "password": GOOD},
        headers={"User-Agent": MOBILE},
    )
    shown = browser.get("/me").text
    assert "Chrome, Android" in shown
    assert shown.count("this device") == 1
    (path,) = [
        action
        for action, body in re.findall(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', shown, re.S)
        if "Chrome, Android" in body
    ]
    assert browser.post("/me", path).status_code == 303
    assert phone.get("/me").status_code == 303
    assert old.get("/me").status_code == 200
    assert browser.press("/me", "Sign out all others").status_code == 303
    assert old.get("/me").status_code == 303
    assert browser.get("/me").status_code == 200


def test_nobody_signs_out_somebody_elses_device(site, dana, store):
    pat = site.browser(site.person("pat", ("till_staff", store)))
    (path,) = re.findall(r'action="(/me/devices/[0-9a-f-]{36}/out)"', pat.get("/me").text)
    assert site.browser(dana).post("/me", path).status_code == 404
    assert pat.get("/me").status_code == 200


def test_the_password_is_changed_with_the_present_one(site, dana):
    browser, other = site.browser(dana), site.browser(dana)
    wrong = browser.press("/me", "Change password", {"current": "x", "password": "a long ladder"})
    assert wrong.status_code == 422
    assert "not your present password" in wrong.text
    done = browser.press("/me", "Change password", {"current": GOOD, "password": "a long ladder"})
    assert done.status_code == 303
    assert browser.get("/me").status_code == 200
    assert other.get("/me").status_code == 303


def test_guessing_the_present_password_locks_it(site, dana):
    browser = site.browser(dana)
    for _each in range(5):
        browser.press("/me", "Change password", {"current": "x", "password": "a long ladder"})
    locked = browser.press("/me", "Change password", {"current": GOOD, "password": "a long ladder"})
    assert locked.status_code == 429
    assert "Retry-After" in locked.headers
    assert "Wait 15 min" in locked.text


def test_a_disabled_person_is_out_with_the_next_click(site, dana):
    browser = site.browser(dana)
    operate.set_disabled(site.house, dana, True)
    assert browser.get("/me").status_code == 303


def test_stylesheets_ask_nobody_who_is_there(site, dana, monkeypatch):
    asked = []
    from highstreet_tenants.people import logins

    real = logins.load_person
    monkeypatch.setattr(logins, "load_person", lambda *a: asked.append(1) or real(*a))
    browser = site.browser(dana)
    asked.clear()
    assert browser.get("/static/highstreet.css").status_code == 200
    assert asked == []
    browser.get("/me")
    assert asked == [1]
