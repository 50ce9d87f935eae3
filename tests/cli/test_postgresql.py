"""The command line on PostgreSQL: two roles, and what is said where one of them may not."""

import secrets
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from highstreet.kit.databases import POSTGRES

from .conftest import Call


@pytest.fixture
def owner(postgres_answers: bool) -> Iterator[str]:
    """The name of a plain role and of the empty database that it owns."""
    if not postgres_answers:
        pytest.skip("no PostgreSQL server answers")
    name = f"hs_cli_{secrets.token_hex(4)}"
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        connection.exec_driver_sql(f"CREATE DATABASE {name} OWNER {name}")
    yield name
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {name}_app")
        connection.exec_driver_sql(f"DROP ROLE {name}")
    admin.dispose()


def administer(statement: str) -> None:
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(statement)
    admin.dispose()


def url(database: str, role: str) -> str:
    """As an operator writes it: without SQLAlchemy's name of the driver."""
    made = sa.make_url(POSTGRES).set(drivername="postgresql", database=database, username=role)
    return made.render_as_string(hide_password=False)


def test_two_roles_set_up_by_the_readme(
    call: Call, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = f"{owner}_app"
    monkeypatch.setenv("HIGHSTREET_OWNER_DATABASE_URL", url(owner, owner))
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", url(owner, app))

    done = call("migrate")  # the role is missing, and the owner may not make one
    assert done.code == 2
    assert f'CREATE ROLE "{app}" LOGIN' in done.err

    administer(f"CREATE ROLE {app} LOGIN")
    done = call("check")
    assert done.code == 1
    assert "FAIL the core's tables are up to date" in done.out

    assert call("migrate").code == 0
    done = call("check")
    assert done.code == 0, done.out
    assert call("brands", "list", "--json").json == []


def test_tables_that_the_role_may_not_read_are_told(
    call: Call, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = f"{owner}_app"
    administer(f"CREATE ROLE {app} LOGIN")
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", url(owner, owner))
    monkeypatch.delenv("HIGHSTREET_OWNER_DATABASE_URL", raising=False)
    assert call("migrate").code == 0

    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", url(owner, app))  # nobody has migrated for it
    for command in (("brands", "list"), ("migrate",)):
        done = call(*command)
        assert done.code == 2
        assert "permission denied" in done.err
        assert "HIGHSTREET_OWNER_DATABASE_URL" in done.err
    assert "FAIL the core's tables are up to date: PostgreSQL refuses" in call("check").out


def test_check_finds_an_application_that_owns_its_tables(
    call: Call, owner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", url(owner, owner))
    monkeypatch.delenv("HIGHSTREET_OWNER_DATABASE_URL", raising=False)
    assert call("migrate").code == 0
    done = call("check")
    assert done.code == 1
    assert "FAIL the database role is held by row-level security" in done.out
