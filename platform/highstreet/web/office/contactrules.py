"""What head office lays down about contacting people: caps, quiet hours, bases, who is held out."""

from datetime import time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from babel.numbers import NumberFormatError, parse_decimal
from flask import flash, redirect, render_template, request
from werkzeug.wrappers import Response

from highstreet.consent import laying_down
from highstreet.consent.facts import CHANNELS, EVERY
from highstreet.host import shops
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.results import holdouts
from highstreet.web import contact_words, formats
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet.web.office.pages import here, office
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession

NAMES = ("kind", "channel", "region", "shop", "most", "days", "starts", "ends", "percent")
Answer = Response | str | tuple[str, int]


@office.get("/contact-rules")
@requires("policy.view")
def contact_rules(brand: str) -> str:
    """All that is laid down, and forms to add to it."""
    return _page(Form({}, NAMES))


@office.post("/contact-rules")
@requires("policy.edit")
def lay_contact_rule(brand: str) -> Answer:
    """Add a rule, or change the one of this kind and place; what loosens is asked again."""
    form = Form(request.form, NAMES)
    form.renamed = {"place_id": "shop", "region_id": "region"}
    try:
        with current.session(write=True) as s:
            wanted = _typed(s, form)
            if "sure" not in request.form and laying_down.loosens(s, **wanted):
                return _sure(form, _what_loosens(form))
            laying_down.lay_down(s, **wanted)
    except HighstreetError as error:
        form.refuse(error, "channel")
        return _page(form), error.status
    flash(_("Laid down. It holds from now on."), "good")
    return redirect(here("office.contact_rules"), 303)


@office.get("/contact-rules/<uuid:rule_id>")
@requires("policy.edit")
def contact_rule(brand: str, rule_id: UUID) -> str:
    """One rule: its form, and what ending it would do."""
    with current.session() as s:
        rule = laying_down.get(s, rule_id)
        (shown,) = contact_words.shown(s, [rule])
        code = s.scalar(sa.select(Store.code).where(Store.id == rule.place_id))
    return render_template(
        "office/contact_rule.html",
        rule=rule,
        shown=shown,
        shop=code or "",
        starts=contact_words.clock(rule.starts),
        ends=contact_words.clock(rule.ends),
    )


@office.post("/contact-rules/<uuid:rule_id>/end")
@requires("policy.edit")
def end_contact_rule(brand: str, rule_id: UUID) -> Response:
    """The rule holds no longer; its page has said what that means."""
    with current.session(write=True) as s:
        laying_down.withdraw(s, rule_id)
    flash(_("Ended. It holds no longer."), "good")
    return redirect(here("office.contact_rules"), 303)


@office.post("/contact-rules/holdout")
@requires("policy.edit")
def hold_out(brand: str) -> Answer:
    """Hold out a share of the households from everything; a smaller one is asked again."""
    form = Form(request.form, NAMES)
    form.renamed = {"share": "percent"}
    try:
        with current.session(write=True) as s:
            share = _share(form)
            if "sure" not in request.form and holdouts.loosens(s, share):
                return _sure(form, _("Households that are held out now would be contacted again."))
            holdouts.hold_out(s, "", share)
    except HighstreetError as error:
        form.refuse(error, "percent")
        return _page(form), error.status
    flash(_("Held out from now on."), "good")
    return redirect(here("office.contact_rules") + "#held", 303)


def _typed(s: ScopedSession, form: Form) -> dict[str, Any]:
    """What the form means, for the verbs. Raises Invalid."""
    place_id = None
    if form["shop"]:
        place_id = shops.called(s, [form["shop"]]).get(form["shop"])
        if place_id is None:
            words = _("No store, or several, are called “%(name)s”.", name=form["shop"])
            raise Invalid(words, fields={"shop": [words]})
    wanted: dict[str, Any] = {"kind": form["kind"], "channel": form["channel"] or EVERY}
    wanted["place_id"] = place_id
    wanted["region_id"] = None if place_id else _region(form["region"])
    if form["kind"] == "cap":
        wanted |= {"most": _whole(form["most"]), "days": _whole(form["days"])}
    elif form["kind"] == "quiet":
        wanted |= {"starts": _minute(form["starts"]), "ends": _minute(form["ends"])}
    return wanted


def _region(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        words = _("There is no such region in this brand.")
        raise Invalid(words, fields={"region": [words]}) from None


def _whole(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 6 else None


def _minute(text: str) -> int | None:
    try:
        at = time.fromisoformat(text)
    except ValueError:
        return None
    return at.hour * 60 + at.minute


def _share(form: Form) -> int:
    """Hundredths of a percent. Raises Invalid."""
    try:
        return round(float(parse_decimal(form["percent"], formats.locale())) * 100)
    except (NumberFormatError, ValueError, OverflowError):
        words = _("This is not a number.")
        raise Invalid(words, fields={"percent": [words]}) from None


def _what_loosens(form: Form) -> str:
    if form["kind"] == "basis":
        return _(
            "People who never said yes would be contacted this way. In many countries the law"
            " asks for a yes: ask your lawyer first."
        )
    if form["kind"] == "quiet":
        return _("People would be disturbed at hours that are quiet now.")
    return _("People would be contacted more often than now.")


def _sure(form: Form, words: str) -> str:
    """Ask again, with all that was typed."""
    return render_template(
        "office/contact_sure.html",
        words=words,
        rest={name: value for name, value in form.values.items() if value} | {"sure": "1"},
        action=request.path,
    )


def _page(form: Form) -> str:
    with current.session() as s:
        rules = contact_words.shown(s, laying_down.listed(s))
        regions = s.execute(sa.select(Region.id, Region.name).order_by(Region.name)).all()
        everything = holdouts.of_use(s, "")
    held = None
    if everything is not None and everything.share:
        with current.aggregate() as s:
            held = holdouts.households(s, everything)
    return render_template(
        "office/contact_rules.html",
        caps=[one for one in rules if one["kind"] == "cap"],
        quiet=[one for one in rules if one["kind"] == "quiet"],
        bases=[one for one in rules if one["kind"] == "basis"],
        form=form,
        blank=Form({}, NAMES),
        errors=form.errors,
        labels=_labels(form["kind"]),
        channels=[(EVERY, contact_words.channel_words(EVERY)), *_channels()],
        some_channels=_channels(),
        regions=[("", _("Whole brand")), *((str(one.id), one.name) for one in regions)],
        everything=everything,
        percent=formats.num(everything.share / 100) if everything else "0",
        held=held,
    )


def _channels() -> list[tuple[str, str]]:
    return [(one, contact_words.channel_words(one)) for one in sorted(CHANNELS)]


def _labels(kind: str) -> dict[str, tuple[str, str]]:
    """Names of inputs → (id, words), for the list of what is wrong."""
    words = {
        "kind": _("Kind"),
        "channel": _("Way"),
        "region": _("Where"),
        "shop": _("Only in one store"),
        "most": _("At most"),
        "days": _("Within so many days"),
        "starts": _("From"),
        "ends": _("To"),
    }
    labels = {name: (f"{kind}-{name}", word) for name, word in words.items()}
    return labels | {"percent": ("percent", _("Percent of the households"))}
