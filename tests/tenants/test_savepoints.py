"""A savepoint undoes what was done inside, whoever did it: the ORM, a Statement, bulk."""

from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants import bulk
from highstreet_tenants.errors import WallBreach
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


def by_orm_pending(s: ScopedSession, slug: str) -> None:
    s.add(Region(brand_id=s.brand_id, slug=slug, name="of a savepoint"))


WAYS = [by_statement, by_many, by_bulk, by_orm, by_orm_pending]
#: How a savepoint is set: the ORM's own way, and the session's.
KINDS = [ScopedSession.begin_nested, ScopedSession.savepoint]


def slugs(s: ScopedSession) -> set[str]:
    return set(s.scalars(sa.select(Region.slug).where(Region.name == "of a savepoint")))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("before", [*WAYS, None])
@pytest.mark.parametrize("savepoint", KINDS)
def test_what_fails_inside_is_undone_and_what_stood_before_stays(
    database: Any, two_brands: Any, way: Any, before: Any, savepoint: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        if before is not None:
            before(s, "before")
        with pytest.raises(RuntimeError), savepoint(s):
            way(s, "inside")
            raise RuntimeError
        way(s, "after")
        with savepoint(s):
            way(s, "kept")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"after", "kept"} | ({"before"} if before else set())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("inner", WAYS)
@pytest.mark.parametrize("outside", KINDS)
@pytest.mark.parametrize("inside", KINDS)
def test_savepoints_within_savepoints(
    database: Any, two_brands: Any, way: Any, inner: Any, outside: Any, inside: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        with outside(s):
            with pytest.raises(RuntimeError), inside(s):
                inner(s, "inner")
                raise RuntimeError
            way(s, "outer")
            with inside(s):
                inner(s, "inner kept")
        with pytest.raises(RuntimeError), outside(s):
            way(s, "lost")
            with inside(s):
                inner(s, "lost too")
            raise RuntimeError
        inner(s, "last")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"outer", "inner kept", "last"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("savepoint", KINDS)
def test_what_the_database_refuses_leaves_the_transaction_usable(
    database: Any, two_brands: Any, way: Any, savepoint: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        by_statement(s, "twice")
        with pytest.raises(Exception, match=r"(?i)unique"), savepoint(s):
            way(s, "lost")
            way(s, "twice")
        way(s, "next")
        with pytest.raises(Exception, match=r"(?i)unique"), savepoint(s):
            way(s, "twice")
        way(s, "last")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"twice", "next", "last"}


@pytest.mark.parametrize("savepoint", KINDS)
def test_objects_are_as_they_were(database: Any, two_brands: Any, savepoint: Any) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        by_orm(s, "mine")
        mine = s.scalars(sa.select(Region).where(Region.slug == "mine")).one()
        with pytest.raises(RuntimeError), savepoint(s):
            mine.slug = "theirs"
            s.flush()
            raise RuntimeError
        mine = s.scalars(sa.select(Region).where(Region.name == "of a savepoint")).one()
        assert mine.slug == "mine"
        with savepoint(s):
            mine.slug = "renamed"
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"renamed"}


@pytest.mark.parametrize("savepoint", KINDS)
def test_objects_made_inside_and_undone_are_not_there(
    database: Any, two_brands: Any, savepoint: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        with pytest.raises(RuntimeError), savepoint(s):
            by_orm(s, "gone")
            assert s.scalars(sa.select(Region).where(Region.slug == "gone")).one()
            raise RuntimeError
        assert slugs(s) == set()
    with database.tenancy.session(scope) as s:
        assert slugs(s) == set()


ENDS = {
    "commit": lambda s: s.commit(),
    "rollback": lambda s: s.rollback(),
    "close": lambda s: s.close(),
    "invalidate": lambda s: s.invalidate(),
    "connection.commit": lambda s: s.connection().commit(),
    "connection.rollback": lambda s: s.connection().rollback(),
    "connection.close": lambda s: s.connection().close(),
    "text COMMIT": lambda s: s.execute(sa.text("COMMIT")),
    "text ROLLBACK": lambda s: s.execute(sa.text(" rollback")),
    "two statements": lambda s: s.execute(sa.text("SELECT ';'; COMMIT")),
    "driver SQL": lambda s: s.connection().exec_driver_sql("COMMIT"),
    "Statement": lambda s: Statement("RELEASE SAVEPOINT hs_savepoint_1", returns="none")(s),
    "another brand": lambda s: s.execute(sa.text("SELECT set_config('hs.brand', 'x', true)")),
    "all stores": lambda s: s.execute(sa.text("SET LOCAL hs.stores = 'all'")),
    "a table": lambda s: s.execute(sa.text("DROP TABLE core_customer")),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("before", [by_statement, by_orm])
@pytest.mark.parametrize("savepoint", KINDS)
def test_nobody_within_ends_the_transaction_or_leaves_the_scope(
    database: Any, two_brands: Any, end: str, before: Any, savepoint: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with database.tenancy.session(scope, write=True) as s:
        before(s, "before")
        with pytest.raises((RuntimeError, WallBreach)), savepoint(s):
            by_orm(s, "inside")
            ENDS[end](s)
        by_statement(s, "after")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"before", "after"}


@pytest.mark.parametrize("way", [by_statement, by_many, by_orm])
@pytest.mark.parametrize("before", [by_statement, by_orm])
def test_a_refusal_that_was_hidden_is_told_and_undone(
    database: Any, two_brands: Any, way: Any, before: Any
) -> None:
    """PostgreSQL refuses everything after a failed statement, whoever caught its error; the ORM,
    after a failed flush, has taken back more than that statement."""
    scope = Scope.operator(two_brands[0].id)

    def hiding(s: ScopedSession) -> None:
        way(s, "twice")
        with pytest.raises(Exception, match=r"(?i)unique"):
            way(s, "twice")

    with database.tenancy.session(scope, write=True) as s:
        before(s, "before")
        if s.dialect == "postgresql" or way is by_orm:
            with pytest.raises(Exception, match=r"(?i)aborted|rolled back|hid"), s.savepoint():
                by_statement(s, "of another")
                hiding(s)
        by_statement(s, "after")
    with database.tenancy.session(scope) as s:
        assert slugs(s) == {"before", "after"}


@pytest.mark.parametrize("end", ["commit", "rollback", "close"])
@pytest.mark.parametrize("before", [by_statement, by_orm])
def test_what_ended_on_the_driver_itself_is_never_taken_for_done(
    database: Any, two_brands: Any, end: str, before: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    with pytest.raises(Exception), database.tenancy.session(scope, write=True) as s:  # noqa: B017
        before(s, "before")
        try:
            with s.savepoint():
                by_orm(s, "inside")
                getattr(s.raw(), end)()
        except Exception:  # as whoever calls tools goes on
            by_statement(s, "after")
    with database.tenancy.session(scope) as s:
        assert slugs(s) <= {"before", "inside"}, "nothing behind the end"
    with database.tenancy.session(scope, write=True) as s:
        by_orm(s, "next")
