"""Pages of webhooks in a real browser: nothing serious for axe, nothing wider than the screen.

Screenshots go to the folder that HIGHSTREET_SCREENSHOTS names, so that somebody can look at them.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe

from highstreet.webhooks import again, queries, subscriptions
from highstreet.webhooks.models import WebhookDelivery

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_module", ["sqlite"], indirect=True),
]
SHOTS = os.environ.get("HIGHSTREET_SCREENSHOTS")
LONG = "https://hooks.crm-of-a-very-long-name.example.com/incoming/4f0c/highstreet?tenant=harbour"


def listens(s: Any, name: str, url: str = "https://crm.example/in") -> Any:
    kinds = ["tool.switched", "customer.enrolled", "points_club.earned"]
    return subscriptions.subscribe(s, name=name, url=url, events=kinds).webhook


def fill(s: Any) -> Any:
    """Webhooks in each state, one with messages in each state; gives that one's id and its id that
    was switched off."""
    busy = listens(s, "Newsletter service", LONG)
    listens(s, "Screen in the window")
    off = listens(s, "CRM")
    for answer in (
        {"status": "sent", "attempts": 1, "answer_status": 204, "took_ms": 41},
        {"status": "failed", "attempts": 10, "answer": "No answer in time.", "took_ms": 15000},
        {"status": "pending", "attempts": 3, "answer_status": 503, "answer": "<h1>Away</h1> " * 16},
    ):
        for hook in (busy, off):
            one = again.test(s, hook.id)
            s.execute(sa.update(WebhookDelivery).where(WebhookDelivery.id == one).values(**answer))
    subscriptions.rotate(s, busy.id)
    subscriptions.pause(s, subscriptions.get(s, listens(s, "Spreadsheet").id).id)
    subscriptions.disable(s, off, "failing")
    return busy.id, off.id


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_every_page_is_accessible_and_keeps_to_its_width(
    club: Any, windows: Any, width: int, language: str
) -> None:
    shopkeeper = str(club.site.person("dana", ("store_owner", club.node(0, 0))))
    head = str(club.site.person("imke", ("head_office_manager", club.node(0))))
    with club.session(0, write=True) as s:
        busy, off = fill(s)
    with club.office(0, write=True) as s:
        office_busy, office_off = fill(s)
    store, office = club.store(0), club.head(0)
    theme = "dark" if (width == 390) is (language == "en") else "light"
    found = []
    for who, first, root, ids in (
        (shopkeeper, store, f"{store}/webhooks", (busy, off)),
        (head, office, f"{office}/webhooks", (office_busy, office_off)),
    ):
        page = windows(who, width=width, theme=theme, language=language)
        pages = {
            "first": f"{first}/",
            "list": root,
            "one": f"{root}/{ids[0]}",
            "off": f"{root}/{ids[1]}",
            "delete": f"{root}/{ids[0]}/delete",
        }
        face = "store" if first == store else "office"
        for name, path in [*pages.items(), ("secret", "")]:
            if path:
                page.goto(path)
            else:
                page.goto(f"{root}/{ids[0]}")
                page.locator(f'form[action$="{ids[0]}/rotate"] button').click()
                page.wait_for_selector("#secret")
            found += [
                f"{face} {name}: {wrong['id']} {wrong['nodes'][0]['target']}"
                for wrong in Axe().run(page).response["violations"]
                if wrong["impact"] in ("serious", "critical")
            ]
            if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
                found.append(f"{face} {name} is too wide")
            if SHOTS:
                Path(SHOTS).mkdir(parents=True, exist_ok=True)
                shot = Path(SHOTS) / f"{face}-{name}-{width}-{theme}-{language}.png"
                page.screenshot(path=str(shot), full_page=True)
    assert found == []


def test_the_icon_in_the_menu_is_one_that_there_is(club: Any, windows: Any) -> None:
    shopkeeper = str(club.site.person("dana", ("store_owner", club.node(0, 0))))
    page = windows(shopkeeper)
    page.goto(f"{club.store(0)}/webhooks")
    missing = page.evaluate(
        "[...document.querySelectorAll('use')].map(u => u.getAttribute('href'))"
        ".filter(h => !document.querySelector(h))"
    )
    assert missing == []


def test_a_webhook_is_made_and_brought_back_by_clicks(club: Any, windows: Any) -> None:
    shopkeeper = str(club.site.person("dana", ("store_owner", club.node(0, 0))))
    page = windows(shopkeeper, width=390)
    page.goto(f"{club.store(0)}/webhooks")
    page.fill("#name", "CRM")
    page.fill("#url", "https://crm.example/in")
    page.check("#event-points_club-earned")
    page.click("text=Make the webhook")
    assert page.input_value("#secret").startswith("whsec_")
    page.click("text=Done, on to the webhook")
    page.click("text=Send a test")
    assert "A test is on its way" in page.locator("main").inner_text()
    with club.session(0, write=True) as s:
        [row] = queries.listed(s)
        subscriptions.disable(s, row, "gone")
    page.goto(f"{club.store(0)}/")
    page.click("text=Switch it on and send again")
    assert "On again. 1 message is sent now." in page.locator("main").inner_text()
