"""Who did what: written with the deed, found again, and never changed."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid, WallBreach
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor, Origin, Scope
from highstreet_tenants.trail import pruning, reading, record
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.trail.reading import Wanted

ANN = Actor("user", uuid4(), "Ann", Origin("till", uuid4(), "Till 2"))
BEN = Actor("key", uuid4(), "POS")


@pytest.fixture
def brands(two_brands):
    return two_brands


@pytest.fixture
def tenancy(database):
    return database.tenancy


def at_store(brand, store=0, actor=ANN):
    return Scope.store(brand.id, brand.stores[store].id, actor)


@pytest.fixture
def write(tenancy):
    def go(scope, action="key.created", kind="key", name="Till 1", **more):
        with tenancy.session(scope, write=True) as s:
            record(s, action, kind, name=name, **more)

    return go


@pytest.fixture
def read(tenancy):
    def go(scope, **wanted):
        with tenancy.session(scope) as s:
            return [(e.actor_name, e.action) for e in reading.page(s, Wanted(**wanted))]

    return go


def test_an_entry_says_who_what_when_and_through_what(tenancy, brands, write):
    write(at_store(brands[0]), details={"scopes": ["till.read"], "day": clock.now().date()})
    with tenancy.session(at_store(brands[0])) as s:
        (entry,) = reading.page(s, Wanted())
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("user", ANN.id, "Ann")
    assert (entry.origin_kind, entry.origin_name) == ("till", "Till 2")
    assert (entry.store_id, entry.object_name) == (brands[0].stores[0].id, "Till 1")
    assert entry.details["scopes"] == ["till.read"]
    assert abs(entry.at - clock.now()) < timedelta(minutes=1)


def test_what_was_taken_back_left_no_entry(tenancy, brands, read):
    with pytest.raises(RuntimeError), tenancy.session(at_store(brands[0]), write=True) as s:
        record(s, "key.created", "key", name="Till 1")
        raise RuntimeError
    assert read(at_store(brands[0])) == []


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_an_entry(tenancy, brands, write, verb):
    write(at_store(brands[0]))
    change = {
        "update": sa.update(TrailEntry).values(actor_name="Nobody"),
        "delete": sa.delete(TrailEntry),
    }[verb]
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        tenancy.session(at_store(brands[0]), write=True) as s,
    ):
        s.execute(change)


def test_a_store_reads_its_own_and_head_office_all_of_the_brand(brands, write, read):
    for brand in brands:
        write(at_store(brand, 0), "key.created")
        write(at_store(brand, 1), "till.set_up")
        write(Scope.brand(brand.row, BEN), "brand.changed")
    for brand in brands:
        assert read(at_store(brand, 0)) == [("Ann", "key.created")]
        assert read(at_store(brand, 1)) == [("Ann", "till.set_up")]
        assert read(Scope.brand(brand.row)) == [
            ("POS", "brand.changed"),
            ("Ann", "till.set_up"),
            ("Ann", "key.created"),
        ]


def test_it_is_searched_by_who_what_to_what_and_when(brands, write, read):
    shop, thing = at_store(brands[0]), uuid4()
    write(shop, "key.created", name="Counter A")
    write(at_store(brands[0], actor=BEN), "key.revoked", name="counter  a")
    write(shop, "till.set_up", kind="till", name="Till 9", id=thing)
    assert read(shop, actor_id=BEN.id) == [("POS", "key.revoked")]
    assert read(shop, action="till.set_up") == [("Ann", "till.set_up")]
    assert len(read(shop, object="COUNTER A")) == 2
    assert read(shop, object=str(thing)) == [("Ann", "till.set_up")]
    hour = timedelta(hours=1)
    assert len(read(shop, since=clock.now() - hour)) == 3
    assert read(shop, until=clock.now() - hour) == []
    assert read(shop, since=clock.now() + hour) == []


def test_pages_follow_one_another_without_gap_or_double(tenancy, brands, write):
    shop = at_store(brands[0])
    with tenancy.session(shop, write=True) as s:
        for number in range(25):  # many in the very same moment
            record(s, "key.created", "key", name=f"Till {number}")
    seen, after = [], None
    with tenancy.session(shop) as s:
        while found := reading.page(s, Wanted(after=after), limit=7):
            seen += [entry.object_name for entry in found]
            after = reading.cursor(found[-1])
        assert sorted(seen) == sorted(f"Till {n}" for n in range(25))
        assert [e.object_name for e in reading.everything(s, Wanted(), chunk=4)] == seen
        for bad in ("x", "2026-01-01|zz", f"2026-01-01T00:00:00|{uuid4().hex}"):
            with pytest.raises(Invalid):
                reading.page(s, Wanted(after=bad))


def test_an_unknown_action_and_a_reading_session_are_refused(tenancy, brands):
    with tenancy.session(at_store(brands[0]), write=True) as s, pytest.raises(ValueError):
        record(s, "made.up", "key")
    with tenancy.session(at_store(brands[0])) as s, pytest.raises(WallBreach):
        record(s, "key.created", "key")


def test_a_store_cannot_write_into_anothers_trail(tenancy, brands, read):
    with (
        pytest.raises(WallBreach),
        tenancy.session(at_store(brands[0]), write=True) as s,
    ):
        record(s, "key.created", "key", store_id=brands[0].stores[1].id)
    assert read(Scope.brand(brands[0].row)) == []


def test_long_details_are_cut_and_payment_cards_masked(tenancy, brands, write):
    write(
        at_store(brands[0]),
        name="4242 4242 4242 4242",
        details={"note": "4242424242424242", "long": "x" * 10_000},
    )
    with tenancy.session(at_store(brands[0])) as s:
        (entry,) = reading.page(s, Wanted())
    assert len(str(entry.details)) < 1_000
    assert "4242 4242 4242" not in entry.object_name
    assert "424242424242" not in str(entry.details)


def test_the_operator_removes_what_is_older_than_is_kept(database, tenancy, brands, write, read):
    shop = at_store(brands[0])
    with tenancy.session(shop, write=True) as s:
        record(s, "key.created", "key", name="old")
        s.flush()
        old = s.scalars(sa.select(TrailEntry)).one()
        s.expunge(old)
    write(shop, "till.set_up")
    later = clock.now() + timedelta(days=1)
    with pytest.raises(Invalid):
        pruning.prune(tenancy, database.extra["owner_url"], later)
    gone = pruning.prune(tenancy, database.extra["owner_url"], datetime(2020, 1, 1, tzinfo=UTC))
    assert gone == {"entries": 0, "events": 0}
    assert len(read(shop)) == 2
    gone = pruning.prune(tenancy, database.extra["owner_url"], clock.now())
    assert gone["entries"] == 2 + len(brands)  # and the notes of the first pruning
    assert read(shop) == []
    assert read(Scope.brand(brands[0].row)) == [("command line", "trail.pruned")]
    with pytest.raises(sa.exc.DBAPIError), tenancy.session(shop, write=True) as s:
        record(s, "key.created", "key")
        s.flush()
        s.execute(sa.delete(TrailEntry))


MANY = 30_000


def test_a_page_reads_an_index_however_long_the_trail(database, tenancy, brands):
    """The plan of each question ends in an index that holds (at, id): no sort, no whole table."""
    brand = brands[0]
    people = [uuid4() for _each in range(50)]
    rows = [
        {
            "id": new_id(), "brand_id": brand.id, "store_id": brand.stores[n % 2].id,
            "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n),
            "actor_kind": "user", "actor_id": people[n % 50], "actor_name": "P",
            "action": "key.created" if n % 3 else "till.set_up", "object_kind": "key",
            "object_id": people[n % 50], "object_name": f"K{n % 99}", "object_key": f"k{n % 99}",
            "origin_name": "", "details": {},
        }
        for n in range(MANY)
    ]  # fmt: skip
    with database.owner.begin() as connection:
        connection.execute(sa.insert(TrailEntry), rows)
        if database.kind == "postgresql":
            connection.exec_driver_sql("ANALYZE core_trail_entry")
    office = Scope.brand(brand.row)
    asked = [
        Wanted(),
        Wanted(actor_id=people[3]),
        Wanted(action="till.set_up"),
        Wanted(object="k7"),
        Wanted(object=str(people[4])),
        Wanted(since=datetime(2026, 1, 1, tzinfo=UTC)),
    ]
    for wanted in asked:
        plan = _plan(tenancy, database.kind, office, wanted)
        assert "ix_core_trail_entry_" in plan, plan
        assert "TEMP B-TREE" not in plan and "Seq Scan" not in plan, plan
    plan = _plan(tenancy, database.kind, at_store(brand), Wanted())
    assert "ix_core_trail_entry_store" in plan, plan


def _plan(tenancy, kind, scope, wanted):
    told = []

    def explain(_connection, cursor, statement, parameters, _context, _many):
        if "FROM core_trail_entry" in statement and not told:
            told.append((statement, parameters))

    sa.event.listen(tenancy.engine, "before_cursor_execute", explain)
    try:
        with tenancy.session(scope) as s:
            reading.page(s, wanted)
            statement, parameters = told[0]
            prefix = "EXPLAIN QUERY PLAN " if kind == "sqlite" else "EXPLAIN "
            raw = s.get_bind().connection.dbapi_connection
            return "\n".join(str(row) for row in raw.execute(prefix + statement, parameters))
    finally:
        sa.event.remove(tenancy.engine, "before_cursor_execute", explain)
