"""Settings of direct mail: prices, the purpose of consent, how long codes count, caps."""

from marshmallow import Schema, fields, validate

from highstreet.sdk import lazy_gettext as _l

#: Minor units; more is a slip of the finger.
_DEAREST = 10**9


class MailSchema(Schema):
    """The settings of direct mail."""

    piece_minor = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, _DEAREST),
        metadata={
            "label": _l("Price of a piece"),
            "help": _l("Print and postage together. A job keeps the prices of its plan."),
            "money": True,
        },
    )
    fixed_minor = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, _DEAREST),
        metadata={
            "label": _l("Fixed costs of a job"),
            "help": _l("Setting up, delivery to the post office."),
            "money": True,
        },
    )
    purpose = fields.String(
        load_default="marketing",
        validate=validate.Regexp(r"[a-z][a-z0-9_-]{0,39}\Z"),
        metadata={
            "label": _l("Purpose"),
            "help": _l("What customers agreed to, or did not refuse, by post."),
        },
    )
    response_days = fields.Integer(
        load_default=28,
        strict=True,
        validate=validate.Range(1, 366),
        metadata={
            "label": _l("Days in which codes count"),
            "help": _l("From the day a piece goes out. Results look at the same days."),
        },
    )
    trigger_per_day = fields.Integer(
        load_default=50,
        strict=True,
        validate=validate.Range(1, 100_000),
        metadata={"label": _l("Pieces a day of a standing order, at most")},
    )
    trigger_per_month = fields.Integer(
        load_default=500,
        strict=True,
        validate=validate.Range(1, 1_000_000),
        metadata={"label": _l("Pieces a month of a standing order, at most")},
    )
