"""When a page cannot be shown: what happened, what is safe, one way on."""

import logging
import secrets
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from msgspec import Struct, field
from werkzeug.exceptions import HTTPException

from highstreet.i18n import gettext as _
from highstreet.web.choose import local_path
from highstreet_tenants import trouble
from highstreet_tenants.errors import HighstreetError

log = logging.getLogger(__name__)
# No letters or digits that are mistaken for one another when read over the phone.
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


class Words(Struct, frozen=True):
    """What an error page says."""

    status: int
    title: str
    detail: str
    number: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def init_app(app: Flask) -> None:
    """Answer every error outside of /api with a page. The API brings its own answers."""
    app.register_error_handler(HighstreetError, of_error)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(Exception, of_defect)


def of_error(error: HighstreetError) -> Response:
    """A page for an error of ours: its own words say what to do."""
    if error.status >= 500 and error.status != 503:
        return of_defect(error)
    titles = {
        401: _("Please sign in"),
        403: _("Not yours to open"),
        404: _("Nothing here"),
        409: _("That does not fit what is recorded"),
        422: _("Not saved"),
        429: _("Too many tries"),
        503: _("Something outside is down"),
    }
    if error.type == "tool-off":
        return page(Words(404, _("This tool is off"), error.detail))
    wait = getattr(error, "retry_after", None)
    headers = {"Retry-After": str(int(wait))} if wait else {}
    headers |= getattr(error, "headers", {})
    title = titles.get(error.status, _("That did not work"))
    return page(Words(error.status, title, error.detail, headers=headers))


def of_http(error: HTTPException) -> Response:
    """A page for an error of Flask's or Werkzeug's."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    if isinstance(error, CSRFError):
        return page(
            Words(
                400,
                _("This page was open for too long"),
                _("Nothing was changed. Go back, load the page again and send it once more."),
            )
        )
    words = {
        400: (
            _("The address or form could not be read"),
            _("Nothing was changed. Go back and try again."),
        ),
        403: (_("Not yours to open"), _("Ask whoever gave you your role.")),
        404: (_("Nothing here"), _("The page may have moved, or the address has a slip.")),
        405: (
            _("Not that way"),
            _("This address takes a form's answer. Go back and use the button."),
        ),
        413: (_("Too large"), _("Nothing was changed. Send a smaller file.")),
        429: (_("Too many tries"), _("Wait a minute, then try again.")),
    }
    if status >= 500 and status != 503:
        return of_defect(error)
    title, detail = words.get(status, (_("That did not work"), _("Nothing was changed.")))
    headers = {k: v for k, v in error.get_headers() if k in ("Allow", "Retry-After")}
    return page(Words(status, title, detail, headers=headers))


def of_defect(error: Exception) -> Response:
    """A page for a defect: a number to tell, and nothing of the inside. The log has the rest.

    A database that is busy, away, or gave a statement up is none.
    """
    if trouble.passes(error):
        log.warning("the database was busy or away: %s", error)
        return page(
            Words(
                503,
                _("The database is busy"),
                _("Nothing was changed. Wait a moment, then try again."),
                headers={"Retry-After": "5"},
            )
        )
    if trouble.timed_out(error):
        number = fault_number()
        said = trouble.said(error)
        log.error("%s: %s %s took too long: %s", number, request.method, request.path, said)
        return page(
            Words(
                503,
                _("This took too long"),
                _(
                    "The database had worked on it for longer than it may, so it was given up."
                    " Nothing was changed. Ask for less, for instance for fewer days, or try again"
                    " when less is going on. If it comes again, tell your operator this number:"
                    " %(number)s.",
                    number=number,
                ),
            )
        )
    number = fault_number()
    log.error("%s: %s %s failed", number, request.method, request.path, exc_info=error)
    return page(Words(500, _("This page could not be shown"), "", number=number))


def page(words: Words) -> Response:
    """The error page itself; a bare one should even that fail."""
    try:
        body = render_template("error.html", words=words, back_href=_back())
    except Exception:
        log.exception("the error page failed too")
        body = f"<!doctype html><title>{words.status}</title><p>{words.number or words.status}"
    response = make_response(body, words.status)
    response.headers.extend(words.headers)
    return response


def _back() -> str | None:
    """The page that the reader came from, if it is another one of ours."""
    came = urlsplit(request.referrer or "")
    if came.netloc != request.host or came.path == request.path:
        return None
    return local_path(f"{came.path}?{came.query}" if came.query else came.path)


def fault_number() -> str:
    """A number that a person can read out, e.g. "HS-7F3K-2W"."""
    letters = "".join(secrets.choice(_ALPHABET) for _each in range(6))
    return f"HS-{letters[:4]}-{letters[4:]}"
