"""The consoles in a real browser: keys, a scanner, no scripts, every width, theme and language.

Screenshots go to the folder that HIGHSTREET_SCREENSHOTS names, so that somebody can look at them.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.customers import service
from highstreet.host import faults, policy
from highstreet.mailings import drafting
from highstreet.mailings.facts import MailingIn
from highstreet.members import links
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants import clock
from highstreet_tenants.models import Brand

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_module", ["sqlite"], indirect=True),
]
SHOTS = os.environ.get("HIGHSTREET_SCREENSHOTS")
#: Who looks at a screen: nobody yet, at the till.
LOCKED = "a locked till"


@pytest.fixture
def clara(club: Any) -> str:
    """E-mail of till staff at harbour's first store."""
    return str(club.site.person("clara", ("till_staff", club.node(0, 0))))


class Keys:
    """A keyboard that counts."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.pressed = 0

    def press(self, *names: str) -> None:
        for name in names:
            self.page.keyboard.press(name)
            self.pressed += 1

    def go(self, name: str) -> None:
        """Press a key that leads to another page."""
        with self.page.expect_navigation():
            self.press(name)

    def type(self, text: str) -> None:
        """As a hand types: slower than a scanner."""
        self.page.keyboard.type(text, delay=45)
        self.pressed += len(text)


def big(page: Page) -> str:
    return page.locator(".hs-big").inner_text()


def test_a_till_is_run_by_keys_alone(club: Any, windows: Any, clara: str) -> None:
    """Enrol, earn, next customer, find, redeem, undo: no mouse, and few strokes."""
    page = windows(clara)
    page.goto(f"{club.store(0)}/till/")
    keys = Keys(page)
    keys.go("F3")
    keys.type("Tobias Wren")
    keys.press("Tab")
    keys.type("07700900142")
    keys.go("Enter")
    assert page.locator("#member").inner_text() == "Tobias Wren"
    enrolled = keys.pressed
    keys.type("12.40")
    expect(page.locator("[data-hs-preview] button")).to_contain_text("Give 12 points")
    keys.go("Enter")
    assert big(page) == "12"
    assert page.evaluate("document.activeElement.id") == "find", "ready for the next scan"
    earned = keys.pressed - enrolled
    keys.go("Escape")
    keys.type("tob")
    keys.go("Enter")
    keys.press("F4")
    keys.go("1")
    assert big(page) == "2"
    assert "Coffee" in page.locator(".hs-notice-good").inner_text()
    keys.go("F9")
    assert big(page) == "12"
    assert enrolled <= 26, "F3, a name, Tab, a phone number, Enter"
    assert earned <= 6, "an amount and Enter"
    assert keys.pressed <= 41


def test_digits_never_redeem_while_an_amount_is_typed(club: Any, windows: Any, clara: str) -> None:
    maren = club.enrol(0, name="Maren", card="40712286")
    club.buy(0, maren, 6000, "r-1")
    page = windows(clara)
    page.goto(f"{club.store(0)}/till/{maren}")
    Keys(page).type("11.20")
    assert page.locator("#amount").input_value() == "11.20"
    assert big(page) == "60"
    page.locator("body").click(position={"x": 5, "y": 500})
    Keys(page).type("2")
    assert page.locator("#find").input_value() == "2", "a digit without a field is a search"
    assert big(page) == "60"


def test_a_scan_finds_the_member_wherever_the_focus_is(club: Any, windows: Any, clara: str) -> None:
    first = club.enrol(0, name="Maren", card="40712286")
    club.enrol(0, name="Priya", card="40719999")
    page = windows(clara)
    page.clock.install()
    page.goto(f"{club.store(0)}/till/{first}")
    page.clock.pause_at(clock.now() + timedelta(hours=1))  # keys come as fast as we say
    for key in "5.0":
        page.keyboard.press(key)
        page.clock.run_for(80)
    with page.expect_navigation():
        page.keyboard.type("40719999")
        page.keyboard.press("Enter")
    assert page.locator("#member").inner_text() == "Priya"
    with club.session(0) as s:
        from highstreet.purchases import queries

        assert queries.of_customer(s, first) == [], "the scan's Enter gave nobody points"


def test_a_scan_after_f4_finds_the_next_member_and_redeems_nothing(
    club: Any, windows: Any, clara: str
) -> None:
    """A card's number begins with a digit, and a digit alone takes a reward from the list."""
    maren = club.enrol(0, name="Maren", card="40712286")
    club.enrol(0, name="Priya", card="10719999")
    club.buy(0, maren, 6000, "r-1")
    page = windows(clara)
    page.clock.install()
    page.goto(f"{club.store(0)}/till/{maren}")
    page.clock.pause_at(clock.now() + timedelta(hours=1))
    page.keyboard.press("F4")
    page.clock.run_for(200)
    with page.expect_navigation():
        page.keyboard.type("10719999")
        page.keyboard.press("Enter")
    assert page.locator("#member").inner_text() == "Priya"
    assert "redeemed" not in page.locator("aside").inner_text()


