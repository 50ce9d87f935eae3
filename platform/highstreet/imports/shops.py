"""The brand's stores as an import knows them: by the numbers that files use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from highstreet.customers import places
from highstreet.i18n import gettext as _
from highstreet.imports.values import RowError
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.sessions import ScopedSession


@dataclass(frozen=True, slots=True)
class Shop:
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
        self._pad = pad
        self._by_code: dict[str, Shop] = {}
        self._cache: dict[str, Shop] = {}
        by_slug: dict[str, Shop] = {}
        for store in s.scalars(sa.select(Store)):
            shop = Shop(
                store.id,
                store.code,
                clock.zone(zone or store.zone),
                store.currency,
                places.country_of(store.address, store.locale),
                s.brand_id if s.customers == "brand" else store.id,
            )
            self._by_code[store.code] = shop
            by_slug[store.slug] = shop
        self._by_slug = by_slug
        self._by_bare = _bare(self._by_code.values())
        self.currencies = {shop.currency for shop in self._by_code.values()}

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

    def only(self) -> Shop | None:
        """The brand's one store, or None if it has more."""
        return next(iter(self._by_code.values())) if len(self._by_code) == 1 else None

    def missing(self, written: Iterable[str]) -> list[str]:
        """Which of the numbers lead to no store, in order."""
        absent: dict[str, None] = {}
        for number in written:
            try:
                self.find(number)
            except RowError:
                absent[number] = None
        return list(absent)


def _bare(shops: Iterable[Shop]) -> dict[str, Shop]:
    """Stores by their number without leading zeros, which spreadsheets eat; only where clear."""
    found: dict[str, list[Shop]] = {}
    for shop in shops:
        found.setdefault(shop.code.lstrip("0"), []).append(shop)
    return {code: same[0] for code, same in found.items() if code and len(same) == 1}


def open_stores(s: ScopedSession, brand: Brand, codes: Iterable[str]) -> int:
    """Open a store for each number, named by it, in the brand's zone and currency."""
    count = 0
    for code in codes:
        s.add(
            Store(
                brand_id=brand.id,
                id=new_id(),
                slug=f"store-{''.join(c if c.isalnum() else '-' for c in code.casefold())}"[:60],
                code=code,
                name=_("Store %(code)s", code=code),
                zone=brand.zone,
                currency=brand.currency,
                locale=brand.locale,
                address={},
            )
        )
        count += 1
    s.flush()
    return count
