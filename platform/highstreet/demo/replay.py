"""Replays a brand's purchases through the real services: enrolment, purchases, tools, rewards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers.facts import EnrolIn
from highstreet.demo.facts import Basket, baskets
from highstreet.demo.people import person
from highstreet.host import settings, state
from highstreet.house import House
from highstreet.imports import people
from highstreet.imports.people import Who
from highstreet.purchases import service
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.purchases.models import Purchase
from highstreet.sdk import context
from highstreet.sdk.context import Ctx
from highstreet_tenants import bulk, clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

DEMO = Actor("system", None, "the demo")
CLUB = "points_club"

CHUNK = 2_000
#: Of the members who could have a reward today, so many a store take one.
MOST_A_STORE = 2

_MEMBERS = Statement(
    "SELECT p.customer_id, p.store_id, MAX(p.occurred_at) AS last FROM core_purchase AS p"
    f" WHERE p.customer_id IS NOT NULL AND {own('p')}"
    " GROUP BY p.customer_id, p.store_id ORDER BY last DESC, p.customer_id",
    types={"customer_id": UUID, "store_id": UUID},
)
_WAITING = Statement(
    "SELECT w.id, w.issued_store_id FROM points_club_reward AS w"
    " WHERE w.status = 'issued' AND (w.ends_at IS NULL OR w.ends_at > :at)"
    f" AND {own('w')} ORDER BY w.issued_at DESC, w.id",
    types={"id": UUID, "issued_store_id": UUID},
)


def replay(house: House, brand: Brand, extract: str) -> bool:
    """Replay the extract's purchases for ``brand``, and hand over some rewards; once.

    All of it is one transaction, so that a demo stopped in the middle begins this brand anew.
    Gives False if the brand had purchases already.
    """
    with house.tenancy.session(Scope.operator(brand.id, DEMO), write=True) as s:
        if s.scalar(sa.select(Purchase.id).limit(1)) is not None:
            return False
        stores = {store.code: store for store in s.scalars(sa.select(Store))}
        last_day = clock.business_date(clock.now(), brand.zone) - timedelta(days=1)
        facts = baskets(extract, last_day=last_day)
        members = _enrol(s, brand, stores, facts)
        for chunk in bulk.chunks(facts, CHUNK):
            _record(s, brand, stores, members, chunk)
    _redeem(house, brand)
    return True


def _who(brand: Brand, store: Store, basket: Basket) -> Who:
    realm = brand.id if brand.customers == "brand" else store.id
    return Who(realm, ref=basket.household)


def _enrol(
    s: ScopedSession, brand: Brand, stores: dict[str, Store], facts: Iterable[Basket]
) -> dict[Who, UUID]:
    """Take everybody on who will buy, at the moment of their first purchase."""
    new: dict[Who, EnrolIn] = {}
    for basket in facts:
        store = stores[basket.store_code]
        who = _who(brand, store, basket)
        if who in new:
            continue
        made = person(f"{brand.slug} {who.realm_id == brand.id or store.code}", who.ref, len(new))
        new[who] = EnrolIn(
            store_id=store.id,
            name=made.name,
            phone=made.phone,
            email=made.email,
            card=made.card,
            language=made.language,
            birthday=made.birthday,
            joined_at=clock.from_local(basket.at, store.zone),
        )
    return dict(people.take_on(s, new).ids)


def _record(
    s: ScopedSession,
    brand: Brand,
    stores: dict[str, Store],
    members: dict[Who, UUID],
    facts: Sequence[Basket],
) -> None:
    batch = []
    for basket in facts:
        store = stores[basket.store_code]
        batch.append(
            PurchaseIn(
                store_id=store.id,
                pos_ref=basket.number,
                occurred_at=clock.from_local(basket.at, store.zone),
                total_minor=basket.total_minor,
                currency=store.currency,
                customer_id=members[_who(brand, store, basket)],
                lines=tuple(
                    LineIn(number, line.department, line.department, line.rows, line.amount_minor)
                    for number, line in enumerate(basket.lines, start=1)
                ),
            )
        )
    outcome = service.record_batch(s, batch)
    if outcome.refused:
        raise RuntimeError(f"the demo's own purchases were refused: {outcome.refused[0]}")


def _redeem(house: House, brand: Brand) -> None:
    """Let some members take what they have earned, today, in their stores."""
    loaded = house.host.plugins.get(CLUB)
    if loaded is None:
        return
    rewards = import_module(f"{loaded.package}.rewards")
    errors = import_module(f"{loaded.package}.errors")
    with house.tenancy.session(Scope.operator(brand.id, DEMO)) as s:
        on = {
            store.id: _money_rewards(s, store.id)
            for store in s.scalars(sa.select(Store))
            if state.is_on(s, CLUB, store.id)
        }
        buyers = [row for row in _MEMBERS(s) if row[1] in on]
        waiting = [row for row in _WAITING(s, at=clock.now()) if row[1] in on]
    taken: dict[UUID, int] = {}
    for reward_id, store_id in waiting:
        if taken.get(store_id, 0) < MOST_A_STORE:
            with _till(house, brand, store_id) as ctx:
                rewards.redeem(ctx, reward_id)
            taken[store_id] = taken.get(store_id, 0) + 1
    taken.clear()
    for customer_id, store_id, _last in buyers:
        if not on[store_id] or taken.get(store_id, 0) >= MOST_A_STORE:
            continue
        try:
            with _till(house, brand, store_id) as ctx:
                rewards.redeem_now(ctx, customer_id, on[store_id][0], ref=f"demo-{customer_id}")
        except errors.NotEnoughPoints:
            continue
        taken[store_id] = taken.get(store_id, 0) + 1


@contextmanager
def _till(house: House, brand: Brand, store_id: UUID) -> Iterator[Ctx]:
    """The points club at work in a store."""
    with house.tenancy.session(Scope.store(brand.id, store_id, DEMO), write=True) as s:
        yield context.make(s, house.host.plugins[CLUB], store_id)


def _money_rewards(s: ScopedSession, store_id: UUID) -> list[str]:
    """Keys of the rewards by which members turn points into money."""
    resolved: Any = settings.resolve(s, CLUB, store_id)
    return [
        reward["key"]
        for reward in resolved["rewards"]
        if reward["kind"] == "money" and not reward["automatic"]
    ]