def test_namesakes_are_told_apart_and_taken_by_one_key(club: Any, windows: Any, clara: str) -> None:
    for number in range(1, 4):
        club.enrol(0, name="Maren Lind", card=f"4071228{number}")
    page = windows(clara)
    page.goto(f"{club.store(0)}/till/?q=mar")
    said = page.locator("main li").filter(has_text="Card •••").all_inner_texts()
    assert len(set(said)) == 3
    keys = Keys(page)
    keys.press("ArrowDown", "ArrowDown", "ArrowUp")
    keys.go("3")
    assert page.locator("#member").inner_text() == "Maren Lind"
    assert said[2].split("•••")[1][:4] in page.locator("article").inner_text().replace(" ", "")


def test_a_second_press_of_the_same_button_does_nothing(
    club: Any, windows: Any, clara: str
) -> None:
    maren = club.enrol(0, name="Maren")
    page = windows(clara)
    page.goto(f"{club.store(0)}/till/{maren}")
    page.fill("#amount", "8")
    with page.expect_navigation():
        page.evaluate(
            "const b = document.querySelector('[data-hs-preview] button'); b.click(); b.click()"
        )
    assert big(page) == "8"


def test_staff_change_at_the_till_in_six_strokes(club: Any, windows: Any, counter: str) -> None:
    """Lock, PIN, Enter: no mouse; points are given in the name of whoever is there now."""
    maren = club.enrol(0, name="Maren")
    page = windows(till=counter)
    page.goto(f"{club.store(0)}/till/{maren}")
    keys = Keys(page)
    keys.type("5082")
    keys.go("Enter")
    assert page.locator("#member").inner_text() == "Maren", "back where the till was locked"
    assert "Milo, Till 2" in page.locator(".hs-who").inner_text()
    before = keys.pressed
    keys.go("F8")
    assert page.locator("h1").inner_text() == "Till locked"
    assert "Maren" not in page.content().replace(f"{maren}", "")
    keys.type("4071")
    keys.go("Enter")
    assert keys.pressed - before == 6
    keys.type("12.40")
    keys.go("Enter")
    assert "£12.40 paid · Dana" in page.locator("aside").inner_text()


def test_a_till_that_nobody_touches_locks_itself(club: Any, windows: Any, counter: str) -> None:
    page = windows(till=counter)
    page.goto("/signin")
    page.clock.install()
    Keys(page).type("5082")
    Keys(page).go("Enter")
    page.clock.run_for(110_000)
    page.keyboard.press("a")
    page.clock.run_for(110_000)
    assert "/till/" in page.url, "a touch in between kept it open"
    with page.expect_navigation():
        page.clock.run_for(11_000)
    assert page.locator("h1").inner_text() == "Till locked"
    page.go_back()
    assert page.locator("h1").inner_text() == "Till locked", "the page before is not there to see"


def test_while_the_line_is_down_the_till_stays_and_says_what_to_do(
    club: Any, windows: Any, counter: str
) -> None:
    maren = club.enrol(0, name="Maren")
    page = windows(till=counter)
    page.goto(f"{club.store(0)}/till/{maren}")
    Keys(page).type("5082")
    Keys(page).go("Enter")
    page.context.set_offline(True)
    expect(page.get_by_text("Go on selling")).to_be_visible()
    keys = Keys(page)
    keys.type("12.40")
    keys.press("Enter", "F3", "Escape")
    page.click("text=Late entries")
    assert page.locator("#member").inner_text() == "Maren", "no error page took its place"
    assert page.locator("#amount").input_value() == "12.40"
    keys.press("F8")
    expect(page.locator("#member")).to_be_hidden()
    with page.expect_navigation():
        page.context.set_offline(False)
    assert page.locator("h1").inner_text() == "Till locked"
    keys.type("5082")
    keys.go("Enter")
    assert page.locator("#amount").input_value() == "12.40", "the sale goes on where it was"
    page.context.set_offline(True)
    keys.press("Enter")
    page.context.set_offline(False)
    expect(page.locator("#amount")).to_be_focused()
    keys.go("Enter")
    assert big(page) == "12"


