"""Replays a brand's purchases through the real services: enrolment, purchases, tools, rewards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn, PutIn
from highstreet.customers.facts import EnrolIn
from highstreet.demo import campaigns, contacting, people
from highstreet.demo.facts import Basket, baskets
from highstreet.demo.homes import lives, together
from highstreet.house import House
from highstreet.imports import people as takers
from highstreet.imports.people import Who
from highstreet.purchases import service
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet.purchases.models import Purchase
from highstreet_tenants import bulk, clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession

DEMO = Actor("system", None, "the demo")
CHUNK = 2_000


def replay(house: House, brand: Brand, extract: str) -> bool:
    """Replay the extract's purchases for ``brand``, and let its tools act; once.

    All of it is one transaction, so that a demo stopped in the middle begins this brand anew.
    Gives False if the brand had purchases already.
    """
    with house.tenancy.session(Scope.operator(brand.id, DEMO), write=True) as s:
        if s.scalar(sa.select(Purchase.id).limit(1)) is not None:
            return False
        stores = {store.code: store for store in s.scalars(sa.select(Store))}
        campaigns.run(s, brand, stores)
        last_day = clock.business_date(clock.now(), brand.zone) - timedelta(days=1)
        facts = baskets(extract, last_day=last_day)
        shown = _shown(brand, stores, facts)
        members = _enrol(s, brand, stores, facts, shown)
        buyers = {number: members[who] for number, who in shown.items()}
        for chunk in bulk.chunks(facts, CHUNK):
            outcome = service.record_batch(
                s, [_purchase(one, stores[one.store_code], buyers.get(one.number)) for one in chunk]
            )
            if outcome.refused:
                raise RuntimeError(f"the demo's purchases were refused: {outcome.refused[0]}")
        contacting.lay_down(s, brand)
    return True


def _who(brand: Brand, store: Store, basket: Basket) -> Who:
    realm = brand.id if brand.customers == "brand" else store.id
    return Who(realm, ref=basket.household)


def _club(brand: Brand, who: Who, basket: Basket) -> str:
    """Among whose customers somebody is, in words: the same household is others in another club."""
    return brand.slug if who.realm_id == brand.id else f"{brand.slug} {basket.store_code}"


def _shown(brand: Brand, stores: dict[str, Store], facts: Iterable[Basket]) -> dict[str, Who]:
    """Whose card was shown, by the baskets' numbers; the others are anonymous."""
    came: dict[Who, list[Basket]] = {}
    for basket in facts:
        came.setdefault(_who(brand, stores[basket.store_code], basket), []).append(basket)
    shown: dict[str, Who] = {}
    for who, theirs in came.items():
        mean = sum(basket.total_minor for basket in theirs) // len(theirs)
        if people.joins(_club(brand, who, theirs[0]), who.ref, len(theirs), mean):
            for basket in theirs:
                if people.shows_card(brand.slug, basket.number, basket.total_minor):
                    shown[basket.number] = who
    return shown


def _enrol(
    s: ScopedSession,
    brand: Brand,
    stores: dict[str, Store],
    facts: Iterable[Basket],
    shown: Mapping[str, Who],
) -> dict[Who, UUID]:
    """Take on everybody who ever shows a card, at the moment of the first purchase with it."""
    new: dict[Who, EnrolIn] = {}
    homes: dict[Who, AddressIn] = {}
    last: dict[UUID, Who] = {}
    for basket in facts:
        who = shown.get(basket.number)
        if who is None or who in new:
            continue
        store = stores[basket.store_code]
        club = _club(brand, who, basket)
        before = last.get(store.id)
        family = before if before and together(club, who.ref) else None
        made = people.person(
            club, who.ref, len(new), new[family].name.rpartition(" ")[2] if family else ""
        )
        home = homes.get(family) if family else None
        home = home or lives(club, who.ref, len(new), store.address or {})
        if home is not None:
            homes[who] = home
        last[store.id] = who
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
    ids = dict(takers.take_on(s, new).ids)
    given = [PutIn(ids[who], home) for who, home in homes.items() if who in ids]
    for chunk in bulk.chunks(given, CHUNK):
        outcome = addresses.put_many(s, chunk, source="demo")
        if outcome.refused:
            raise RuntimeError(f"the demo's addresses were refused: {outcome.refused[0]}")
    return ids


def _purchase(basket: Basket, store: Store, customer_id: UUID | None) -> PurchaseIn:
    return PurchaseIn(
        store_id=store.id,
        pos_ref=basket.number,
        occurred_at=clock.from_local(basket.at, store.zone),
        total_minor=basket.total_minor,
        currency=store.currency,
        customer_id=customer_id,
        lines=tuple(
            LineIn(number, line.department, line.department, line.rows, line.amount_minor)
            for number, line in enumerate(basket.lines, start=1)
        ),
    )
