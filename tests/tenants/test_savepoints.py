"""A savepoint undoes what was done inside, whoever did it: the ORM, a Statement, bulk."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants import bulk
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

_INSERT = Statement(
    "INSERT INTO core_region (brand_id, id, slug, name)"
    " VALUES (:brand_id, :id, :slug, 'of a savepoint')",
    returns="none",
)


def by_statement(s: ScopedSession, slug: str) -> None:
    _INSERT(s, id=new_id(), slug=slug)


def by_many(s: ScopedSession, slug: str) -> None:
    _INSERT.many(s, [{"id": new_id(), "slug": slug}])


def by_bulk(s: ScopedSession, slug: str) -> None:
    table = sa.inspect(Region).local_table
    bulk.insert(s, table, [{"id": new_id(), "slug": slug, "name": "of a savepoint"}])


def by_orm(s: ScopedSession, slug: str) -> None:
    s.add(Region(brand_id=s.brand_id, slug=slug, name="of a savepoint"))
    s.flush()


WAYS = [by_statement, by_many, by_bulk, by_orm]


def slugs(s: ScopedSession) -> set[str]:
    return set(s.scalars(sa.select(Region.slug).where(Region.name == "of a savepoint")))


@pytest.mark.parametrize("way", WAYS)
def test_what_fails_inside_is_undone_and_what_stood_before_stays(
    database: Any, two_brands: Any, way: Callable[[ScopedSession, str], None]
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        way(s, "before")
        with pytest.raises(RuntimeError), s.begin_nested():
            way(s, "inside")
            raise RuntimeError
        way(s, "after")
        with s.begin_nested():
            way(s, "kept")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"before", "after", "kept"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inner", WAYS)
def test_savepoints_within_savepoints(
    database: Any,
    two_brands: Any,
    way: Callable[[ScopedSession, str], None],
    inner: Callable[[ScopedSession, str], None],
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        with s.begin_nested():
            with pytest.raises(RuntimeError), s.begin_nested():
                inner(s, "inner")
                raise RuntimeError
            way(s, "outer")
        with pytest.raises(RuntimeError), s.begin_nested():
            way(s, "lost")
            with s.begin_nested():
                inner(s, "lost too")
            raise RuntimeError
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"outer"}


def test_a_statement_that_the_database_refuses_leaves_the_transaction_usable(
    database: Any, two_brands: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        by_statement(s, "twice")
        with pytest.raises(Exception, match=r"(?i)unique"), s.begin_nested():
            by_statement(s, "twice")
        by_statement(s, "next")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"twice", "next"}
