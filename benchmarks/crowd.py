"""Millions of customers, made by the database itself: the product's tables, filled by SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

#: A thousandth and a hundredth of the people bear each of these; `keys.name_keys` of such a name
#: is the whole and the last word, in small letters.
FIRST = (
    "anna bela carl dora emil fay gus hanna igor jana karl lena mark nina olga paul quin rosa sven"
    " tara udo vera wim xena yann zoe adam bo cleo dirk elsa finn gina hugo ines jost kim leo mona"
    " nils otto pia rolf sara tom ursula viktor wanda yves zita"
).split()
LAST = (
    "abel brand conrad dietz ebert franke graf hahn imhof jung keller lang maurer nagel opitz pohl"
    " quast reich sauer thoma uhl vogt wolff zander arendt busch cordes dorn engel fuchs"
).split()

_STORE = "('01970000-0000-7000-9000-' || lpad(to_hex({n}), 12, '0'))::uuid"
_PERSON = "('01980000-0000-7000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"
_OTHER = "('019900{k}0-0000-7000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"
_FIRST = "(CAST(:first AS text[]))[1 + n % :firsts]"
_LAST = "(CAST(:last AS text[]))[1 + (n / :firsts) % :lasts]"
_PHONE = "'+1312' || lpad(n::text, 7, '0')"
_EMAIL = f"{_FIRST} || '.' || n || '@example.com'"
# An odd factor modulo a power of two gives each person a number of their own, in no order.
_CARD = "'7' || lpad(((n::bigint * 2654435761) % 4294967296)::text, 10, '0')"

_FILL = (
    f"""
INSERT INTO core_store (brand_id, id, slug, code, name, owner_id, zone, currency, locale, address,
  status)
SELECT :brand, {_STORE.format(n="n")}, 's' || n, n::text, 'Store ' || n, :owner,
  'America/Chicago', 'USD', 'en_US', '{{"country": "US"}}', 'open'
FROM generate_series(1, :stores) AS n
""",
    f"""
INSERT INTO core_customer (brand_id, id, store_id, home_store_id, name, fields, status, joined_at,
  updated_at)
SELECT :brand, {_PERSON.format(n="n")}, NULL, {_STORE.format(n="1 + n % :stores")},
  initcap({_FIRST} || ' ' || {_LAST}), '{{}}', 'active', now(), now()
FROM generate_series(1, :people) AS n
""",
    f"""
INSERT INTO core_customer_identity (brand_id, id, store_id, customer_id, realm_id, kind, value,
  shown, status, created_at)
SELECT :brand, {_OTHER.format(n="n", k="1")}, NULL, {_PERSON.format(n="n")}, :brand, 'card',
  {_CARD}, {_CARD}, 'active', now()
FROM generate_series(1, :people) AS n
""",
    f"""
INSERT INTO core_customer_identity (brand_id, id, store_id, customer_id, realm_id, kind, value,
  shown, status, created_at)
SELECT :brand, {_OTHER.format(n="n", k="4")}, NULL, {_PERSON.format(n="n")}, :brand, 'phone',
  {_PHONE}, {_PHONE}, 'active', now()
FROM generate_series(1, :people, 2) AS n
""",
    f"""
INSERT INTO core_customer_identity (brand_id, id, store_id, customer_id, realm_id, kind, value,
  shown, status, created_at)
SELECT :brand, {_OTHER.format(n="n", k="5")}, NULL, {_PERSON.format(n="n")}, :brand, 'email',
  {_EMAIL}, {_EMAIL}, 'active', now()
FROM generate_series(1, :people, 3) AS n
""",
    f"""
INSERT INTO core_customer_name_key (brand_id, id, store_id, customer_id, realm_id, word)
SELECT :brand, {_OTHER.format(n="n", k="2")}, CAST(NULL AS uuid), {_PERSON.format(n="n")}, :brand,
  {_FIRST} || ' ' || {_LAST}
FROM generate_series(1, :people) AS n
""",
    f"""
INSERT INTO core_customer_name_key (brand_id, id, store_id, customer_id, realm_id, word)
SELECT :brand, {_OTHER.format(n="n", k="3")}, CAST(NULL AS uuid), {_PERSON.format(n="n")}, :brand,
  {_LAST}
FROM generate_series(1, :people) AS n
""",
    f"""
INSERT INTO core_purchase (brand_id, id, store_id, customer_id, pos_ref, occurred_at,
  business_date, recorded_at, total_minor, currency, returned_minor, actor_kind)
