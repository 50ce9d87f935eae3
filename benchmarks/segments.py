"""Counting segments over a club of 130,000, beside the same questions in SQL written by hand.

Asked: at most 1.5 times as long, on both databases. The rules: who has not been for 60 days, spent
at least so much and agreed to post; who used to come often and has not lately (classes of five over
all who ever bought); who bought in a department within 90 days and is not in another segment. The
hand-written statements hold the scope, follow merges, and must count the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapper

from benchmarks import databases, measure
from benchmarks.brands import Brand, found_brand
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.consent.models import ConsentEvent
from highstreet.customers.models import Customer, Measure
from highstreet.house import House
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet.segments import queries, service
from highstreet.segments.ready import READY
from highstreet.segments.rules import All, Bought, Consented, Field, InSegment, Not, Rule
from highstreet_tenants.clock import business_date, from_local, now
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement, own

ROUNDS = 9
STORES = 20
LEAST_MINOR = 30_000
DEPARTMENTS = [f"Department {number}" for number in range(12)]
_PART = 10_000

_SUMS = f"""
sums AS (
  SELECT COALESCE(g.merged_into, m.customer_id) AS who, SUM(m.spent_minor) AS spent,
    SUM(m.purchases) AS often, MAX(m.last_at) AS last_at
  FROM core_customer_measure AS m
  LEFT JOIN core_customer AS g ON g.brand_id = m.brand_id AND g.id = m.customer_id
    AND g.merged_into IS NOT NULL AND {own("g")}
  WHERE {own("m")}
  GROUP BY COALESCE(g.merged_into, m.customer_id))"""
_AGREED = f"""
agreed AS (
  SELECT COALESCE(g.merged_into, e.customer_id) AS who
  FROM core_consent_event AS e
  LEFT JOIN core_customer AS g ON g.brand_id = e.brand_id AND g.id = e.customer_id
    AND g.merged_into IS NOT NULL AND {own("g")}
  WHERE {own("e")} AND e.purpose IN ('marketing', '*') AND e.channel IN ('post', '*')
    AND e.owner_id IS NULL
  GROUP BY COALESCE(g.merged_into, e.customer_id)
  HAVING MAX(CASE WHEN e.status = 'given' THEN e.at END) IS NOT NULL
    AND (MAX(CASE WHEN e.status = 'withdrawn' THEN e.at END) IS NULL
      OR MAX(CASE WHEN e.status = 'given' THEN e.at END)
        > MAX(CASE WHEN e.status = 'withdrawn' THEN e.at END)))"""
# SQLite joins a derived table by a loop where it has no index on it; a set it builds once.
_LAPSED = Statement(
    f"""
WITH {_SUMS}, {_AGREED}
SELECT COUNT(*) FROM core_customer AS c
WHERE {own("c")} AND c.status = 'active' AND c.id IN (SELECT who FROM agreed)
  AND c.id IN (SELECT who FROM sums WHERE last_at < :before AND spent >= :least)
""",
    postgresql=f"""
WITH {_SUMS}, {_AGREED}
SELECT COUNT(*) FROM sums
JOIN core_customer AS c ON c.id = sums.who AND {own("c")} AND c.status = 'active'
JOIN agreed ON agreed.who = c.id
WHERE sums.last_at < :before AND sums.spent >= :least
""",
    returns="value",
)
_AT_RISK = Statement(
    f"""
WITH {_SUMS},
classed AS (
  SELECT who, last_at,
    1 + (RANK() OVER (ORDER BY last_at) - 1) * 5 / COUNT(*) OVER () AS recency,
    1 + (RANK() OVER (ORDER BY often) - 1) * 5 / COUNT(*) OVER () AS frequency
  FROM sums)
SELECT COUNT(*) FROM classed
JOIN core_customer AS c ON c.id = classed.who AND {own("c")} AND c.status = 'active'
WHERE recency <= 2 AND frequency >= 3 AND last_at >= :since AND last_at < :until
""",
    returns="value",
)
_DEPARTMENT = Statement(
    f"""
