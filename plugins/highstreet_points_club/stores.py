"""Stores by name, many at once, also those whose rows are out of reach."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import ScopedSession, Statement
from highstreet.sdk import gettext as _

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


def named(s: ScopedSession, ids: Iterable[UUID | None]) -> dict[UUID | None, Shop]:
    """Stores by id; None is head office."""
    wanted = sorted({one for one in ids if one is not None})
    found: dict[UUID | None, Shop] = {row[0]: Shop(row[1], row[2]) for row in _NAMES(s, ids=wanted)}
    return found | {None: Shop("", _("Head office"))}
