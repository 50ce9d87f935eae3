"""People and keys through the pages: whoever may look may not act, and nobody acts elsewhere."""

import re
from datetime import timedelta

import pytest
import time_machine

from highstreet_tenants import clock
from highstreet_tenants.people import keys
from highstreet_tenants.people.tree import Node
from people_site import GOOD, make_site

STORE, OTHER_STORE = "/store/harbour/harbour-1/people", "/store/harbour/harbour-2/people"
OFFICE = "/office/harbour/people"


@pytest.fixture(scope="module")
def module_site(database_module, tmp_path_factory):
    return make_site(database_module, str(tmp_path_factory.mktemp("instance")))


@pytest.fixture
def site(module_site, database, two_brands):
    """The application on a database that was emptied, then given two brands."""
    return module_site


@pytest.fixture
def at(two_brands):
    """at(0) the first brand, at(1, 2) the second brand's second store, at(0, owner=1), …"""

    def node(brand, store=None, *, owner=None, region=False):
        it = two_brands[brand]
        if store is not None:
            shop = it.stores[store - 1]
            return Node(it.id, it.customers, it.region_id, shop.owner_id, shop.id)
        if owner is not None:
            return Node(it.id, it.customers, owner_id=it.stores[owner - 1].owner_id)
        return Node(it.id, it.customers, region_id=it.region_id if region else None)

    return node


@pytest.fixture
def manager(site, at):
    return site.person("manager", ("store_manager", at(0, 1)))


@pytest.fixture
def head(site, at):
    return site.person("head", ("head_office_manager", at(0)))


def handed(answer, name="link"):
    """What a page shows once, to be copied."""
    found = re.search(rf'<input[^>]*value="([^"]+)"[^>]*id="{name}"', answer.text)
    assert found is not None, answer.text
    return found[1].removeprefix("http://localhost")


def invite(browser, page, email, role, **more):
    form = {"email": email, "name": "New Person", "role": role, **more}
    return browser.press(page, "Make the invitation", form)


# ── Who gets in ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("who", "path", "status"),
    [
        ("manager", STORE, 200),
        ("manager", OTHER_STORE, 404),  # no role there: as if it did not exist
        ("manager", OFFICE, 404),
        ("manager", "/store/quarry/quarry-1/people", 404),
        ("manager", "/store/harbour/nowhere/people", 404),
        ("manager", "/store/quarry/harbour-1/people", 404),
        ("staff", STORE, 403),  # a role, but not for this
        ("staff", f"{STORE}/keys", 403),
        ("owner", OTHER_STORE, 404),
        ("owner", f"{STORE}/keys", 200),
        ("regional", OTHER_STORE, 200),
        ("marketing", OFFICE, 200),
        ("marketing", STORE, 200),
        ("marketing", f"{STORE}/keys", 403),
        ("head", OFFICE, 200),
        ("head", OTHER_STORE, 200),
        ("head", "/office/quarry/people", 404),
        ("nobody", OFFICE, 404),
        (None, STORE, 303),
        (None, f"{STORE}/keys", 303),
        (None, "/store/harbour/nowhere/people", 303),
    ],
)
def test_the_guard(site, at, who, path, status):
    held = {
        "manager": [("store_manager", at(0, 1))],
        "staff": [("till_staff", at(0, 1))],
        "owner": [("store_owner", at(0, owner=1))],
        "regional": [("regional_manager", at(0, region=True))],
        "marketing": [("head_office_marketing", at(0))],
        "head": [("head_office_manager", at(0))],
        "nobody": [],
    }
    browser = site.browser(site.person(who, *held[who]) if who else None)
    assert browser.get(path).status_code == status


def test_looking_is_not_acting(site, at, manager):
    """Head-office marketing sees the list, but every button's address refuses it."""
    staff = site.user(site.person("staff", ("till_staff", at(0, 1))))
    browser = site.browser(site.person("marketing", ("head_office_marketing", at(0))))
    shown = browser.get(STORE)
    assert "manager@people.example" in shown.text
    assert "Make the invitation" not in shown.text
    person = f"{STORE}/{staff.id}"
    page = browser.get(person).text
    assert "Take back" not in page
    assert "Disable" not in page
    for path, form in (
        (f"{STORE}/invite", {"email": "x@people.example", "name": "X", "role": "till_staff@store"}),
        (f"{person}/link", {}),
        (f"{person}/disable", {}),
        (f"{person}/enable", {}),
        (f"{person}/roles/{staff.id}/take", {}),
        (f"{STORE}/keys", {"name": "x", "scopes": "till.read"}),
    ):
        assert browser.post("/me", path, form).status_code == 403, path
    assert site.user("staff@people.example").roles == staff.roles


