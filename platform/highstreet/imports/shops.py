"""The brand's stores as an import knows them: by the numbers that files use."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.numbers import get_currency_symbol
from msgspec import Struct

from highstreet.customers import places
from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.imports.values import RowError, number, refuse_payment_card
from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.sessions import ScopedSession

LONGEST_CODE = 40
"""Letters of a store's number in our tables."""

MOST_NEW = 50_000
"""Stores that one file may open; more are no stores but a column taken for theirs."""


class Shop(Struct, frozen=True):
    """A store's facts that every row needs. ``realm_id``: where its customers' keys are unique."""

    id: UUID
    code: str
    zone: ZoneInfo
    currency: str
    country: str | None
    realm_id: UUID


class Shops:
    """Finds stores by code, else by slug, after the mapping's own translation of numbers."""

    def __init__(
        self,
        s: ScopedSession,
        translation: Mapping[str, str] | None = None,
        *,
        zone: str | None = None,
        pad: int = 0,
    ) -> None:
        self._translation = translation or {}
        self._zone = zone
        self._pad = pad
        self._brand_id = s.brand_id
        self._by_brand = s.customers == "brand"
        self._cache: dict[str, Shop] = {}
        self._by_code: dict[str, Shop] = {}
        self._by_slug: dict[str, Shop] = {}
        self._by_bare: dict[str, Shop] = {}
        #: How each currency may be written beside an amount, in the languages of its stores.
        self.signs: dict[str, set[str]] = {}
        self.include(s.scalars(sa.select(Store)))

    def include(self, stores: Iterable[Store]) -> None:
        """Know these stores, too, whether they are in the database already or not."""
        for store in stores:
            shop = Shop(
                store.id,
                store.code,
                clock.zone(self._zone or store.zone),
                store.currency,
                places.country_of(store.address, store.locale),
                self._brand_id if self._by_brand else store.id,
            )
            self._by_code[store.code] = self._by_slug[store.slug] = shop
            signs = self.signs.setdefault(store.currency, set())
            for locale in ("en", store.locale.replace("-", "_")):
                signs.add(get_currency_symbol(store.currency, locale))
        self._by_bare = _bare(self._by_code.values())
        self._cache.clear()

    @property
    def currencies(self) -> Collection[str]:
        """Those of all stores."""
        return self.signs.keys()

    @property
    def slugs(self) -> Collection[str]:
        """Those of all stores."""
        return self._by_slug.keys()

    def find(self, written: str) -> Shop:
        """The store that a row names. Raises RowError."""
        shop = self._cache.get(written)
        if shop is None:
            code = self._translation.get(written, written)
            padded = code.rjust(self._pad, "0") if self._pad and code else code
            found = (
                self._by_code.get(code)
                or self._by_code.get(padded)
                or self._by_slug.get(code.casefold())
                or self._by_bare.get(code.lstrip("0"))
            )
            if found is None:
                raise RowError(
                    _("there is no store with the number “%(code)s”", code=written[:40])
                    if written
                    else _("the row names no store")
                )
            shop = self._cache[written] = found
        return shop

    def first(self) -> Shop:
        """Some store, for what is alike in all: the realm of a brand that owns its customers."""
        return next(iter(self._by_code.values()))

    def only(self) -> Shop | None:
        """The brand's one store, or None if it has more."""
        return next(iter(self._by_code.values())) if len(self._by_code) == 1 else None

    def missing(self, written: Iterable[str]) -> list[str]:
        """Which of the numbers lead to no store, in order. Raises Invalid for absurdly many."""
        absent: dict[str, None] = {}
        seen: set[str] = set()
        for text in written:
            if text in seen:
                continue
            seen.add(text)
            try:
                refuse_payment_card([text])
                code = number(text)
            except RowError:
                continue  # the row will say so
            try:
                self.find(code)
            except RowError:
                if code:
                    absent[code] = None
            if len(absent) > MOST_NEW:
                raise Invalid(
                    _(
                        "More than %(most)s stores would be opened, “%(first)s” the first of them. "
                        "Is that column really the store's?",
                        most=MOST_NEW,
                        first=next(iter(absent))[:40],
                    )
                )
        return list(absent)


def _bare(shops: Iterable[Shop]) -> dict[str, Shop]:
    """Stores by their number without leading zeros, which spreadsheets eat; only where clear."""
    found: dict[str, list[Shop]] = {}
    for shop in shops:
        found.setdefault(shop.code.lstrip("0"), []).append(shop)
    return {code: same[0] for code, same in found.items() if code and len(same) == 1}


def plan_stores(brand: Brand, codes: Iterable[str], slugs: Container[str]) -> list[dict[str, Any]]:
    """A store for each number, named by it, in the brand's zone and currency.

    ``slugs`` are taken. A number that a store can't have is left out: its rows will say so.
    """
    planned: list[dict[str, Any]] = []
    new: set[str] = set()
    for code in codes:
        if len(code) > LONGEST_CODE:
            continue
        plain = re.sub(r"[^a-z0-9]+", "-", code.casefold()).strip("-")
        slug, number = f"store-{plain}".rstrip("-"), 1
        while slug in slugs or slug in new:
            number += 1
            slug = f"store-{plain or 'number'}-{number}"
        new.add(slug)
        planned.append(
            {
                "brand_id": brand.id,
                "id": new_id(),
                "slug": slug,
                "code": code,
                "name": _("Store %(code)s", code=code),
                "zone": brand.zone,
                "currency": brand.currency,
                "locale": brand.locale,
                "address": {},
            }
        )
    return planned


def open_stores(s: ScopedSession, planned: Sequence[Mapping[str, Any]]) -> None:
    """Open the planned stores in the session's transaction."""
    s.add_all(Store(**facts) for facts in planned)
    s.flush()
    state.touch(s)
