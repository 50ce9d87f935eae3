"""A mailing's way from plan to approval."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.facts import EVERY
from highstreet.customers import places
from highstreet.customers.text import bad, clean
from highstreet.host import facts as hosts
from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.mailings import carriers, queries, selecting
from highstreet.mailings.facts import REASONS, LeaveOut, MailingFact, MailingIn
from highstreet.mailings.models import Mailing
from highstreet.results import holdouts
from highstreet.segments import queries as segments
from highstreet.segments.queries import May
from highstreet.segments.rules import dump, load
from highstreet_tenants import turns
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_PLANNED = ("draft", "selected", "approved")
_REASON = re.compile(r"[a-z][a-z_]{0,19}")
#: Days after which nobody remembers what they got.
_LONGEST = 3650


def draft(s: ScopedSession, given: MailingIn) -> UUID:
    """Plan a mailing; gives its id. Raises Invalid, NotFound for a segment that is not here, and
    Conflict where head office has no customers to write to."""
    if s.store_id is None and s.customers == "store":
        raise Conflict(_("The stores own their customers: each store writes to its own."))
    turns.take(s, "core", "mailing")
    row = Mailing(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=s.store_id,
        place_id=s.store_id or s.brand_id,
        number=next_number(s),
        source=given.source,
        currency=currency_of(s),
    )
    _fill(s, row, given)
    s.add(row)
    s.flush()
    record(s, "mailing.drafted", "mailing", row.id, row.name)
    return row.id


def change(s: ScopedSession, mailing_id: UUID, given: MailingIn) -> None:
    """Change a plan. What was selected and approved falls: people are selected anew.

    Raises NotFound, Invalid, Conflict once it has been released.
    """
    row = queries.row(s, mailing_id, lock=True)
    _planned(row)
    _fill(s, row, given)
    selecting.forget(s, row)
    s.flush()
    record(s, "mailing.changed", "mailing", row.id, row.name)


def select(s: ScopedSession, mailing_id: UUID, *, may: May = None) -> MailingFact:
    """Work out whom it goes to and why others get nothing: one piece for each who is in the segment
    now. May be done again until it is approved. Raises NotFound, Conflict, Invalid."""
    row = queries.row(s, mailing_id, lock=True)
    if row.status not in ("draft", "selected"):
        raise Conflict(_("People are selected before a mailing is approved."))
    carrier = carriers.of(row.channel)
    row.content = dict(carrier.pin(s, row.content))
    row.content_digest = carrier.check(s, row.content)
    selecting.forget(s, row)
    selecting.fill(s, row, may=may)
    row.status = "selected"
    s.flush()
    return queries.fact(row)


def approve(s: ScopedSession, mailing_id: UUID, manifest: str) -> MailingFact:
    """Let it go out as it was looked at: `manifest` is that of the people who were shown.

    Raises NotFound, Conflict where others were selected or the content was edited since.
    """
    row = queries.row(s, mailing_id, lock=True)
    if row.status != "selected":
        raise Conflict(_("Select people first; then what was selected is approved."))
    if row.manifest != manifest:
        raise Conflict(_("Others were selected meanwhile. Look at them before you approve."))
    refuse_edited(s, row)
    if row.not_after is not None and row.not_after <= now():
        raise Conflict(_("Its last day has passed. Set a later one."))
    row.status, row.approved_by, row.approved_at = "approved", s.scope.actor.name, now()
    s.flush()
    record(
        s, "mailing.approved", "mailing", row.id, row.name, details={"people": row.selected or 0}
    )
    return queries.fact(row)


def of_people(s: ScopedSession, mailing_id: UUID) -> MailingFact:
    """A plan that people change. Raises NotFound, Conflict for one that a tool made: what it means
    to send is known to the tool alone."""
    found = queries.get(s, mailing_id)
    if found.source != "core":
        raise Conflict(_("A tool planned this mailing; it is changed there."))
    return found


def discard(s: ScopedSession, mailing_id: UUID) -> None:
    """Throw a plan away. Raises NotFound, Conflict once it has been released."""
    row = queries.row(s, mailing_id, lock=True)
    _planned(row)
    selecting.forget(s, row)
    row.status, row.ended_at = "discarded", now()
    s.flush()
    record(s, "mailing.discarded", "mailing", row.id, row.name)


def put_cost(s: ScopedSession, mailing_id: UUID, cost_minor: int | None) -> None:
    """Write what it cost against it (minor units), at any time. Raises NotFound, Invalid."""
    row = queries.row(s, mailing_id, lock=True)
    row.cost_minor = _cost(cost_minor)
    s.flush()
    record(s, "mailing.cost", "mailing", row.id, row.name)


def refuse_edited(s: ScopedSession, row: Mailing) -> None:
    """Raise Conflict if what is sent is no longer what was looked at."""
    if carriers.of(row.channel).check(s, row.content) != row.content_digest:
        raise Conflict(_("Its content was edited since people were selected. Select them anew."))


def _planned(row: Mailing) -> None:
    if row.status not in _PLANNED:
        raise Conflict(_("It was released already; it can be stopped."))


def _fill(s: ScopedSession, row: Mailing, given: MailingIn) -> None:
    row.name = clean(given.name, "name", 80, required=True)
    purpose = clean(given.purpose, "purpose", 40, required=True)
    if purpose == EVERY:
        raise bad("purpose", _("Say what for: consent is for one purpose."))
    row.purpose, row.channel = purpose, given.channel
    carriers.of(given.channel)
    _fill_audience(s, row, given)
    row.by_household, row.verified = given.by_household, given.verified
    row.content, row.content_digest = dict(given.content), ""
    if not 0 <= given.holdout <= holdouts.MOST:
        raise bad("holdout", _("Hold out from 0 to 50 percent."))
    row.holdout = given.holdout
    row.not_after = _moment(given.not_after)
    row.cost_minor = _cost(given.cost_minor)
    row.status, row.changed_by, row.changed_at = "draft", s.scope.actor.name, now()
    row.approved_by = row.approved_at = None


def _fill_audience(s: ScopedSession, row: Mailing, given: MailingIn) -> None:
    if (given.segment_id is None) == (given.rule is None):
        raise bad("segment_id", _("Say whom it goes to: a segment, or a rule of its own."))
    row.segment_id, row.audience = None, {}
    if given.segment_id is not None:
        segment = segments.get(s, given.segment_id)
        if segment.retired:
            raise bad("segment_id", _("“%(name)s” is out of use.", name=segment.name))
        row.segment_id = segment.id
    elif given.rule is not None:
        row.audience = dump(load(given.rule))
    reasons = [one.reason for one in given.leave_out]
    for reason in reasons:
        if not _REASON.fullmatch(reason) or reason in REASONS or reasons.count(reason) > 1:
            raise bad("leave_out", _("“%(name)s” is no name for a reason.", name=reason))
    row.leave_out = [
        {"reason": one.reason, **_who(s, one), **_kept(one.words)} for one in given.leave_out
    ]
    if given.most is not None and given.most < 1:
        raise bad("most", _("A mailing has at least one piece, or no limit."))
    row.most = given.most
    row.series = clean(given.series, "series", 80)
    if not 0 <= given.again_after <= _LONGEST:
        raise bad("again_after", _("Say in how many days, from 0 to 3,650."))
    row.again_after = given.again_after


def _who(s: ScopedSession, one: LeaveOut) -> dict[str, Any]:
    if (one.rule is None) == (not one.mailings):
        raise bad("leave_out", _("Say who is left out: a rule, or what mailings they get."))
    if one.rule is not None:
        return {"rule": dump(load(one.rule))}
    return {"mailings": [str(queries.row(s, each).id) for each in one.mailings]}


def _kept(words: str | LazyText) -> dict[str, Any]:
    """Words as they are kept: translated when they are shown."""
    if isinstance(words, LazyText):
        return {"words": words.message, "values": words.values}
    return {"words": words, "values": {}}


def _moment(at: datetime | None) -> datetime | None:
    if at is not None and at.tzinfo is None:
        raise bad("not_after", _("Say its last moment with its zone."))
    return at


def _cost(minor: int | None) -> int | None:
    if minor is not None and not 0 <= minor < 2**53:
        raise bad("cost_minor", _("An amount can't be below zero."))
    return minor


def next_number(s: ScopedSession) -> int:
    """What the next mailing of this place is called by; whoever asks has taken the turn."""
    last = s.scalar(
        sa.select(sa.func.max(Mailing.number)).where(
            Mailing.place_id == (s.store_id or s.brand_id), *s.scope.owns(Mailing)
        )
    )
    return (last or 0) + 1


def currency_of(s: ScopedSession) -> str:
    """The currency that a mailing of this place costs."""
    return places.place(s, s.store_id).currency if s.store_id else hosts.brand(s).currency