# ── Invitations ───────────────────────────────────────────────────────────────────────────


def test_an_invitation_is_handed_on_and_opens_the_store(site, at, manager):
    browser = site.browser(manager)
    answer = invite(browser, STORE, "New@People.example", "till_staff@store")
    assert answer.status_code == 200
    path = handed(answer)
    assert "Invited" in browser.get(STORE).text
    guest = site.browser()
    done = guest.press(path, "Save and sign in", {"name": "Nell", "password": "a long ladder"})
    assert done.location == "/store/harbour/harbour-1/"
    assert guest.get(STORE).status_code == 403
    assert "Nell" in browser.get(STORE).text
    assert "Invited" not in browser.get(STORE).text


@pytest.mark.parametrize(
    "role", ["store_owner@store", "head_office_manager@brand", "till_staff", "king@store", ""]
)
def test_a_role_that_is_not_offered_is_not_given(site, manager, role):
    browser = site.browser(manager)
    offered = re.findall(r'name="role"[^>]*value="([^"]+)"', browser.get(STORE).text)
    assert offered == ["till_staff@store", "store_manager@store"]
    answer = invite(browser, STORE, "new@people.example", role)
    assert answer.status_code == 422
    assert "Choose a role." in answer.text
    assert 'value="new@people.example"' in answer.text  # not typed again


def test_a_bad_address_is_pointed_out(site, manager):
    answer = invite(site.browser(manager), STORE, "not an address", "till_staff@store")
    assert answer.status_code == 422
    assert re.search(r'id="email"[^>]*aria-invalid="true"', answer.text)


def test_a_store_cannot_slip_a_place_into_the_form(site, at, manager):
    browser = site.browser(manager)
    invite(browser, STORE, "new@people.example", "till_staff@store", where="harbour-2")
    assert site.user("new@people.example").roles == {("till_staff", at(0, 1).store_id)}


@pytest.mark.parametrize(
    ("role", "where", "node"),
    [
        ("head_office_marketing@brand", "", {}),
        ("regional_manager@region", "coast", {"region": True}),
        ("store_owner@owner", "owner-2", {"owner": 2}),
        ("store_owner@store", "102", {"store": 2}),
        ("till_staff@store", "harbour-1", {"store": 1}),
    ],
)
def test_head_office_invites_to_any_place_of_the_brand(site, at, head, role, where, node):
    answer = invite(site.browser(head), OFFICE, "new@people.example", role, where=where)
    assert answer.status_code == 200
    expected = at(0, **node)
    assert site.user("new@people.example").roles == {(role.split("@")[0], expected.id)}


@pytest.mark.parametrize("where", ["", "quarry-1", "owner-1"])
def test_head_office_names_a_place_that_exists_in_its_brand(site, head, where):
    answer = invite(
        site.browser(head), OFFICE, "new@people.example", "till_staff@store", where=where
    )
    assert answer.status_code == 422
    assert "is not found in this brand" in answer.text


def test_inviting_somebody_of_elsewhere_hands_out_an_offer(site, at, manager):
    boss = site.person("boss", ("head_office_manager", at(1)))
    browser = site.browser(manager)
    answer = invite(browser, STORE, boss, "till_staff@store")
    path = handed(answer)
    assert "whoever has an account signs in first" in answer.text
    assert "Quarry" not in browser.get(STORE).text  # nor does it tell where they work
    assert site.user(boss).roles == {("head_office_manager", at(1).brand_id)}
    # The manager, holding the link, gets nothing from it.
    assert site.browser().post("/signin", path, {"password": "taken over!"}).status_code == 303
    assert browser.post("/me", path, {"password": "taken over!"}).status_code == 404
    their = site.browser(boss)  # the password is as it was
    assert their.press(path, "Accept").status_code == 303
    assert ("till_staff", at(0, 1).store_id) in site.user(boss).roles


