"""What the room takes and tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from msgspec import Struct, field

from highstreet.consent.gate import WORDS as GATE_WORDS
from highstreet.email.endings import WORDS as EMAIL_WORDS
from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l

#: Why somebody who was selected gets nothing: the gate's reasons, a mailing's own, a carrier's.
REASONS: Final[Mapping[str, LazyText]] = {
    **GATE_WORDS,
    "held_out_of_all": _l("Their household is held out from everything."),
    "held_out": _l("Their household is held out from this mailing."),
    "household": _l("Somebody else of the household gets it."),
    "most": _l("So many get it that the mailing is full."),
    "erased": _l("They were erased."),
    "too_late": _l("Its last day had passed."),
    "stopped": _l("The mailing was stopped."),
    **EMAIL_WORDS,
}


class LeaveOut(Struct, frozen=True):
    """People of the audience who get nothing. reason: small letters, 20 at most, none of REASONS;
    words: why, a sentence. One of the two: rule, as `segments.rules` has it in JSON; mailings, of
    the same place: whose household gets one of these already."""

    reason: str
    words: str | LazyText
    rule: Mapping[str, Any] | None = None
    mailings: Sequence[UUID] = ()


class MailingIn(Struct, frozen=True):
    """A mailing as somebody plans it.

    segment_id or rule (JSON, docs/segments.md): whom it goes to, one of the two. source: the tool
    that makes it, else "core". content: what the channel's carrier asks for. holdout: hundredths of
    a percent of households. most: pieces at most. series, again_after: who got one of the series
    within so many days, or is about to, is none of the audience. cost_minor: minor units of the
    place's currency.
    """

    name: str
    purpose: str
    channel: str
    segment_id: UUID | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    by_household: bool = True
    verified: bool = False
    holdout: int = 0
    not_after: datetime | None = None
    cost_minor: int | None = None
    source: str = "core"
    rule: Mapping[str, Any] | None = None
    leave_out: Sequence[LeaveOut] = ()
    most: int | None = None
    series: str = ""
    again_after: int = 0


class MailingFact(Struct, frozen=True):
    """A mailing as it stands; see `models.Mailing`."""

    id: UUID
    store_id: UUID | None
    number: int
    name: str
    source: str
    purpose: str
    channel: str
    segment_id: UUID | None
    audience: Mapping[str, Any]
    leave_out: Sequence[Mapping[str, Any]]
    most: int | None
    series: str
    again_after: int
    by_household: bool
    verified: bool
    holdout: int
    content: Mapping[str, Any]
    content_digest: str
    not_after: datetime | None
    status: str
    rule: Mapping[str, Any]
    rule_digest: str
    selected: int | None
    selected_at: datetime | None
    manifest: str
    approved_by: str | None
    approved_at: datetime | None
    released_at: datetime | None
    ended_at: datetime | None
    cost_minor: int | None
    currency: str


class Step(Struct, frozen=True):
    """So many people get nothing for a reason; late: found only at the release. words: the reason,
    in the reader's language."""

    reason: str
    people: int
    late: bool
    words: str = ""


class Waterfall(Struct, frozen=True):
    """Where everybody who was selected went: selected = ready + sent + failed + Σ steps, to the
    piece. returned: of those sent, what the post brought back."""

    selected: int
    steps: Sequence[Step]
    ready: int
    sent: int
    failed: int
    returned: int


class PieceFact(Struct, frozen=True):
    """One piece, for its carrier or for whoever scans it."""

    id: UUID
    mailing_id: UUID
    customer_id: UUID
    household_id: UUID | None
    place: int
    state: str
    reason: str | None
    late: bool
    reached_at: str | None
    lines: Sequence[str] | None
    code: str | None
    batch: int | None
    sent_at: datetime | None
