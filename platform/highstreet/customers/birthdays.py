"""Whose birthday it is, for tools that give something on it."""

import calendar
from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_BORN_SQL = (
    "SELECT c.id, c.store_id, c.joined_at FROM core_customer AS c"
    " WHERE c.home_store_id = :home AND c.status = 'active' AND c.birthday IS NOT NULL"
    " AND {} AND c.id > :after"
    f" AND {own('c')} ORDER BY c.id LIMIT :most"
)
_BORN = Statement(
    _BORN_SQL.format("strftime('%m-%d', c.birthday) IN (SELECT value FROM json_each(:days))"),
    postgresql=_BORN_SQL.format("to_char(c.birthday, 'MM-DD') = ANY(:days)"),
    types={"id": UUID, "store_id": UUID, "joined_at": datetime},
)


class Celebrant(NamedTuple):
    """A customer, the store that owns the record (None: the brand), and since when they are one."""

    id: UUID
    store_id: UUID | None
    joined_at: datetime


def born_on(
    s: ScopedSession, store_id: UUID, day: date, *, behind: UUID | None = None, limit: int = 500
) -> list[Celebrant]:
    """A store's own customers whose birthday is on `day`, in order of their ids behind `behind`.

    Who was born on 29 February has it on the 28th in other years.
    """
    days = list(_days(day))
    first = behind or UUID(int=0)
    return [Celebrant(*row) for row in _BORN(s, home=store_id, days=days, after=first, most=limit)]


def _days(day: date) -> Iterator[str]:
    yield f"{day:%m-%d}"
    if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
        yield "02-29"
