"""The last actions at a store's till, and taking the newest back."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.models import Customer
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.purchases import queries as purchases
from highstreet.purchases import service
from highstreet.purchases.facts import Returned, ReturnIn
from highstreet.purchases.models import Purchase, Return
from highstreet.till.hooks import Deeds
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict
from highstreet_tenants.people.models import ApiKey, User
from highstreet_tenants.sessions import ScopedSession

Kind = Literal["purchase", "enrolled", "tool"]


class Action(Struct, frozen=True):
    """One deed. at: when it was entered (UTC). amount_minor: of a purchase, with `currency`.

    what, change: a tool's own words, and what it gave or took ("+8"). undoable: it can still be
    taken back: a purchase by `undo_purchase`, a tool's deed at `undo_url`. by, by_id: the person,
    or the till's key, that did it, or took it back where it is undone; "" and None for an
    enrolment, and for what the installation itself did.
    """

    kind: Kind
    id: UUID | None
    at: datetime
    customer_id: UUID
    who: str
    amount_minor: int = 0
    currency: str = ""
    what: str = ""
    change: str = ""
    undone: bool = False
    undoable: bool = False
    undo_url: str = ""
    by: str = ""
    by_id: UUID | None = None


def last_actions(s: ScopedSession, store_id: UUID, today: date, limit: int = 6) -> list[Action]:
    """The newest deeds of today and yesterday (business dates) in a store, newest first.

    Purchases without a customer are not among them: nobody at the till gave points for those.
    """
    bought = s.execute(
        sa.select(
            Purchase.id,
            Purchase.recorded_at,
            Purchase.customer_id,
            Purchase.total_minor,
            Purchase.returned_minor,
            Purchase.currency,
            Purchase.actor_id,
        )
        .where(
            Purchase.store_id == store_id,
            Purchase.business_date.between(today - timedelta(days=1), today),
            Purchase.customer_id.is_not(None),
        )
        .order_by(Purchase.recorded_at.desc())
        .limit(limit)
    ).all()
    joined = s.execute(
        sa.select(Customer.id, Customer.joined_at)
        .where(Customer.home_store_id == store_id, Customer.status == "active")
        .order_by(Customer.joined_at.desc())
        .limit(limit)
    ).all()
    deeds = _deeds(s, store_id, [row.id for row in bought], limit)
    earned: Mapping[UUID, str] = {key: text for one in deeds for key, text in one.earned.items()}
    own = [deed for one in deeds for deed in one.own]
    doers = {row.id: row.actor_id for row in bought}
    doers |= _takers(s, [row.id for row in bought if _is_undone(row)])
    called = _called(s, {*doers.values(), *(deed.by for deed in own)} - {None})
    names = _names(
        s,
        {row.customer_id for row in bought}
        | {row.id for row in joined}
        | {deed.customer_id for deed in own},
    )
    since = clock.now() - timedelta(days=2)
    actions = [
        Action(
            "purchase",
            row.id,
            row.recorded_at,
            row.customer_id,
            names.get(row.customer_id, ""),
            row.total_minor,
            row.currency,
            change=earned.get(row.id, ""),
            undone=_is_undone(row),
            undoable=row.returned_minor < row.total_minor,
            by=called.get(doers.get(row.id), ""),
            by_id=doers.get(row.id),
        )
        for row in bought
    ]
    actions += [
        Action("enrolled", None, row.joined_at, row.id, names.get(row.id, ""))
        for row in joined
        if row.joined_at >= since
    ]
    actions += [
        Action(
            "tool",
            None,
            deed.at,
            deed.customer_id,
            names.get(deed.customer_id, ""),
            what=deed.what,
            change=deed.change,
            undone=deed.undone,
            undoable=bool(deed.undo_url),
            undo_url=deed.undo_url,
            by=called.get(deed.by, ""),
            by_id=deed.by,
        )
        for deed in own
    ]
    return sorted(actions, key=lambda one: one.at, reverse=True)[:limit]


def undo_purchase(s: ScopedSession, purchase_id: UUID) -> Returned:
    """Take a purchase back whole, as a return: what it earned goes with it. Twice is once.

    Raises NotFound, Conflict where (part of) it was returned otherwise: the till can't know which
    part is meant.
    """
    purchase = purchases.get(s, purchase_id)
    ref = f"undo {purchase.id}"
    row = purchases.find_return(s, purchase.store_id, ref)
    if row is not None:
        return Returned(purchases.return_fact(s, row, purchase), False)
    if purchase.returned_minor:
        raise Conflict(
            _(
                "This purchase, or part of it, was returned already. Give the rest back under"
                " “Goods come back”."
            )
        )
    at = max(clock.now(), purchase.occurred_at)
    return service.record_return(s, ReturnIn(purchase.store_id, ref, purchase.pos_ref, at))


def _is_undone(row: Any) -> bool:
    return bool(0 < row.total_minor == row.returned_minor)


def _takers(s: ScopedSession, purchase_ids: list[UUID]) -> dict[UUID, UUID | None]:
    """Who gave the last of it back, by purchase."""
    if not purchase_ids:
        return {}
    rows = s.execute(
        sa.select(Return.purchase_id, Return.actor_id)
        .where(Return.purchase_id.in_(purchase_ids))
        .order_by(Return.recorded_at, Return.id)
    )
    return {row.purchase_id: row.actor_id for row in rows}


def _deeds(s: ScopedSession, store_id: UUID, ids: list[UUID], limit: int) -> list[Deeds]:
    answers = dispatch.collect(s, "till_deeds", store_id=store_id, purchases=ids, limit=limit)
    return [cast(Deeds, answer.value) for answer in answers if answer.value is not None]


def _names(s: ScopedSession, ids: set[UUID]) -> dict[UUID, str]:
    if not ids:
        return {}
    rows = s.execute(sa.select(Customer.id, Customer.name).where(Customer.id.in_(ids)))
    return {row.id: row.name for row in rows}


def _called(s: ScopedSession, ids: set[UUID | None]) -> dict[UUID | None, str]:
    """Names of actors: people, and keys of tills."""
    if not ids:
        return {}
    people = s.execute(sa.select(User.id, User.name).where(User.id.in_(ids)))
    keys = s.execute(sa.select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(ids)))
    return {row.id: row.name for row in (*people, *keys)}
