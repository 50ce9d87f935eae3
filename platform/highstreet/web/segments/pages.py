"""Segments: the list, one with whom it picks, why somebody is in it, and its buttons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact
from highstreet.i18n import gettext as _
from highstreet.segments import queries, service
from highstreet.segments.facts import Counted, SegmentFact, Use
from highstreet.segments.ready import READY
from highstreet.segments.rules import InSegment, Rule
from highstreet.web.both import Both, person_href
from highstreet.web.current import current
from highstreet.web.store import member
from highstreet.web.store.leaving import refuse_another, sheet_of
from highstreet_tenants.errors import (
    Conflict,
    Forbidden,
    HighstreetError,
    Invalid,
    NotFound,
    Unavailable,
)
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

segments = Blueprint("segments", __name__)
#: Head office writes rules also where the stores own their customers, and sees nobody there.
both = Both(segments, "segments", store="segments.read", office="segments.office")
here = both.here
ONE = "/<uuid:segment_id>"
#: Segments counted on one page.
MOST_COUNTED = 50
_PART = 200
#: What keeps a rule from being asked, and is told on the page.
UNASKED = (Invalid, Conflict, Forbidden, NotFound, Unavailable)


def people_here() -> bool:
    """Whether this place has customers, and the reader may count them."""
    place = current.place
    return (place.store is not None or place.brand.customers == "brand") and current.may(
        "segments.read"
    )


def may_change(one: SegmentFact | None = None) -> bool:
    """Whether the reader may make segments here, or change one."""
    if current.place.store is None:
        return current.may("segments.office")
    mine = one is None or one.store_id is not None
    return mine and current.may("segments.manage")


def count(s: ScopedSession, rule: Rule) -> dict[str, Any]:
    """How many, of how many, and some of them for whoever may see customers; or why not."""
    if not people_here():
        return {}
    sees = current.may("customers.read")
    try:
        found: Counted = queries.counted(s, rule, may=current.may, sample=10 if sees else 0)
    except UNASKED as error:
        return {"refused": error.detail}
    return {
        "people": found.people,
        "of": found.of,
        "sample": [{"name": one.name, "href": person_href(one.id)} for one in found.sample],
        "sees": sees,
    }


def names() -> dict[str, Any]:
    """What the templates of segments may ask."""
    return {
        "to": here,
        "counts": people_here(),
        "may_make": may_change(),
        "stores_count": current.place.store is None and current.place.brand.customers == "store",
    }


@both("/", "all", "GET")
def listing(brand: str, store: str | None = None) -> str:
    """The place's segments and those that come with the house; counted where that is asked for."""
    with current.session() as s:
        found = queries.listed(s, retired=True)
        uses = queries.uses(s)
        asked = people_here() and request.args.get("count") == "1"
        rows: list[dict[str, Any]] = []
        for one in found:
            row: dict[str, Any] = {
                "one": one,
                "uses": uses.get(one.id, 0),
                "href": here("one", segment_id=one.id),
            }
            if asked and not one.retired and len(rows) < MOST_COUNTED:
                row["people"] = _how_many(s, one)
            rows.append(row)
    return render_template(
        "segments/list.html",
        rows=[row for row in rows if not row["one"].retired],
        retired=[row for row in rows if row["one"].retired],
        ready=[(key, str(one.name), str(one.about)) for key, one in READY.items()],
        counted=asked,
        **names(),
    )


def _how_many(s: ScopedSession, one: SegmentFact) -> int | None:
    try:
        return queries.count(s, InSegment(one.id), may=current.may)
    except UNASKED:
        return None


@both(f"/ready/<any({','.join(READY)}):ready>", "ready", "GET")
def ready_made(brand: str, ready: str, store: str | None = None) -> str:
    """One that comes with the house: its rule in words, and whom it picks here."""
    one = READY[ready]
    with current.session() as s:
        lines, found = queries.in_words(s, one.rule), count(s, one.rule)
    return render_template(
        "segments/ready.html", one=one, key=ready, lines=lines, found=found, **names()
    )


@both(ONE, "one", "GET")
def one(brand: str, segment_id: UUID, store: str | None = None) -> str:
    """One segment: its rule in words, how many, some of them, what uses it."""
    with current.session() as s:
        fact = queries.get(s, segment_id)
        lines = queries.in_words(s, fact.rule) if fact.rule is not None else []
        found = {} if fact.retired else count(s, InSegment(segment_id))
        uses = [_use(one) for one in queries.used_by(s, segment_id)]
    return render_template(
        "segments/one.html",
        one=fact,
        lines=lines,
        found=found,
        uses=uses,
        may_change=may_change(fact),
        may_export=people_here()
        and current.may("customers.export")
        and (current.place.store is None or current.place.brand.customers == "store"),
        **names(),
    )


def _use(one: Use) -> dict[str, Any]:
    kinds = {"segment": _("Asked by the segment"), "list": _("Kept as a list")}
    kinds["mailing"] = _("Mailing")
    href = ""
    if one.kind == "segment" and one.id:
        href = here("one", segment_id=one.id)
    elif one.kind == "mailing" and current.may("mailings.read"):
        face = "store" if current.place.store else "office"
        href = url_for(f"mailings.{face}_one", mailing_id=one.id, **current.place.slugs)
    return {"what": kinds.get(one.kind, one.kind), "name": one.name, "at": one.at, "href": href}


