"""A magazine for a club of 130,000: who gets it, and the list for the mail house.

Asked: selection through the gate, suppressions, households and counts that reconcile at most 3
times a bare SELECT that joins the same tables; the list as CSV at most 1.8 times PostgreSQL's own
COPY of the same rows. The selection also writes a row for everybody and a digest over them all; the
bare SELECT does neither.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from benchmarks import databases, measure
from benchmarks.brands import Brand, found_brand
from benchmarks.measure import Figure
from highstreet.addresses.models import Address, Household
from highstreet.app import house_of
from highstreet.consent.models import ConsentEvent, ContactSuppression
from highstreet.customers.models import Customer
from highstreet.house import House
from highstreet.mailings import drafting, post, queries
from highstreet.mailings.facts import MailingIn
from highstreet.mailings.models import Mailing, Piece
from highstreet_tenants.clock import now
from highstreet_tenants.scopes import Scope
from highstreet_tenants.statements import Statement, own

ROUNDS = 3
STORES = 20
_BARE = Statement(
    f"""
SELECT c.id, a.household_id, a.id AS address_id, a.lines
FROM core_customer AS c
JOIN core_address AS a ON a.customer_id = c.id AND a.valid_to IS NULL AND {own("a")}
JOIN core_consent_event AS e ON e.customer_id = c.id AND e.purpose = 'magazine'
  AND e.channel = 'post' AND e.status = 'given' AND {own("e")}
LEFT JOIN core_contact_suppression AS x ON x.customer_id = c.id AND x.lifted_at IS NULL
  AND {own("x")}
WHERE {own("c")} AND c.status = 'active' AND x.id IS NULL
ORDER BY a.postal_code, c.id
""",
    types={"id": UUID, "household_id": UUID, "address_id": UUID, "lines": list},
)
#: What the list holds, as PostgreSQL itself writes it.
_COPY = """
COPY (SELECT p.code, c.name, p.lines->>0, p.lines->>1, p.lines->>2, p.lines->>3, p.lines->>4,
        p.lines->>5, p.batch
      FROM core_mailing_piece AS p
      JOIN core_customer AS c ON c.brand_id = p.brand_id AND c.id = p.customer_id
      WHERE p.mailing_id = '{mailing}' AND p.state = 'sent' ORDER BY p.place)
TO STDOUT (FORMAT csv)
"""


def run() -> list[Figure]:
    """Select on each kind of database; list on PostgreSQL, which has the floor."""
    figures: list[Figure] = []
    people = 20_000 if measure.quick() else 130_000
    for kind in databases.kinds():
        with databases.installation(kind) as app, app.app_context():
            house = house_of(app)
            brand = found_brand(house.tenancy, stores=STORES)
            _fill(house, brand, people)
            figures += _measure(kind, house, brand, people)
    return figures


def _measure(kind: str, house: House, brand: Brand, people: int) -> Iterator[Figure]:
    scope = Scope.brand(brand.row)
    everybody: dict[str, Any] = {"is": "all", "of": []}
    with house.tenancy.session(scope, write=True) as s:
        mailing = drafting.draft(s, MailingIn("Spring", "magazine", "post", rule=everybody))

    def ours() -> None:
        with house.tenancy.session(scope, write=True) as s:
            told = queries.waterfall(s, drafting.select(s, mailing).id)
            if told.selected != told.ready + sum(one.people for one in told.steps):
                raise AssertionError("the numbers do not add up")

    def bare() -> int:
        with house.tenancy.session(scope) as s:
            return len(_BARE(s))

    times = measure.in_turn({"selection": ours, "bare": bare}, ROUNDS)
    yield measure.cost(
        f"magazine: selection, {kind}", times, ours="selection", floor="bare", count=people,
        at_most=3, note=f"{people:,} customers, {bare():,} rows of the bare SELECT",
    )  # fmt: skip
    if kind != "postgresql":
        return
    owner = sa.create_engine(house.config["owner_database_url"])
    with owner.begin() as connection:
        connection.execute(
            sa.update(Piece).where(Piece.state == "ready").values(state="sent", batch=1)
        )
        connection.execute(sa.update(Mailing).values(status="finished"))
        connection.execute(sa.text("ANALYZE core_mailing_piece"))

    def listed() -> int:
        out = io.StringIO()
        with house.tenancy.session(scope) as s:
            csv.writer(out).writerows(post.rows(s, mailing))
        return out.tell()

    def copied() -> int:
        size = 0
        with owner.connect() as connection:
            driver: Any = connection.connection.driver_connection
            with driver.cursor() as cursor, cursor.copy(_COPY.format(mailing=mailing)) as blocks:
                for block in blocks:
                    size += len(block)
        return size

    many = int(listed() > 0) and sum(1 for _row in _rows_of(house, scope, mailing))
    times = measure.in_turn({"list": listed, "COPY": copied}, ROUNDS)
    yield measure.cost(
        "magazine: list for the mail house", times, ours="list", floor="COPY", count=many,
        at_most=1.8, note=f"{many:,} pieces",
    )  # fmt: skip
    owner.dispose()


def _rows_of(house: House, scope: Scope, mailing: UUID) -> Iterator[list[Any]]:
    with house.tenancy.session(scope) as s:
        yield from post.rows(s, mailing)


def _fill(house: House, brand: Brand, people: int) -> None:
    """A club in which a third live with another member, one in six never agreed or refused, and one
    in fifty is suppressed: by the owner of the tables, past the rooms' verbs."""
    waiting: dict[Any, list[dict[str, Any]]] = {}
    for model, row in _everybody(brand, people):
        waiting.setdefault(model, []).append(row)
    engine = sa.create_engine(house.config["owner_database_url"])
    with engine.begin() as connection:
        for model in (Customer, Household, Address, ConsentEvent, ContactSuppression):
            table = sa.inspect(model).local_table
            connection.execute(sa.insert(table), waiting[model])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


