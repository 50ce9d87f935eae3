"""Connections rest between sessions: nobody waits for one that rests, none outlives its engine."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants.leases import MOST, Leases
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.statements import Statement

_COUNT = Statement(
    "SELECT COUNT(*) FROM core_store AS t WHERE t.brand_id = :brand_id", returns="value"
)


def test_the_next_session_gets_the_connection_used_last(database: Any, two_brands: Any) -> None:
    used = []
    for brand in two_brands:
        with database.tenancy.session(Scope.operator(brand.id)) as s:
            assert _COUNT(s) == 2
            used.append(s.raw())
    assert used[0] is used[1]


def test_a_session_sees_nothing_of_the_one_before_on_its_connection(
    database: Any, two_brands: Any
) -> None:
    one, other = (Scope.operator(brand.id) for brand in two_brands)
    with pytest.raises(RuntimeError), database.tenancy.session(one, write=True) as s:
        s.add(Store(brand_id=s.brand_id, slug="x", code="9", name="X", zone="UTC"))
        raise RuntimeError
    with database.tenancy.session(other) as s:
        assert _COUNT(s) == 2
        if database.kind == "postgresql":
            seen = s.raw().execute("SELECT count(*), min(brand_id::text) FROM core_store")
            assert seen.fetchone() == (2, str(s.brand_id))


def test_more_threads_than_connections_all_get_their_turn(database: Any, two_brands: Any) -> None:
    engine = sa.create_engine(database.url, pool_size=2, max_overflow=0, pool_timeout=10)
    tenancy = Tenancy(engine)

    def work(number: int) -> int:
        if number % 3 == 0:
            with tenancy.control() as c:
                return len(c.scalars(sa.select(Brand)).all())
        with tenancy.session(Scope.operator(two_brands[number % 2].id)) as s:
            return int(_COUNT(s)) if number % 5 else len(s.scalars(sa.select(Store)).all())

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(work, range(600))) == {2}
    engine.dispose()


def test_connections_that_broke_while_they_rested_cost_one_session(
    database: Any, two_brands: Any
) -> None:
    scope, tenancy = Scope.operator(two_brands[0].id), database.tenancy
    with tenancy.session(scope) as s, tenancy.session(scope) as other:
        broken = [s.raw(), other.raw()]
    for one in broken:
        one.close()
    with pytest.raises(Exception, match="closed"), tenancy.session(scope) as s:
        _COUNT(s)
    for _time in range(2):
        with tenancy.session(scope) as s:
            assert _COUNT(s) == 2
            assert s.raw() not in broken


def test_few_rest_and_none_once_the_engine_is_disposed_of(database: Any) -> None:
    engine = sa.create_engine(database.url, pool_size=2 * MOST)
    leases = Leases(engine)
    taken = [leases.take() for _one in range(MOST + 3)]
    drivers = [lease.dbapi_connection for lease in taken]
    for lease in taken:
        leases.give_back(lease)
    assert engine.pool.checkedin() == 3
    engine.dispose()
    for driver in drivers:
        with pytest.raises(Exception, match=r"(?i)closed"):
            driver.execute("SELECT 1")
