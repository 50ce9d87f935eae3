"""Looking over all households: whether everybody is in that of their door and name, and none is
empty. Reads everything; for an operator's audit.
"""

from typing import NamedTuple
from uuid import UUID

from highstreet.addresses.surnames import surname_key
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_ALL = Statement(
    "SELECT c.id, c.name, c.store_id, a.country, a.household_id, a.delivery_point, h.realm_id,"
    " h.delivery_point AS door, h.surname_key FROM core_address AS a"
    " JOIN core_customer AS c ON c.brand_id = a.brand_id AND c.id = a.customer_id"
    " JOIN core_household AS h ON h.brand_id = a.brand_id AND h.id = a.household_id"
    f" WHERE a.valid_to IS NULL AND {own('a')} AND {own('c')} AND {own('h')}",
    types={"id": UUID, "store_id": UUID, "household_id": UUID, "realm_id": UUID},
)
_EMPTY = Statement(
    f"SELECT h.id FROM core_household AS h WHERE {own('h')} AND NOT EXISTS"
    f" (SELECT 1 FROM core_address AS a WHERE a.household_id = h.id AND {own('a')})",
    types={"id": UUID},
)


class Misplaced(NamedTuple):
    """Somebody in a household that is not theirs, or (None) a household that nobody is in."""

    household_id: UUID
    customer_id: UUID | None


def check(s: ScopedSession) -> tuple[int, list[Misplaced]]:
    """How many current addresses there are within reach, and what does not fit."""
    many = 0
    wrong = []
    for id_, name, store_id, country, household_id, point, realm_id, door, key in _ALL(s):
        many += 1
        theirs = (store_id or s.brand_id, point, surname_key(name, country, id_))
        if theirs != (realm_id, door, key):
            wrong.append(Misplaced(household_id, id_))
    return many, wrong + [Misplaced(row[0], None) for row in _EMPTY(s)]
