"""Migrations: the schema that they build is the one that the models say, for every owner."""

import pytest
import sqlalchemy as sa

from highstreet_migrations import runner
from highstreet_migrations.histories import CORE, History
from highstreet_tenants import append_only, rls


def test_the_tool_is_there_with_a_history_of_its_own(house):
    assert not house.host.quarantined
    assert [h.name for h in house.histories] == ["core", "direct_mail", "magazine", "points_club"]


def test_the_migrations_build_what_the_models_say(house, urls):
    assert house.migrate()
    assert house.behind() == []
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        for history in house.histories:
            assert runner.differences(connection, history, house.histories) == []
        tables = set(sa.inspect(connection).get_table_names())
    engine.dispose()
    assert {h.version_table for h in house.histories} <= tables


def test_a_second_run_moves_nothing(house):
    house.migrate()
    assert house.migrate() == []


def test_a_tool_goes_and_comes_back_and_the_core_does_not_care(house, urls):
    house.migrate()
    tool = next(h for h in house.histories if h.name == "points_club")
    runner.downgrade(urls[0], tool, house.histories)
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        left = {t for t in sa.inspect(connection).get_table_names() if t.startswith("points_club_")}
        assert not left
    engine.dispose()
    assert house.behind() == ["points_club"]
    assert runner.upgrade(urls[0], [CORE], role=house.role) == []
    assert [moved.split(":")[0] for moved in house.migrate()] == ["points_club"]


def test_append_only_tables_refuse_change_after_a_migration(house, urls):
    house.migrate()
    assert append_only.registered()
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        query = (
            "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
            if engine.dialect.name == "sqlite"
            else "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal"
        )
        guarded = set(connection.exec_driver_sql(query).scalars())
    engine.dispose()
    assert append_only.registered() <= guarded


def test_every_tenant_table_is_under_row_level_security(house, urls):
    house.migrate()
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        assert rls.unprotected(connection) == []
    engine.dispose()


def test_a_failing_migration_costs_nobody_else_and_leaves_its_owner_where_it_was(
    house, urls, tmp_path, monkeypatch
):
    package = tmp_path / "bad_history"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bad_0001.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        "revision = 'bad_0001'\ndown_revision = None\n\n\ndef upgrade():\n"
        "    op.create_table('bad_thing', sa.Column('id', sa.Integer(), primary_key=True))\n"
        "    raise RuntimeError('half way')\n\n\ndef downgrade():\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    core, *others = house.histories
    histories = [core, History("bad", "bad_history"), *others]
    with pytest.raises(runner.MigrationFailed, match=r"the tool bad failed.*half way"):
        runner.upgrade(urls[0], histories, role=house.role)
    engine = runner.owner_engine(urls[0])
    with engine.connect() as connection:
        assert "bad_thing" not in sa.inspect(connection).get_table_names()
        assert rls.unprotected(connection) == []
    engine.dispose()
    assert house.behind() == []
