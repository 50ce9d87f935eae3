"""A reader's own choices: language, light or dark. Kept by cookie, and by the user's record."""

from flask import Blueprint, Response, abort, make_response, redirect, request

from highstreet.host.access import public
from highstreet.i18n import LANGUAGE_COOKIE, LANGUAGES
from highstreet.web.current import current
from highstreet_tenants.people import accounts

choose = Blueprint("choose", __name__, url_prefix="/choose")
THEMES = ("light", "dark")
THEME_COOKIE = "hs-theme"
_YEAR = 365 * 24 * 3600


def theme() -> str:
    """ "light" or "dark": the user's own choice, else this device's."""
    user = current.user
    chosen = request.cookies.get(THEME_COOKIE) or (user.theme if user else "")
    return chosen if chosen in THEMES else "light"


@choose.post("/language/<tag>")
@public("signed out or in, everybody reads in a language of theirs")
def language(tag: str) -> Response:
    """Read in another language from now on."""
    if tag not in LANGUAGES:
        abort(404)
    _remember(locale=tag)
    return _back(LANGUAGE_COOKIE, tag)


@choose.post("/theme/<name>")
@public("signed out or in, everybody chooses light or dark")
def theme_of(name: str) -> Response:
    """Light or dark from now on."""
    if name not in THEMES:
        abort(404)
    _remember(theme=name)
    return _back(THEME_COOKIE, name)


def local_path(target: str | None) -> str:
    """`target` if it is a path of ours, else the start: a link must not lead out of the house."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return "/"
    return target if target.isprintable() and "\\" not in target else "/"


def _remember(*, locale: str | None = None, theme: str | None = None) -> None:
    user = current.user
    if user is None or user.by_pin:  # a PIN changes nothing of the person's account
        return
    with current.house.tenancy.control(write=True) as c:
        accounts.set_preferences(
            c,
            user.id,
            name=user.name,
            locale=locale or user.locale or "en",
            theme=theme or user.theme,
        )


def _back(cookie: str, value: str) -> Response:
    response = make_response(redirect(local_path(request.form.get("next")), 303))
    response.set_cookie(
        cookie, value, max_age=_YEAR, secure=request.is_secure, httponly=True, samesite="Lax"
    )
    return response
