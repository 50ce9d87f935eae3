"""Not the same person: a likely pair that somebody looked at and does not want offered again.

A dismissal names the two records that were looked at. Reading it follows merges, so it goes on
holding for whatever either of them became.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import queries
from highstreet.customers.facts import DismissalFact
from highstreet.customers.models import Dismissal
from highstreet.i18n import gettext as _
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_TYPES: dict[str, type] = {"id": UUID, "root_id": UUID, "one_id": UUID, "other_id": UUID}
_TYPES |= {"at": datetime}

_WRITE = Statement(
    "INSERT INTO core_customer_dismissal (brand_id, id, store_id, one_id, other_id, at, actor,"
    " actor_id) VALUES (:brand_id, :id, :owner_store_id, :one_id, :other_id, :at, :actor,"
    " :actor_id) ON CONFLICT DO NOTHING",
    returns="count",
)
_NEWEST = Statement(
    "SELECT d.one_id, d.other_id, d.at, d.actor FROM core_customer_dismissal AS d"
    f" WHERE {own('d')} ORDER BY d.id DESC LIMIT :most",
    types=_TYPES,
)
# The records and what was merged into them, each with the record that is left of it; two stretches
# of indexes, where one query over COALESCE(merged_into, id) would read every customer there is.
_LINEAGES_SQL = (
    "SELECT c.id, c.id AS root_id FROM core_customer AS c WHERE c.id {here} AND {own}"
    " UNION ALL SELECT c.id, c.merged_into AS root_id FROM core_customer AS c"
    " WHERE c.merged_into {here} AND {own}"
)
_PAIRS_SQL = (
    "SELECT d.one_id, d.other_id FROM core_customer_dismissal AS d WHERE d.one_id {here} AND {own}"
)


def _of_list(sql: str, alias: str) -> Statement:
    return Statement(
        sql.format(here="IN (SELECT value FROM json_each(:ids))", own=own(alias)),
        postgresql=sql.format(here="= ANY(:ids)", own=own(alias)),
        types=_TYPES,
    )


_LINEAGES = _of_list(_LINEAGES_SQL, "c")
_PAIRS = _of_list(_PAIRS_SQL, "d")


def dismiss_pair(s: ScopedSession, customer_id: UUID, other_id: UUID) -> DismissalFact:
    """Say that two records are two people; they are not offered as duplicates any more.

    They can still be merged by whoever finds them. Saying it again changes nothing. Raises
    NotFound, Invalid for one and the same record or two of different owners.
    """
    one, other = queries.get(s, customer_id), queries.get(s, other_id)
    if one.id == other.id:
        raise Invalid(_("These two are one record already."))
    if one.store_id != other.store_id:
        raise Invalid(_("These customers belong to two stores. Each store keeps its own."))
    one, other = sorted((one, other), key=lambda fact: fact.id)
    actor, at = s.scope.actor, now()
    if frozenset((one.id, other.id)) not in dismissed_among(s, [one.id, other.id]):
        _WRITE(
            s,
            id=new_id(),
            owner_store_id=one.store_id,
            one_id=one.id,
            other_id=other.id,
            at=at,
            actor=actor.name[:120],
            actor_id=actor.id,
        )
    return DismissalFact(one, other, at, actor.name)


def restore_pair(s: ScopedSession, customer_id: UUID, other_id: UUID) -> int:
    """Take a dismissal back: the two may be offered again. Gives how many rows said so.

    Raises NotFound for a customer out of reach.
    """
    ones = queries.lineage(s, queries.get(s, customer_id).id)
    others = queries.lineage(s, queries.get(s, other_id).id)
    result = s.execute(
        sa.delete(Dismissal).where(
            sa.or_(
                sa.and_(Dismissal.one_id.in_(ones), Dismissal.other_id.in_(others)),
                sa.and_(Dismissal.one_id.in_(others), Dismissal.other_id.in_(ones)),
            )
        )
    )
    return int(getattr(result, "rowcount", 0))


def held(s: ScopedSession, ids: Collection[UUID]) -> list[dict[str, str]]:
    """What an export says of it: when, by whom, and never who the other person is."""
    rows = s.scalars(sa.select(Dismissal).where(_about(ids)).order_by(Dismissal.id))
    return [{"at": row.at.isoformat(), "by": row.actor} for row in rows]


def forget(s: ScopedSession, ids: Collection[UUID]) -> int:
    """Delete what is said of a customer who is erased; gives how many rows."""
    result = s.execute(sa.delete(Dismissal).where(_about(ids)))
    return int(getattr(result, "rowcount", 0))


def _about(ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    return sa.or_(Dismissal.one_id.in_(ids), Dismissal.other_id.in_(ids))


def dismissed_among(s: ScopedSession, ids: Collection[UUID]) -> set[frozenset[UUID]]:
    """Pairs of these customers (none of them merged) that were dismissed, as either is now."""
    if not ids:
        return set()
    root = dict(_LINEAGES(s, ids=list(ids)))
    pairs = _PAIRS(s, ids=list(root))
    return {frozenset((root[a], root[b])) for a, b in pairs if b in root and root[a] != root[b]}


def dismissals(s: ScopedSession, limit: int = 20) -> list[DismissalFact]:
    """The latest dismissals, newest first, of records that are still two."""
    rows = _NEWEST(s, most=limit)
    left = {one: queries.get(s, one) for row in rows for one in row[:2]}
    return [
        DismissalFact(left[one], left[other], at, actor)
        for one, other, at, actor in rows
        if left[one].id != left[other].id
    ]
