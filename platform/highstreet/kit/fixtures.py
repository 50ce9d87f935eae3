"""Fixtures for a tool's own tests; there with `--highstreet-plugin NAME`.

`town` is what most tests want. Each test gets it anew, on SQLite and on PostgreSQL where a server
answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from highstreet.kit import databases, houses, outside
from highstreet.kit import town as towns
from highstreet.kit.outside import Outside
from highstreet.kit.town import Town


@pytest.fixture(scope="session")
def highstreet_tool(pytestconfig: pytest.Config) -> str:
    """The name of the tool that is tested."""
    return str(pytestconfig.getoption("highstreet_plugin"))


@pytest.fixture(scope="session", params=databases.KINDS)
def highstreet_house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, highstreet_tool: str
) -> Iterator[Any]:
    """(application, database), migrated; one of each kind for the whole run."""
    if request.param == "postgresql" and (why := databases.why_no_postgres()):
        pytest.skip(why)
    failed: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("highstreet")
    with houses.house(request.param, folder, failed=failed) as made:
        if highstreet_tool in failed:
            words = f"The migration of {highstreet_tool} failed: {failed[highstreet_tool]}"
            pytest.fail(f"{words} (see the check tables-migrated)", pytrace=False)
        host = made[0].extensions["highstreet"].host
        if highstreet_tool not in host.plugins:
            pytest.fail(towns.why_not_loaded(host, highstreet_tool), pytrace=False)
        yield made


@pytest.fixture
def town(highstreet_house: Any, highstreet_tool: str, nothing_leaves: Outside) -> Iterator[Town]:
    """Two brands of two stores each, the tool on in all of them; see `highstreet.kit.town`."""
    app, database = highstreet_house
    made = towns.build(app, database, highstreet_tool)
    made.listen()
    yield made
    database.empty()


@pytest.fixture
def nothing_leaves() -> Iterator[Outside]:
    """No mail, no network: connections are refused, and stand in `.places`."""
    with outside.closed() as seen:
        yield seen


@pytest.fixture
def clock() -> Iterator[Any]:
    """The time, to be moved: `clock.move_to(datetime)`, `clock.shift(timedelta)`."""
    time_machine = pytest.importorskip(
        "time_machine", reason="pip install 'highstreet[kit]' for the fixture `clock`"
    )
    from highstreet_tenants import clock as clocks

    with time_machine.travel(clocks.now(), tick=True) as moved:
        yield moved