def test_an_offer_is_taken_back(site, at, manager):
    boss = site.person("boss", ("head_office_manager", at(1)))
    browser = site.browser(manager)
    path = handed(invite(browser, STORE, boss, "till_staff@store"))
    listed = browser.get(STORE).text
    assert "link runs out on" in listed and "by manager" in listed.lower()
    (again,) = re.findall(r'action="([^"]+/renew)"', listed)
    newer = handed(browser.press(STORE, "New link"))
    assert site.browser(boss).get(path).status_code == 404
    assert site.browser(boss).get(newer).status_code == 200
    (asked,) = re.findall(r'href="([^"]+/withdraw)"', browser.get(STORE).text)
    assert again != asked and boss in browser.get(asked).text
    assert browser.press(asked, "Take the invitation back").status_code == 303
    assert site.browser(boss).get(newer).status_code == 404
    assert "not here yet" not in browser.get(STORE).text


def test_an_invitation_of_somebody_new_is_renewed_and_taken_back(site, at, manager):
    browser = site.browser(manager)
    first = handed(invite(browser, STORE, "new@harbour.example", "till_staff@store"))
    with time_machine.travel(clock.now() + timedelta(days=8), tick=True):
        browser = site.browser(manager)
        assert "link ran out on" in browser.get(STORE).text
        newer = handed(browser.press(STORE, "New link"))
        assert "link runs out on" in browser.get(STORE).text
        assert site.browser().get(first).status_code == 404
        assert site.browser().get(newer).status_code == 200
        (asked,) = re.findall(r'href="([^"]+/withdraw)"', browser.get(STORE).text)
        assert "new@harbour.example" in browser.get(asked).text
        assert browser.press(asked, "Take the invitation back").status_code == 303
        assert site.browser().get(newer).status_code == 404
        assert "new@harbour.example" not in browser.get(STORE).text


def test_only_the_places_own_offers_are_taken_back(site, at, manager, head):
    boss = site.person("boss", ("head_office_manager", at(1)))
    there = site.browser(site.person("there", ("store_manager", at(0, 2))))
    invite(there, OTHER_STORE, boss, "till_staff@store")
    (path,) = re.findall(r'href="([^"]+/withdraw)"', there.get(OTHER_STORE).text)
    foreign = path.replace("harbour-2", "harbour-1")
    for one in (foreign, foreign.replace("/withdraw", "/renew")):
        assert site.browser(manager).post("/me", one).status_code == 404
    assert site.browser(manager).get(foreign).status_code == 404
    assert "not here yet" in there.get(OTHER_STORE).text


# ── Roles and accounts ────────────────────────────────────────────────────────────────────


def test_a_role_is_taken_back_and_ends_with_the_next_click(site, at, manager):
    pat = site.person("pat", ("till_staff", at(0, 1)), ("store_manager", at(0, 1)))
    theirs = site.browser(pat)
    assert theirs.get(STORE).status_code == 200
    page = f"{STORE}/{site.user(pat).id}"
    browser = site.browser(manager)
    for _each in range(2):
        assert browser.press(page, "Take back").status_code == 303
    assert site.user(pat).roles == set()
    assert theirs.get(STORE).status_code == 404
    assert browser.get(page).status_code == 404


def test_a_grant_of_another_store_is_not_taken_through_ones_own(site, at, manager):
    pat = site.person("pat", ("till_staff", at(0, 1)), ("till_staff", at(0, 2)))
    there = site.browser(site.person("there", ("store_manager", at(0, 2))))
    user = site.user(pat)
    (path,) = re.findall(r'action="([^"]+/take)"', there.get(f"{OTHER_STORE}/{user.id}").text)
    foreign = path.replace("harbour-2", "harbour-1")
    assert site.browser(manager).post("/me", foreign).status_code == 404
    assert site.browser(manager).post("/me", path).status_code == 404
    assert site.user(pat).roles == user.roles


