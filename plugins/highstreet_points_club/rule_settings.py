"""Settings of single rules: a way to earn, a bonus time, a reward; and what they have in common."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club.weekdays import DAYS

MOST = 1_000_000
"""Points: more in one rule is a slip of the finger."""
#: Minor units; what a person types is read in the currency of the place.
_MOST_MINOR = 10**9
NAME = validate.Length(min=1, max=60)
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_DAYS = dict(
    zip(
        DAYS,
        (
            _l("Monday"),
            _l("Tuesday"),
            _l("Wednesday"),
            _l("Thursday"),
            _l("Friday"),
            _l("Saturday"),
            _l("Sunday"),
        ),
        strict=True,
    )
)
_PERCENT = validate.Range(0, 10_000)


def _key(text: str) -> None:
    if not _KEY.fullmatch(text):
        raise ValidationError(_("Use up to 40 small letters, digits and dashes."))


def _above_zero(minor: int) -> None:
    if not 0 < minor <= _MOST_MINOR:
        raise ValidationError(_("Use an amount above zero that a purchase may have."))


def zero_or_more(minor: int) -> None:
    if not 0 <= minor <= _MOST_MINOR:
        raise ValidationError(_("Use an amount of zero or more that a purchase may have."))


class Strict(Schema):
    """Settings with no unknown keys: a misspelt one must not be silent."""

    class Meta:
        """For marshmallow."""

        unknown = RAISE


class AccrualSchema(Strict):
    """One way to earn; see programme.Accrual."""

    mode = fields.String(
        required=True,
        validate=validate.OneOf(["visit", "spend", "items"]),
        metadata={
            "label": _l("Points for"),
            "options": {
                "visit": _l("each visit"),
                "spend": _l("what is paid"),
                "items": _l("pieces, by department"),
            },
        },
    )
    points = fields.Integer(
        load_default=1,
        strict=True,
        validate=validate.Range(1, MOST),
        metadata={"label": _l("Points")},
    )
    per_minor = fields.Integer(
        load_default=100,
        strict=True,
        validate=_above_zero,
        metadata={"label": _l("For each whole amount of"), "money": True},
    )
    min_minor = fields.Integer(
        load_default=1,
        strict=True,
        validate=_above_zero,
        metadata={"label": _l("Smallest purchase that earns"), "money": True},
    )
    factors = fields.Dict(
        keys=fields.String(validate=validate.Length(min=1, max=100)),
        values=fields.Integer(strict=True, validate=_PERCENT),
        load_default=dict,
        metadata={"label": _l("Departments that count more or less, in per cent")},
    )
    excluded = fields.List(
        fields.String(validate=validate.Length(min=1, max=100)),
        load_default=list,
        metadata={"label": _l("Departments that earn nothing")},
    )
    departments = fields.Dict(
        keys=fields.String(validate=validate.Length(min=1, max=100)),
        values=fields.Integer(strict=True, validate=validate.Range(0, MOST)),
        load_default=dict,
        metadata={"label": _l("Points for each piece, by department")},
    )

    @validates_schema
    def _whole(self, data: Mapping[str, Any], **_options: Any) -> None:
        if data["mode"] == "items" and not data["departments"]:
            raise ValidationError(_("Name at least one department and its points."), "departments")
        if data["mode"] != "items" and data["departments"]:
            raise ValidationError(
                _("Only “items” gives points by the piece; use factors here."),
                "departments",
            )


class BonusSchema(Strict):
    """A time when more is given; see programme.Bonus."""

    name = fields.String(required=True, validate=NAME, metadata={"label": _l("What it is called")})
    percent = fields.Integer(
        load_default=100,
        strict=True,
        validate=validate.Range(100, 10_000),
        metadata={"label": _l("Points in per cent of the usual (200: double)")},
    )
    extra = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, MOST),
        metadata={"label": _l("Extra points for a purchase")},
    )
    first_day = fields.Date(load_default=None, allow_none=True, metadata={"label": _l("First day")})
    last_day = fields.Date(load_default=None, allow_none=True, metadata={"label": _l("Last day")})
    weekdays = fields.List(
        fields.String(validate=validate.OneOf(DAYS), metadata={"options": _DAYS}),
        load_default=list,
        metadata={"label": _l("Days of the week (none: all)")},
    )
    hours_from = fields.Time(load_default=None, allow_none=True, metadata={"label": _l("From")})
    hours_to = fields.Time(load_default=None, allow_none=True, metadata={"label": _l("To")})

    @validates_schema
    def _in_order(self, data: Mapping[str, Any], **_options: Any) -> None:
        first, last = data["first_day"], data["last_day"]
        if first is not None and last is not None and last < first:
            raise ValidationError(_("The last day is before the first."), "last_day")


class RewardSchema(Strict):
    """What points buy; see programme.RewardRule."""

    key = fields.String(
        required=True,
        validate=_key,
        metadata={
            "label": _l("Key"),
            "help": _l("Tills call the reward by it: small letters, digits and dashes."),
        },
    )
    name = fields.String(required=True, validate=NAME, metadata={"label": _l("What it is called")})
    points = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, MOST),
        metadata={"label": _l("Points")},
    )
    kind = fields.String(
        load_default="product",
        validate=validate.OneOf(["product", "money"]),
        metadata={
            "label": _l("Kind"),
            "options": {"product": _l("a product"), "money": _l("money off")},
        },
    )
    value_minor = fields.Integer(
        load_default=0,
        strict=True,
        validate=zero_or_more,
        metadata={"label": _l("What it is worth"), "money": True},
    )
    automatic = fields.Boolean(
        load_default=False, metadata={"label": _l("Give it as soon as the points are there")}
    )
    valid_days = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(1, 3650),
        metadata={"label": _l("Days until it ends (empty: never)")},
    )

    @validates_schema
    def _worth(self, data: Mapping[str, Any], **_options: Any) -> None:
        if data["kind"] == "money" and not data["value_minor"]:
            raise ValidationError(_("Say how much money it is worth."), "value_minor")
