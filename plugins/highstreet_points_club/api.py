"""REST operations of the points club, for tills. What a basket would earn is the core's preview."""

from typing import Any
from uuid import UUID

from marshmallow import Schema, fields, validate

from highstreet.sdk import Ctx, Invalid, api, current, open_ctx, requires
from highstreet.sdk import gettext as _
from highstreet_points_club import corrections, history, rewards, rules
from highstreet_points_club.issuing import Issued

blueprint = api("points_club", "Points: balances, rewards, corrections.", import_name=__name__)

_POINTS = {"description": "Points; whole numbers."}
_MINOR = {"description": "In the smallest unit of `currency`."}


class Whole(fields.Integer):
    """An integer; JSON true, "5" and 5.5 are none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strict=True, **options)

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        return int(super()._validated(value))


class LapsingOut(Schema):
    """Points that are gone after a day."""

    points = fields.Integer(required=True)
    last_day = fields.Date(required=True)
    unless_visit = fields.Boolean(
        required=True, metadata={"description": "They stay if the member buys before."}
    )


class RewardOut(Schema):
    """A reward that points were given for."""

    id = fields.UUID(required=True)
    key = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["product", "money"]))
    points = fields.Integer(required=True, metadata=_POINTS)
    value_minor = fields.Integer(required=True, metadata=_MINOR)
    currency = fields.String(required=True)
    automatic = fields.Boolean(required=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(["issued", "redeemed", "released", "returned", "lapsed"]),
    )
    issued_at = fields.DateTime(required=True, format="iso")
    ends_at = fields.DateTime(required=True, allow_none=True, format="iso")


class OfferOut(Schema):
    """A reward on offer in the store."""

    key = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(["product", "money"]))
    points = fields.Integer(required=True, metadata=_POINTS)
    value_minor = fields.Integer(required=True, metadata=_MINOR)
    automatic = fields.Boolean(
        required=True, metadata={"description": "It is issued by itself and can't be asked for."}
    )


class NextOut(Schema):
    """The cheapest reward that is not yet within reach."""

    key = fields.String(required=True)
    name = fields.String(required=True)
    points = fields.Integer(required=True, metadata=_POINTS)
    missing = fields.Integer(required=True, metadata=_POINTS)


class BalanceOut(Schema):
    """A member's points now."""

    customer_id = fields.UUID(required=True)
    unit = fields.String(required=True)
    balance = fields.Integer(
        required=True,
        metadata={"description": "All of them; below zero after a return of spent points."},
    )
    spendable = fields.Integer(required=True, metadata=_POINTS)
    pending = fields.Integer(
        required=True, metadata={"description": "They count but can't be spent yet."}
    )
    held = fields.Integer(
        required=True, metadata={"description": "Locked by rewards that wait; not in the balance."}
    )
    next_reward = fields.Nested(NextOut, required=True, allow_none=True)
    lapsing = fields.List(fields.Nested(LapsingOut), required=True)
    rewards = fields.List(fields.Nested(RewardOut), required=True)


class CampaignOut(Schema):
    """A campaign of head office's and its part of an entry's points."""

    name = fields.String(required=True)
    points = fields.Integer(required=True)


class LineOut(Schema):
    """A line of a member's story."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    points = fields.Integer(required=True)
    at = fields.DateTime(required=True, format="iso")
    store_id = fields.UUID(required=True, allow_none=True)
    amount_minor = fields.Integer(required=True, allow_none=True)
    purchase_id = fields.UUID(required=True, allow_none=True)
    reward = fields.String(required=True, allow_none=True)
    campaigns = fields.List(
        fields.Nested(CampaignOut),
        required=True,
        metadata={"description": "Head office's campaigns that gave of the points."},
    )


class StoryOut(Schema):
    """A page of a member's story, newest first."""

    items = fields.List(fields.Nested(LineOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StoryQuery(Schema):
    """Which page."""

    cursor = fields.String(validate=validate.Length(1, 200))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class OffersOut(Schema):
    """What is on offer, the cheapest first."""

    items = fields.List(fields.Nested(OfferOut), required=True)


class TakeIn(Schema):
    """Which reward for whom."""

    customer_id = fields.UUID(required=True)
    reward = fields.String(
        required=True,
        validate=validate.Length(1, 40),
        metadata={"description": "The key of a reward on offer."},
    )
    steps = Whole(
        load_default=1,
        validate=validate.Range(1, rewards.MOST_STEPS),
        metadata={"description": "How many times; above 1 for money off only."},
    )
    hold = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Only lock the points; redeem or release it afterwards."},
    )
    purchase_id = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "Bought with it: when that comes back whole, so do the points."},
    )


class RedeemIn(Schema):
    """With which purchase."""

    purchase_id = fields.UUID(load_default=None, allow_none=True)


class NothingIn(Schema):
    """An empty object."""


class CorrectIn(Schema):
    """A correction by hand."""

    points = Whole(
        required=True,
        validate=validate.Range(-corrections.MOST, corrections.MOST),
        metadata={"description": "Above or below zero."},
    )
    reason = fields.String(required=True, validate=validate.Length(3, 200))


class CorrectedOut(Schema):
    """The balance after a correction."""

    entry_id = fields.UUID(required=True)
    balance = fields.Integer(required=True)
    rewards = fields.List(fields.Nested(RewardOut), required=True)


