"""Mailings: the list, one with where everybody went, its pieces, and a file for the mail house."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, send_file

from highstreet.customers import anchors
from highstreet.i18n import gettext as _
from highstreet.mailings import carriers, post, pressing, queries, telling
from highstreet.mailings.facts import MailingFact, PieceFact, Waterfall
from highstreet.mailings.models import STATES
from highstreet.printing import queries as printing
from highstreet.printing.labels import SHEETS
from highstreet.segments import queries as segments
from highstreet.spreadsheet import MARK, cells
from highstreet.web import formats
from highstreet.web.both import Both, person_href
from highstreet.web.current import current
from highstreet.web.mailings import words
from highstreet.web.store.story import purpose_words
from highstreet.web.toolfaces import face
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

mailings = Blueprint("mailings", __name__)
both = Both(mailings, "mailings", store="mailings.read", office="mailings.read")
here = both.here
ONE = "/<uuid:mailing_id>"
PLAN, APPROVE = "mailings.manage", "mailings.approve"
#: Pieces on a page.
_PAGE = 50
_PLANNED = ("draft", "selected", "approved")


def names() -> dict[str, Any]:
    """What the templates of mailings may ask."""
    return {
        "to": here,
        "plans": current.may(PLAN),
        "approves": current.may(APPROVE),
        "sees": current.may("customers.read"),
        "kinds": [(name, words.channel(name)) for name in reversed(carriers.channels())],
    }


@both("/", "all", "GET")
def listing(brand: str, store: str | None = None) -> str:
    """The place's mailings, the newest first."""
    with current.session() as s:
        sent = queries.sent(s)
        rows = [
            {
                "one": one,
                "state": words.state(one.status),
                "channel": words.channel(one.channel),
                "sent": sent.get(one.id, 0),
                "at": one.ended_at or one.released_at or one.approved_at or one.selected_at,
                "href": here("one", mailing_id=one.id),
            }
            for one in queries.listed(s)
        ]
    return render_template("mailings/list.html", rows=rows, **names())


@both(ONE, "one", "GET")
def one(brand: str, mailing_id: UUID, store: str | None = None) -> str:
    """One mailing: its next step, where everybody went, who approved what when."""
    return page(mailing_id)


def page(mailing_id: UUID, detail: str = "", typed: str | None = None) -> str:
    """The page of one. detail: what went wrong; typed: the cost as somebody wrote it."""
    with current.session() as s:
        fact = queries.get(s, mailing_id)
        shown = told(s, fact)
        shown["files"] = (
            [one for _path, one in pressing.files(s, mailing_id)] if fact.channel == "post" else []
        )
        shown["pieces"] = _named(s, fact, queries.sample(s, mailing_id))
    if typed is None:
        typed = "" if fact.cost_minor is None else formats.amount(fact.cost_minor, fact.currency)
    shown |= {"detail": detail, "cost_typed": typed, "sign": formats.symbol(fact.currency)}
    return render_template("mailings/one.html", **shown, **names())


def told(s: ScopedSession, fact: MailingFact) -> dict[str, Any]:
    """What all pages about one mailing say of it."""
    fall = queries.waterfall(s, fact.id)
    segment = segments.get(s, fact.segment_id) if fact.segment_id is not None else None
    return {
        "one": fact,
        "state": words.state(fact.status),
        "channel": words.channel(fact.channel),
        "purpose": purpose_words(fact.purpose),
        "fall": fall,
        "bars": words.fall(fact, fall),
        "adds_up": words.adds_up(fall),
        "audience": telling.audience(s, fact.id),
        "segment": segment,
        "design": _design(s, fact),
        "figures": _figures(fact, fall),
        "steps": _steps(fact),
        "sheets": [(name, name) for name in SHEETS],
        "planned": fact.status in _PLANNED,
        "editable": fact.status in _PLANNED and fact.source == "core" and segment is not None,
        "maker": "" if fact.source == "core" else face(current.house.host, fact.source).title,
        "cost": money(fact),
    }


def money(fact: MailingFact) -> str:
    """What it costs, "" where nobody said."""
    return "" if fact.cost_minor is None else formats.money(fact.cost_minor, fact.currency)