def test_people_of_elsewhere_have_no_page_here(site, at, manager, head):
    for name, where in (("near", at(0, 2)), ("far", at(1, 1))):
        user = site.user(site.person(name, ("till_staff", where)))
        assert site.browser(manager).get(f"{STORE}/{user.id}").status_code == 404
    far = site.user("far@people.example")
    browser = site.browser(head)
    assert browser.get(f"{OFFICE}/{far.id}").status_code == 404
    for verb in ("link", "disable", "enable"):
        assert browser.post("/me", f"{OFFICE}/{far.id}/{verb}").status_code == 404
    near = site.user("near@people.example")
    assert browser.get(f"{OFFICE}/{near.id}").status_code == 200


def test_what_somebody_holds_in_another_brand_is_not_shown(site, at, head):
    both = site.user(site.person("both", ("till_staff", at(0, 1)), ("store_owner", at(1, owner=1))))
    page = site.browser(head).get(f"{OFFICE}/{both.id}").text
    assert "Till staff" in page
    assert "Store owner" not in page
    assert "beyond your reach" in page
    assert "new password" not in page


def test_an_account_with_roles_beyond_reach_is_not_reset_or_disabled(site, at, head, manager):
    boss = site.user(head)
    both = site.user(site.person("both", ("till_staff", at(0, 1)), ("till_staff", at(1, 1))))
    browser = site.browser(manager)
    for user in (boss, both):
        for verb in ("link", "disable"):
            answer = browser.post("/me", f"{STORE}/{user.id}/{verb}")
            assert answer.status_code == 403, (user.name, verb)
    assert not site.user(head).disabled
    assert site.browser(head).get(OFFICE).status_code == 200


def test_a_new_password_by_a_link_from_the_manager(site, at, manager):
    pat = site.person("pat", ("till_staff", at(0, 1)))
    browser = site.browser(manager)
    page = f"{STORE}/{site.user(pat).id}"
    path = handed(browser.press(page, "Make a link for a new password"))
    done = site.browser().press(path, "Save and sign in", {"password": "a long ladder"})
    assert done.status_code == 303
    site.browser(pat, "a long ladder")


def test_disabling_signs_out_and_enabling_lets_in_again(site, at, manager):
    pat = site.person("pat", ("till_staff", at(0, 1)))
    theirs, browser = site.browser(pat), site.browser(manager)
    page = f"{STORE}/{site.user(pat).id}"
    assert browser.press(page, "Disable the account").status_code == 303
    assert theirs.get("/me").status_code == 303
    assert "Disabled" in browser.get(STORE).text
    assert browser.press(page, "Enable the account").status_code == 303
    site.browser(pat)


def test_one_cannot_disable_oneself(site, manager):
    me = site.user(manager)
    browser = site.browser(manager)
    page = f"{STORE}/{me.id}"
    assert "This is you" in browser.get(page).text
    assert browser.post("/me", f"{page}/disable").status_code == 403


def test_the_last_head_office_manager_stays(site, at, head):
    me, browser = site.user(head), site.browser(head)
    page = f"{OFFICE}/{me.id}"
    answer = browser.press(page, "Take back")
    assert answer.status_code == 409
    assert "without a head-office manager" in answer.text
    site.person("second", ("head_office_manager", at(0)))
    assert browser.press(page, "Take back").status_code == 303
    assert browser.get(OFFICE).status_code == 404


def test_head_office_finds_a_stores_people_by_name_but_not_another_brands(site, at, head):
    site.person("walter", ("till_staff", at(0, 2)))
    site.person("wanda", ("till_staff", at(1, 1)))
    browser = site.browser(head)
    assert "walter@" not in browser.get(OFFICE).text
    found = browser.get(OFFICE, query_string={"q": "wa"}).text
    assert "walter@" in found
    assert "wanda@" not in found
    assert "Nobody with" in browser.get(OFFICE, query_string={"q": "%_\0"}).text


def test_names_are_shown_as_text(site, at, manager):
    pat = site.person("pat", ("till_staff", at(0, 1)))
    site.browser(pat).press(
        "/me", "Save", {"name": "<script>x</script>", "locale": "en", "theme": "light"}
    )
    assert "<script>x" not in site.browser(manager).get(STORE).text


# ── API keys ──────────────────────────────────────────────────────────────────────────────

KEYS = f"{STORE}/keys"


