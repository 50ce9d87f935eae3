"""What an operator may ask of the points club on the command line; good for a monthly run."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from highstreet.sdk import Ctx, Verb, minor_digits
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import liability, settlement, stores
from highstreet_points_club.rules import NAME


def books(ctx: Ctx, options: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """Pairs of stores and what they owe each other for a month; the last whole one if not said."""
    month = settlement.month_of(ctx, options.get("month"))
    found = settlement.pairs(ctx, month)
    names = stores.named(ctx, [one for pair in found for one in (pair.giver, pair.taker)])
    return [
        {
            "month": f"{month.first:%Y-%m}",
            "owes": names[one.giver].name,
            "gets": names[one.taker].name,
            "currency": one.currency,
            "rewards": one.rewards,
            "points": one.points,
            "amount": str(Decimal(one.minor).scaleb(-minor_digits(one.currency))),
        }
        for one in found
    ]


def owed(ctx: Ctx, _options: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """What each store owes its members, in points."""
    found = liability.by_store(ctx)
    names = stores.named(ctx, [one.store_id for one in found])
    return [
        {
            "store": names[one.store_id].name,
            "members": one.members,
            "owed": one.points,
            "can be spent": one.active,
            "pending": one.pending,
            "in rewards": one.held,
            "owed by members": one.owed,
        }
        for one in found
    ]


VERBS = (
    Verb(
        f"{NAME}.books",
        _l("What stores owe one another for a month’s rewards"),
        books,
        {"month": _l("such as 2026-10; the last whole one if not said")},
    ),
    Verb(f"{NAME}.owed", _l("What stores owe their members, in points"), owed),
)
