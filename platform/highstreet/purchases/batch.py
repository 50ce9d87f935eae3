"""Thousands of purchases at once, of many stores of one brand: set-based, for imports."""

from collections.abc import Sequence
from uuid import UUID

from msgspec.structs import replace

from highstreet.customers.facts import Refused
from highstreet.customers.places import place
from highstreet.customers.queries import no_customer
from highstreet.host import dispatch
from highstreet.purchases import checks, measuring, queries, rows, telling
from highstreet.purchases.facts import BatchOutcome, PurchaseFact, PurchaseIn
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet.purchases.sameness import conflict, differences
from highstreet.timeline.service import write_many
from highstreet_tenants import bulk
from highstreet_tenants.clock import now
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_PURCHASES = Purchase.metadata.tables[Purchase.__tablename__]
_LINES = PurchaseLine.metadata.tables[PurchaseLine.__tablename__]
_Key = tuple[UUID, str]
_TYPES: dict[str, type] = {"id": UUID, "store_id": UUID, "current_id": UUID}

_CUSTOMERS_SQL = (
    "SELECT c.id, c.store_id, COALESCE(c.merged_into, c.id) AS current_id FROM core_customer AS c"
    f" WHERE c.id {{}} AND c.status <> 'erased' AND {own('c')}"
)
_CUSTOMERS = Statement(
    _CUSTOMERS_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_CUSTOMERS_SQL.format("= ANY(:ids)"),
    types=_TYPES,
)
# A receipt travels as one text, the store's 32 hexadecimal digits and then its number: two JSON
# arrays side by side SQLite would join by trying every pair. CROSS JOIN makes it begin with them.
_THERE = Statement(
    "SELECT p.id, p.store_id, p.pos_ref FROM json_each(:receipts) AS a"
    " CROSS JOIN core_purchase AS p WHERE p.store_id = substr(a.value, 1, 32)"
    f" AND p.pos_ref = substr(a.value, 33) AND {own('p')}",
    # Two arrays side by side: under row-level security an index is used only for what is leakproof,
    # and neither substr() nor a cast is.
    postgresql="SELECT p.id, p.store_id, p.pos_ref"
    " FROM unnest(CAST(:stores AS uuid[]), CAST(:refs AS text[])) AS a(store_id, pos_ref)"
    " JOIN core_purchase AS p ON p.store_id = a.store_id AND p.pos_ref = a.pos_ref"
    f" WHERE {own('p')}",
    types=_TYPES,
)


def record_batch(s: ScopedSession, given: Sequence[PurchaseIn]) -> BatchOutcome:
    """Record many purchases; bad ones are refused one by one and the others go in.

    Hand in some thousands at a time, from an operator's scope for many stores. Rows known before,
    in the database or earlier in the list, count as duplicates if they say the same and are
    refused, with what differs, if not. Tools hear of the new ones, store by store, through
    `purchases_recorded`.
    """
    refused: list[Refused] = []
    fresh, repeated = _read(s, given, refused)
    created = _insert(s, fresh, repeated)
    facts = tuple(created.values())
    bulk.insert(s, _LINES, [row for fact in facts for row in rows.lines(fact)])
    # Only now: a receipt that came twice in this list is held against its lines, too.
    duplicates = _judge_repeated(s, repeated, refused)
    write_many(s, [rows.entry(fact) for fact in facts if fact.customer_id is not None])
    measuring.bought_many(s, facts)
    answers = dispatch.collect_by_store(s, "purchases_recorded", facts, lambda fact: fact.store_id)
    telling.recorded(s, facts)
    refused.sort(key=lambda one: one.index)
    return BatchOutcome(len(facts), duplicates, tuple(refused), tuple(answers))


def _read(
    s: ScopedSession, given: Sequence[PurchaseIn], refused: list[Refused]
) -> tuple[dict[_Key, tuple[int, PurchaseFact]], list[tuple[int, PurchaseFact]]]:
    """The believable rows: the first of each receipt, and those whose receipt came before."""
    at = now()
    asked = {one.customer_id for one in given if one.customer_id is not None}
    people = {row[0]: row for row in _CUSTOMERS(s, ids=list(asked))} if asked else {}
    fresh: dict[_Key, tuple[int, PurchaseFact]] = {}
    repeated: list[tuple[int, PurchaseFact]] = []
    for index, one in enumerate(given):
        try:
            fact = checks.purchase(one, place(s, one.store_id), at, new_id(), s.scope.actor)
            if fact.customer_id is not None:
                person = people.get(fact.customer_id)
                if person is None or person[1] not in (None, fact.store_id):
                    raise no_customer()
                if person[2] != fact.customer_id:
                    fact = replace(fact, customer_id=person[2])
        except HighstreetError as error:
            refused.append(Refused(index, error.type, error.detail))
            continue
        key = (fact.store_id, fact.pos_ref)
        if key in fresh:
            repeated.append((index, fact))
        else:
            fresh[key] = (index, fact)
    return fresh, repeated


def _insert(
    s: ScopedSession,
    fresh: dict[_Key, tuple[int, PurchaseFact]],
    repeated: list[tuple[int, PurchaseFact]],
) -> dict[UUID, PurchaseFact]:
    """Insert what is new; what turns out to be there moves to `repeated`."""
    for there in _find(s, list(fresh)):
        repeated.append(fresh.pop(there))
    facts = {fact.id: fact for _index, fact in fresh.values()}
    count = bulk.insert(
        s, _PURCHASES, [_row(fact) for fact in facts.values()], ignore_conflicts=True
    )
    if count < len(facts):
        # Somebody recorded some of them since we looked: only rows with our own ids are ours.
        ours = {found.id for found in queries.by_ids(s, list(facts))}
        for key in [k for k, (_index, fact) in fresh.items() if fact.id not in ours]:
            index, fact = fresh.pop(key)
            repeated.append((index, fact))
            del facts[fact.id]
    return facts


def _find(s: ScopedSession, keys: Sequence[_Key]) -> dict[_Key, UUID]:
    if not keys:
        return {}
    if s.dialect == "sqlite":
        found = _THERE(s, receipts=[store.hex + ref for store, ref in keys])
    else:
        found = _THERE(s, stores=[key[0] for key in keys], refs=[key[1] for key in keys])
    return {(row[1], row[2]): row[0] for row in found}


def _judge_repeated(
    s: ScopedSession, repeated: Sequence[tuple[int, PurchaseFact]], refused: list[Refused]
) -> int:
    """Count the true duplicates and refuse what only shares the receipt number."""
    if not repeated:
        return 0
    ids = _find(s, [(fact.store_id, fact.pos_ref) for _index, fact in repeated])
    there = {fact.id: fact for fact in queries.by_ids(s, list(ids.values()))}
    same = 0
    for index, fact in repeated:
        what = differences(s, there[ids[fact.store_id, fact.pos_ref]], fact)
        if what:
            error = conflict(fact.pos_ref, what)
            refused.append(Refused(index, error.type, error.detail))
        else:
            same += 1
    return same


def _row(fact: PurchaseFact) -> dict[str, object]:
    return {
        "id": fact.id,
        "store_id": fact.store_id,
        "customer_id": fact.customer_id,
        "pos_ref": fact.pos_ref,
        "occurred_at": fact.occurred_at,
        "business_date": fact.business_date,
        "recorded_at": fact.recorded_at,
        "total_minor": fact.total_minor,
        "currency": fact.currency,
        "returned_minor": 0,
        "actor_kind": fact.actor_kind,
        "actor_id": fact.actor_id,
    }
