"""What tests of the core rooms start from: a shop floor with a host and an ear at every hook."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

import highstreet.addresses
import highstreet.consent
import highstreet.purchases
import highstreet.timeline  # noqa: F401 - rooms register their parts on import
from highstreet.customers.hooks import CustomerHooks
from highstreet.host import Host, dispatch
from highstreet.kit.databases import Database
from highstreet.purchases.hooks import PurchaseHooks
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession


@dataclass
class Floor:
    """club: a brand that owns its customers; shops: one whose stores do. heard: hooks called."""

    database: Database
    club: SimpleNamespace
    shops: SimpleNamespace
    heard: list[tuple[str, UUID | None, dict[str, Any]]] = field(default_factory=list)
    answers: dict[str, list[dispatch.Answer]] = field(default_factory=dict)

    def till(
        self, brand: SimpleNamespace, number: int = 0, *, write: bool = True, actor: Actor = SYSTEM
    ) -> AbstractContextManager[ScopedSession]:
        """A session of one of the brand's stores."""
        scope = Scope.store(brand.id, brand.stores[number].id, actor)
        return self.database.tenancy.session(scope, write=write)

    def office(
        self, brand: SimpleNamespace, *, write: bool = True
    ) -> AbstractContextManager[ScopedSession]:
        """A session of the brand's head office."""
        return self.database.tenancy.session(Scope.brand(brand.row), write=write)

    def operator(
        self, brand: SimpleNamespace, *, write: bool = True
    ) -> AbstractContextManager[ScopedSession]:
        """A session of whoever runs the installation."""
        return self.database.tenancy.session(Scope.operator(brand.id), write=write)

    def hooks(self, name: str) -> list[dict[str, Any]]:
        """With what a hook was called, each time."""
        return [given for hook, _store, given in self.heard if hook == name]


@pytest.fixture
def floor(
    database: Database, two_brands: list[SimpleNamespace], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Floor]:
    """Two brands of two stores, no tools installed, every hook overheard."""
    host = Host.load([CustomerHooks, PurchaseHooks], entry_points=[])

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host

    found = Floor(database, *two_brands)
    collect, by_store, together = dispatch.collect, dispatch.collect_by_store, dispatch.together

    def overhear(
        s: ScopedSession, hook: str, store_id: UUID | None = None, **given: Any
    ) -> list[dispatch.Answer]:
        found.heard.append((hook, store_id, given))
        return collect(s, hook, store_id, **given) + found.answers.get(hook, [])

    def overhear_many(s: ScopedSession, hook: str, items: Any, store_of: Any) -> list[Any]:
        if items:
            found.heard.append((hook, None, {"items": items}))
        return by_store(s, hook, items, store_of)

    def overhear_all(
        s: ScopedSession, hook: str, store_id: UUID | None = None, **given: Any
    ) -> list[dispatch.Answer]:
        found.heard.append((hook, store_id, given))
        return together(s, hook, store_id, **given) + found.answers.get(hook, [])

    monkeypatch.setattr(dispatch, "collect", overhear)
    monkeypatch.setattr(dispatch, "together", overhear_all)
    monkeypatch.setattr(dispatch, "collect_by_store", overhear_many)
    database.tenancy.on_open.append(prepare)
    yield found
    database.tenancy.on_open.remove(prepare)