def make_key(browser, page=KEYS, **more):
    form = {"name": "Counter 7", "scopes": ["till.read", "till.write"], **more}
    return browser.press(page, "Make the key", form)


def find(site, token):
    with site.tenancy.control() as s:
        return keys.find_key(s, token)


def test_a_key_is_shown_once_and_works_for_this_store(site, at, manager):
    browser = site.browser(manager)
    answer = make_key(browser)
    token = handed(answer, "key")
    assert answer.headers["Cache-Control"] == "no-store"
    holder = find(site, token)
    assert holder.store_id == at(0, 1).store_id
    assert holder.scopes == {"till.read", "till.write"}
    secret = token.split("_", 2)[2]
    for page in (KEYS, f"{KEYS}/{holder.id}"):
        assert secret not in browser.get(page).text
    assert "Counter 7" in browser.get(KEYS).text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": ""}, "Name the till"),
        ({"scopes": []}, "Choose at least one thing"),
        ({"scopes": ["everything"]}, "Choose at least one thing"),
        ({"expires": "soon"}, "Write the day as"),
        ({"expires": "9999-12-31"}, "Write the day as"),
        ({"expires": "2020-01-01"}, "still to come"),
    ],
)
def test_a_wrong_form_makes_no_key(site, manager, form, words):
    browser = site.browser(manager)
    answer = make_key(browser, **form)
    assert answer.status_code == 422
    assert words in answer.text
    assert "No API key yet" in browser.get(KEYS).text


def test_a_key_is_replaced_and_revoked(site, manager):
    browser = site.browser(manager)
    old = handed(make_key(browser), "key")
    page = f"{KEYS}/{find(site, old).id}"
    new = handed(browser.press(page, "Replace by a new key"), "key")
    assert find(site, old) is not None
    assert find(site, new) is not None
    assert browser.press(page, "Revoke now").status_code == 303
    assert find(site, old) is None
    assert find(site, new) is not None
    assert "Revoke now" not in browser.get(page).text


def test_another_stores_key_is_not_found(site, at, manager):
    there = site.browser(site.person("there", ("store_manager", at(0, 2))))
    token = handed(make_key(there, f"{OTHER_STORE}/keys"), "key")
    key = find(site, token)
    browser = site.browser(manager)
    assert "Counter 7" not in browser.get(KEYS).text
    assert browser.get(f"{KEYS}/{key.id}").status_code == 404
    for verb in ("rotate", "revoke"):
        assert browser.post("/me", f"{KEYS}/{key.id}/{verb}").status_code == 404
        assert browser.post("/me", f"{OTHER_STORE}/keys/{key.id}/{verb}").status_code == 404
    assert find(site, token) is not None


def test_head_office_makes_no_key_to_customers_that_are_not_its_own(site, at):
    page = "/store/quarry/quarry-1/people/keys"
    head = site.browser(site.person("qhead", ("head_office_manager", at(1))))
    shown = head.get(page)
    assert shown.status_code == 200
    assert 'value="till.read"' not in shown.text
    answer = make_key(head, page)
    assert answer.status_code == 403
    owner = site.browser(site.person("qowner", ("store_owner", at(1, owner=1))))
    token = handed(make_key(owner, page), "key")
    rotated = head.post("/me", f"{page}/{find(site, token).id}/rotate")
    assert rotated.status_code == 403
    # Ending it, though, is in head office's hands: a leaked key must die.
    assert head.press(f"{page}/{find(site, token).id}", "Revoke now").status_code == 303
    assert find(site, token) is None


def test_the_last_day_of_a_key_is_a_day_in_the_store(site, manager):
    browser = site.browser(manager)
    token = handed(make_key(browser, expires="2099-07-01"), "key")
    with site.tenancy.control() as s:
        row = s.get(keys.ApiKey, find(site, token).id)
    assert row.expires_at.isoformat() == "2099-07-01T23:00:00+00:00"  # midnight in London
    assert GOOD


def test_what_a_tool_adds_to_permissions_is_said_in_the_readers_language(site, manager):
    browser = site.browser(manager)
    browser.post("/me", "/choose/language/zh_Hans", {"next": "/"})
    page = browser.get(KEYS)
    assert "发放和收回奖品" in page.text
    assert "Hand over rewards" not in page.text
