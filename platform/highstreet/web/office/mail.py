"""E-mail of the brand: in whose name, in which frame, a message to oneself, what became of it."""

from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from highstreet.email import frames, layouts, outbox, queries, senders, trying
from highstreet.email.models import EmailSender
from highstreet.host import shops
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet.web.headers import CSP
from highstreet.web.office.pages import here, office
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.sessions import ScopedSession

#: The preview is a document of its own: it may look as it likes, and do nothing.
PREVIEW_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src https:; sandbox; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'self'"
)
FIELDS = ("name", "address", "reply_to", "return_path", "postal")


@office.get("/email")
@requires("email.view")
def email(brand: str) -> Response:
    """All of it on one page."""
    return _page()


@office.post("/email/sender")
@requires("email.edit")
def email_sender(brand: str) -> AnyResponse:
    """Say in whose name the brand writes."""
    given = {name: request.form.get(name, "") for name in FIELDS}
    try:
        with current.session(write=True) as s:
            senders.choose(s, **given)
    except Invalid as error:
        return _page(error, given=given)
    flash(_("Saved. The next message goes out in this name."), "good")
    return redirect(here("office.email"), 303)


@office.post("/email/layout")
@requires("email.edit")
def email_layout(brand: str) -> AnyResponse:
    """Let a frame hold from now on."""
    source = request.form.get("source", "")
    try:
        with current.session(write=True) as s:
            if "plain" in request.form:
                source = frames.plain(layouts.accent(s))
            number = layouts.choose(s, source).number
    except Invalid as error:
        return _page(error, source=source)
    flash(
        _("Saved as version %(number)s. What is written from now on stands in it.", number=number),
        "good",
    )
    return redirect(here("office.email") + "#frame", 303)


@office.get("/email/preview")
@requires("email.view")
def email_preview(brand: str) -> Response:
    """A message for show, in the frame that holds."""
    with current.session() as s:
        response = make_response(trying.preview(s))
    response.headers["Content-Security-Policy"] = PREVIEW_CSP
    return response


@office.post("/email/test")
@requires("email.edit")
def email_test(brand: str) -> AnyResponse:
    """Send one message to oneself, now."""
    to = request.form.get("to", "")
    try:
        with current.session() as s:
            envelope = trying.compose(s, to)
    except HighstreetError as error:
        return _page(error, to=to)
    answer = trying.send(current.house.mail, envelope)
    if answer.fate == "taken":
        flash(_("The server took it. Look into the mailbox of %(to)s.", to=envelope.to), "good")
    else:
        flash(_("The server did not take it: %(why)s", why=_said(answer.code, answer.text)), "bad")
    return redirect(here("office.email") + "#test", 303)


def _page(
    error: HighstreetError | None = None,
    *,
    given: dict[str, str] | None = None,
    source: str | None = None,
    to: str | None = None,
) -> Response:
    with current.session() as s:
        layout = layouts.current(s)
        user = current.user
        facts = {
            "not_ready": outbox.not_ready(s),
            "through": current.house.mail.shown,
            "sender": given if given is not None else _values(senders.current(s)),
            "version": layout.number if layout else None,
            "source": source
            if source is not None
            else layout.source
            if layout
            else frames.plain(layouts.accent(s)),
            "fields": [f"{{{{ {name} }}}}" for name in frames.FIELDS],
            "to": to if to is not None else user.email if user else "",
            **_became(s),
        }
    text = render_template(
        "office/email.html",
        errors=(error.fields or {}) if error else {},
        detail="" if error is None or error.fields else error.detail,
        **facts,
    )
    response = make_response(text, error.status if error else 200)
    response.headers["Content-Security-Policy"] = f"{CSP}; frame-src 'self'"
    return response


def _became(s: ScopedSession) -> dict[str, Any]:
    counts, reports = queries.counts(s), queries.reports(s)
    troubles = queries.troubles(s)
    names = shops.named(s, {one.place_id for one in troubles if one.place_id})
    words = state_words()
    return {
        "own": s.customers == "brand",
        "figures": [
            {"label": _("Waiting"), "value": counts["queued"] + counts["sending"]},
            {"label": _("Sent"), "value": counts["sent"]},
            {"label": _("Came back"), "value": counts["bounced"]},
            {"label": _("Failed"), "value": counts["failed"] + counts["late"]},
            {"label": _("Unknown"), "value": counts["unknown"]},
            {"label": _("Complaints"), "value": reports["complaint"]},
        ],
        "troubles": [
            {
                "at": one.at,
                "state": words[one.state],
                "where": names[one.place_id].name if one.place_id in names else _("Head office"),
                "why": _said(one.code, one.answer),
            }
            for one in troubles
        ],
    }


def state_words() -> dict[str, str]:
    """What became of a message, in words."""
    return {
        "queued": _("Waiting"),
        "sending": _("Being sent"),
        "sent": _("Sent"),
        "failed": _("Refused for good"),
        "bounced": _("Came back: the address is dead"),
        "unknown": _("Nobody knows whether it arrived; it is not sent again"),
        "stopped": _("Not sent: they may not be written to any more"),
        "late": _("Not sent: its last moment passed"),
    }


def _values(row: EmailSender | None) -> dict[str, str]:
    return {name: getattr(row, name) if row is not None else "" for name in FIELDS}


def _said(code: int | None, text: str) -> str:
    return f"{code or ''} {text}".strip()