def _figures(fact: MailingFact, fall: Waterfall) -> list[dict[str, str]]:
    if fact.selected is None:
        return []
    of = _("of %(all)s selected", all=formats.num(fall.selected))
    going = {"value": formats.num(fall.ready), "note": of}
    if fact.status in ("selected", "approved"):
        found = [{"label": _("would get it")} | going]
    else:
        found = [{"label": _("sent"), "value": formats.num(fall.sent), "note": of}]
        if fall.ready:
            found.append({"label": _("waiting to go out"), "value": formats.num(fall.ready)})
    nothing = sum(step.people for step in fall.steps) + fall.failed
    found.append({"label": _("get nothing"), "value": formats.num(nothing)})
    if fall.returned:
        found.append({"label": _("came back"), "value": formats.num(fall.returned)})
    if fact.cost_minor is not None:
        pieces = fall.sent or fall.ready
        each = round(fact.cost_minor / pieces) if pieces else None
        found.append(
            {
                "label": _("cost"),
                "value": money(fact),
                "note": _("%(amount)s each", amount=formats.money(each, fact.currency))
                if each is not None
                else "",
            }
        )
    return found


def _steps(fact: MailingFact) -> list[tuple[str, str]]:
    """What was done when, and by whom where that is written down."""
    ended = {"stopped": _("Stopped"), "finished": _("The last piece went out")}
    found = [
        (_("People selected"), fact.selected_at, ""),
        (_("Approved"), fact.approved_at, fact.approved_by or ""),
        (_("Released"), fact.released_at, ""),
        (ended.get(fact.status, _("Ended")), fact.ended_at, ""),
    ]
    return [(said, formats.joined(who, formats.moment(at))) for said, at, who in found if at]


def _design(s: ScopedSession, fact: MailingFact) -> str:
    """The name of the print design that it goes out in, "" for none."""
    try:
        return printing.get(s, UUID(str(fact.content.get("design", "")))).name
    except (ValueError, NotFound):
        return ""


@both(f"{ONE}/pieces", "pieces", "GET")
def pieces(brand: str, mailing_id: UUID, store: str | None = None) -> str:
    """Its pieces, of a state or a reason, in the order of the manifest."""
    state, reason = request.args.get("state") or None, request.args.get("reason") or None
    after = request.args.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 10 else -1
    if state not in (None, *STATES):
        state = None
    with current.session() as s:
        fact = queries.get(s, mailing_id)
        found = queries.pieces(s, mailing_id, start, _PAGE + 1, state=state, reason=reason)
        rows = _named(s, fact, found[:_PAGE])
        bars = words.fall(fact, queries.waterfall(s, mailing_id))
    wanted = {
        name: value for name, value in (("state", state), ("reason", reason)) if value is not None
    }
    said = next((bar.words for bar in bars if wanted and bar.wanted == wanted), "")
    more = None
    if len(found) > _PAGE:
        more = here("pieces", mailing_id=mailing_id, after=found[_PAGE - 1].place, **wanted)
    return render_template(
        "mailings/pieces.html", one=fact, pieces=rows, said=said, more_href=more, **names()
    )


def _named(s: ScopedSession, fact: MailingFact, found: Iterable[PieceFact]) -> list[dict[str, Any]]:
    """Pieces with the names of their people, for whoever may see customers."""
    held = list(found)
    known = (
        anchors.names(s, [one.customer_id for one in held]) if current.may("customers.read") else {}
    )
    return [
        {
            "name": known.get(one.customer_id, ""),
            "href": person_href(one.customer_id),
            "state": words.piece(one.state),
            "reason": queries.words_of(fact, one.reason) if one.reason else "",
            "code": one.code or "",
            "code_href": here("scan", code=one.code) if one.code else "",
        }
        for one in held
    ]


@both(f"{ONE}/pieces.csv", "sheet", "POST", store=APPROVE, office=APPROVE)
def sheet(brand: str, mailing_id: UUID, store: str | None = None) -> Response:
    """Names and addresses of what went out, for the mail house."""
    raw = tempfile.TemporaryFile()  # noqa: SIM115 - it is sent below
    file = io.TextIOWrapper(raw, encoding="utf-8", newline="")
    with current.session(write=True) as s:
        fact = queries.get(s, mailing_id)
        if fact.channel != "post" or fact.released_at is None:
            raise Conflict(_("There is a file once a mailing by post has been released."))
        file.write(MARK)
        writer = csv.writer(file, lineterminator="\r\n")
        for row in post.rows(s, mailing_id):
            writer.writerow(cells(row))
        record(s, "mailing.exported", "mailing", fact.id, fact.name)
    file.detach().seek(0)
    return send_file(
        raw,
        mimetype="text/csv",
        as_attachment=True,
        download_name=f"mailing-{fact.number}.csv",
    )
