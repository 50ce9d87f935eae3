"""A database with the installed tools, and a place to write blueprints."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from highstreet import rooms
from highstreet.host import Host
from highstreet.kit.databases import Database
from highstreet.sdk import context
from highstreet_tenants.sessions import ScopedSession


@pytest.fixture
def host(database: Database) -> Iterator[Host]:
    """The installed tools, hung on every session of the database."""
    rooms.load()
    loaded = Host.load(rooms.specs(), make_ctx=context.make)

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = loaded

    database.tenancy.on_open.append(prepare)
    yield loaded
    database.tenancy.on_open.remove(prepare)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a blueprint: ``write(text)`` or ``write(text, "name.toml")``."""

    def make(text: str, name: str = "brand.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make
