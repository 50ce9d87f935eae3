"""How PostgreSQL finds rows under row-level security: by what names them, in a brand with many.

Its planner counts rows, so there must be some. What it takes for something that may tell of hidden
rows (COALESCE in a join is one) it works out only after the policies, and then reads a whole table
for one row. `benchmarks.lookup` watches look-ups at 4,000,000 customers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

import highstreet.assembly
from highstreet_tenants.base import Base
from highstreet_tenants.statements import Statement
from migrations.test_plans import statements

assert highstreet.assembly  # every room and tool is loaded

MANY = 4000
BRAND, STORE, CUSTOMER, PURCHASE, ACCOUNT, ENTRY = range(1, 7)
#: Statements about many rows at once, by what they do.
OF_MANY = {
    "highstreet.purchases.measuring._COUNT": "an audit derives every sum again",
    "highstreet.purchases.measuring._UNFOUNDED": "an audit derives every sum again",
    "highstreet.purchases.measuring._WRONG": "an audit derives every sum again",
    "highstreet.purchases.queries._WRONG": "an audit derives every sum again",
    "highstreet_points_club.audit._ACCOUNTS": "an audit derives every balance again",
    "highstreet_points_club.liability._HELD": "a sum over what waits, store by store",
    "highstreet_points_club.liability._HELD_HERE": "a sum over what waits",
    "highstreet_points_club.liability._OPEN": "a sum over what is open, store by store",
    "highstreet_points_club.liability._OPEN_HERE": "a sum over what is open",
    "highstreet_points_club.settlement._PAIRS": "the books of a club, by month",
}


def uid(kind: int, number: str) -> str:
    return f"(lpad(to_hex({kind}), 8, '0') || lpad(to_hex({number}), 24, '0'))::uuid"


#: Table → (how many rows to each customer, what stands in the columns that matter).
ROWS: dict[str, tuple[int, dict[str, str]]] = {
    "core_customer": (1, {"id": uid(CUSTOMER, "n"), "name": "'N ' || n", "status": "'active'"}),
    "core_purchase": (
        2,
        {
            "id": uid(PURCHASE, "n"), "store_id": uid(STORE, "1 + n % 9"),
            "customer_id": uid(CUSTOMER, f"1 + n % {MANY}"), "pos_ref": "'p' || n",
            "total_minor": "1000", "business_date": "current_date - (n % 700)::int",
            "occurred_at": "now() - n * interval '1 hour'",
        },
    ),
    "core_customer_measure": (
        1,
        {
            "id": uid(PURCHASE, "n"), "store_id": uid(STORE, "1 + n % 9"),
            "customer_id": uid(CUSTOMER, "n"), "purchases": "2", "spent_minor": "2000",
            "first_at": "now() - n * interval '1 hour'", "last_at": "now()",
        },
    ),
    "points_club_account": (
        1,
        {
            "id": uid(ACCOUNT, "n"), "customer_id": uid(CUSTOMER, "n"), "balance": "10",
            "idle_at": "now() + n * interval '1 hour'",
        },
    ),
    "points_club_entry": (
        2,
        {
            "id": uid(ENTRY, "n"), "account_id": uid(ACCOUNT, f"1 + n % {MANY}"),
            "seq": f"1 + n / {MANY}", "points": f"CASE WHEN n > {MANY} THEN 10 ELSE -10 END",
            "kind": f"CASE WHEN n > {MANY} THEN 'earn' ELSE 'hold' END",
            "purchase_id": uid(PURCHASE, "n"), "at_store_id": uid(STORE, "1 + n % 9"),
            "idem_key": "'k' || n", "actor_kind": "'system'",
            "reverses_id": f"CASE WHEN n % 9 = 0 THEN {uid(ENTRY, 'n')} END",
        },
    ),
    "points_club_lot": (
        2,
        {
            "id": uid(ENTRY, "n"), "account_id": uid(ACCOUNT, f"1 + n % {MANY}"), "points": "10",
            "remaining": f"CASE WHEN n > {MANY} THEN 10 ELSE 0 END",
            "at_store_id": uid(STORE, "1 + n % 9"), "idle": "true",
            "expires_at": "now() + n * interval '1 hour'",
        },
    ),
    "points_club_allocation": (
        2,
        {
            "id": uid(ENTRY, "n"), "entry_id": uid(ENTRY, f"1 + n % {MANY}"),
            "lot_id": uid(ENTRY, "n"), "points": "-5",
        },
    ),
    "points_club_reward": (
        1,
        {
            "id": uid(ENTRY, "n"), "account_id": uid(ACCOUNT, "n"), "points": "10",
            "kind": "'product'", "redeemed_at": "now() - n * interval '1 hour'",
            "redeemed_store_id": uid(STORE, "1 + n % 9"),
            "purchase_id": uid(PURCHASE, "n"), "ends_at": "now() + n * interval '1 hour'",
            "status": "CASE WHEN n % 20 = 0 THEN 'issued' ELSE 'redeemed' END",
        },
    ),
    "points_club_reason": (1, {"id": uid(ENTRY, "n"), "entry_id": uid(ENTRY, "n")}),
}  # fmt: skip


def _nothing(column: sa.Column[Any]) -> str:
    kinds = {sa.DateTime: "now()", sa.Date: "current_date", sa.JSON: "'{}'", sa.String: "''"}
    kinds |= {sa.Boolean: "false", sa.Integer: "0"}
    kind = column.type.impl if isinstance(column.type, sa.types.TypeDecorator) else column.type
    return next(word for base, word in kinds.items() if isinstance(kind, base))


@pytest.fixture
def application(database: Any) -> Iterator[Any]:
    """A cursor of the application's role, in a store's scope, in a brand of many customers."""
    if database.kind != "postgresql":
        pytest.skip("SQLite's plans are judged in test_plans.py")
    with database.owner.begin() as c:
        c.exec_driver_sql("SET session_replication_role = replica")
        for name, (times, known) in ROWS.items():
            given = {"brand_id": uid(BRAND, "1"), **known}
            for column in Base.metadata.tables[name].c:
                if column.name not in given and not column.nullable:
                    given[column.name] = _nothing(column)
            c.exec_driver_sql(
                f"INSERT INTO {name} ({', '.join(given)}) SELECT {', '.join(given.values())}"
                f" FROM generate_series(1, {MANY * times}) AS n".replace("%", "%%")
            )
            c.exec_driver_sql(f"ANALYZE {name}")
    with database.engine.connect() as c:
        cursor = c.connection.dbapi_connection.cursor()
        cursor.execute(
            f"SELECT set_config('hs.brand', {uid(BRAND, '1')}::text, false),"
            f" set_config('hs.store', {uid(STORE, '2')}::text, false),"
            " set_config('hs.stores', 'own', false),"
            " set_config('plan_cache_mode', 'force_generic_plan', false)"
        )
        yield cursor


def plan(cursor: Any, statement: Statement) -> str:
    """How it is done whatever the values are."""
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    text = re.sub(r"(?<![:\w]):(\w+)", place, statement._texts["postgresql"])
    nothing = f"({', '.join(['NULL'] * len(names))})" if names else ""
    cursor.execute(f"PREPARE asked AS {text}")
    cursor.execute(f"EXPLAIN EXECUTE asked{nothing}")
    found = "\n".join(row[0] for row in cursor.fetchall())
    cursor.execute("DEALLOCATE asked")
    return found


def walks(text: str) -> list[str]:
    """Steps of a plan that read all of a table of many rows."""
    return [name for name in re.findall(r"Seq Scan on (\w+)", text) if name in ROWS]


def test_no_statement_reads_a_table_of_many_for_one_row(application: Any) -> None:
    found = {}
    for name, statement in statements().items():
        if "._LITE_" in name or "json_each" in statement._texts["postgresql"]:
            continue  # only ever sent to SQLite
        steps = walks(plan(application, statement))
        if steps:
            found[name] = steps
    assert {name: steps for name, steps in found.items() if name not in OF_MANY} == {}
    assert set(OF_MANY) <= set(found), "no longer so: take it from the list"


def test_a_join_that_may_tell_of_hidden_rows_is_seen(application: Any) -> None:
    """What the test above is for."""
    look_up = (
        "SELECT c.id FROM core_customer AS g JOIN core_customer AS c ON c.id = {now}"
        " WHERE g.id = :id AND g.brand_id = :brand_id AND c.brand_id = :brand_id"
    )
    hidden = Statement(look_up.format(now="COALESCE(g.merged_into, g.id)"))
    plain = Statement(
        look_up.format(now="CASE WHEN g.merged_into IS NULL THEN g.id ELSE g.merged_into END")
    )
    assert walks(plan(application, hidden)) == ["core_customer"]
    assert walks(plan(application, plain)) == []
