"""Two records side by side: what both say, and say differently."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, get_args
from uuid import UUID

from highstreet.customers.facts import Difference, What
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_TYPES: dict[str, type] = {"id": UUID, "customer_id": UUID, "home_store_id": UUID, "birthday": date}
_PEOPLE_SQL = (
    "SELECT c.id, c.birthday, c.language, c.home_store_id FROM core_customer AS c"
    f" WHERE c.id {{}} AND {own('c')}"
)
_KEYS_SQL = (
    "SELECT i.customer_id, i.kind, i.value, i.shown FROM core_customer_identity AS i"
    f" WHERE i.customer_id {{}} AND i.kind <> 'card' AND {own('i')} ORDER BY i.created_at, i.id"
)


def _of_ids(sql: str) -> Statement:
    return Statement(
        sql.format("IN (SELECT value FROM json_each(:ids))"),
        postgresql=sql.format("= ANY(:ids)"),
        types=_TYPES,
    )


_PEOPLE, _KEYS = _of_ids(_PEOPLE_SQL), _of_ids(_KEYS_SQL)
_Pair = tuple[UUID, UUID]
#: What a record says: kind → each value's key with how it is shown.
_Said = dict[str, dict[Any, Any]]
_WHAT: tuple[What, ...] = get_args(What)


def differences(s: ScopedSession, pairs: Sequence[_Pair]) -> dict[_Pair, tuple[Difference, ...]]:
    """For each pair of customers what speaks against their being one person.

    Only what both have answered counts; two that share one of several phones do not differ in it.
    """
    ids = list({one for pair in pairs for one in pair})
    if not ids:
        return {}
    said: dict[UUID, _Said] = {}
    for one, birthday, language, store_id in _PEOPLE(s, ids=ids):
        plain = {"birthday": birthday, "language": language, "store": store_id}
        said[one] = {what: {value: value} for what, value in plain.items() if value}
    for one, kind, value, shown in _KEYS(s, ids=ids):
        said[one].setdefault(kind, {})[value] = shown
    return {(one, other): tuple(_differ(said[one], said[other])) for one, other in pairs}


def _differ(one: _Said, other: _Said) -> Iterator[Difference]:
    for what in _WHAT:
        here, there = one.get(what, {}), other.get(what, {})
        if here and there and not here.keys() & there.keys():
            yield Difference(what, _shown(here), _shown(there))


def _shown(values: dict[Any, Any]) -> Any:
    """A single value as it is, several as text with commas between."""
    found = list(values.values())
    return found[0] if len(found) == 1 else ", ".join(found)
