"""A statement that takes too long is given up; what was done before it stands."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants import trouble
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.statements import Statement

_INSERT = Statement(
    "INSERT INTO core_region (brand_id, id, slug, name) VALUES (:brand_id, :id, 'kept', 'kept')",
    returns="none",
)
_COUNT = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {most})"
    " SELECT count(*) FROM n"
)
_SLEEP = Statement("SELECT pg_sleep(5)", returns="none")


@pytest.fixture
def hurried(database: Any) -> Iterator[Tenancy]:
    """The database as one that gives every statement a fifth of a second sees it."""
    engine = sa.create_engine(database.url)
    yield Tenancy(engine, seconds=0.2)
    engine.dispose()


@pytest.mark.parametrize("database_module", ["postgresql"], indirect=True)
def test_postgresql_gives_a_statement_up(hurried: Tenancy, two_brands: Any) -> None:
    scope = Scope.operator(two_brands[0].id)

    def allowed() -> str:
        return str(s.raw().execute("SHOW statement_timeout").fetchone()[0])

    with pytest.raises(Exception) as ended, hurried.session(scope) as s:
        _SLEEP(s)
    assert trouble.timed_out(ended.value) and not trouble.passes(ended.value)
    assert ended.value.__notes__ == ["[SQL: SELECT pg_sleep(5)]"]
    with hurried.session(scope, write=True) as s:
        _INSERT(s, id=new_id())
        for orm in (False, True):
            if orm:
                s.scalars(sa.select(Region)).all()
            with s.savepoint(0.05):
                assert allowed() == "50ms"
            assert allowed() == "200ms"
            with pytest.raises(Exception) as ended, s.savepoint(0.05):
                _SLEEP(s)
            assert trouble.timed_out(ended.value)
            assert allowed() == "200ms"
            with s.savepoint(60):
                assert allowed() == "200ms", "no more than the session has"
    with hurried.session(scope, seconds=9) as s:
        assert allowed() == "9s", "a job has its own time"
        assert s.scalars(sa.select(Region.slug).where(Region.slug == "kept")).all() == ["kept"]
    with hurried.session(scope) as s:
        assert allowed() == "200ms"


@pytest.mark.parametrize("database_module", ["sqlite"], indirect=True)
def test_sqlite_gives_up_what_only_reads(hurried: Tenancy, two_brands: Any) -> None:
    scope = Scope.operator(two_brands[0].id)
    with pytest.raises(Exception) as ended, hurried.session(scope) as s:
        s.execute(sa.text(_COUNT.format(most=10**9)))
    assert trouble.timed_out(ended.value) and not trouble.passes(ended.value)
    # SQLite would take back all that this session has written.
    with hurried.session(scope, write=True) as s:
        _INSERT(s, id=new_id())
        s.seconds = 1e-9
        assert s.execute(sa.text(_COUNT.format(most=10**6))).scalar() == 10**6
    with hurried.session(scope) as s:
        assert s.scalars(sa.select(Region.slug).where(Region.slug == "kept")).all() == ["kept"]
