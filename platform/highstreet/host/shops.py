"""Stores by name, many at once; every store of a brand may know the others' names."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement

_SELECT = "SELECT t.id, t.code, t.name FROM core_store AS t WHERE t.brand_id = :brand_id AND "
_NAMES = Statement(
    f"{_SELECT}t.id IN (SELECT value FROM json_each(:ids))",
    postgresql=f"{_SELECT}t.id = ANY(:ids)",
    types={"id": UUID},
)


class Shop(NamedTuple):
    """A store's number in files and its name."""

    code: str
    name: str


def named(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, Shop]:
    """The brand's stores by id, also those whose rows are out of reach; unknown ids are missing."""
    return {row[0]: Shop(row[1], row[2]) for row in _NAMES(s, ids=sorted(set(ids)))}
