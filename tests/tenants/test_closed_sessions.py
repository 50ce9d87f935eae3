"""Nothing of a session can be used once it is closed: its connection is somebody else's by then."""

from contextlib import nullcontext
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants.errors import WallBreach
from highstreet_tenants.models import Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement

_COUNT = Statement(
    "SELECT COUNT(*) FROM core_store AS t WHERE t.brand_id = :brand_id", returns="value"
)


@pytest.mark.parametrize("before", ["nothing", "statement", "orm"])
def test_a_closed_session_is_good_for_nothing(database: Any, two_brands: Any, before: str) -> None:
    with database.tenancy.session(Scope.operator(two_brands[0].id)) as s:
        if before == "statement":
            assert _COUNT(s) == 2
        elif before == "orm":
            assert len(s.scalars(sa.select(Store)).all()) == 2
    with database.tenancy.session(Scope.operator(two_brands[1].id)):
        with pytest.raises(WallBreach):
            _COUNT(s)
        with pytest.raises((WallBreach, sa.exc.ResourceClosedError)):
            s.scalars(sa.select(Store)).all()


def test_a_failed_session_leaves_nothing_and_the_next_is_well(
    database: Any, two_brands: Any
) -> None:
    scope = Scope.operator(two_brands[0].id)
    bad = Statement(
        "INSERT INTO core_region (brand_id, id, slug, name) VALUES (:brand_id, NULL, 'x', 'y')",
        returns="none",
    )
    refused = pytest.raises(Exception, match=r"(?i)null")
    with refused, database.tenancy.session(scope, write=True) as s:
        s.add(Store(brand_id=s.brand_id, slug="z", code="9", name="Z", zone="UTC"))
        bad(s)
    with database.tenancy.session(scope) as s:
        assert _COUNT(s) == 2


def test_a_reading_session_keeps_nothing(database: Any, two_brands: Any) -> None:
    scope = Scope.operator(two_brands[0].id)
    # PostgreSQL refuses at once, SQLite's session takes it back at the end.
    refusing = pytest.raises(sa.exc.DBAPIError) if database.kind != "sqlite" else nullcontext()
    with refusing, database.tenancy.session(scope) as s:
        s.execute(sa.update(Store).values(name="other"))
    with database.tenancy.session(scope) as s:
        assert not s.scalars(sa.select(Store).where(Store.name == "other")).all()
