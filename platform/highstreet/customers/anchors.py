"""What others keep about customers hangs on their ids: what has become of those, many at once."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_ROOTS_SQL = (
    "SELECT c.id, COALESCE(c.merged_into, c.id) AS root_id, c.store_id"
    f" FROM core_customer AS c WHERE c.id {{}} AND {own('c')}"
)
_ROOTS = Statement(
    _ROOTS_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_ROOTS_SQL.format("= ANY(:ids)"),
    types={"id": UUID, "root_id": UUID, "store_id": UUID},
)
_NAMES_SQL = (
    f"SELECT c.id, c.name FROM core_customer AS c WHERE c.id {{}} AND c.name <> '' AND {own('c')}"
)
_NAMES = Statement(
    _NAMES_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_NAMES_SQL.format("= ANY(:ids)"),
    types={"id": UUID},
)

_HOMES_SQL = (
    "SELECT c.id, c.home_store_id FROM core_customer AS c"
    f" WHERE c.id {{}} AND c.home_store_id IS NOT NULL AND {own('c')}"
)
_HOMES = Statement(
    _HOMES_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_HOMES_SQL.format("= ANY(:ids)"),
    types={"id": UUID, "home_store_id": UUID},
)


class Root(NamedTuple):
    """The record that a customer's id stands for now, and the store that owns it (None: the
    brand)."""

    id: UUID
    store_id: UUID | None


def roots(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, Root]:
    """For each customer the record that took its place, if it was merged; unknown ids are missing.

    Set by set: an import asks for thousands.
    """
    return {row[0]: Root(row[1], row[2]) for row in _ROOTS(s, ids=sorted(set(ids)))}


def names(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Customers by name; those out of reach, unknown or erased are missing."""
    return dict(_NAMES(s, ids=sorted(set(ids))))


def homes(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """The home stores of many customers; who has none, or is out of reach, is missing."""
    return dict(_HOMES(s, ids=sorted(set(ids))))
