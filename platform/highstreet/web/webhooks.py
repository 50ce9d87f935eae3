"""Webhooks, in a store's console and in head office's: who is told of what, and whether it came."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from msgspec import Struct
from werkzeug.wrappers import Response

from highstreet.host.access import requires
from highstreet.host.event_types import EventType
from highstreet.i18n import LazyText, language, ngettext
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.web.current import current
from highstreet.webhooks import again, catalogue, queries, subscriptions
from highstreet.webhooks.models import FAILING, GONE, Webhook
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.sessions import ScopedSession

webhooks = Blueprint("webhooks", __name__)
STORE, OFFICE = "/store/<brand>/<store>/webhooks", "/office/<brand>/webhooks"
PER_PAGE = 50
_USUAL = round(subscriptions.OVERLAP / timedelta(hours=1))
#: Webhooks that were switched off, told of on the first page.
MOST_OFF = 3
V = TypeVar("V", bound=Callable[..., Any])
_ONE = "/<uuid:webhook_id>"


def _both(path: str, name: str, *methods: str) -> Callable[[V], V]:
    """Hang a view in both consoles, `store_<name>` and `office_<name>`, each with its permission.

    What a store is told is about people, so the store's is not head office's where stores own their
    customers; head office may always have webhooks of its own.
    """

    def hang(view: V) -> V:
        def office(**given: Any) -> Any:
            return view(**given)

        def store(**given: Any) -> Any:
            return view(**given)

        for root, face, permission, own in (
            (STORE, "store", "webhooks.manage", store),
            (OFFICE, "office", "webhooks.office", office),
        ):
            webhooks.add_url_rule(
                f"{root}{path}", f"{face}_{name}", requires(permission)(own), methods=methods
            )
        return view

    return hang


@_both("", "all", "GET")
def listing(brand: str, store: str | None = None) -> str:
    """The place's webhooks, and a form for a new one."""
    return _list()


@_both("", "create", "POST")
def create(brand: str, store: str | None = None) -> Response:
    """Subscribe; the secret is shown in the answer and never again."""
    try:
        with current.session(write=True) as s:
            made = subscriptions.subscribe(s, **_asked(), local=_local())
    except (Invalid, Conflict) as error:
        return make_response(_list(error.fields, error.detail), error.status)
    return _show_once(made)


@_both(_ONE, "one", "GET")
def one(brand: str, webhook_id: UUID, store: str | None = None) -> str:
    """One webhook with its latest deliveries."""
    return _page(webhook_id)


@_both(_ONE, "change", "POST")
def change(brand: str, webhook_id: UUID, store: str | None = None) -> Response:
    """Another address, name or choice of events."""
    try:
        with current.session(write=True) as s:
            subscriptions.change(s, webhook_id, **_asked(), local=_local())
    except Invalid as error:
        return make_response(_page(webhook_id, error.fields, error.detail), error.status)
    flash(_("Saved."), "good")
    return _back(webhook_id)


@_both(f"{_ONE}/rotate", "rotate", "POST")
def rotate(brand: str, webhook_id: UUID, store: str | None = None) -> Response:
    """A new secret, shown once; the old one signs for as long as was chosen."""
    try:
        hours = _hours(request.form.get("old_secret_hours"))
        with current.session(write=True) as s:
            made = subscriptions.rotate(s, webhook_id, overlap=hours)
    except Invalid as error:
        return make_response(_page(webhook_id, error.fields, error.detail), error.status)
    return _show_once(made)


def _hours(text: str | None) -> timedelta:
    """How long the old secret signs. What is no number is refused as one that is too large is: who
    wrote it did not mean the usual."""
    if text is None:
        return subscriptions.OVERLAP
    hours = int(text) if text.isdecimal() and len(text) < 5 else -1
    return timedelta(hours=hours)


def _overlaps() -> list[tuple[int, str]]:
    """What may be chosen, in hours."""
    return [
        (0, _("not at all: it leaked")),
        (1, _("for an hour")),
        (24, _("for a day")),
        (72, _("for three days")),
        (subscriptions.LONGEST_OVERLAP_HOURS, _("for a week")),
    ]


def _deed(name: str, act: Callable[..., object], done: LazyText, path: str = "") -> None:
    """Hang a button of a webhook: what it does, and what is said then."""

    def view(webhook_id: UUID, brand: str, store: str | None = None, **of_it: UUID) -> Response:
        with current.session(write=True) as s:
            act(s, webhook_id, **of_it)
        flash(str(done), "good")
        return _back(webhook_id)

    _both(f"{_ONE}/{path or name}", name, "POST")(view)


_deed(
    "pause",
    subscriptions.pause,
    _l("Paused. What happens meanwhile is kept and sent when you switch it on."),
)
_deed("enable", subscriptions.enable, _l("On again. What waits is sent now."))
_deed(
    "test",
    again.test,
    _l("A test is on its way. Its line below says what the receiver answered."),
)
_deed(
    "resend",
    again.resend,
    _l("It is sent again, with the same id."),
    "deliveries/<uuid:delivery_id>/resend",
)


@_both(f"{_ONE}/resume", "resume", "POST")
def resume(brand: str, webhook_id: UUID, store: str | None = None) -> Response:
    """Switch on what was switched off, and send what did not get there."""
    with current.session(write=True) as s:
        many = again.resume(s, webhook_id)
    words = ngettext(
        "On again. %(num)s message is sent now.", "On again. %(num)s messages are sent now.", many
    )
    flash(words, "good")
    return _back(webhook_id)


