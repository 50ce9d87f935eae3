"""An empty database of each kind, and the whole house on it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from highstreet.kit.databases import POSTGRES, ROLE
from highstreet.app import create_app, house_of
from highstreet.house import House


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_answers: bool
) -> Iterator[tuple[str, str]]:
    """(owner's URL, application's URL) of an empty database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'fresh.db'}"
        yield url, url
        return
    if not postgres_answers:
        pytest.skip("no PostgreSQL server answers")
    name = f"hs_migrate_{secrets.token_hex(4)}"
    admin = sa.create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    url = sa.make_url(POSTGRES).set(database=name)
    app = url.set(username=ROLE, password=None)
    yield (
        url.render_as_string(hide_password=False),
        app.render_as_string(hide_password=False),
    )
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture
def house(urls: tuple[str, str], tmp_path: Path) -> Iterator[House]:
    """The house, its tables not made yet."""
    owner, app = urls
    house = house_of(
        create_app(
            {"database_url": app, "owner_database_url": owner, "instance": str(tmp_path)},
            faces=False,
        )
    )
    yield house
    house.engine.dispose()
