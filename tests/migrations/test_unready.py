"""A tool whose tables are not ready is left alone: the core and all other tools work without it."""

import pytest
import sqlalchemy as sa

from conftest import make_brand
from highstreet.host import policy, state
from highstreet_migrations import runner
from highstreet_migrations.histories import History, MigrationFailed
from highstreet_tenants.errors import ToolOff
from highstreet_tenants.scopes import Actor, Scope

BROKEN = {
    "raises": ("raise RuntimeError('half way')", "RuntimeError: half way"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "vanishes": ("os._exit(7)", "its process ended without a word (code 7)"),
    "hangs": ("while True: pass", "it took longer than 5 s and was stopped"),
    "prints": ("print('{')", ""),
}
#: An error; of the others the process ends alike, whatever database it worked on.
ON_BOTH = {"raises"}
ME = Actor("system", None, "a test")


@pytest.mark.parametrize("how", BROKEN)
def test_a_migration_that_fails_or_hangs_costs_its_tool_alone(how, shelf, open_up, urls):
    if urls[0].startswith("postgresql") and how not in ON_BOTH:
        pytest.skip("how its process ends is the same on either database")
    body, says = BROKEN[how]
    shelf("bad", body)
    if how == "hangs":
        house = open_up(migration_seconds=5)
    else:
        shelf("good")
        house = open_up()
    if not says:
        assert "bad: bad_0001" in house.migrate()
        assert house.look_at_tables() and not house.host.unready
        return
    with pytest.raises(MigrationFailed) as error:
        house.migrate()
    assert says in error.value.failed["bad"]
    others = {"core", "direct_mail", "magazine", "points_club"} | (
        {"good"} if how != "hangs" else set()
    )
    assert {one.split(":")[0] for one in error.value.moved} == others
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        assert "bad_thing" not in sa.inspect(connection).get_table_names()
    engine.dispose()
    assert house.look_at_tables()
    assert list(house.host.unready) == ["bad"]
    assert house.host.quarantined["bad"].reason == "unready"
    shown = str(house.host.quarantined["bad"].detail)
    assert "run: highstreet migrate" in shown
    kind, _colon, said = says.partition(": ")
    assert f"failed ({kind}, " in shown, "the console says of what kind it was"
    assert not said or f": {said}" not in shown, (
        "but not what it said: that may name anybody's customer"
    )
    assert says in house.failures()["bad"].why
    assert not open_up(owner_database_url=urls[1]).failures().get("bad") or urls[0] == urls[1]
    shelf.write("bad", "pass")
    open_up().migrate()
    assert house.failures() == {}
    assert others - {"core"} <= set(house.host.plugins)
    assert "bad.tidy" not in house.jobs and "points_club.sweep" in house.jobs
    assert "bad.tidy" not in [turn.name for turn, _handler in house.jobs.periodic()]


def test_a_required_tool_that_is_not_ready_degrades_its_brands_stores_alone(shelf, open_up):
    shelf("bad", "raise RuntimeError('half way')")
    shelf("leaner", depends='"bad"')
    house = open_up()
    with pytest.raises(MigrationFailed):
        house.migrate()
    here, there = (make_brand(house.tenancy, slug, "brand") for slug in ("here", "there"))
    for brand, level in ((here, "required"), (there, "optional")):
        with house.tenancy.session(Scope.brand(brand.row, ME), write=True) as s:
            policy.set_policy(s, "bad", level)
            policy.set_policy(s, "points_club", "required")
    with house.tenancy.session(Scope.brand(here.row, ME), write=True) as s:
        policy.set_policy(s, "leaner", "required")
    store, other = here.stores[0], there.stores[0]
    with house.tenancy.session(Scope.store(here.id, store.id, ME)) as s:
        assert state.is_on(s, "bad") and state.is_on(s, "leaner")
    assert house.look_at_tables()
    with house.tenancy.session(Scope.store(here.id, store.id, ME)) as s:
        assert state.enabled(s) == {"points_club"}
        effective = state.explain(s, "bad")
        assert (effective.state, effective.code) == ("unavailable", "absent")
        assert "highstreet migrate" in effective.reason
        assert "It needs the tool bad" in state.explain(s, "leaner").reason
        with pytest.raises(ToolOff):
            state.require(s, "bad")
        # what it should have done is owed
        assert state.here(s).active.missed == {"bad", "leaner"}
    with house.tenancy.session(Scope.store(there.id, other.id, ME)) as s:
        assert state.enabled(s) == {"points_club"}
        assert not state.here(s).active.missed
    # mended: the same process takes it back
    shelf.write("bad", "pass")
    open_up().migrate()
    assert house.look_at_tables() and not house.host.unready
    with house.tenancy.session(Scope.store(here.id, store.id, ME)) as s:
        assert state.enabled(s) == {"points_club", "bad", "leaner"}


def test_tables_of_another_version_and_migrations_that_nobody_can_read(shelf, open_up, urls):
    shelf("bad")
    shelf("good")
    house = open_up()
    house.migrate()
    engine = runner.owner_engine(urls[0])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE bad_alembic_version SET version_num = 'bad_0009'")
    engine.dispose()
    assert house.look_at_tables()
    assert "another version (bad_0009)" in str(house.host.quarantined["bad"].detail)
    shelf.write("good", "pass\n1 / 0")
    shelf.write("bad", "pass\nraise SystemExit(1)")
    found = runner.pending(house.engine, [History("odd", "hs_un_good.nowhere")])
    assert "can't be read: ModuleNotFoundError" in str(found["odd"])


def test_the_core_behind_is_not_ready(open_up, urls):
    house = open_up()
    assert not house.look_at_tables()
    assert not house.host.unready  # no tool is at fault
    house.migrate()
    assert house.look_at_tables()
    assert "points_club" in house.host.plugins


def test_a_migration_waits_for_a_lock_only_so_long(shelf, open_up, urls, monkeypatch):
    if not urls[0].startswith("postgresql"):
        pytest.skip("SQLite lets one writer in, and the others wait for a time anyway")
    monkeypatch.setattr(runner, "LOCK_SECONDS", 1)
    house = open_up()
    house.migrate()
    history = History("late", "hs_un_late.migrations")
    shelf("late", "op.execute('ALTER TABLE core_brand ADD COLUMN late integer')")
    engine = runner.owner_engine(urls[0])
    with engine.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE core_brand IN ACCESS SHARE MODE")
        with pytest.raises(MigrationFailed, match="lock timeout"):
            runner.upgrade(urls[0], [*house.histories, history], role=house.role)
    engine.dispose()