WITH {_SUMS},
bought AS (
  SELECT COALESCE(g.merged_into, p.customer_id) AS who
  FROM core_purchase AS p
  JOIN core_purchase_line AS l ON l.brand_id = p.brand_id AND l.purchase_id = p.id AND {own("l")}
    AND l.department = :department
  LEFT JOIN core_customer AS g ON g.brand_id = p.brand_id AND g.id = p.customer_id
    AND g.merged_into IS NOT NULL AND {own("g")}
  WHERE {own("p")} AND p.business_date >= :since AND p.customer_id IS NOT NULL
    AND (p.returned_minor < p.total_minor OR p.total_minor = 0)),
rich AS (SELECT who FROM sums WHERE spent >= :least)
SELECT COUNT(*) FROM core_customer AS c
WHERE {own("c")} AND c.status = 'active'
  AND c.id IN (SELECT who FROM bought) AND c.id NOT IN (SELECT who FROM rich)
""",
    returns="value",
)


def run() -> list[Figure]:
    """Count on each kind of database."""
    figures: list[Figure] = []
    people = 20_000 if measure.quick() else 130_000
    for kind in databases.kinds():
        with databases.installation(kind) as app, app.app_context():
            house = house_of(app)
            brand = found_brand(house.tenancy, stores=STORES)
            _fill(house, brand, people)
            figures += _measure(kind, house, brand, people)
    return figures


def _measure(kind: str, house: House, brand: Brand, people: int) -> list[Figure]:
    scope = Scope.brand(brand.row)
    spent = Field("customer.spent", "at_least", LEAST_MINOR)
    with house.tenancy.session(scope, write=True) as s:
        rich = service.save(s, name="Spent much", rule=spent).id
    lapsed = Field("customer.last_purchase_at", "not_in_last_days", 60)
    today = business_date(now(), brand.row.zone)

    def begins(day: date) -> datetime:
        return from_local(datetime.combine(day, time()), brand.row.zone).astimezone(UTC)

    asked: Mapping[str, tuple[Rule, Statement, dict[str, Any]]] = {
        "lapsed, spent, agreed to post": (
            All((lapsed, spent, Consented("marketing", "post"))),
            _LAPSED,
            {"before": begins(today - timedelta(days=59)), "least": LEAST_MINOR},
        ),
        "at risk, by classes": (
            READY["at_risk"].rule,
            _AT_RISK,
            {
                "since": begins(today - timedelta(days=364)),
                "until": begins(today + timedelta(days=1)),
            },
        ),
        "bought a department, not in another": (
            All((Bought(departments=(DEPARTMENTS[0],), in_last_days=90), Not(InSegment(rich)))),
            _DEPARTMENT,
            {
                "department": DEPARTMENTS[0],
                "since": today - timedelta(days=89),
                "least": LEAST_MINOR,
            },
        ),
    }
    found = []
    for name, (rule, statement, binds) in asked.items():

        def ours(rule: Rule = rule) -> int:
            with house.tenancy.session(scope) as s:
                return queries.count(s, rule)

        def by_hand(statement: Statement = statement, binds: Any = binds) -> int:
            with house.tenancy.session(scope) as s:
                return int(statement(s, **binds))

        many = ours()
        if many != by_hand() or not 0 < many < people:
            raise AssertionError(f"{name}: {many} by the rule, {by_hand()} by hand")
        times = measure.in_turn({"rule": ours, "by hand": by_hand}, ROUNDS)
        found.append(
            measure.cost(
                f"segment: {name}, {kind}", times, ours="rule", floor="by hand", count=1,
                at_most=1.5, note=f"{many:,} of {people:,} customers",
            )
        )  # fmt: skip
    return found


def _fill(house: House, brand: Brand, people: int) -> None:
    """A club with some years of purchases: by the owner of the tables, past the room's verbs."""
    engine = sa.create_engine(house.config["owner_database_url"])
    with engine.begin() as connection:
        waiting: dict[Any, list[dict[str, Any]]] = {}
        for model, row in _rows(brand, people):
            rows = waiting.setdefault(model, [])
            rows.append(row)
            if model is PurchaseLine and len(rows) >= _PART:
                _send(connection, waiting)
        _send(connection, waiting)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _send(connection: sa.Connection, waiting: dict[Any, list[dict[str, Any]]]) -> None:
    for model in (Customer, Measure, Purchase, PurchaseLine, ConsentEvent):
        mapper: Mapper[Any] = sa.inspect(model)
        if rows := waiting.pop(model, []):
            connection.execute(sa.insert(mapper.local_table), rows)


