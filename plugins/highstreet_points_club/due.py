"""A purchase with the points that it is to earn, and what the ledger makes of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, PurchaseFact, new_id
from highstreet_points_club import ledger, rules
from highstreet_points_club.ledger import AccountState, Lapse
from highstreet_points_club.programme import Programme
from highstreet_points_club.rules import Place
from highstreet_points_club.writing import Cause


class Due(NamedTuple):
    """A purchase with the points that it is to earn (none: it is a visit all the same, which idle
    points wait for). customer_id: as merges left it. gains: what campaigns gave of the points."""

    purchase: PurchaseFact
    customer_id: UUID
    place: Place
    programme: Programme
    points: int
    gains: tuple[tuple[UUID, int], ...] = ()


def step_of(
    due: Due, state: AccountState, heard_at: datetime, lapsed: Sequence[Lapse] = ()
) -> ledger.Step:
    """What the purchase does to its account; `lapsed`: what `reviving` found, if anything."""
    at = due.purchase.occurred_at
    stays_until = rules.idle_at(due.programme, at, due.place.zone)
    if not due.points:
        return ledger.visit(
            state, at, new_id, idle_at=stays_until, lapsed=lapsed, heard_at=heard_at
        )
    return ledger.earn(
        state,
        due.points,
        at,
        new_id,
        activates_at=rules.active_from(due.programme, at, due.place.zone),
        expires_at=rules.expires_at(due.programme, at, due.place.zone),
        store_id=due.purchase.store_id,
        idle_at=stays_until,
        lapsed=lapsed,
        heard_at=heard_at,
    )


def cause_of(ctx: Ctx, due: Due, recorded_at: datetime) -> Cause:
    """Why the account moves."""
    return Cause(
        "earn",
        due.purchase.store_id,
        due.place.zone,
        ctx.scope.actor,
        recorded_at,
        purchase_id=due.purchase.id,
        amount_minor=due.purchase.total_minor,
        rule_id=due.programme.rule_id,
        gains=due.gains,
    )
