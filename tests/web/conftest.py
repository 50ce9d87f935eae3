"""A franchise with people in it, seen through a browser: whole application, both databases."""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants import clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, logins, pins, tills
from highstreet_tenants.people.logins import Visit
from highstreet_tenants.people.passwords import passwords
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Browser, Site

CHROMIUM = os.environ.get("HIGHSTREET_CHROMIUM", "/usr/bin/chromium")
CLUB = "points_club"
PROGRAMME = {
    "rewards": [
        {"key": "coffee", "name": "Coffee", "points": 10},
        {"key": "lunch", "name": "Lunch for two", "points": 50},
    ]
}


@dataclass
class Front:
    """Two brands, "harbour" (one club) and "quarry" (each store its own customers), and who works
    there. `browsers` are signed in by role: clerk, owner, head; each at the first store or brand.
    """

    site: Site
    brands: list[Any]

    def scope(self, brand: int, store: int = 0) -> Scope:
        it = self.brands[brand]
        return Scope.store(it.id, it.stores[store].id)

    def session(self, brand: int, store: int = 0, write: bool = False) -> Any:
        return self.site.tenancy.session(self.scope(brand, store), write=write)

    def office(self, brand: int, write: bool = False) -> Any:
        with self.site.tenancy.control() as c:
            row = c.get_one(Brand, self.brands[brand].id)
        return self.site.tenancy.session(Scope.brand(row), write=write)

    def node(self, brand: int, store: int | None = None) -> Node:
        it = self.brands[brand]
        with self.site.tenancy.session(Scope.operator(it.id)) as s:
            row = s.get_one(Brand, it.id)
            shop = None if store is None else s.get_one(Store, (it.id, it.stores[store].id))
            return Node.of(row, shop)

    def person(self, name: str, role: str, brand: int, store: int | None = 0) -> Browser:
        """A browser signed in as somebody new with a role."""
        email = self.site.person(name, (role, self.node(brand, store)))
        return self.site.browser(email)

    def store(self, brand: int, store: int = 0) -> str:
        """Address of a store's console."""
        it = self.brands[brand]
        return f"/store/{it.slug}/{it.stores[store].slug}"

    def head(self, brand: int) -> str:
        """Address of a head office's console."""
        return f"/office/{self.brands[brand].slug}"

    def enrol(self, brand: int, store: int = 0, **who: Any) -> UUID:
        with self.session(brand, store, write=True) as s:
            return customers.enrol(s, **who).id

    def buy(
        self,
        brand: int,
        customer: UUID | None,
        minor: int,
        ref: str,
        store: int = 0,
        at: Any = None,
    ) -> UUID:
        it = self.brands[brand].stores[store]
        given = PurchaseIn(it.id, ref, at or clock.now(), minor, "GBP", customer_id=customer)
        with self.session(brand, store, write=True) as s:
            return purchases.record(s, given).purchase.id


@pytest.fixture
def front(app: Any, two_brands: list[Any]) -> Front:
    """The application with two brands; no tool is on."""
    return Front(Site(app), two_brands)


@pytest.fixture
def club(front: Front) -> Iterator[Front]:
    """The same with the points club required in both brands: a point for each whole pound."""
    for number in range(2):
        with front.office(number, write=True) as s:
            policy.set_policy(s, CLUB, "required")
            settings.put(s, CLUB, PROGRAMME)
    yield front


@pytest.fixture
def clerk(front: Front) -> Browser:
    """Till staff of harbour's first store."""
    return front.person("clara", "till_staff", 0)


@pytest.fixture
def owner(front: Front) -> Browser:
    """Owner of harbour's first store."""
    return front.person("olga", "store_owner", 0)


@pytest.fixture
def shopkeeper(front: Front) -> Browser:
    """Owner of quarry's first store, where customers are the store's."""
    return front.person("sam", "store_owner", 1)


@pytest.fixture
def manager(front: Front) -> Browser:
    """Head-office manager of harbour."""
    return front.person("hana", "head_office_manager", 0, None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"there is no Chromium at {CHROMIUM}")
        pytest.skip(f"there is no Chromium at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def served(app_module: Any) -> Iterator[str]:
    """The application on a port of its own."""
    server = make_server("127.0.0.1", 0, app_module, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def windows(chromium: Chromium, served: str, club: Any) -> Iterator[Any]:
    """Opens pages: `windows(email, width=…, theme=…, language=…, scripts=…, till=…)`."""
    opened = []

    def open_one(
        email: str | None = None,
        *,
        till: str | None = None,
        width: int = 1280,
        theme: str = "light",
        language: str = "en",
        scripts: bool = True,
    ) -> Page:
        context = chromium.new_context(
            base_url=served,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            has_touch=width < 600,
        )
        opened.append(context)
        cookies = {"hs-theme": theme, "hs-language": language}
        if till is not None:
            cookies["hs-till"] = till
        if email is not None:
            with club.site.tenancy.control(write=True) as c:
                user = accounts.find_user(c, email)
                cookies["hs-session"] = logins.start_session(c, user, Visit("127.0.0.1", "x")).token
        context.add_cookies([{"name": n, "value": v, "url": served} for n, v in cookies.items()])
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
        return page

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def counter(club: Any) -> str:
    """A till of harbour's first store, as its cookie: Dana's PIN is 4071, Milo's 5082."""
    site, node = club.site, club.node(0, 0)
    config = site.house.config
    made = pins.Pins(passwords(config["password_hasher"]), config["secret_key"])
    for name, role, pin in (("dana", "store_owner", "4071"), ("milo", "till_staff", "5082")):
        email = site.person(name, (role, node))
        with site.tenancy.control(write=True) as c:
            started = logins.start_session(c, accounts.find_user(c, email), Visit("", ""))
            own = logins.find_person(c, started.token)
        pins.set_pin(site.tenancy, made, node, own.id, pin, by=own, catalogue=site.catalogue)
    with site.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        return tills.set_up(c, node, "Till 2", 120, by=own).token