def test_everything_works_without_scripts(
    club: Any, windows: Any, clara: str, counter: str
) -> None:
    page = windows(clara, scripts=False)
    page.goto(f"{club.store(0)}/till/")
    page.click("text=Enrol new member")
    page.fill("#name", "Joss Ardley")
    page.click("button:has-text('Enrol')")
    page.fill("#amount", "15.00")
    page.click("button:has-text('Give points')")
    assert big(page) == "15"
    page.click("button:has-text('Coffee')")
    assert big(page) == "5"
    page.click("button:has-text('Undo')")
    assert big(page) == "15"
    page.click("summary")
    assert page.locator(".hs-more a", has_text="Settings").is_visible()
    page.click(".hs-more button:has-text('中文')")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    shared = windows(till=counter, scripts=False)
    shared.goto("/")
    shared.fill("#pin", "5082")
    shared.click("text=Unlock")
    assert "Milo, Till 2" in shared.locator(".hs-who").inner_text()
    shared.click("text=Lock")
    assert shared.locator("h1").inner_text() == "Till locked"


@pytest.fixture
def pages(club: Any, counter: str) -> dict[str, tuple[str | None, str]]:
    """Every screen with something on it: name → (who looks, address)."""
    club.site.person("imke", ("head_office_manager", club.node(0)))
    with club.site.tenancy.control(write=True) as c:
        c.get_one(Brand, club.brands[0].id).accent = "#ffd400"  # as pale as brands get
    ids = [club.enrol(0, name=f"Maren Okafor-Lind {n}", card=f"4071228{n}") for n in range(7)]
    for n, one in enumerate(ids):
        club.buy(0, one, 1240 + n, f"r-{n}")
    with club.session(0, write=True) as s:
        service.merge(s, ids[5], ids[6])
        service.dismiss_pair(s, ids[3], ids[4])
        lives = AddressIn("GB", ("Flat 2", "15 High St"), "Leeds", "LS1 4DY", recipient="c/o Lee")
        for one in ids[:2]:
            addresses.put(s, one, lives)
        addresses.returned(s, ids[0])
    with club.session(0, 1, write=True) as s:
        policy.pause(s, "points_club")
    with club.session(0, write=True) as s:
        faults.record(
            s, faults.of_error("points_club", "member_club", s.store_id, ValueError("no"), 812.0)
        )
    club.site.house.counting.write(everything=True)
    with club.office(0, write=True) as s:
        everybody = picking.save(s, name="Everybody", rule=All()).id
        mailing = drafting.draft(s, MailingIn("Spring", "magazine", "post", everybody))
        drafting.select(s, mailing)
    with club.session(0) as s:
        token = links.make_link(club.site.tenancy, s, ids[0])
    store, office, dana, imke = (
        club.store(0),
        club.head(0),
        "dana@people.example",
        "imke@people.example",
    )
    return {
        "signin": (None, "/signin"),
        "today": (dana, f"{store}/"),
        "till": (dana, f"{store}/till/"),
        "member-in-hand": (dana, f"{store}/till/{ids[0]}"),
        "several": (dana, f"{store}/till/?q=maren"),
        "nobody": (dana, f"{store}/till/?q=0770"),
        "enrol": (dana, f"{store}/till/enrol"),
        "late": (dana, f"{store}/till/late"),
        "customers": (dana, f"{store}/customers/"),
        "customer": (dana, f"{store}/customers/{ids[0]}"),
        "details": (dana, f"{store}/customers/{ids[0]}/details"),
        "address": (dana, f"{store}/customers/{ids[0]}/address"),
        "address-abroad": (dana, f"{store}/customers/{ids[0]}/address?country=CN"),
        "merge": (dana, f"{store}/customers/{ids[0]}/merge/{ids[1]}"),
        "duplicates": (dana, f"{store}/customers/likely"),
        "merged": (dana, f"{store}/customers/{ids[5]}"),
        "erase": (imke, f"{office}/customers/{ids[0]}/erase"),
        "own-results": (dana, f"{store}/results/"),
        "tools": (dana, f"{store}/tools/"),
        "set-up": (dana, f"{store}/tools/points_club/set-up"),
        "faults": (dana, f"{store}/tools/points_club/faults"),
        "health": (dana, f"{store}/tools/points_club/health"),
        "settings": (dana, f"{store}/settings/"),
        "jobs": (dana, f"{store}/jobs/"),
        "tills": (dana, f"{store}/people/tills"),
        "pin": (dana, f"{store}/pin"),
        "staff": (dana, f"{store}/people/{club.site.user('milo@people.example').id}"),
        "locked": (LOCKED, "/signin"),
        "not-found": (dana, f"{store}/nothing"),
        "overview": (imke, f"{office}/"),
        "stores": (imke, f"{office}/stores/"),
        "store": (imke, f"{office}/stores/harbour-1"),
        "office-tools": (imke, f"{office}/tools/"),
        "office-health": (imke, f"{office}/tools/points_club/health"),
        "mailings": (imke, f"{office}/mailings/"),
        "mailing": (imke, f"{office}/mailings/{mailing}"),
        "mailing-approved": (imke, f"{office}/mailings/{mailing}/approve"),
        "mailing-form": (imke, f"{office}/mailings/new"),
        "policy": (imke, f"{office}/tools/points_club/policy"),
        "office-set-up": (imke, f"{office}/tools/points_club/settings"),
        "approvals": (imke, f"{office}/approvals/"),
        "results": (imke, f"{office}/results/"),
        "member-page": (None, f"/m/{token}"),
        "own-address": (None, f"/m/{token}/address?country=IE"),
        "held": (None, f"/m/{token}/held"),
        "statement": (None, f"/m/{token}/t/points_club/statement"),
    }


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(1280, "light", "en"), (390, "dark", "zh_Hans")]
    + ([(390, "light", "en"), (1280, "dark", "zh_Hans")] if SHOTS else []),
)
def test_every_screen_is_accessible_and_keeps_to_its_width(
    pages: Any, windows: Any, counter: str, width: int, theme: str, language: str
) -> None:
    """axe finds nothing serious, nothing is wider than the screen, no rule of the CSP is broken."""
    found: list[str] = []
    by_person: dict[str | None, Page] = {}
    at = ""

    def broken(message: ConsoleMessage) -> None:
        if message.type == "error" and "404" not in message.text:
            found.append(f"{at}: {message.text}")

    for name, (email, path) in pages.items():
        if email not in by_person:
            who = {"till": counter} if email == LOCKED else {"email": email}
            by_person[email] = windows(**who, width=width, theme=theme, language=language)
            by_person[email].on("console", broken)
        page, at = by_person[email], name
        page.goto(path)
        for wrong in Axe().run(page).response["violations"]:
            if wrong["impact"] in ("serious", "critical"):
                found.append(f"{name}: {wrong['id']} {wrong['nodes'][0]['target']}")
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if too_wide > 0:
            found.append(f"{name}: {too_wide} px too wide")
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            shot = Path(SHOTS) / f"{name}-{width}-{theme}-{language}.png"
            page.screenshot(path=str(shot), full_page=True)
    assert found == []