def _everybody(brand: Brand, people: int) -> Iterator[tuple[type[Any], dict[str, Any]]]:
    dice = random.Random(7)
    moment = now().replace(microsecond=0)
    common = {"brand_id": brand.id, "store_id": None}
    for number in range(people):
        who, home = _id(1, number), brand.stores[number % STORES].id
        door = number - (number % 3 == 1)
        yield (
            Customer,
            common
            | {
                "id": who, "home_store_id": home, "name": f"Member {number}", "fields": {},
                "status": "active", "joined_at": moment, "updated_at": moment,
            },
        )  # fmt: skip
        if door == number:
            yield (
                Household,
                common
                | {
                    "id": _id(3, door), "realm_id": brand.id, "delivery_point": f"{door:032d}",
                    "surname_key": "member", "created_at": moment,
                },
            )  # fmt: skip
        code = f"{dice.randrange(10_000, 99_999)}"
        street = [f"{door} Long Street"]
        yield (
            Address,
            common
            | {
                "id": _id(2, number), "customer_id": who, "household_id": _id(3, door),
                "country": "US", "recipient": "", "street": street, "dependent_locality": "",
                "city": "Marlow", "area": "IL", "postal_code": code, "sorting_code": "",
                "lines": [*street, f"MARLOW, IL {code}"], "delivery_point": f"{door:032d}",
                "state": "good", "source": "import", "valid_from": moment, "valid_to": None,
            },
        )  # fmt: skip
        if number % 6 != 5:
            word = "withdrawn" if number % 17 == 0 else "given"
            yield (
                ConsentEvent,
                common
                | {
                    "id": _id(4, number), "customer_id": who, "purpose": "magazine",
                    "channel": "post", "owner_id": None, "status": word, "method": "till",
                    "actor_kind": "system", "at": moment, "recorded_at": moment,
                },
            )  # fmt: skip
        if number % 50 == 0:
            yield (
                ContactSuppression,
                common
                | {
                    "id": _id(5, number), "customer_id": who, "reason": "gone_away",
                    "channel": "post", "source": "import", "actor_kind": "system",
                    "at": moment - timedelta(days=1),
                },
            )  # fmt: skip


def _id(kind: int, number: int) -> UUID:
    return UUID(int=(0x01980000 << 96) | (0x7000 << 64) | (0x8 << 60) | (kind << 40) | number)