@both(f"{ONE}/who", "who", "GET", store="customers.read", office="customers.read")
def who(brand: str, segment_id: UUID, store: str | None = None) -> str:
    """Is somebody in it, and why: each condition with whether it holds."""
    q, customer = request.args.get("q", "").strip(), request.args.get("customer", "")
    _refuse_unless("segments.read")
    hits: list[dict[str, Any]] = []
    told: dict[str, Any] = {}
    with current.session() as s:
        fact = queries.get(s, segment_id)
        person = _person(s, customer)
        if person is None and q:
            found = customers.find(s, q, 20)
            apart = member.told_apart(s, found)
            person = found[0].customer if len(found) == 1 else None
            hits = [
                {
                    "name": hit.customer.name,
                    "shown": shown,
                    "href": here("who", segment_id=segment_id, customer=hit.customer.id),
                }
                for hit, shown in zip(found, apart, strict=True)
            ]
        if person is not None:
            told = _why(s, fact, person)
    return render_template(
        "segments/who.html", one=fact, q=q, hits=hits, told=told, asked=bool(q or customer),
        **names(),
    )  # fmt: skip


def _person(s: ScopedSession, text: str) -> CustomerFact | None:
    try:
        return customers.get(s, UUID(text)) if text else None
    except ValueError:
        return None


def _why(s: ScopedSession, fact: SegmentFact, person: CustomerFact) -> dict[str, Any]:
    told: dict[str, Any] = {"name": person.name, "href": person_href(person.id)}
    rule: Rule = InSegment(fact.id)
    try:
        told["holds"] = queries.holds(s, rule, person.id, may=current.may)
        told["lines"] = (
            queries.why(s, fact.rule, person.id, may=current.may) if fact.rule is not None else []
        )
    except UNASKED as error:
        told["refused"] = error.detail
    return told


def _refuse_unless(permission: str) -> None:
    """Raise NotFound: the page is theirs, but for them there is nothing on it."""
    if not current.may(permission):
        raise NotFound(_("Your role does not open this page. Ask whoever gave you your role."))


def of_customer(s: ScopedSession, customer_id: UUID) -> list[dict[str, Any]]:
    """Each of the place's segments with whether a customer is in it; None: it can't be asked."""
    return [
        {
            "name": one.name,
            "holds": holds,
            "href": here("who", segment_id=one.id, customer=customer_id),
        }
        for one, holds in queries.memberships(s, customer_id, may=current.may)
    ]


@both(f"{ONE}/people.csv", "sheet", "POST", store="customers.export", office="customers.export")
def sheet(brand: str, segment_id: UUID, store: str | None = None) -> FlaskResponse:
    """Whoever is in it now, as a file for a spreadsheet."""
    refuse_another()
    with current.session(write=True) as s:
        fact = queries.get(s, segment_id)
        ids = sorted(s.scalars(queries.ids(s, fact, may=current.may)))
        record(s, "customers.exported", "segment", fact.id, fact.name, details={"people": len(ids)})
        return sheet_of(s, f"segment-{fact.id.hex[-8:]}.csv", _parts(s, ids))


def _parts(s: ScopedSession, ids: Sequence[UUID]) -> Iterator[Sequence[CustomerFact]]:
    for start in range(0, len(ids), _PART):
        yield customers.by_ids(s, ids[start : start + _PART])


@both(f"{ONE}/freeze", "freeze", "POST", store="segments.manage", office="segments.manage")
def freeze(brand: str, segment_id: UUID, store: str | None = None) -> Response:
    """Keep whoever is in it now as a list."""
    try:
        with current.session(write=True) as s:
            kept = service.freeze(s, segment_id, name=request.form.get("name", ""), may=current.may)
    except (Invalid, Conflict) as error:
        flash(error.detail, "bad")
        return redirect(here("one", segment_id=segment_id), 303)
    flash(_("Kept as a list: whoever joins or leaves later changes nothing in it."), "good")
    return redirect(here("one", segment_id=kept.id), 303)


@both(f"{ONE}/retire", "retire", "GET", store="segments.manage")
def retire_page(brand: str, segment_id: UUID, store: str | None = None) -> str:
    """What taking it out of use means, before it is done."""
    with current.session() as s:
        fact = queries.get(s, segment_id)
        asking = [use.name for use in queries.used_by(s, segment_id) if use.kind == "segment"]
    return render_template("segments/retire.html", one=fact, asking=asking, **names())


@both(f"{ONE}/retire", "do_retire", "POST", store="segments.manage")
def retire(brand: str, segment_id: UUID, store: str | None = None) -> Response:
    """Take it out of use."""
    return _do(segment_id, service.retire, _("Taken out of use."), "all")


@both(f"{ONE}/restore", "restore", "POST", store="segments.manage")
def restore(brand: str, segment_id: UUID, store: str | None = None) -> Response:
    """Take it back into use."""
    return _do(segment_id, service.restore, _("Back in use."), "one")


def _do(segment_id: UUID, deed: Callable[..., object], done: str, to: str) -> Response:
    try:
        with current.session(write=True) as s:
            deed(s, segment_id)
    except HighstreetError as error:
        if error.status in (404, 500):
            raise
        flash(error.detail, "bad")
        return redirect(here("one", segment_id=segment_id), 303)
    flash(done, "good")
    return redirect(here(to, **({"segment_id": segment_id} if to == "one" else {})), 303)
