"""The cookies that a signed-in device and a till carry, and what is noted of the device."""

from datetime import timedelta

from flask import g, request, session
from werkzeug.wrappers import Response

from highstreet.i18n import LANGUAGE_COOKIE, LANGUAGES
from highstreet.web.choose import THEME_COOKIE
from highstreet.web.current import current
from highstreet_tenants.people import logins, tills
from highstreet_tenants.people.logins import Person, Seat, Started, Visit

_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_YEAR = 365 * 24 * 3600


def is_local() -> bool:
    """Whether the page was asked for on this very machine."""
    host = request.host
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    return name in _LOCAL or name.endswith(".localhost")


def is_open_line() -> bool:
    """Whether passwords would travel unencrypted: then the browser refuses to keep the cookie."""
    return not request.is_secure and not is_local()


def cookie_name() -> str:
    """With `__Host-` a browser takes it from this host over TLS alone (RFC 6265bis)."""
    return "hs-session" if _plain() else "__Host-hs-session"


def token() -> str | None:
    """What the device carries, if anything."""
    return request.cookies.get(cookie_name())


def seat() -> Seat | None:
    """The till that this device is, if a manager made it one; asked once per request."""
    if "seat" not in g:
        carried = request.cookies.get(_till_cookie())
        g.seat = None
        if carried:
            with current.house.tenancy.control() as s:
                g.seat = tills.find_seat(s, carried)
    found: Seat | None = g.seat
    return found


def become_till(response: Response, token: str) -> Response:
    """Let the device be a till until it is signed out; browsers keep a cookie 400 days at most."""
    response.set_cookie(
        _till_cookie(), token, max_age=timedelta(days=400),
        secure=not _plain(), httponly=True, samesite="Lax",
    )  # fmt: skip
    return response


def _till_cookie() -> str:
    return "hs-till" if _plain() else "__Host-hs-till"


def who() -> Person | None:
    """Whose device it is; one query."""
    carried = token()
    return logins.load_person(current.house.tenancy, carried) if carried else None


def visit(*, keep: bool = False) -> Visit:
    """What is noted of this device when it signs in."""
    return Visit(
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        keep=keep,
        replaces=token(),
        seat=seat(),
    )


def carry(response: Response, started: Started, theme: str | None = None) -> Response:
    """Give the device its session, and its person's language and theme."""
    # A fresh CSRF secret, too: whoever used the device before knows the old one.
    session.clear()
    response.set_cookie(
        cookie_name(),
        started.token,
        max_age=started.lasts,
        secure=not _plain(),
        httponly=True,
        samesite="Lax",
    )
    if started.locale in LANGUAGES:
        remember(response, LANGUAGE_COOKIE, str(started.locale))
    # Light or dark suits the room the device stands in; only a new device takes the person's.
    if theme is not None and THEME_COOKIE not in request.cookies:
        remember(response, THEME_COOKIE, theme)
    return response


def remember(response: Response, cookie: str, value: str) -> None:
    """Keep a choice of the reader's on the device."""
    response.set_cookie(
        cookie, value, max_age=_YEAR, secure=not _plain(), httponly=True, samesite="Lax"
    )


def forget(response: Response) -> Response:
    """Take the session off the device."""
    session.clear()
    response.delete_cookie(cookie_name(), secure=not _plain(), httponly=True, samesite="Lax")
    return response


def _plain() -> bool:
    return not request.is_secure and is_local()


_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


def describe(agent: str) -> str:
    """A browser's long name as its owner knows it: "Chrome, Android". Empty if it says nothing."""
    names = [
        next((name for mark, name in known if mark in agent), "") for known in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(name for name in names if name)
