"""Settings of a programme: head office sets them for the brand, a region or store may differ."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club.rule_settings import (
    MOST,
    NAME,
    AccrualSchema,
    BonusSchema,
    RewardSchema,
    Strict,
)


class ProgrammeSchema(Strict):
    """The settings of the points club."""

    unit_one = fields.String(
        load_default="point", validate=NAME, metadata={"label": _l("One of them is called")}
    )
    unit_many = fields.String(
        load_default="points", validate=NAME, metadata={"label": _l("Several are called")}
    )
    accruals = fields.List(
        fields.Nested(AccrualSchema),
        load_default=lambda: [AccrualSchema().load({"mode": "spend"})],
        validate=validate.Length(min=1, max=20),
        metadata={"label": _l("Ways to earn")},
    )
    stacked = fields.Boolean(
        load_default=False,
        metadata={
            "label": _l("Add all ways to earn"),
            "help": _l("Otherwise the one that is best for the member counts."),
        },
    )
    bonuses = fields.List(
        fields.Nested(BonusSchema),
        load_default=list,
        validate=validate.Length(max=100),
        metadata={"label": _l("Bonus times")},
    )
    pending_days = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 365),
        metadata={
            "label": _l("Days until points can be spent"),
            "help": _l("As long as goods can be returned, for example. 0: at once."),
        },
    )
    expiry = fields.String(
        load_default="never",
        validate=validate.OneOf(["never", "days", "months", "month_end", "year_end"]),
        metadata={
            "label": _l("Points lapse"),
            "options": {
                "never": _l("never"),
                "days": _l("so many days later"),
                "months": _l("so many months later, to the day"),
                "month_end": _l("at the end of the month so many months later"),
                "year_end": _l("at the end of the year so many months later"),
            },
            "help": _l("Points that were given before a change keep the terms of their time."),
        },
    )
    expiry_days = fields.Integer(
        load_default=365,
        strict=True,
        validate=validate.Range(1, 36_500),
        metadata={
            "label": _l("Days until points lapse"),
            "help": _l("Where points lapse so many days later."),
        },
    )
    expiry_months = fields.Integer(
        load_default=12,
        strict=True,
        validate=validate.Range(0, 240),
        metadata={
            "label": _l("Months until points lapse"),
            "help": _l("Where they lapse so many months later. 0: in the same month or year."),
        },
    )
    idle_months = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 240),
        metadata={
            "label": _l("Months without a visit after which points lapse"),
            "help": _l(
                "0: never. Only points given from now on lapse so, and the day that a visit has"
                " promised is never moved forward by a change here."
            ),
        },
    )
    rewards = fields.List(
        fields.Nested(RewardSchema),
        load_default=list,
        validate=validate.Length(max=50),
        metadata={"label": _l("Rewards")},
    )
    welcome_points = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, MOST),
        metadata={
            "label": _l("Points for joining"),
            "help": _l("Once, for who joins from now on; not for members who come in a file."),
        },
    )
    birthday_points = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, MOST),
        metadata={
            "label": _l("Points on the birthday"),
            "help": _l("Once a year, for members who have said when it is."),
        },
    )
    lapse_notice_days = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 90),
        metadata={
            "label": _l("Days before points lapse at which members are told by e-mail"),
            "help": _l("Once for each day on which some lapse. 0: they are not told."),
        },
    )
    reward_notice = fields.Boolean(
        load_default=False,
        metadata={
            "label": _l("Tell members by e-mail of a reward that came by itself"),
            "help": _l("Once for each, and not for purchases that come in later from a file."),
        },
    )
    hold_minutes = fields.Integer(
        load_default=60,
        strict=True,
        validate=validate.Range(1, 60 * 24 * 30),
        metadata={
            "label": _l("Minutes that a till may hold points for a reward"),
            "help": _l("A reward that is held and never handed over frees its points then."),
        },
    )

    often_most = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, 1000),
        metadata={
            "label": _l("Purchases that one member may make in a day"),
            "help": _l("More are unusual: a card that is swiped for strangers. 0: any number."),
        },
    )
    often_then = fields.String(
        load_default="warn",
        validate=validate.OneOf(["warn", "block"]),
        metadata={
            "label": _l("A purchase beyond that"),
            "options": {
                "warn": _l("earns, and the cashier is told"),
                "block": _l("earns nothing, and the cashier is told"),
            },
        },
    )
    correct_most = fields.Integer(
        load_default=0,
        strict=True,
        validate=validate.Range(0, MOST),
        metadata={
            "label": _l("Points that one person may give by hand in a day"),
            "help": _l("Owners of the store may give more. 0: any number."),
        },
    )

    @validates_schema
    def _hang_together(self, data: Mapping[str, Any], **_options: Any) -> None:
        errors: dict[str, list[str]] = {}
        # One level of the cascade may hold some of the keys only.
        if data.get("expiry") == "months" and data.get("expiry_months") == 0:
            errors["expiry_months"] = [_("Points that lapse at once are no points.")]
        keys = [reward["key"] for reward in data.get("rewards", ())]
        if len(set(keys)) != len(keys):
            errors["rewards"] = [_("Two rewards have the same key.")]
        elif sum(reward["automatic"] for reward in data.get("rewards", ())) > 1:
            errors["rewards"] = [
                _("Only one reward can be given by itself: the points are gone then.")
            ]
        if errors:
            raise ValidationError(errors)