def _rows(brand: Brand, people: int) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    """Everybody, what they bought in one to three stores, their last purchase with its lines, their
    word on post; every fiftieth is a record that became the one before it."""
    dice = random.Random(5)
    moment = now().replace(microsecond=0)
    for number in range(people):
        who, home = _id(1, number), brand.stores[number % STORES].id
        gone = number % 50 == 1
        own_row = {"brand_id": brand.id, "store_id": None}
        yield (
            Customer,
            own_row
            | {
                "id": who, "home_store_id": home, "name": f"Member {number}", "fields": {},
                "status": "merged" if gone else "active",
                "merged_into": _id(1, number - 1) if gone else None,
                "joined_at": moment, "updated_at": moment,
            },
        )  # fmt: skip
        if number % 7 == 3:
            continue  # never bought
        ago = int(dice.expovariate(1 / 150))
        last = moment - timedelta(days=ago, minutes=dice.randrange(600))
        stores = range(1 + (number % 5 == 0) + (number % 11 == 0))
        for place in stores:
            times = 1 + int(dice.expovariate(1 / 8))
            yield (
                Measure,
                {
                    "brand_id": brand.id, "id": _id(2 + place, number), "customer_id": who,
                    "store_id": brand.stores[(number + place) % STORES].id, "purchases": times,
                    "spent_minor": times * dice.randrange(300, 6_000), "currency": "USD",
                    "first_at": last - timedelta(days=30 * times), "last_at": last,
                },
            )  # fmt: skip
        for visit in range(2):
            at = last - timedelta(days=40 * visit)
            purchase, total = _id(10 + visit, number), dice.randrange(500, 9_000)
            at_home = {"brand_id": brand.id, "store_id": home}
            yield (
                Purchase,
                at_home
                | {
                    "id": purchase, "customer_id": who, "pos_ref": f"R{number}-{visit}",
                    "occurred_at": at, "business_date": at.date(), "recorded_at": at,
                    "total_minor": total, "currency": "USD", "returned_minor": 0,
                    "actor_kind": "system",
                },
            )  # fmt: skip
            for line in range(2):
                yield (
                    PurchaseLine,
                    at_home
                    | {
                        "id": _id(20 + 2 * visit + line, number), "purchase_id": purchase,
                        "line_no": line + 1, "product": f"P{dice.randrange(500)}",
                        "department": dice.choice(DEPARTMENTS), "quantity_milli": 1000,
                        "amount_minor": total // 2,
                    },
                )  # fmt: skip
        if number % 3:
            word = "withdrawn" if number % 17 == 0 else "given"
            yield (
                ConsentEvent,
                own_row
                | {
                    "id": _id(30, number), "customer_id": who, "purpose": "marketing",
                    "channel": "post", "owner_id": None, "status": word, "method": "till",
                    "actor_kind": "system", "at": last, "recorded_at": last,
                },
            )  # fmt: skip


def _id(kind: int, number: int) -> UUID:
    return UUID(int=(0x01980000 << 96) | (0x7000 << 64) | (0x8 << 60) | (kind << 40) | number)