@blueprint.route("/customers/<uuid:customer_id>/balance")
@blueprint.response(200, BalanceOut())
@requires("till.read")
def balance(customer_id: UUID) -> dict[str, Any]:
    """A member's points, what they are worth next, and rewards that wait."""
    with open_ctx() as ctx:
        customer = ctx.customers.get(customer_id)
        found = history.balance(ctx, customer.id)
    coming = found.next_reward
    return {
        "customer_id": customer.id,
        "unit": found.programme.unit_many,
        "balance": found.balance,
        "spendable": found.spendable,
        "pending": found.pending,
        "held": found.held,
        "next_reward": coming and {
            "key": coming.key, "name": coming.name, "points": coming.points,
            "missing": found.missing,
        },
        "lapsing": [one._asdict() for one in found.lapsing],
        "rewards": [_reward(one) for one in found.rewards],
    }  # fmt: skip


@blueprint.route("/customers/<uuid:customer_id>/story")
@blueprint.arguments(StoryQuery(), location="query")
@blueprint.response(200, StoryOut())
@requires("till.read")
def story(asked: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """A member's story, newest first, page by page.

    Of a club that stores share, a store reads of other stores' lines the points only.
    """
    with open_ctx() as ctx:
        customer = ctx.customers.get(customer_id)
        lines, cursor = history.page(
            ctx, customer.id, before=asked.get("cursor"), limit=asked["limit"]
        )
    items = [
        {
            **{name: getattr(line, name) for name in LineOut._declared_fields},
            "campaigns": [{"name": name, "points": points} for name, points in line.campaigns],
        }
        for line in lines
    ]
    return {"items": items, "next_cursor": cursor}


@blueprint.route("/rewards")
@blueprint.response(200, OffersOut())
@requires("till.read")
def offers() -> dict[str, Any]:
    """Rewards on offer in the key's store, the cheapest first."""
    with open_ctx() as ctx:
        return {"items": rules.programme(ctx).rewards}


@blueprint.route("/rewards", methods=["POST"])
@blueprint.arguments(TakeIn())
@blueprint.response(201, RewardOut())
@requires("till.write")
def take(data: dict[str, Any]) -> dict[str, Any]:
    """Hand over a reward for points, or only hold the points for it.

    409 with the type `not-enough-points` where they are not there.
    """
    with open_ctx(write=True) as ctx:
        customer = ctx.customers.get(data["customer_id"])
        _check_purchase(ctx, data["purchase_id"])
        if data["hold"]:
            if data["purchase_id"] is not None:
                words = _("Name the purchase when the reward is redeemed.")
                raise Invalid(words, fields={"purchase_id": [words]})
            made = rewards.hold(ctx, customer.id, data["reward"], steps=data["steps"])
        else:
            made = rewards.redeem_now(
                ctx,
                customer.id,
                data["reward"],
                steps=data["steps"],
                purchase_id=data["purchase_id"],
            )
    return _reward(made)


@blueprint.route("/rewards/<uuid:reward_id>/redeem", methods=["POST"])
@blueprint.arguments(RedeemIn())
@blueprint.response(200, RewardOut())
@blueprint.alt_response(409, description="It was given back, or has ended.")
@requires("till.write")
def redeem(data: dict[str, Any], reward_id: UUID) -> dict[str, Any]:
    """Hand over a reward that was held or came by itself. Done twice it stays done once."""
    with open_ctx(write=True) as ctx:
        _check_purchase(ctx, data["purchase_id"])
        return _reward(rewards.redeem(ctx, reward_id, purchase_id=data["purchase_id"]))


@blueprint.route("/rewards/<uuid:reward_id>/release", methods=["POST"])
@blueprint.arguments(NothingIn())
@blueprint.response(200, RewardOut())
@blueprint.alt_response(409, description="It was handed over, has ended, or came by itself.")
@requires("till.write")
def release(data: dict[str, Any], reward_id: UUID) -> dict[str, Any]:
    """Let the points of a held reward go back to where they came from."""
    with open_ctx(write=True) as ctx:
        return _reward(rewards.release(ctx, reward_id))


@blueprint.route("/rewards/<uuid:reward_id>/give-back", methods=["POST"])
@blueprint.arguments(NothingIn())
@blueprint.response(200, RewardOut())
@blueprint.alt_response(409, description="It was not handed over.")
@requires("till.write")
def give_back(data: dict[str, Any], reward_id: UUID) -> dict[str, Any]:
    """Undo a reward that was handed over: its points return, once."""
    with open_ctx(write=True) as ctx:
        return _reward(rewards.give_back(ctx, reward_id))


@blueprint.route("/customers/<uuid:customer_id>/corrections", methods=["POST"])
@blueprint.arguments(CorrectIn())
@blueprint.response(201, CorrectedOut())
@requires("points_club.adjust")
def correct(data: dict[str, Any], customer_id: UUID) -> dict[str, Any]:
    """Correct a balance by hand, saying why."""
    with open_ctx(write=True) as ctx:
        done = corrections.adjust(
            ctx,
            customer_id,
            data["points"],
            data["reason"],
            beyond=current.may("points_club.adjust_beyond"),
        )
    return {
        "entry_id": done.entry_id,
        "balance": done.balance,
        "rewards": [_reward(one) for one in done.rewards],
    }


def _check_purchase(ctx: Ctx, purchase_id: UUID | None) -> None:
    """Raise NotFound for a purchase that is not within the key's reach."""
    if purchase_id is not None:
        ctx.purchases.get(purchase_id)


def _reward(reward: Issued) -> dict[str, Any]:
    return reward._asdict()