@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_a_merge_is_taken_back_by_clicks(pages: Any, windows: Any, width: int, theme: str) -> None:
    """The dry run stands behind a button, so it is not among the pages above."""
    email, path = pages["merged"]
    page = windows(email, width=width, theme=theme)
    page.goto(path)
    page.click("button:has-text('Take back')")
    assert page.locator("h1").inner_text() == "Make Maren Okafor-Lind 6 a record of its own again"
    wrong = Axe().run(page).response["violations"]
    assert [one["id"] for one in wrong if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.click("text=Take the merge back")
    assert page.locator("h1").inner_text() == "Maren Okafor-Lind 6"
    page.goto(path)
    assert not page.locator("text=Merged into this record").count()


def test_the_page_of_the_api_is_accessible_though_it_is_another_projects(windows: Any) -> None:
    page = windows(width=390)
    page.goto("/api/docs")
    page.locator(".opblock-summary-control").nth(1).click()
    page.wait_for_selector(".opblock-body pre")
    assert [one["id"] for one in Axe().run(page).response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.click("text=Problems that the API names")
    assert page.locator("h1").inner_text() == "Problems that the API names"


def test_at_320_pixels_nothing_is_cut(pages: Any, windows: Any) -> None:
    """WCAG 2.2, 1.4.10: a page at 400 % zoom."""
    found = []
    names = ("member-in-hand", "today", "tools", "overview", "policy", "member-page", "set-up")
    for name in (*names, "own-results", "tills", "pin", "staff"):
        email, path = pages[name]
        page = windows(email, width=320)
        page.goto(path)
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append(name)
    assert found == []


def test_the_skip_link_and_the_focus_are_seen(pages: Any, windows: Any) -> None:
    email, path = pages["tools"]
    page = windows(email)
    page.goto(path)
    page.keyboard.press("Tab")
    skip = page.locator(".hs-skip")
    box = skip.bounding_box()
    assert box is not None
    assert box["y"] >= 0
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_menu_opens_and_closes_by_keys(pages: Any, windows: Any) -> None:
    email, path = pages["today"]
    page = windows(email)
    page.goto(path)
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator(".hs-more a").first.is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".hs-more a").first.is_visible()
