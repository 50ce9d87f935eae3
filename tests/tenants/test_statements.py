"""What a Statement binds and reads, on both databases."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from highstreet_tenants.base import UTCDateTime
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement, to_sqlite

ID = UUID("01970000-0000-7000-9000-00000000000a")
MOMENT = datetime(2026, 5, 3, 10, 20, 30, 405, UTC)


class Colour(StrEnum):
    RED = "red"


class Day(date):
    """A date of somebody's own kind."""


class Moment(datetime):
    """A moment of somebody's own kind."""


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (ID, sa.Uuid()),
        (MOMENT, UTCDateTime()),
        (MOMENT.replace(microsecond=0), UTCDateTime()),
        (MOMENT.astimezone(timezone(timedelta(hours=9, minutes=30))), UTCDateTime()),
        (Moment(2026, 5, 3, 10, 20, tzinfo=UTC), UTCDateTime()),
        (date(2026, 5, 3), sa.Date()),
        (Day(2026, 5, 3), sa.Date()),
        (True, sa.Boolean()),
        ({"a": [1, None], "ü": "é"}, sa.JSON()),
    ],
)
def test_sqlite_gets_what_sqlalchemy_would_store(value: Any, kind: Any) -> None:
    dialect = sa.create_engine("sqlite://").dialect
    store = kind.dialect_impl(dialect).bind_processor(dialect)
    assert to_sqlite(value) == store(value)
    assert type(to_sqlite(value)) in (str, int)


def test_the_hour_that_comes_twice_is_two_moments() -> None:
    # Two that are equal to Python, for it compares the clocks of one zone.
    chicago = ZoneInfo("America/Chicago")
    first = datetime(2026, 11, 1, 1, 30, tzinfo=chicago)
    second = first.replace(fold=1)
    assert first == second
    assert to_sqlite(first) == "2026-11-01 06:30:00.000000"
    assert to_sqlite(second) == "2026-11-01 07:30:00.000000"


def test_lists_and_words_of_ones_own_kind() -> None:
    assert to_sqlite([ID, 1, None]) == f'["{ID.hex}", 1, null]'
    assert to_sqlite(Colour.RED) == "red"


_INSERT = Statement(
    "INSERT INTO core_region (brand_id, id, slug, name)"
    " VALUES (:brand_id, :id, CAST(:slug AS varchar),"
    " CAST(:slug AS varchar) || ' of ' || CAST(:name AS varchar))",
    returns="none",
)
_READ = Statement(
    "SELECT r.name, r.id, r.brand_id FROM core_region AS r"
    " WHERE r.brand_id = :brand_id AND r.id = :id",
    returns="row",
    types={"id": UUID, "brand_id": UUID},
)
_COUNT = Statement(
    "SELECT COUNT(*) FROM core_region AS r WHERE r.brand_id = :brand_id AND r.slug = :slug",
    returns="value",
)
_RENAME = Statement(
    "UPDATE core_region AS r SET name = :name WHERE r.brand_id = :brand_id AND r.slug = :slug",
    returns="count",
)


def test_binds_find_their_places_however_often_they_stand(database: Any, two_brands: Any) -> None:
    brand_id = two_brands[0].id
    with database.tenancy.session(Scope.operator(brand_id), write=True) as s:
        one = new_id()
        _INSERT(s, name="here", id=one, slug="a", said_to_nobody=MOMENT)
        assert _READ(s, id=one) == ("a of here", one, brand_id)
        _INSERT.many(s, [{"id": new_id(), "slug": x, "name": "x"} for x in ("b", "c")])
        assert [_COUNT(s, slug=x) for x in "abcd"] == [1, 1, 1, 0]
        assert _RENAME(s, slug="b", name="new") == 1
        assert _READ(s, id=new_id()) is None


def test_many_leaves_the_callers_rows_alone(database: Any, two_brands: Any) -> None:
    rows = [{"id": new_id(), "slug": "a", "name": "x"}]
    before = [dict(row) for row in rows]
    with database.tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        _INSERT.many(s, rows)
    assert rows == before


def test_the_scopes_own_ids_are_not_the_callers_to_say(database: Any, two_brands: Any) -> None:
    scope = Scope.operator(two_brands[0].id)
    for name in ("brand_id", "store_id", "all_stores"):
        with pytest.raises(WallBreach), database.tenancy.session(scope) as s:
            _COUNT(s, slug="coast", **{name: two_brands[1].id})
    with pytest.raises(WallBreach), database.tenancy.session(scope, write=True) as s:
        _INSERT.many(s, [{"id": new_id(), "slug": "a", "name": "b", "brand_id": scope.brand_id}])


def test_what_the_orm_holds_back_is_there_before_a_statement(
    database: Any, two_brands: Any
) -> None:
    from highstreet_tenants.models import Region

    with database.tenancy.session(Scope.operator(two_brands[0].id), write=True) as s:
        s.add(Region(brand_id=s.brand_id, slug="pending", name="P"))
        assert _COUNT(s, slug="pending") == 1
        assert _RENAME(s, slug="pending", name="Q") == 1