SELECT :brand, {_OTHER.format(n="n", k="6")}, {_STORE.format(n="1 + n % :stores")},
  {_PERSON.format(n="n")}, 'R' || n, now() - n * interval '1 second', current_date, now(),
  100 + n % 9000, 'USD', 0, 'system'
FROM generate_series(1, :people) AS n
""",
    f"""
INSERT INTO core_purchase_line (brand_id, id, store_id, purchase_id, line_no, product, department,
  quantity_milli, amount_minor)
SELECT :brand, {_OTHER.format(n="n", k="7")}, {_STORE.format(n="1 + n % :stores")},
  {_OTHER.format(n="n", k="6")}, 1, '10001', 'GROCERY', 1000, 100 + n % 9000
FROM generate_series(1, :people) AS n
""",
)
#: The tables that grow with the people.
BIG = (
    "core_customer",
    "core_customer_identity",
    "core_customer_name_key",
    "core_purchase",
    "core_purchase_line",
)


@dataclass(frozen=True, slots=True)
class Crowd:
    """A brand that owns so many customers in so many stores.

    Everybody has a card and one purchase, in the home store; every second, from the first on, has a
    phone, every third an e-mail address.
    """

    brand_id: UUID
    people: int
    stores: int

    def store_id(self, number: int) -> UUID:
        """The id of a store, counted from 1."""
        return UUID(f"01970000-0000-7000-9000-{number:012x}")

    def place_of(self, store_id: UUID) -> int:
        """The number of a store."""
        return int(str(store_id)[-12:], 16)

    def home_of(self, number: int) -> int:
        """The number of the home store of a customer."""
        return 1 + number % self.stores

    def card(self, number: int) -> str:
        """The card of a customer, counted from 1."""
        return f"7{number * 2654435761 % 4294967296:010d}"

    def phone(self, number: int) -> str:
        """The phone of a customer, as it is typed."""
        digits = f"{number:07d}"
        return f"312 {digits[:3]} {digits[3:]}"

    def email(self, number: int) -> str:
        """The e-mail address of a customer, as it is typed."""
        return f"{FIRST[number % len(FIRST)]}.{number}@Example.com"

    def receipt(self, number: int) -> str:
        """The number of a customer's purchase."""
        return f"R{number}"

    def name(self, number: int) -> str:
        """The name of a customer, counted from 1."""
        first = FIRST[number % len(FIRST)]
        return f"{first} {LAST[number // len(FIRST) % len(LAST)]}".title()


def fill(owner_url: str, brand_id: UUID, owner_id: UUID, people: int, stores: int) -> Crowd:
    """Fill the tables of a brand that has no stores yet; statistics are brought up to date."""
    engine = sa.create_engine(owner_url)
    values = {
        "brand": brand_id,
        "owner": owner_id,
        "people": people,
        "stores": stores,
        "first": FIRST,
        "firsts": len(FIRST),
        "last": LAST,
        "lasts": len(LAST),
    }
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '1GB'")
        # What is inserted is right by construction; checking each key would take an hour.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        with _without_indexes(connection, BIG):
            for sql in _FILL:
                connection.execute(sa.text(sql), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()
    return Crowd(brand_id, people, stores)


@contextmanager
def _without_indexes(connection: sa.Connection, tables: tuple[str, ...]) -> Iterator[None]:
    """Drop the tables' constraints and indexes and build them again: ten times as fast."""
    named = {"tables": list(tables)}
    constraints = connection.execute(
        sa.text(
            "SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)"
            " FROM pg_constraint WHERE contype IN ('u', 'p', 'f') AND"
            " (conrelid::regclass::text = ANY(:tables) OR confrelid::regclass::text = ANY(:tables))"
            " ORDER BY contype = 'f' DESC"
        ),
        named,
    ).all()
    indexes = connection.execute(
        sa.text(
            "SELECT i.indexname, i.indexdef FROM pg_indexes AS i WHERE i.tablename = ANY(:tables)"
            " AND NOT EXISTS (SELECT 1 FROM pg_constraint AS c WHERE c.conname = i.indexname)"
        ),
        named,
    ).all()
    for table, name, _kind, _definition in constraints:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _definition in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for _name, definition in indexes:
        connection.exec_driver_sql(definition)
    for table, name, kind, definition in reversed(constraints):
        trusted = " NOT VALID" if kind == "f" else ""
        connection.exec_driver_sql(
            f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{trusted}"
        )
