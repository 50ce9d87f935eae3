"""How mailings, their waterfall and their pieces look on the wire."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from highstreet.mailings.models import STATES, STATUSES
from highstreet.rest import cursors
from highstreet.rest.fields import Int64, Moment, Text, YesNo
from highstreet.rest.segment_schemas import RuleField
from highstreet.results.holdouts import MOST

_CHANNELS = ["post", "email"]
_HOLDOUT = "Hundredths of a percent of households that get nothing, drawn by lot: 1000 is 10 %."
_CONTENT = (
    "What is sent, as the channel takes it. By post: {}, or {“design”: id of a print design}. By"
    " e-mail: {“subject”, “text”, “html”}, each in Liquid; text or html may be left out."
)


class LeaveOutIn(Schema):
    """People of the audience who get nothing."""

    reason = Text(
        required=True,
        validate=validate.Regexp(r"[a-z][a-z_]{0,19}\Z"),
        metadata={"example": "too_far"},
    )
    words = Text(
        required=True,
        validate=validate.Length(1, 200),
        metadata={"description": "Why, as a sentence."},
    )
    rule = RuleField(required=True)


class LeaveOutOut(Schema):
    """People of the audience who get nothing."""

    reason = fields.String(required=True)
    words = fields.String(required=True)
    rule = fields.Raw(required=True, metadata={"description": "As `Rule`."})


class MailingIn(Schema):
    """A mailing of the key's store, as somebody plans it."""

    name = Text(required=True, validate=validate.Length(1, 80))
    purpose = Text(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "What consent is asked for.", "example": "marketing"},
    )
    channel = fields.String(required=True, validate=validate.OneOf(_CHANNELS))
    segment_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Whom it goes to: this segment, or `rule`, one of the two."},
    )
    rule = RuleField(load_default=None)
    leave_out = fields.List(
        fields.Nested(LeaveOutIn), load_default=list, validate=validate.Length(max=20)
    )
    most = Int64(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 2**53 - 1),
        metadata={"description": "Pieces at most; who gets one is drawn by lot."},
    )
    series = Text(load_default="", validate=validate.Length(max=80))
    again_after = Int64(
        load_default=0,
        validate=validate.Range(0, 3650),
        metadata={"description": "Who got one of the series in so many days is left out."},
    )
    content = fields.Dict(
        keys=fields.String(), load_default=dict, metadata={"description": _CONTENT}
    )
    by_household = YesNo(load_default=True)
    verified = YesNo(
        load_default=False, metadata={"description": "Only to addresses whose form is right."}
    )
    holdout = Int64(
        load_default=0, validate=validate.Range(0, MOST), metadata={"description": _HOLDOUT}
    )
    not_after = Moment(
        load_default=None,
        allow_none=True,
        metadata={"description": "Nothing of it goes out later."},
    )
    cost_minor = Int64(
        load_default=None,
        allow_none=True,
        validate=validate.Range(0, 2**53 - 1),
        metadata={"description": "Of all of it, in minor units of the store's currency."},
    )


class StepOut(Schema):
    """So many people get nothing for a reason."""

    reason = fields.String(required=True)
    words = fields.String(required=True, metadata={"description": "In the language asked for."})
    people = fields.Integer(required=True)
    late = fields.Boolean(required=True, metadata={"description": "Found only at the release."})


class WaterfallOut(Schema):
    """Where everybody who was selected went: selected = ready + sent + failed + Σ steps."""

    selected = fields.Integer(required=True)
    steps = fields.List(fields.Nested(StepOut), required=True)
    ready = fields.Integer(required=True, metadata={"description": "Go out, or would."})
    sent = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    returned = fields.Integer(required=True, metadata={"description": "Of those sent."})


class MailingOut(Schema):
    """A mailing of the store."""

    id = fields.UUID(required=True)
    number = fields.Integer(required=True)
    name = fields.String(required=True)
    source = fields.String(
        required=True, metadata={"description": "The tool that planned it, else “core”."}
    )
    purpose = fields.String(required=True)
    channel = fields.String(required=True, metadata={"enum": _CHANNELS})
    segment_id = fields.UUID(required=True, allow_none=True)
    rule = fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "As `Rule`: an audience of its own; null: the segment's."},
    )
    leave_out = fields.List(fields.Nested(LeaveOutOut), required=True)
    most = fields.Integer(required=True, allow_none=True)
    series = fields.String(required=True)
    again_after = fields.Integer(required=True)
    content = fields.Dict(keys=fields.String(), required=True)
    by_household = fields.Boolean(required=True)
    verified = fields.Boolean(required=True)
    holdout = fields.Integer(required=True, metadata={"description": _HOLDOUT})
    not_after = Moment(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"enum": list(STATUSES)})
    selected = fields.Integer(required=True, allow_none=True)
    selected_at = Moment(required=True, allow_none=True)
    manifest = fields.String(
        required=True,
        metadata={"description": "sha256 of everybody and their address; empty: none selected."},
    )
    approved_by = fields.String(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)
    released_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    cost_minor = fields.Integer(required=True, allow_none=True)
    currency = fields.String(required=True)


class MailingWhole(MailingOut):
    """A mailing with its audience in words and where everybody went."""

    audience = fields.List(
        fields.String(), required=True, metadata={"description": "In the language asked for."}
    )
    waterfall = fields.Nested(WaterfallOut, required=True)


class MailingList(Schema):
    """The store's mailings, the newest first."""

    items = fields.List(fields.Nested(MailingOut), required=True)


class ApproveIn(Schema):
    """What is approved: the manifest that was looked at."""

    manifest = Text(required=True, validate=validate.Regexp(r"[0-9a-f]{64}\Z"))


class NothingToSay(Schema):
    """An empty object: the step is all that is asked."""


class CostIn(Schema):
    """What it cost."""

    cost_minor = Int64(required=True, allow_none=True, validate=validate.Range(0, 2**53 - 1))


class PieceOut(Schema):
    """What became of one who was selected."""

    customer_id = fields.UUID(required=True)
    state = fields.String(required=True, metadata={"enum": list(STATES)})
    reason = fields.String(required=True, allow_none=True)
    words = fields.String(
        required=True, metadata={"description": "Why they get nothing, in the language asked for."}
    )
    late = fields.Boolean(required=True)
    code = fields.String(required=True, allow_none=True)
    lines = fields.List(
        fields.String(),
        required=True,
        allow_none=True,
        metadata={"description": "The postal address as it was; for keys with `customers.read`."},
    )
    batch = fields.Integer(required=True, allow_none=True)
    sent_at = Moment(required=True, allow_none=True)


class PiecePage(Schema):
    """Pieces in the order of the manifest."""

    items = fields.List(fields.Nested(PieceOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PieceQuery(cursors.PageQuery):
    """Which pieces, and which page."""

    state = fields.String(load_default=None, validate=validate.OneOf(STATES))


class ChainOut(Schema):
    """Why somebody got a piece."""

    piece = fields.Nested(PieceOut, required=True)
    mailing_id = fields.UUID(required=True)
    mailing = fields.String(required=True)
    purpose = fields.String(required=True)
    channel = fields.String(required=True, metadata={"enum": _CHANNELS})
    sender = fields.String(required=True)
    legal_entity = fields.String(required=True)
    audience = fields.List(fields.String(), required=True)
    selected_at = Moment(required=True, allow_none=True)
    consent_at = Moment(
        required=True, allow_none=True, metadata={"description": "Null: none was needed."}
    )
    consent_wording = fields.String(required=True, allow_none=True)
