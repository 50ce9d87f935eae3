"""What the link in a message opens: looking changes nothing, for mail scanners open every link.

No sign-in, no cookie, no form token: the link itself is the key (RFC 8058); all it does is stop.
"""

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from highstreet.email import stopping
from highstreet.email.stopping import Choice, Opened
from highstreet.host.access import public
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet.web.current import current
from highstreet_tenants.errors import NotFound

unsubscribe = Blueprint("unsubscribe", __name__, url_prefix="/u")
LINK = "the link is the key: it was sent to this person only, and all it does is stop"
#: What a mail programme posts (RFC 8058 3.1).
FIELD, CLICK = "List-Unsubscribe", "One-Click"


@unsubscribe.get("/<token>")
@public(LINK)
def page(token: str) -> Response:
    """What would be stopped, and buttons."""
    return _page(token, _open(token))


@unsubscribe.post("/<token>")
@public(LINK)
def stop(token: str) -> Response:
    """Stop what the message was about, at once."""
    opened = _open(token)
    if request.form.get(FIELD) != CLICK:
        return _page(token, opened, status=400)
    method = stopping.PAGE if "page" in request.form else stopping.ONE_CLICK
    with current.house.tenancy.session(opened.scope, write=True) as s:
        stopping.one_click(s, opened.stop, method)
    return _page(token, opened, done=True)


@unsubscribe.post("/<token>/choices")
@public(LINK)
def choices(token: str) -> AnyResponse:
    """Keep what is ticked, or nothing at all."""
    opened = _open(token)
    with current.house.tenancy.session(opened.scope, write=True) as s:
        if "all" in request.form:
            stopping.stop_all(s, opened.stop)
        else:
            stopping.keep_only(s, opened.stop, request.form.getlist("keep"))
    return redirect(url_for("unsubscribe.page", token=token, done=1), 303)


def _open(token: str) -> Opened:
    house = current.house
    try:
        opened = stopping.open_stop(house.tenancy, house.mail.tokens, token)
    except NotFound:
        # Counted only when it is wrong: a mail service clicks for thousands from one address.
        house.rates.stranger(request.remote_addr)
        raise NotFound(
            _(
                "This link is cut off or too old. To stop our mail, answer one of our messages or"
                " tell any of our stores."
            )
        ) from None
    with house.tenancy.session(opened.scope) as s:
        who = stopping.reader(s, opened.stop.customer_id)
    if who is not None and who.language and (told := _language(who.language)):
        g.language = told
    return opened


def _language(tag: str) -> str | None:
    return "zh_Hans" if tag.lower().startswith("zh") else tag if tag in LANGUAGES else None


def _page(token: str, opened: Opened, *, done: bool = False, status: int = 200) -> Response:
    with current.house.tenancy.session(opened.scope) as s:
        who = stopping.reader(s, opened.stop.customer_id)
        stopped = who is None or stopping.stopped(s, who, opened.stop.purpose)
        left = [] if who is None else stopping.choices(s, who)
    text = render_template(
        "member/unsubscribe.html",
        token=token,
        brand=opened.brand,
        purpose=purpose_words(opened.stop.purpose),
        stopped=stopped,
        done=done or "done" in request.args,
        left=[(one.id, _words(one)) for one in left],
        nobody=who is None,
    )
    response = make_response(text, status)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def purpose_words(purpose: str) -> str:
    """What mail for a purpose is about."""
    return {
        "marketing": _("Offers"),
        "service": _("News of your membership"),
    }.get(purpose, purpose.replace("-", " ").replace("_", " "))


def _words(one: Choice) -> str:
    by = {
        "email": _("by e-mail"),
        "sms": _("by text message"),
        "phone": _("by phone"),
        "post": _("by post"),
        "push": _("on your phone"),
    }
    return _(
        "%(what)s %(how)s", what=purpose_words(one.purpose), how=by.get(one.channel, one.channel)
    )
