"""Tenancy: no statement and no row leaves its scope, on either database."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from highstreet_tenants import aggregates, bulk
from highstreet_tenants.base import Base, StoreOwned
from highstreet_tenants.errors import NotFound, WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.statements import Statement, own


class Thing(StoreOwned, Base):
    """A personal row, so that something could leak."""

    __tablename__ = "walltest_thing"
    word: Mapped[str] = mapped_column(sa.String(20))


@pytest.fixture
def things(database, two_brands):
    """One thing a store, one brand-owned thing a brand; four stores in two brands."""
    with database.owner.begin() as connection:
        Base.metadata.tables["walltest_thing"].create(connection, checkfirst=True)
        database.protect(connection)
    tenancy = database.tenancy
    for brand in two_brands:
        with tenancy.session(Scope.operator(brand.id), write=True) as s:
            # By Core: the ORM asks whose it is (see below).
            own_row = {"brand_id": brand.id, "id": new_id(), "word": f"{brand.slug}-own"}
            s.execute(sa.insert(Thing.__table__).values(own_row))
            for store in brand.stores:
                s.add(Thing(brand_id=brand.id, store_id=store.id, word=store.slug))
    return tenancy


def _words(s):
    return sorted(s.scalars(sa.select(Thing.word)))


def test_a_store_sees_its_own_rows_and_the_brands(things, two_brands):
    brand = two_brands[0]
    with things.session(Scope.store(brand.id, brand.stores[0].id)) as s:
        assert _words(s) == sorted([brand.stores[0].slug, f"{brand.slug}-own"])


def test_head_office_sees_people_only_where_the_brand_owns_them(things, two_brands):
    for brand in two_brands:
        with things.control() as c:
            row = c.get(Brand, brand.id)
        with things.session(Scope.brand(row)) as s:
            seen = _words(s)
        assert len(seen) == (3 if row.customers == "brand" else 1)


QUERIES = {
    "count": lambda: sa.select(sa.func.count()).select_from(Thing),
    "count_column": lambda: sa.select(sa.func.count(Thing.id)),
    "aliased": lambda: sa.select(sa.func.count(aliased(Thing).id)),
    "exists": lambda: sa.select(sa.exists().where(Thing.word != "")),
    "subquery": lambda: sa.select(sa.func.count()).select_from(sa.select(Thing.id).subquery()),
    "core": lambda: sa.select(Thing.__table__.c.word),
    "core_count": lambda: sa.select(sa.func.count()).select_from(Thing.__table__),
    "text": lambda: sa.text("SELECT word FROM walltest_thing"),
    "text_alias": lambda: sa.text("SELECT t.word FROM core_brand b, walltest_thing AS t"),
    "update": lambda: sa.update(Thing).values(word="x"),
    "delete": lambda: sa.delete(Thing),
    "core_update": lambda: sa.update(Thing.__table__).values(word="x"),
    "union": lambda: sa.union_all(sa.select(Thing.word), sa.select(Thing.__table__.c.word)),
    "scalar_subquery": lambda: sa.select(
        sa.select(sa.func.count(Thing.id)).scalar_subquery().label("n")
    ),
    "in_subquery": lambda: sa.select(Brand.id).where(
        Brand.slug.in_(sa.select(Thing.__table__.c.word))
    ),
}


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_a_query_reaches_its_own_scope_or_nothing(things, two_brands, name):
    brand = two_brands[0]
    store = brand.stores[0]
    with things.session(Scope.store(brand.id, store.id), write=True) as s:
        try:
            result = s.execute(QUERIES[name]())
        except WallBreach:
            return
        if name not in ("update", "delete", "core_update"):
            row = result.first()
            assert row[0] in (2, True), f"{name} reached {row}"
        else:
            assert result.rowcount == 2


def test_no_scope_raises(things):
    with things.control() as c, pytest.raises(WallBreach):
        c.execute(sa.select(sa.func.count()).select_from(Thing))


def test_an_unknown_brand_is_not_found(things):
    with pytest.raises(NotFound), things.session(Scope.operator(new_id())):
        pass


def test_anothers_id_is_not_found_and_cannot_be_bound(things, two_brands):
    ours, theirs = two_brands
    with things.session(Scope.operator(theirs.id)) as s:
        key = s.execute(sa.select(Thing.brand_id, Thing.id)).first()
    with things.session(Scope.operator(ours.id)) as s:
        with pytest.raises(WallBreach):
            s.execute(
                sa.select(Thing.__table__.c.word).where(Thing.__table__.c.brand_id == theirs.id)
            )
        assert s.get(Thing, (ours.id, key.id)) is None
        mine = s.execute(sa.select(Thing.brand_id, Thing.id)).first()
        assert s.get(Thing, tuple(mine)) is not None
    with things.session(Scope.operator(ours.id)) as s:
        assert s.get(Thing, tuple(key)) is None


@pytest.mark.parametrize("field", ["brand_id", "store_id"])
def test_a_row_of_another_owner_is_refused_at_flush(things, two_brands, field):
    ours, theirs = two_brands
    owner = {"brand_id": ours.id, "store_id": ours.stores[0].id}
    owner[field] = theirs.id if field == "brand_id" else ours.stores[1].id
    scope = Scope.store(ours.id, ours.stores[0].id)
    with pytest.raises(WallBreach), things.session(scope, write=True) as s:
        s.add(Thing(word="stray", **owner))


def test_an_owner_never_changes(things, two_brands):
    brand = two_brands[0]
    with pytest.raises(WallBreach), things.session(Scope.operator(brand.id), write=True) as s:
        row = s.scalars(sa.select(Thing).where(Thing.store_id == brand.stores[0].id)).one()
        row.store_id = brand.stores[1].id


def test_a_row_about_people_names_its_store_where_stores_own_them(things, two_brands):
    """Left out, it would be the brand's own, and every store of the brand would read it."""
    for brand in two_brands:
        scope = Scope.store(brand.id, brand.stores[0].id)
        with things.session(scope, write=True) as s:
            s.add(Thing(brand_id=brand.id, word="whose?"))
            if s.customers == "brand":
                s.flush()
                continue
            with pytest.raises(WallBreach, match="set store_id"):
                s.flush()
            s.expunge_all()


