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

_CALLED_SQL = (
    "SELECT t.id, t.code, t.name FROM core_store AS t WHERE t.brand_id = :brand_id AND"
    " (lower(t.name) {0} OR lower(t.code) {0}) ORDER BY t.id"
)
_CALLED = Statement(
    _CALLED_SQL.format("IN (SELECT value FROM json_each(:words))"),
    postgresql=_CALLED_SQL.format("= ANY(:words)"),
    types={"id": UUID},
)

_ALL = Statement(
    "SELECT t.id, t.code, t.name, t.region_id FROM core_store AS t WHERE t.brand_id = :brand_id"
    " ORDER BY t.code",
    types={"id": UUID, "region_id": UUID},
)
_REGIONS = Statement(
    "SELECT r.id, r.name FROM core_region AS r WHERE r.brand_id = :brand_id ORDER BY r.name, r.id",
    types={"id": UUID},
)


class Listed(NamedTuple):
    """A store of the brand. region_id: None where it is in no region."""

    id: UUID
    code: str
    name: str
    region_id: UUID | None


class Shop(NamedTuple):
    """A store's number in files and its name."""

    code: str
    name: str


def named(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, Shop]:
    """The brand's stores by id, also those whose rows are out of reach; unknown ids are missing."""
    return {row[0]: Shop(row[1], row[2]) for row in _NAMES(s, ids=sorted(set(ids)))}


def called(s: ScopedSession, words: Iterable[str]) -> dict[str, UUID]:
    """The brand's stores by what they were called: number or name, large or small letters. What
    none is called, or several are by name, is missing."""
    wanted = {word.lower(): word for word in words}
    found: dict[str, set[UUID]] = {}
    for store_id, code, name in _CALLED(s, words=sorted(wanted)):
        found.setdefault(code.lower(), set()).add(store_id)
        if name.lower() != code.lower():
            found.setdefault(name.lower(), set()).add(store_id)
    return {
        word: next(iter(found[low])) for low, word in wanted.items() if len(found.get(low, ())) == 1
    }


def listed(s: ScopedSession) -> list[Listed]:
    """All stores of the brand, also closed ones, in the order of their numbers."""
    return [Listed(*row) for row in _ALL(s)]


def regions(s: ScopedSession) -> dict[UUID, str]:
    """The brand's regions by name."""
    return dict(_REGIONS(s))