@_both(f"{_ONE}/resend", "resend_failed", "POST")
def resend_failed(brand: str, webhook_id: UUID, store: str | None = None) -> Response:
    """Send again what failed in the last days."""
    days = request.form.get("days", type=int)
    since = clock.now() - timedelta(days=days) if days else None
    with current.session(write=True) as s:
        many = again.resend_failed(s, webhook_id, since)
    words = ngettext("%(num)s message is sent again.", "%(num)s messages are sent again.", many)
    flash(words, "good")
    return _back(webhook_id)


@_both(f"{_ONE}/delete", "ask_delete", "GET")
def ask_delete(brand: str, webhook_id: UUID, store: str | None = None) -> str:
    """What deleting would do."""
    with current.session() as s:
        return render_template(
            "shared/webhook_delete.html",
            hook=subscriptions.get(s, webhook_id),
            counts=queries.counts(s, webhook_id),
            to=_to,
        )


@_both(f"{_ONE}/delete", "delete", "POST")
def delete(brand: str, webhook_id: UUID, store: str | None = None) -> Response:
    """End the subscription."""
    with current.session(write=True) as s:
        name = subscriptions.get(s, webhook_id).name
        subscriptions.remove(s, webhook_id)
    flash(_("“%(name)s” is deleted; nothing more is sent there.", name=name), "good")
    return redirect(_to("all"), 303)


class Off(Struct, frozen=True):
    """A webhook that was switched off, as a page tells of it. undelivered: messages that did not
    get there. resumes: switching it on is all that it takes."""

    id: UUID
    name: str
    why: str
    since: datetime
    undelivered: int
    resumes: bool


def switched_off(s: ScopedSession) -> list[Off]:
    """The webhooks of the place that were switched off and wait for the reader, who may set them
    up; the first three."""
    permission = "webhooks.manage" if current.place.store else "webhooks.office"
    if not current.may(permission):
        return []
    return [
        Off(
            row.id,
            row.name,
            why_disabled(row.reason),
            row.status_at,
            many,
            row.reason in (GONE, FAILING),
        )
        for row, many in queries.disabled(s)[:MOST_OFF]
    ]


def why_disabled(reason: str | None) -> str:
    """Why a webhook is off, and what to do."""
    return {
        "gone": _("The receiver answered that it wants nothing more (410)."),
        "failing": _("The receiver took nothing for three days. Mend it, then switch this on."),
        "secret": _("Its secret can’t be read any more. Make a new one, then switch it on."),
        "closed": _("The store has closed."),
        "address": _("Nothing may be sent to its address. Change it, then switch it on."),
    }.get(reason or "", "")


def _list(errors: dict[str, list[str]] | None = None, detail: str = "") -> str:
    with current.session() as s:
        return render_template(
            "shared/webhooks.html",
            hooks=queries.listed(s),
            why=why_disabled,
            to=_to,
            **_form(s, None, errors, detail),
        )


def _page(webhook_id: UUID, errors: dict[str, list[str]] | None = None, detail: str = "") -> str:
    with current.session() as s:
        hook = subscriptions.get(s, webhook_id)
        found = queries.deliveries(s, webhook_id, before=_before(), limit=PER_PAGE + 1)
        return render_template(
            "shared/webhook.html",
            hook=hook,
            why=why_disabled,
            resumes=hook.reason in (GONE, FAILING),
            counts=queries.counts(s, webhook_id),
            deliveries=found[:PER_PAGE],
            older=found[PER_PAGE - 1].id if len(found) > PER_PAGE else None,
            overlaps=_overlaps(),
            overlap=request.form.get("old_secret_hours", _USUAL),
            titles={
                catalogue.TEST: _("A test"),
                **{name: str(kind.title) for name, kind in catalogue.known(s).items()},
            },
            to=_to,
            **_form(s, hook, errors, detail),
        )


def _form(
    s: ScopedSession, hook: Webhook | None, errors: dict[str, list[str]] | None, detail: str
) -> dict[str, Any]:
    # A refused secret's form holds nothing of this one.
    own = errors is not None and "old_secret_hours" not in errors
    given = request.form if own else None
    kinds = catalogue.offered(s)
    return {
        "kinds": list(kinds.values()),
        "groups": _groups(kinds.values()),
        "name": given.get("name", "") if given else hook.name if hook else "",
        "url": given.get("url", "") if given else hook.url if hook else "",
        "picked": given.getlist("events") if given else hook.events if hook else [],
        "errors": errors or {},
        "detail": "" if errors else detail,
    }


def _groups(kinds: Iterable[EventType]) -> list[tuple[str, list[EventType]]]:
    """The kinds under the headings under which a form offers them."""
    own = {
        "customer": _("Customers"),
        "consent": _("Customers"),
        "purchase": _("Purchases"),
        "tool": _("Tools"),
    }
    found: dict[str, list[EventType]] = {}
    for one in kinds:
        tool, first = catalogue.tool_of(one), one.name.split(".", 1)[0]
        title = (
            own.get(first, first) if tool is None else current.house.host.title(tool, language())
        )
        found.setdefault(title, []).append(one)
    return list(found.items())


def _show_once(made: subscriptions.Made) -> Response:
    page = render_template(
        "shared/webhook_secret.html", hook=made.webhook, secret=made.secret, to=_to
    )
    return make_response(page)


def _asked() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "url": form.get("url", ""),
        "events": form.getlist("events"),
    }


def _local() -> bool:
    return bool(current.house.config["webhooks_local"])


def _to(name: str, **more: Any) -> str:
    face = "store" if current.place.store else "office"
    return url_for(f"webhooks.{face}_{name}", **current.place.slugs, **more)


def _back(webhook_id: UUID) -> Response:
    return redirect(_to("one", webhook_id=webhook_id), 303)


def _before() -> UUID | None:
    try:
        return UUID(request.args["before"])
    except (KeyError, ValueError):
        return None