def test_a_reading_session_cannot_write(things, two_brands):
    brand = two_brands[0]
    with pytest.raises(WallBreach), things.session(Scope.operator(brand.id)) as s:
        s.add(Thing(brand_id=brand.id, word="late"))
        with pytest.raises(WallBreach):
            s.flush()
        # Nor does it end in silence with the row still waiting.


def test_core_and_bulk_inserts_are_held_too(things, two_brands):
    ours, theirs = two_brands
    scope = Scope.store(ours.id, ours.stores[0].id)
    table = Thing.__table__
    with things.session(scope, write=True) as s, pytest.raises(WallBreach):
        s.execute(sa.insert(table).values(brand_id=theirs.id, id=new_id(), word="a"))
    with things.session(scope, write=True) as s, pytest.raises(WallBreach):
        s.execute(
            sa.insert(table),
            [
                {"brand_id": ours.id, "store_id": store.id, "id": new_id(), "word": "a"}
                for store in ours.stores
            ],
        )
    with things.session(scope, write=True) as s, pytest.raises(WallBreach):
        bulk.insert(s, table, [{"id": new_id(), "store_id": ours.stores[1].id, "word": "a"}])


def test_bulk_inserts_land(things, two_brands):
    brand = two_brands[0]
    rows = [{"id": new_id(), "store_id": brand.stores[0].id, "word": f"w{n}"} for n in range(50)]
    with things.session(Scope.operator(brand.id), write=True) as s:
        assert bulk.insert(s, Thing.__table__, rows) == 50
        assert bulk.insert(s, Thing.__table__, rows, ignore_conflicts=True) == 0
        assert len(_words(s)) == 53


ROWS = Statement(
    f"SELECT t.id, t.word FROM walltest_thing AS t WHERE {own('t')}", types={"id": UUID}
)
LOOSE = Statement("SELECT t.word FROM walltest_thing AS t WHERE t.brand_id = :brand_id")
UNHELD = Statement("SELECT word FROM walltest_thing WHERE word = :brand_id")
ADD = Statement(
    "INSERT INTO walltest_thing (brand_id, id, store_id, word)"
    " VALUES (:brand_id, :id, :owner_store_id, :word)",
    returns="none",
)


def test_registered_statements_are_held_too(things, two_brands):
    ours, theirs = two_brands
    with things.session(Scope.store(ours.id, ours.stores[0].id), write=True) as s:
        assert len(ROWS(s)) == 2
        assert all(isinstance(row[0], UUID) for row in ROWS(s))
        with pytest.raises(WallBreach):
            LOOSE(s)
        with pytest.raises(WallBreach):
            UNHELD(s)
        with pytest.raises(WallBreach):
            ROWS(s, brand_id=theirs.id)
        with pytest.raises(WallBreach):
            ADD(s, id=new_id(), owner_store_id=ours.stores[1].id, word="x")
        ADD(s, id=new_id(), owner_store_id=ours.stores[0].id, word="x")
        assert len(ROWS(s)) == 3


def test_an_aggregate_scope_runs_registered_queries_only(things, two_brands):
    brand = two_brands[0]
    if "walltest.words" not in aggregates.registry:

        @aggregates.aggregate("walltest.words", people="people", keys=("word",))
        def _query(scope):
            return (
                sa.select(Thing.word, sa.func.count().label("people"), sa.func.max(Thing.word))
                .where(*scope.owns(Thing))
                .group_by(Thing.word)
            )

    with things.session(Scope.aggregate(brand.id)) as s:
        with pytest.raises(WallBreach):
            s.execute(sa.select(Thing.word)).all()
        cells = aggregates.run(s, "walltest.words")
    assert len(cells) == 3
    assert all(cell["people"] is None for cell in cells), "a cell of one person is suppressed"


def test_row_level_security_alone_holds(things, two_brands, database):
    """Wall three with walls one and two taken down: a bare connection with the scope's settings."""
    if database.kind != "postgresql":
        pytest.skip("SQLite has no row-level security")
    brand = two_brands[0]
    bare = sa.create_engine(database.engine.url)
    with bare.begin() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM walltest_thing")) == 0
        connection.execute(
            sa.text("SELECT set_config('hs.brand', :b, true), set_config('hs.store', :s, true)"),
            {"b": str(brand.id), "s": str(brand.stores[0].id)},
        )
        assert connection.scalar(sa.text("SELECT count(*) FROM walltest_thing")) == 2
        with pytest.raises(sa.exc.ProgrammingError, match="row-level security"):
            connection.execute(
                sa.text(
                    "INSERT INTO walltest_thing (brand_id, id, store_id, word)"
                    " VALUES (:b, gen_random_uuid(), :s, 'x')"
                ),
                {"b": str(brand.id), "s": str(brand.stores[1].id)},
            )
    bare.dispose()


def test_stores_are_the_brands(things, two_brands):
    ours = two_brands[0]
    with things.session(Scope.store(ours.id, ours.stores[0].id)) as s:
        assert {row.slug for row in s.scalars(sa.select(Store))} == {
            store.slug for store in ours.stores
        }


def test_the_walls_are_up_for_every_engine(database):
    assert isinstance(database.tenancy, Tenancy)
