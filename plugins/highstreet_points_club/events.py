"""What the points club tells others' programmes by webhook, each kind with a sample.

Payloads name nobody. `balance` is what the member has right after it, so whoever keeps balances
need not add up; a message may come later than one that happened after it.
"""

from typing import Any

from marshmallow import Schema, fields, validate

from highstreet.sdk import EventType
from highstreet.sdk import lazy_gettext as _l

EARNED, TAKEN_BACK = "points_club.earned", "points_club.taken_back"
ADJUSTED, EXPIRED = "points_club.adjusted", "points_club.expired"
READY, REDEEMED = "points_club.reward_ready", "points_club.reward_redeemed"
ENDED = "points_club.reward_ended"

_CUSTOMER = "019aaf6e-0002-7000-8000-000000000002"
_PURCHASE = "019aaf6e-0004-7000-8000-000000000004"
_REWARD = "019aaf6e-0005-7000-8000-000000000005"


class Moved(Schema):
    """A balance moved. Points are whole numbers."""

    customer_id = fields.UUID(required=True)
    points = fields.Integer(required=True)
    balance = fields.Integer(
        required=True, metadata={"description": "Right after it; below zero is a debt."}
    )


class EarnedData(Moved):
    """Points were given."""

    why = fields.String(
        required=True,
        validate=validate.OneOf(["purchase", "welcome", "birthday", "opening", "revived"]),
        metadata={
            "description": "opening: brought from an earlier programme (below zero: a debt)."
            " revived: had lapsed, and are back, for the member had been there in time."
        },
    )
    purchase_id = fields.UUID(required=True, allow_none=True)


class TakenBackData(Moved):
    """Points went because goods came back; `points` says how many."""

    purchase_id = fields.UUID(required=True, allow_none=True)


class RewardData(Schema):
    """A reward. `key` and `name` are the programme's own; `value_minor` is in minor units."""

    customer_id = fields.UUID(required=True)
    reward_id = fields.UUID(required=True)
    key = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["product", "money"]))
    points = fields.Integer(required=True)
    value_minor = fields.Integer(required=True)
    currency = fields.String(required=True)


class ReadyData(RewardData):
    """A reward waits for its member until `ends_at`, if that is said."""

    ends_at = fields.DateTime(required=True, allow_none=True, format="iso")


class RedeemedData(RewardData):
    """A reward was handed over, with that purchase, if one is said."""

    purchase_id = fields.UUID(required=True, allow_none=True)


class EndedData(Schema):
    """A reward that was told as ready, or as handed over, is so no more."""

    customer_id = fields.UUID(required=True)
    reward_id = fields.UUID(required=True)
    how = fields.String(
        required=True,
        validate=validate.OneOf(["lapsed", "released", "returned"]),
        metadata={
            "description": "lapsed: nobody fetched it in time. released: it turned back into"
            " points. returned: it had been handed over and came back."
        },
    )


def _moved(points: int, balance: int, **more: Any) -> dict[str, Any]:
    return {"customer_id": _CUSTOMER, "points": points, "balance": balance, **more}


_reward = {
    "customer_id": _CUSTOMER,
    "reward_id": _REWARD,
    "key": "coffee",
    "name": "Free coffee",
    "kind": "product",
    "points": 80,
    "value_minor": 450,
    "currency": "AUD",
}

EVENTS = (
    EventType(
        EARNED,
        _l("A member earned points"),
        _l("By a purchase, for joining, on a birthday, or brought from an earlier programme."),
        EarnedData,
        _moved(12, 92, why="purchase", purchase_id=_PURCHASE),
    ),
    EventType(
        TAKEN_BACK,
        _l("Points were taken back"),
        _l("Goods came back, wholly or in part."),
        TakenBackData,
        _moved(5, 87, purchase_id=_PURCHASE),
    ),
    EventType(
        ADJUSTED,
        _l("A balance was corrected by hand"),
        _l("Points above or below zero; who did it and why stands in the console."),
        Moved,
        _moved(-20, 67),
    ),
    EventType(
        EXPIRED,
        _l("Points expired"),
        _l("Told when it is booked: in the night after their last day, or before the next deed."),
        Moved,
        _moved(30, 37),
        club=True,
    ),
    EventType(
        READY,
        _l("A reward is ready"),
        _l("One that comes by itself; tell its member that it waits."),
        ReadyData,
        {**_reward, "ends_at": "2026-06-30T14:00:00+00:00"},
    ),
    EventType(
        REDEEMED,
        _l("A reward was handed over"),
        _l("Fetched, or taken for points at the till."),
        RedeemedData,
        {**_reward, "purchase_id": _PURCHASE},
    ),
    EventType(
        ENDED,
        _l("A reward came to nothing"),
        _l("It lapsed, turned back into points, or came back after it had been handed over."),
        EndedData,
        {"customer_id": _CUSTOMER, "reward_id": _REWARD, "how": "lapsed"},
        club=True,
    ),
)
