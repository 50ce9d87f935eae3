"""Whose a new row becomes: nobody's but the scope's, whatever a tool binds, on either database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants import owners, walls
from highstreet_tenants.base import Base, StoreOwned
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement, own


class Parcel(StoreOwned, Base):
    """A row of a store's, with a key that another store's may have, too."""

    __tablename__ = "walltest_parcel"
    __constraints__ = (sa.UniqueConstraint("brand_id", "word"),)
    word: Mapped[str] = mapped_column(sa.String(20))


@pytest.fixture
def parcels(database: Any, two_brands: Any) -> Iterator[Any]:
    """One parcel of each store, called as the store is."""
    with database.owner.begin() as connection:
        Base.metadata.tables["walltest_parcel"].create(connection, checkfirst=True)
        database.protect(connection)
    for brand in two_brands:
        with database.tenancy.session(Scope.operator(brand.id), write=True) as s:
            for store in brand.stores:
                s.add(Parcel(brand_id=brand.id, store_id=store.id, word=store.slug))
    yield database.tenancy


_INTO = "INSERT INTO walltest_parcel (brand_id, id, store_id, word)"
_FROM = "SELECT p.id FROM walltest_parcel AS p"
#: How a tool might give a row to the store that it bound as :whose.
STRAY = {
    "another name": f"{_INTO} VALUES (:brand_id, :id, :whose, :word)",
    "cast": f"{_INTO} VALUES (:brand_id, :id, CAST(:whose AS uuid), :word)",
    "in a query": f"{_INTO} SELECT :brand_id, :id, :whose, :word",
    "as a column": f"{_INTO} SELECT :brand_id, :id, x.store_id, :word"
    " FROM (SELECT CAST(:whose AS varchar) AS store_id) AS x",
    "as a list": f"WITH x (store_id) AS (SELECT :whose) {_INTO}"
    " SELECT :brand_id, :id, x.store_id, :word FROM x",
    "a second row": f"{_INTO} VALUES (:brand_id, :id, :owner_store_id, 'first'),"
    " (:brand_id, :id, :whose, :word)",
    "a second query": f"{_INTO} SELECT :brand_id, :id, NULL, 'first'"
    " UNION ALL SELECT :brand_id, :id, :whose, :word",
    "worked out": f"{_INTO} VALUES (:brand_id, :id, COALESCE(:whose, :owner_store_id), :word)",
    "no columns": "INSERT INTO walltest_parcel VALUES (:brand_id, :whose, :id, :word)",
    "replacing": f"{_INTO} VALUES (:brand_id, :id, :owner_store_id, :word)"
    " ON CONFLICT (brand_id, word) DO UPDATE SET word = excluded.word",
    "handing over": "UPDATE walltest_parcel AS p SET store_id = :whose"
    f" WHERE p.word = :word AND {own('p')}",
    "handing over with others": "UPDATE walltest_parcel AS p SET word = :word, store_id = :whose"
    f" WHERE {own('p')}",
    "handing over in a row": "UPDATE walltest_parcel AS p SET (word, store_id) = (:word, :whose)"
    f" WHERE {own('p')}",
}


@pytest.mark.parametrize("how", sorted(STRAY))
def test_a_row_cannot_be_given_to_another_store(parcels: Any, two_brands: Any, how: str) -> None:
    ours = two_brands[0]
    mine, theirs = ours.stores[:2]
    statement = Statement(STRAY[how], returns="none")
    binds = {"id": new_id(), "whose": theirs.id, "owner_store_id": mine.id, "word": theirs.slug}
    with (
        pytest.raises(WallBreach),
        parcels.session(Scope.store(ours.id, mine.id), write=True) as s,
    ):
        statement(s, **binds)
    with parcels.session(Scope.operator(ours.id)) as s:
        assert sorted(row.word for row in s.scalars(sa.select(Parcel))) == sorted(
            store.slug for store in ours.stores
        )


@pytest.mark.parametrize("how", sorted(STRAY))
def test_nor_by_text_of_another_kind(parcels: Any, two_brands: Any, how: str) -> None:
    ours = two_brands[0]
    mine, theirs = ours.stores[:2]
    text = STRAY[how].replace(":all_stores", "false").replace("owner_store_id", "store_id")
    binds = {
        "brand_id": ours.id.hex, "id": new_id().hex, "whose": theirs.id.hex,
        "store_id": mine.id.hex, "word": theirs.slug,
    }  # fmt: skip
    with (
        pytest.raises(WallBreach),
        parcels.session(Scope.store(ours.id, mine.id), write=True) as s,
    ):
        s.execute(sa.text(text), binds)


def test_a_core_insert_names_the_store_as_one(parcels: Any, two_brands: Any) -> None:
    ours = two_brands[0]
    mine, theirs = ours.stores[:2]
    table = Parcel.__table__
    scope = Scope.store(ours.id, mine.id)
    row = {"brand_id": ours.id, "id": new_id(), "word": "stray"}
    with pytest.raises(WallBreach), parcels.session(scope, write=True) as s:
        s.execute(
            sa.insert(table).values(**row, store_id=sa.bindparam("whose")), {"whose": theirs.id}
        )
    with pytest.raises(WallBreach), parcels.session(scope, write=True) as s:
        s.execute(sa.update(table).where(*scope.owns(table)).values(store_id=mine.id))
    with parcels.session(scope, write=True) as s:
        s.execute(sa.insert(table).values(**row, store_id=mine.id))
        s.execute(
            sa.insert(table).from_select(
                ["brand_id", "id", "store_id", "word"],
                sa.select(
                    table.c.brand_id, sa.literal(new_id(), sa.Uuid()), table.c.store_id,
                    sa.literal("copy"),
                ).where(*scope.owns(table), table.c.word == "stray"),
            )
        )  # fmt: skip
    with parcels.session(Scope.store(ours.id, theirs.id)) as s:
        assert [one.word for one in s.scalars(sa.select(Parcel))] == [theirs.slug]


KEEP = Statement(
    f"{_INTO} VALUES (:brand_id, :id, :owner_store_id, :word) ON CONFLICT (brand_id, word)"
    f" DO UPDATE SET id = excluded.id WHERE {own('walltest_parcel')} RETURNING id",
    returns="value",
    types={"id": UUID},
)
COPY = Statement(
    f"{_INTO} SELECT p.brand_id, :id, p.store_id, :word FROM walltest_parcel AS p"
    f" WHERE p.word = :of AND {own('p')}",
    returns="count",
)


def test_an_insert_takes_over_its_own_rows_only(parcels: Any, two_brands: Any) -> None:
    ours = two_brands[0]
    mine, theirs = ours.stores[:2]
    scope = Scope.store(ours.id, mine.id)
    fresh = new_id()
    with parcels.session(scope, write=True) as s:
        assert KEEP(s, id=fresh, owner_store_id=mine.id, word=mine.slug) == fresh
        assert COPY(s, id=new_id(), of=mine.slug, word="copy") == 1
        assert COPY(s, id=new_id(), of=theirs.slug, word="copy of theirs") == 0
    # PostgreSQL's own wall speaks first, SQLite finds no row that it may take over.
    found = None
    try:
        with parcels.session(scope, write=True) as s:
            found = KEEP(s, id=new_id(), owner_store_id=mine.id, word=theirs.slug)
    except Exception as error:
        assert "row-level security" in str(error)
    assert found is None
    with parcels.session(Scope.operator(ours.id)) as s:
        whose = {one.word: one.store_id for one in s.scalars(sa.select(Parcel))}
    assert whose == {mine.slug: mine.id, "copy": mine.id, theirs.slug: theirs.id}


def test_whoever_reaches_all_stores_writes_for_each(parcels: Any, two_brands: Any) -> None:
    ours = two_brands[0]
    statement = Statement(STRAY["another name"], returns="none")
    with parcels.session(Scope.operator(ours.id), write=True) as s:
        statement.many(
            s, [{"id": new_id(), "whose": one.id, "word": f"for {one.slug}"} for one in ours.stores]
        )


def test_nor_to_another_brand(parcels: Any, two_brands: Any) -> None:
    ours, theirs = two_brands
    text = f"{_INTO} VALUES (:whose, :id, NULL, CAST(:brand_id AS varchar))"
    with pytest.raises(WallBreach), parcels.session(Scope.operator(ours.id), write=True) as s:
        Statement(text, returns="none")(s, id=new_id(), whose=theirs.id)


def test_every_statement_that_is_registered_says_whose_its_rows_become() -> None:
    """Of the core and of every tool that is here; also those that only an import runs."""
    import gc
    import pkgutil
    from importlib import import_module

    import highstreet
    import highstreet_points_club

    for package in (highstreet, highstreet_points_club):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in module.name and ".migrations" not in module.name:
                import_module(module.name)
    gc.unfreeze()  # a started application puts what there is out of the collector's sight
    found = 0
    for one in gc.get_objects():
        if not isinstance(one, Statement):
            continue
        for text in set(one._texts.values()):
            if text in STRAY.values():
                continue
            tenant = walls.tenant_tables()
            for verb, name, _alias, end in walls._sources(text):
                if verb == "INTO" and name in tenant:
                    found += 1
                    given = owners.of_new_rows(text, end)
                    assert given.brand and given.store, text
            assert not walls.judge(text).moves, text
    assert found > 20
