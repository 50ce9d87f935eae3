"""Two brands of two stores, with a tool that has actions required in each."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from conftest import Database
from highstreet import rooms
from highstreet.host import Host, policy
from highstreet.jobs import JobRegistry, Runner
from highstreet.sdk.context import make
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession

TOOL = "points_club"


@dataclass
class Chain:
    """club: a brand that owns its customers; shops: one whose stores do."""

    database: Database
    jobs: JobRegistry
    club: SimpleNamespace
    shops: SimpleNamespace

    def store(
        self, brand: SimpleNamespace, number: int = 0, actor: Actor = SYSTEM
    ) -> AbstractContextManager[ScopedSession]:
        """A writing session of one of the brand's stores."""
        scope = Scope.store(brand.id, brand.stores[number].id, actor)
        return self.database.tenancy.session(scope, write=True)

    def operator(self, brand: SimpleNamespace) -> AbstractContextManager[ScopedSession]:
        """A writing session of whoever runs the installation."""
        return self.database.tenancy.session(Scope.operator(brand.id), write=True)

    def work(self) -> None:
        """Run every job that is due."""
        runner = Runner(self.database.tenancy, self.jobs)
        while runner.run_one() is not None:
            pass


@pytest.fixture
def chain(database: Database, two_brands: list[SimpleNamespace]) -> Iterator[Chain]:
    """Two brands with the points club required in each."""
    rooms.load()
    host = Host.load(rooms.specs(), make_ctx=make, slow_ms=60_000)
    registry = JobRegistry()
    registry.add(*rooms.jobs(), *host.jobs())

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host
        s.info["jobs"] = registry

    database.tenancy.on_open.append(prepare)
    made = Chain(database, registry, *two_brands)
    for brand in two_brands:
        with made.operator(brand) as s:
            policy.set_policy(s, TOOL, "required")
    yield made
    database.tenancy.on_open.remove(prepare)
