"""The bar's places: the core's own, then the screens of the tools that are on here."""

from typing import Any

from flask import current_app, request, url_for
from msgspec import Struct, field

from highstreet.host import nav as tool_nav
from highstreet.host import policy, state
from highstreet.host.plugin import Face
from highstreet.i18n import gettext as _
from highstreet.web.current import Place, current
from highstreet.web.icons import tool_icon
from highstreet_tenants.sessions import ScopedSession


class Entry(Struct, frozen=True):
    """One place in the bar. waiting: how many things there need somebody."""

    label: str
    href: str
    icon: str
    here: bool
    waiting: int = 0


class Nav(Struct):
    """What stands in the bar (`main`), and under More: tools' screens, then lesser places."""

    main: list[Entry] = field(default_factory=list)
    tools: list[Entry] = field(default_factory=list)
    more: list[Entry] = field(default_factory=list)

    @property
    def more_here(self) -> bool:
        """Whether the page at hand is one under More."""
        return any(entry.here for entry in (*self.tools, *self.more))


def build(place: Place) -> Nav:
    """The navigation of the place at hand, for this user. One short reading session."""
    face: Face = "store" if place.store else "office"
    with current.session() as s:
        waiting = _waiting(s, place)
        screens = tool_nav.entries(s, face, current.may, place.store_id)
    nav = Nav()
    for part, endpoint, permission, label, icon in _store() if place.store else _office():
        if current.may(permission) and endpoint in current_app.view_functions:
            entry = _entry(endpoint, label, icon, waiting.get(endpoint, 0))
            (nav.main if part == "main" else nav.more).append(entry)
    for screen in screens:
        nav.tools.append(_entry(screen.endpoint, str(screen.label), tool_icon(screen.icon)))
    nav.more += _own()
    return nav


def _own() -> list[Entry]:
    """The reader's own pages, which belong to no place."""
    user = current.user
    found: list[Entry] = []
    if user is None or user.by_pin:
        return found
    if len(user.grants) > 1:
        found.append(_entry("signin.account.places", _("Your places"), "store"))
    found.append(_entry("signin.account.me", _("Your account"), "staff"))
    return found


def _store() -> list[tuple[str, str, str, str, str]]:
    return [
        ("main", "today.day", "today.view", _("Today"), "today"),
        ("main", "till.find", "till.use", _("Till"), "till"),
        ("main", "customers.search", "customers.read", _("Customers"), "people"),
        ("main", "segments.store_all", "segments.read", _("Segments"), "segments"),
        ("main", "tools.list_all", "tools.view", _("Tools"), "tools"),
        ("main", "results.page", "store.results", _("Results"), "results"),
        ("more", "campaigns.listed", "today.view", _("Campaigns"), "campaign"),
        ("more", "mailings.store_all", "mailings.read", _("Mailings"), "i-mail"),
        ("more", "prints.listed", "print.own", _("Print"), "campaign"),
        ("more", "settings.store", "today.view", _("Settings"), "settings"),
        ("more", "people.store", "people.view", _("People"), "staff"),
        ("more", "tills.listed", "tills.manage", _("Tills"), "till"),
        ("more", "pins.own", "today.view", _("Your PIN"), "staff"),
        ("more", "webhooks.store_all", "webhooks.manage", _("Webhooks"), "webhooks"),
        ("more", "trail.store", "trail.view", _("Who did what"), "staff"),
        ("more", "jobs.store", "jobs.view", _("Jobs"), "jobs"),
    ]


def _office() -> list[tuple[str, str, str, str, str]]:
    return [
        ("main", "office.overview", "office.view", _("Overview"), "today"),
        ("main", "office.stores", "stores.view", _("Stores"), "store"),
        ("main", "office.campaigns", "campaigns.view", _("Campaigns"), "campaign"),
        ("main", "office.tools", "policy.view", _("Tools"), "tools"),
        ("main", "office.results", "results.view", _("Results"), "results"),
        ("more", "club.search", "customers.read", _("Customers"), "people"),
        ("more", "segments.office_all", "segments.office", _("Segments"), "segments"),
        ("more", "mailings.office_all", "mailings.read", _("Mailings"), "i-mail"),
        ("more", "office.contact_rules", "policy.view", _("Contact rules"), "policy"),
        ("more", "office.prints", "print.view", _("Print designs"), "campaign"),
        ("more", "office.approvals", "policy.view", _("Approvals"), "approval"),
        ("more", "office.settings", "office.view", _("Settings"), "settings"),
        ("more", "people.office", "people.view", _("People"), "staff"),
        ("more", "office.email", "email.view", _("E-mail to members"), "i-mail"),
        ("more", "webhooks.office_all", "webhooks.office", _("Webhooks"), "webhooks"),
        ("more", "trail.office", "trail.view", _("Who did what"), "staff"),
        ("more", "jobs.office", "jobs.view", _("Jobs"), "jobs"),
    ]


def _entry(endpoint: str, label: str, icon: str, waiting: int = 0) -> Entry:
    href = url_for(endpoint, **_arguments(endpoint))
    return Entry(label, href, icon, _here(endpoint, href), waiting)


def _arguments(endpoint: str) -> dict[str, Any]:
    wanted = {name for rule in current_app.url_map.iter_rules(endpoint) for name in rule.arguments}
    return {name: value for name, value in current.place.slugs.items() if name in wanted}


def _here(endpoint: str, href: str) -> bool:
    """The page itself, or a page of the same part of the console beneath its address."""
    path = request.path
    if path == href:
        return True
    home = endpoint in ("today.day", "office.overview")
    return not home and path.startswith(href.rstrip("/") + "/")


def _waiting(s: ScopedSession, place: Place) -> dict[str, int]:
    """How many things wait for somebody, by endpoint."""
    if place.store is not None:
        return {"tools.list_all": state.halted(s, place.store_id)}
    return {"office.tools": len(policy.waiting(s))}
