"""Putting people into households, in sets: one for each door and surname of a realm."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses.models import Household
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own


class Key(Struct, frozen=True):
    """What a household is known by. realm_id: the brand's or the store's (see customers.models)."""

    realm_id: UUID
    delivery_point: str
    surname_key: str


_FIND_SQL = (
    "SELECT h.id, h.realm_id, h.delivery_point, h.surname_key FROM core_household AS h"
    f" WHERE h.realm_id = :realm_id AND h.delivery_point {{}} AND {own('h')}"
)
# Locked, or whoever takes out the last member could take the household away before the new one
# is written. (SQLite has one writer at a time.)
_FIND = Statement(
    _FIND_SQL.format("IN (SELECT value FROM json_each(:points))"),
    postgresql=_FIND_SQL.format("= ANY(:points)") + " ORDER BY h.id FOR KEY SHARE",
    types={"id": UUID, "realm_id": UUID},
)
_LOCK_SQL = f"SELECT h.id FROM core_household AS h WHERE h.id {{}} AND {own('h')} ORDER BY h.id"
_LOCK = Statement(
    _LOCK_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_LOCK_SQL.format("= ANY(:ids)") + " FOR UPDATE",
    types={"id": UUID},
)
_PEEK = Statement(
    _FIND_SQL.format("IN (SELECT value FROM json_each(:points))"),
    postgresql=_FIND_SQL.format("= ANY(:points)"),
    types={"id": UUID, "realm_id": UUID},
)
_DROP_SQL = (
    f"DELETE FROM core_household AS h WHERE h.id {{}} AND {own('h')} AND NOT EXISTS"
    f" (SELECT 1 FROM core_address AS a WHERE a.household_id = h.id AND {own('a')})"
)
_DROP = Statement(
    _DROP_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_DROP_SQL.format("= ANY(:ids)"),
    returns="count",
)
_table = cast(sa.Table, Household.__table__)
# Somebody may take a household away between two looks; three times is somebody else's defect.
_TRIES = 3


def hold(s: ScopedSession, leaving: Iterable[UUID | None], joining: Iterable[Key]) -> None:
    """Lock the households that people leave and those that they join, in one order for everybody:
    two families that change places would wait for each other for ever."""
    if s.dialect == "sqlite":
        return  # has one writer at a time
    ids = {one for one in leaving if one is not None}
    if not ids:
        return  # whoever leaves none waits for nobody twice
    wanted = set(joining)
    for realm_id in {key.realm_id for key in wanted}:
        points = sorted({key.delivery_point for key in wanted if key.realm_id == realm_id})
        ids |= {
            id_
            for id_, realm, point, surname in _PEEK(s, realm_id=realm_id, points=points)
            if Key(realm, point, surname) in wanted
        }
    _LOCK(s, ids=sorted(ids))


def find_or_make(s: ScopedSession, wanted: Iterable[Key]) -> Mapping[Key, UUID]:
    """The households of these keys, made where there are none, safe until the transaction ends."""
    missing = set(wanted)
    found: dict[Key, UUID] = {}
    for _try in range(_TRIES):
        for realm_id in {key.realm_id for key in missing}:
            points = sorted({key.delivery_point for key in missing if key.realm_id == realm_id})
            for id_, realm, point, surname in _FIND(s, realm_id=realm_id, points=points):
                key = Key(realm, point, surname)
                if key in missing:
                    found[key] = id_
        missing -= found.keys()
        if not missing:
            return found
        rows: list[dict[str, Any]] = [
            {
                "id": new_id(),
                "store_id": None if key.realm_id == s.brand_id else key.realm_id,
                "realm_id": key.realm_id,
                "delivery_point": key.delivery_point,
                "surname_key": key.surname_key,
                "created_at": now(),
            }
            for key in sorted(missing, key=_order)
        ]
        bulk.insert(s, _table, rows, ignore_conflicts=True)
    raise RuntimeError("households come and go faster than they can be found")


def _order(key: Key) -> tuple[str, str, str]:
    return key.realm_id.hex, key.delivery_point, key.surname_key


def drop_empty(s: ScopedSession, household_ids: Iterable[UUID | None]) -> int:
    """Take away those of the households that nobody is in any more; gives how many."""
    ids = sorted({one for one in household_ids if one is not None})
    if not ids:
        return 0
    s.flush()
    # Two statements, so that the second sees what whoever held the lock has written.
    _LOCK(s, ids=ids)
    return int(_DROP(s, ids=ids))
