"""The form by which a mailing is planned; nothing is sent by it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.customers.text import bad
from highstreet.email.pieces import MOST_TEXT
from highstreet.i18n import gettext as _
from highstreet.mailings import carriers, drafting
from highstreet.mailings.facts import MailingFact, MailingIn
from highstreet.printing import queries as printing
from highstreet.printing.kinds import KINDS
from highstreet.segments import offered
from highstreet.segments import queries as segments
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.mailings import words
from highstreet.web.mailings.pages import ONE, PLAN, both, here, names
from highstreet.web.store.story import purpose_words
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, HighstreetError
from highstreet_tenants.sessions import ScopedSession

_LETTER = ("subject", "text", "html")
FIELDS = (
    *("name", "purpose", "channel", "segment", "design", *_LETTER, "holdout"),
    *("last_day", "last_time", "cost", "by_household", "verified"),
)
#: Without a time it goes out until the day is over.
_END_OF_DAY = "23:59"


def _form(given: Any) -> Form:
    form = Form(given, FIELDS)
    for name in ("text", "html"):  # one too many is refused, not cut off
        form.values[name] = str(given.get(name, "")).strip()[: MOST_TEXT + 1]
    form.renamed = {"segment_id": "segment", "not_after": "last_day", "cost_minor": "cost"}
    return form


@both("/new", "new", "GET", store=PLAN, office=PLAN)
def new(brand: str, store: str | None = None) -> str:
    """An empty form; of a segment if one is named."""
    form = _form(request.args)
    if form.channel not in carriers.channels():
        form.values["channel"] = "post"
    form.values |= {"by_household": "1", "holdout": form.holdout or "0"}
    with current.session() as s:
        return _page(s, form, None)


@both("/new", "create", "POST", store=PLAN, office=PLAN)
def create(brand: str, store: str | None = None) -> Response | tuple[str, int]:
    """Plan it."""
    return _save(None)


@both(f"{ONE}/edit", "edit", "GET", store=PLAN, office=PLAN)
def edit(brand: str, mailing_id: UUID, store: str | None = None) -> str:
    """The form of a plan."""
    with current.session() as s:
        fact = _editable(s, mailing_id)
        return _page(s, _of(fact), fact)


@both(f"{ONE}/edit", "change", "POST", store=PLAN, office=PLAN)
def change(brand: str, mailing_id: UUID, store: str | None = None) -> Response | tuple[str, int]:
    """Keep what was changed; people are selected anew."""
    return _save(mailing_id)


def _editable(s: ScopedSession, mailing_id: UUID) -> MailingFact:
    """One that this form can show whole. Raises NotFound, Conflict."""
    fact = drafting.of_people(s, mailing_id)
    if fact.segment_id is None:
        raise Conflict(_("It has a rule of its own, which a program wrote; it is changed there."))
    return fact


def _of(fact: MailingFact) -> Form:
    last = fact.not_after.astimezone(clock.zone(current.place.zone)) if fact.not_after else None
    form = _form({})
    form.values |= {
        "name": fact.name,
        "purpose": fact.purpose,
        "channel": fact.channel,
        "segment": str(fact.segment_id),
        "design": str(fact.content.get("design", "")),
        **{name: str(fact.content.get(name, "")) for name in _LETTER},
        "holdout": formats.num(fact.holdout / 100),
        "last_day": last.date().isoformat() if last else "",
        "last_time": last.strftime("%H:%M") if last else "",
        "cost": "" if fact.cost_minor is None else formats.amount(fact.cost_minor, fact.currency),
        "by_household": "1" if fact.by_household else "",
        "verified": "1" if fact.verified else "",
    }
    return form


def _save(mailing_id: UUID | None) -> Response | tuple[str, int]:
    form = _form(request.form)
    fact, detail, status = None, "", 422
    try:
        with current.session(write=True) as s:
            if mailing_id is not None:
                fact = _editable(s, mailing_id)
            given = _given(form, fact.currency if fact else current.place.currency)
            if given is not None and mailing_id is None:
                mailing_id = drafting.draft(s, given)
            elif given is not None and mailing_id is not None:
                drafting.change(s, mailing_id, given)
    except HighstreetError as error:
        if error.status == 404:
            raise
        status = error.status
        if error.fields:
            form.refuse(error, "name")
        else:
            detail = error.detail
    if form.errors or detail:
        with current.session() as s:
            return _page(s, form, fact, detail), status
    flash(_("Saved. Now select people, and look at whom it would reach."), "good")
    return redirect(here("one", mailing_id=mailing_id), 303)


def _given(form: Form, currency: str) -> MailingIn | None:
    """The plan that the form means; None with what is wrong in the form."""
    segment_id = last = cost = None
    holdout = 0
    with form.noting("segment"):
        segment_id = _segment(form.segment)
    with form.noting("holdout"):
        holdout = _hundredths(form.holdout)
    with form.noting("last_day"):
        last = _last(form)
    with form.noting("cost"):
        cost = form.money_of("cost", currency) if form.cost else None
    if form.errors or segment_id is None:
        return None
    content = (
        {name: form[name] for name in _LETTER if form[name]}
        if form.channel == "email"
        else {"design": form.design}
        if form.design
        else {}
    )
    return MailingIn(
        form.name, form.purpose, form.channel, segment_id, content,
        by_household=bool(form.by_household), verified=bool(form.verified),
        holdout=holdout, not_after=last, cost_minor=cost,
    )  # fmt: skip


def _segment(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise bad("segment", _("Choose whom it goes to.")) from None


def _hundredths(text: str) -> int:
    try:
        return round(float(text.replace(",", ".") or 0) * 100)
    except (ValueError, OverflowError):
        raise bad("holdout", _("Hold out from 0 to 50 percent.")) from None


def _last(form: Form) -> datetime | None:
    if not form.last_day:
        return None
    form.values["last_time"] = form.last_time or _END_OF_DAY
    return form.moment_of("last_day", "last_time", current.place.zone)


def _page(s: ScopedSession, form: Form, fact: MailingFact | None, detail: str = "") -> str:
    purposes = sorted({*offered.purposes(s), *([fact.purpose] if fact else [])})
    listed = [one for one in segments.listed(s) if not one.retired]
    return render_template(
        "mailings/form.html",
        form=form,
        errors=form.errors,
        labels=_labels(),
        detail=detail,
        one=fact,
        channel=words.channel(form.channel),
        purposes=[(one, purpose_words(one)) for one in purposes],
        segments=[("", _("Choose")), *((str(one.id), one.name) for one in listed)],
        none_yet=not listed,
        designs=[
            ("", _("None: a list for the mail house")),
            *(
                (str(one.id), one.name)
                for one in printing.listed(s)
                if one.version_id is not None and KINDS[one.kind].per_person
            ),
        ],
        sign=formats.symbol(fact.currency if fact else current.place.currency),
        zone=current.place.zone,
        back_href=here("one", mailing_id=fact.id) if fact else here("all"),
        **names(),
    )


def _labels() -> dict[str, tuple[str, str]]:
    said = {
        "name": _("Name of the mailing"),
        "purpose": _("What for"),
        "segment": _("Whom it goes to"),
        "design": _("Print design"),
        "subject": _("Subject"),
        "text": _("Text"),
        "html": _("Formatted text (HTML)"),
        "holdout": _("Held out"),
        "last_day": _("Last day"),
        "last_time": _("Until"),
        "cost": _("Cost"),
    }
    return {name: (name, label) for name, label in said.items()}
