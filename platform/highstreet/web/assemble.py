"""Putting the faces together: static files, guard, pages, tools' screens, error pages."""

from importlib import import_module
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, g, request, send_from_directory, url_for
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from highstreet import i18n
from highstreet.host.access import public
from highstreet.house import House
from highstreet.web import choose, errors, formats, guard, headers, mount, nav
from highstreet.web.current import current
from highstreet.web.flash import FlashCookie
from highstreet_tenants.people.permissions import Catalogue

HERE = Path(__file__).parent
_DAY = 24 * 3600
#: Modules with a blueprint, and its name there.
PAGES = (
    ("assets", "vendor"),
    ("choose", "choose"),
    ("start", "start"),
    ("signin", "signin"),
    ("people", "people"),
    ("pins", "pins"),
    ("tills", "tills"),
    ("trail", "trail"),
    ("store.today", "today"),
    ("store.returns", "till"),
    ("store.tools", "tools"),
    ("store.results", "results"),
    ("store.campaigns", "campaigns"),
    ("store.prints", "prints"),
    ("store.settings", "settings"),
    ("jobs", "jobs"),
    ("webhooks", "webhooks"),
    ("segments.form", "segments"),
    ("mailings.console", "mailings"),
    ("office.console", "office"),
    ("member", "member"),
    ("why", "why"),
    ("unsubscribe", "unsubscribe"),
    ("health", "health"),
)


def init_app(app: Flask, house: House) -> None:
    """See `highstreet.web.init_app`."""
    app.session_interface = FlashCookie()
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # a till's page stays open all day
    app.config.update(
        SESSION_COOKIE_SECURE=str(house.config["base_url"]).startswith("https://"),
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_NAME="hs-flash",
    )
    app.extensions.setdefault("highstreet.catalogue", Catalogue(house.host.permissions()))
    app.register_blueprint(Blueprint("web", __name__, template_folder="templates"))
    app.add_url_rule("/static/<path:filename>", "static", _static)
    csrf = CSRFProtect(app)
    formats.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    for module, name in PAGES:
        app.register_blueprint(getattr(import_module(f"highstreet.web.{module}"), name))
    csrf.exempt(app.blueprints["unsubscribe"])  # its link is the key, and mail programmes press it
    # Pages of one blueprint.
    for part in ("customers", "details", "addresses", "merging", "leaving", "picked", "contacting"):
        customers = import_module(f"highstreet.web.store.{part}").page
    app.register_blueprint(customers, url_prefix="/store/<brand>/<store>/customers")
    # A brand's own club: head office finds, exports and erases too. Where stores own their
    # customers nobody at head office holds the permissions, so these pages open for none.
    app.register_blueprint(customers, url_prefix="/office/<brand>/customers", name="club")
    guard.init_app(app)
    mount.tools(app, house)
    app.context_processor(page_context)


@public("stylesheet, script and icons")
def _static(filename: str) -> Response:
    """Our own static files."""
    return send_from_directory(HERE / "static", filename, max_age=_DAY)


#: Names of `page_context`: a page that is given something else under one of them breaks its frame.
FRAME = frozenset(
    [
        *("place", "console", "at", "user", "may", "nav", "here", "theme"),
        *("languages", "language", "html_lang", "home_href", "accent_href", "signout_href"),
    ]
)


def page_context() -> dict[str, Any]:
    """What every template may use."""
    place = current.place_or_none
    user = current.user
    return {
        "place": place,
        # A member's page belongs to a place too, but its reader has no console to go back to.
        "console": place is not None and "member_id" not in g,
        "at": place.slugs if place else {},
        "user": user,
        "may": current.may,
        "nav": _Nav(),
        "languages": i18n.LANGUAGES,
        "language": i18n.language(),
        "html_lang": i18n.html_lang(),
        "theme": choose.theme(),
        "here": request.full_path.rstrip("?") if request.method == "GET" else request.path,
        "home_href": _home(),
        "accent_href": _accent(),
        "signout_href": _signout(),
    }


class _Nav:
    """The navigation, built when a console's template first asks for it."""

    def __init__(self) -> None:
        self._built: nav.Nav | None = None

    def __getattr__(self, name: str) -> Any:
        if self._built is None:
            self._built = nav.build(current.place)
        return getattr(self._built, name)


def _home() -> str:
    place = current.place_or_none
    if "member_id" in g:
        return url_for("member.card", token=(request.view_args or {})["token"])
    if place is None:
        return "/"
    if place.store is None:
        return url_for("office.overview", **place.slugs)
    ways = (("today.view", "today.day"), ("till.use", "till.find"))
    way = next((to for needed, to in ways if current.may(needed)), "tools.list_all")
    return url_for(way, **place.slugs)


def _accent() -> str | None:
    place = current.place_or_none
    brand = place.brand if place else None
    if brand is None or not brand.accent:
        return None
    return url_for("vendor.brand_accent", brand=brand.slug)


def _signout() -> str | None:
    return url_for("signin.out") if current.user is not None else None
