"""The page of who did what: deeds in the consoles stand there, for whoever may see them."""

import csv
import html
import io

from highstreet.customers import service as customers
from highstreet.host import policy, settings

OFFICE, STORE = "/office/harbour/trail/", "/store/harbour/harbour-1/trail/"
OTHER = "/store/harbour/harbour-2/trail/"


def test_what_is_done_in_the_consoles_stands_in_the_trail(club, manager, owner):
    answer = owner.press(
        "/store/harbour/harbour-1/people/keys",
        "Make the key",
        {"name": "Counter key", "scopes": "till.read"},
    )
    assert answer.status_code == 200, answer.text
    for browser, page in ((owner, STORE), (manager, OFFICE)):
        shown = browser.get(page).text
        assert "API key created" in shown and "Counter key" in shown
        assert "Olga" in shown and "from 127.0.0.1" in shown
        assert "Counter key" not in browser.get(f"{page}?action=till.set_up").text
        assert "Counter key" in browser.get(f"{page}?who=olg&object=counter KEY").text
        assert "Nobody with zz" in browser.get(f"{page}?who=zz").text
        assert "Write the day as" in browser.get(f"{page}?since=tomorrow").text
        assert browser.get(f"{page}?after=x").status_code == 422
    other = club.person("otto", "store_owner", 0, 1)
    assert "Counter key" not in other.get(OTHER).text
    assert other.get(STORE).status_code == 404


def test_a_person_whose_name_fits_two_is_asked_which(club, manager):
    club.person("anna", "till_staff", 0)
    club.person("anton", "till_staff", 0)
    shown = manager.get(f"{OFFICE}?who=an").text
    assert "Which one?" in shown and "Anna" in shown and "Anton" in shown


def test_staff_may_not_read_it(club, clerk):
    assert clerk.get(STORE).status_code == 403
    assert clerk.get(f"{STORE}sign-ins").status_code == 403


def test_it_goes_into_a_file(club, manager):
    with club.office(0, write=True) as s:
        policy.set_policy(s, "points_club", "default_on")
    answer = manager.get("/office/harbour/trail.csv?action=policy.set")
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert answer.mimetype == "text/csv"
    assert {row["object"] for row in rows} >= {"points_club"}
    assert all(row["action"] == "policy.set" for row in rows)


def test_no_customer_is_named_and_an_erasure_leaves_nothing_to_rewrite(club, owner, manager):
    who = club.enrol(0, name="Zaphod Quill", email="zaphod@people.example")
    page = f"/office/harbour/customers/{who}"
    assert manager.post(page, f"{page}/copy.json").status_code == 200
    with club.site.app.app_context(), club.office(0, write=True) as s:
        customers.erase(s, who, "asked for it")
    shown = manager.get(OFFICE).text
    assert "Customer’s data exported" in shown and "Customer erased" in shown
    assert who.hex[-12:] in shown
    sheet = manager.get("/office/harbour/trail.csv").text
    for text in (shown, sheet):
        assert "Zaphod" not in text and "zaphod@" not in text


def test_a_dry_run_leaves_no_entry(club, manager):
    with club.office(0) as s:
        policy.set_policy(s, "points_club", "default_on", dry_run=True)
    assert "→ on by default" not in manager.get(f"{OFFICE}?action=policy.set").text
    with club.office(0, write=True) as s:
        policy.set_policy(s, "points_club", "default_on")
    assert "→ on by default" in manager.get(f"{OFFICE}?action=policy.set").text


def test_a_change_of_settings_is_told_by_the_labels_of_the_tool(club, owner, manager):
    reward = {"key": "coffee", "name": "Coffee", "points": 80}
    with club.office(0, write=True) as s:
        settings.put(
            s,
            "points_club",
            {"expiry": "days", "expiry_days": 90, "rewards": [reward]},
            lock=["expiry"],
        )
    with club.office(0, write=True) as s:
        settings.put(s, "points_club", {"rewards": [reward | {"points": 100}]}, unlock=["expiry"])
    page = f"{OFFICE}?action=settings.changed"
    shown = html.unescape(manager.get(page).text)
    assert ">Points club</a>" in shown and "expiry" not in shown.split("<tbody>")[1]
    assert "Points lapse: – → so many days later" in shown
    assert "Points lapse: locked for the levels below" in shown
    assert "Points lapse: no longer locked" in shown
    assert "→ Key coffee, What it is called Coffee, Points 80" in shown
    assert "Rewards (Coffee), Points: 80 → 100" in shown
    assert "Level: head office" in shown
    manager.client.set_cookie("hs-language", "zh_Hans", domain="localhost")
    shown = html.unescape(manager.get(page).text)
    assert "不再锁定" in shown and "(Coffee), 积分: 80 → 100" in shown
    assert "expiry" not in shown.split("<tbody>")[1]


def test_a_tool_is_found_by_its_title(club, manager):
    assert "Policy of a tool set" in manager.get(f"{OFFICE}?object=points CLUB").text


def test_without_the_tool_its_settings_are_told_by_their_keys(club, manager):
    with club.office(0, write=True) as s:
        settings.put(s, "points_club", {"expiry_days": 90})
    club.site.house.host.plugins.pop("points_club")
    shown = manager.get(f"{OFFICE}?action=settings.changed").text
    assert "expiry_days: " in shown and "→ 90" in shown
