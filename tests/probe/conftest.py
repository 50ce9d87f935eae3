"""The whole application with one tool more, on each database; two brands full of secrets."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from flask import Flask

from highstreet.app import create_app
from highstreet.host import registry
from highstreet_tenants.people import tries
from probe.kept import lay_out
from probe.world import World


def make_app(database: Any, instance: str, *, safe_mode: bool = False) -> Flask:
    """The application with the probe's tool installed beside those that are."""
    found = [*registry._installed(), EntryPoint("probe_tool", "probe.tool", registry.GROUP)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_installed", lambda: found)
        app = create_app(
            {
                "database_url": database.url,
                "owner_database_url": database.extra["owner_url"],
                "instance": instance,
                "secret_key": "for tests only",
                "password_hasher": "cheap",
                "rate_per_key": 0,
                "rate_per_address": 0,
                "base_url": "http://localhost",
                "testing": True,
                "slow_hook_ms": 60_000,
                "safe_mode": safe_mode,
            }
        )
    host = app.extensions["highstreet"].host
    assert safe_mode or {"points_club", "probe_tool"} <= set(host.plugins), host.quarantined
    return app


@pytest.fixture(scope="module", autouse=True)
def patient() -> Iterator[None]:
    """Nobody is locked out for codes of a second factor: that would hide the pages behind it."""
    with pytest.MonkeyPatch.context() as patch:
        for most in ("PER_EMAIL", "PER_ADDRESS", "PER_CODE_A_DAY"):
            patch.setattr(tries, most, 1_000_000)
        yield


@pytest.fixture(scope="module")
def app_module(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on the module's database."""
    app = make_app(database_module, str(tmp_path_factory.mktemp("instance")))
    yield app
    app.extensions["highstreet"].engine.dispose()


@pytest.fixture(scope="module")
def world(
    app_module: Flask, database_module: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Two brands of two stores, filled once for the module."""
    yield lay_out(app_module, database_module, tmp_path_factory.mktemp("kept") / "files")
    database_module.empty()


@pytest.fixture
def fresh_world(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same for one test alone: what one walker spends, the next would lack."""
    app = make_app(database_module, str(tmp_path_factory.mktemp("instance")))
    yield lay_out(app, database_module, tmp_path_factory.mktemp("kept") / "files")
    app.extensions["highstreet"].engine.dispose()
    database_module.empty()
