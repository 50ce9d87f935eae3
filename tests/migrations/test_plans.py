"""How SQLite finds rows: by what names them, never by walking through a brand.

PostgreSQL counts its rows and plans by that; `benchmarks.lookup` watches it at 4,000,000 customers.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pytest
import highstreet.addresses.checking  # noqa: F401 - an audit loads it
from highstreet.app import create_app, house_of
from highstreet_tenants.planner import numbers
from highstreet_tenants.statements import Statement

#: Statements that are about a whole brand, by what they do.
OF_A_BRAND = {
    "highstreet.addresses.checking._ALL": "an audit looks at everybody's household",
    "highstreet.addresses.checking._EMPTY": "an audit looks at every household",
    "highstreet.customers.dismissing._NEWEST": "a page of them, by id",
    "highstreet.customers.duplicates._NEWEST": "a page of them, by id",
    "highstreet.host.shops._CALLED": "stores by name, when somebody writes a rule",
    "highstreet.host.shops._ALL": "all stores, for head office to choose among",
    "highstreet.host.shops._REGIONS": "all regions, for head office to choose among",
    "highstreet.purchases.measuring._COUNT": "an audit derives every sum again",
    "highstreet.purchases.measuring._UNFOUNDED": "an audit derives every sum again",
    "highstreet.purchases.measuring._WRONG": "an audit derives every sum again",
    "highstreet.purchases.queries._WRONG": "an audit derives every sum again",
    "highstreet.rest.sweep._FORGET": "an erasure looks into every answer of the last day",
    "highstreet.rest.sweep._MENTIONS": "so does an export",
    "highstreet_points_club.audit._ACCOUNTS": "an audit derives every balance again",
    "highstreet_points_club.liability._HELD": "a sum over what waits, store by store",
    "highstreet_points_club.liability._HELD_HERE": "a sum over what waits",
    "highstreet_points_club.liability._OPEN": "a sum over what is open, store by store",
    "highstreet_points_club.liability._OPEN_HERE": "a sum over what is open",
    "highstreet_points_club.settlement._PAIRS": "the books of a club, by month",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("plans")
    house = house_of(create_app({"instance": str(folder), "testing": True}))
    house.migrate()
    yield house
    house.engine.dispose()


def statements() -> dict[str, Statement]:
    """Every registered text of the house, by where it stands.

    Not the demo's: no request runs them, and whether they are loaded depends on other tests.
    """
    return {
        f"{name}.{key}": value
        for name, module in list(sys.modules.items())
        if name.startswith("highstreet") and not name.startswith("highstreet.demo")
        for key, value in vars(module).items()
        if isinstance(value, Statement)
    }


def walks(driver: Any, statement: Statement) -> list[str]:
    """Steps of a plan that read all of a table, or all that a brand has in it."""
    ready = statement._compile("sqlite")
    if "unnest(" in ready.sql:
        return []  # only ever sent to PostgreSQL
    nothing = [None] * (len(ready.names) + ready.own)
    plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {ready.sql}", nothing)]
    made = {step.split()[1] for step in plan if step.startswith(("MATERIALIZE", "CO-ROUTINE"))}
    return [
        step
        for step in plan
        if step.endswith("(brand_id=?)")
        or (
            step.startswith("SCAN")
            and step.split()[1] not in made | {"CONSTANT"}
            and "VIRTUAL TABLE" not in step
        )
    ]


def test_no_statement_walks_through_a_brand_for_one_of_its_rows(house: Any) -> None:
    with house.engine.connect() as connection:
        driver = connection.connection.dbapi_connection
        found = {
            name: steps
            for name, statement in statements().items()
            if (steps := walks(driver, statement))
        }
    assert {n: s for n, s in found.items() if n not in OF_A_BRAND} == {}
    assert set(OF_A_BRAND) <= set(found), "no longer so: take it from the list"
    assert len(statements()) > 100


def test_numbers_say_what_is_left_once_each_column_is_known() -> None:
    assert numbers(["brand_id", "id"], True, 0) == [1_000_000, 250_000, 1]
    assert numbers(["brand_id", "store_id", "pos_ref"], True, 0) == [1_000_000, 250_000, 2500, 1]
    assert numbers(["brand_id", "expires_at"], False, 2) == [10_000, 2500, 10]


def test_numbers_that_were_counted_stay(house: Any) -> None:
    with house.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE sqlite_stat1 SET stat = '7 7 1' WHERE idx = 'sqlite_autoindex_core_customer_1'"
        )
    house.migrate()
    with house.engine.connect() as connection:
        kept = connection.exec_driver_sql(
            "SELECT stat FROM sqlite_stat1 WHERE idx = 'sqlite_autoindex_core_customer_1'"
        ).scalars()
        assert list(kept) == ["7 7 1"]
