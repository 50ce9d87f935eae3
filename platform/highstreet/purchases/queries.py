"""Reading purchases and returns."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.purchases.checks import from_milli
from highstreet.purchases.facts import LineFact, PurchaseFact, ReturnedLine, ReturnFact
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

COLUMNS = (
    "p.id, p.store_id, p.pos_ref, p.occurred_at, p.total_minor, p.currency, p.customer_id,"
    " p.business_date, p.recorded_at, p.returned_minor, p.actor_kind, p.actor_id"
)
TYPES: dict[str, type] = {
    "id": UUID,
    "store_id": UUID,
    "at_store_id": UUID,
    "customer_id": UUID,
    "purchase_id": UUID,
    "actor_id": UUID,
    "occurred_at": datetime,
    "recorded_at": datetime,
    "business_date": date,
}
_BY_REF = (
    f"SELECT {COLUMNS} FROM core_purchase AS p"
    f" WHERE p.store_id = :at_store AND p.pos_ref = :pos_ref AND {own('p')}"
)
_FIND = Statement(_BY_REF, returns="row", types=TYPES)
# The weaker lock suffices against other returns, and lets lines and returns point at the row.
_LOCK = Statement(_BY_REF, postgresql=f"{_BY_REF} FOR NO KEY UPDATE", returns="row", types=TYPES)
_OF_CUSTOMER = Statement(
    f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.customer_id = :customer_id"
    f" AND p.occurred_at < :before AND {own('p')} ORDER BY p.occurred_at DESC LIMIT :most",
    types=TYPES,
)
_NEWEST = Statement(
    f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.customer_id = :customer_id"
    f" AND {own('p')} ORDER BY p.occurred_at DESC LIMIT :most",
    types=TYPES,
)


def _of_list(sql: str) -> Statement:
    """A statement whose `{}` becomes "is one of the list bound as `ids`", on both databases."""
    return Statement(
        sql.format("IN (SELECT value FROM json_each(:ids))"),
        postgresql=sql.format("= ANY(:ids)"),
        types=TYPES,
    )


_BY_IDS = _of_list(f"SELECT {COLUMNS} FROM core_purchase AS p WHERE p.id {{}} AND {own('p')}")
_LINES = _of_list(
    "SELECT l.purchase_id, l.line_no, l.product, l.department, l.quantity_milli, l.amount_minor"
    f" FROM core_purchase_line AS l WHERE l.purchase_id {{}} AND {own('l')}"
    " ORDER BY l.purchase_id, l.line_no"
)
_BACK = _of_list(
    "SELECT r.purchase_id, x.line_no, SUM(x.quantity_milli) AS quantity,"
    " SUM(x.amount_minor) AS amount FROM core_return AS r"
    " JOIN core_return_line AS x ON x.brand_id = r.brand_id AND x.return_id = r.id"
    f" WHERE r.purchase_id {{}} AND {own('r')} AND {own('x')}"
    " GROUP BY r.purchase_id, x.line_no"
)
_RETURN_COLUMNS = (
    "r.id, r.purchase_id, r.at_store_id, r.pos_ref, r.occurred_at, r.amount_minor, r.currency,"
    " r.business_date, r.recorded_at, r.actor_kind, r.actor_id"
)
_RETURN = Statement(
    f"SELECT {_RETURN_COLUMNS} FROM core_return AS r WHERE r.id = :id AND {own('r')}",
    returns="row",
    types=TYPES,
)
_RETURN_BY_REF = Statement(
    f"SELECT {_RETURN_COLUMNS} FROM core_return AS r WHERE r.at_store_id = :at_store"
    f" AND r.pos_ref = :pos_ref AND {own('r')}",
    returns="row",
    types=TYPES,
)
_RETURNS_OF = Statement(
    f"SELECT {_RETURN_COLUMNS} FROM core_return AS r WHERE r.purchase_id = :purchase_id"
    f" AND {own('r')} ORDER BY r.recorded_at, r.id",
    types=TYPES,
)
_RETURN_LINES = Statement(
    "SELECT x.line_no, x.quantity_milli, x.amount_minor FROM core_return_line AS x"
    f" WHERE x.return_id = :return_id AND {own('x')} ORDER BY x.line_no"
)
_WRONG = Statement(
    "SELECT p.id, p.returned_minor, COALESCE(SUM(r.amount_minor), 0) AS given_back"
    " FROM core_purchase AS p LEFT JOIN core_return AS r"
    f" ON r.purchase_id = p.id AND r.brand_id = :brand_id AND {own('r')}"
    f" WHERE {own('p')} GROUP BY p.id, p.returned_minor"
    " HAVING p.returned_minor <> COALESCE(SUM(r.amount_minor), 0)",
    types=TYPES,
)


def get(s: ScopedSession, purchase_id: UUID) -> PurchaseFact:
    """One purchase with its lines. Raises NotFound."""
    found = by_ids(s, [purchase_id])
    if not found:
        raise no_purchase()
    return found[0]


def by_ref(s: ScopedSession, store_id: UUID, pos_ref: str, *, lock: bool = False) -> PurchaseFact:
    """A store's purchase by the till's number; `lock` holds it until the transaction ends.

    Raises NotFound.
    """
    row = (_LOCK if lock else _FIND)(s, at_store=store_id, pos_ref=pos_ref)
    if row is None:
        raise no_purchase()
    return with_lines(s, [row])[0]


def by_ids(s: ScopedSession, ids: Sequence[UUID]) -> list[PurchaseFact]:
    """The purchases that are within reach, in the order of `ids`."""
    if not ids:
        return []
    found = {row[0]: row for row in _BY_IDS(s, ids=list(ids))}
    return with_lines(s, [found[one] for one in ids if one in found])


def of_customer(
    s: ScopedSession, customer_id: UUID, *, before: datetime | None = None, limit: int = 50
) -> list[PurchaseFact]:
    """A customer's newest purchases within reach, those of merged records too.

    A store sees its own, also of a member of the brand's club. Raises NotFound.
    """
    limit = max(1, min(limit, 500))
    rows: list[Any] = []
    for one in customers.lineage(s, customers.get(s, customer_id).id):
        rows += (
            _NEWEST(s, customer_id=one, most=limit)
            if before is None
            else _OF_CUSTOMER(s, customer_id=one, most=limit, before=before)
        )
    rows.sort(key=lambda row: row[3], reverse=True)
    return with_lines(s, rows[:limit])


def get_return(s: ScopedSession, return_id: UUID) -> ReturnFact:
    """One return with its purchase as it is now. Raises NotFound."""
    row = _RETURN(s, id=return_id)
    if row is None:
        raise no_purchase()
    return return_fact(s, row, get(s, row[1]))


def find_return(s: ScopedSession, store_id: UUID, pos_ref: str) -> tuple[Any, ...] | None:
    """The row of a return by the receipt number of the store that gave the money, or None."""
    row: tuple[Any, ...] | None = _RETURN_BY_REF(s, at_store=store_id, pos_ref=pos_ref)
    return row


def returns_of(s: ScopedSession, purchase_id: UUID) -> list[ReturnFact]:
    """A purchase's returns, oldest first. Raises NotFound."""
    purchase = get(s, purchase_id)
    return [return_fact(s, row, purchase) for row in _RETURNS_OF(s, purchase_id=purchase_id)]


def return_fact(s: ScopedSession, row: Sequence[Any], purchase: PurchaseFact) -> ReturnFact:
    """The fact of a return's row."""
    lines = tuple(
        ReturnedLine(number, from_milli(quantity), amount)
        for number, quantity, amount in _RETURN_LINES(s, return_id=row[0])
    )
    id_, _purchase_id, store, ref, occurred, amount, currency, day, recorded, kind, actor = row
    return ReturnFact(
        id_, purchase, store, ref, occurred, amount, currency, day, recorded, lines, kind, actor
    )


def check_returned(s: ScopedSession) -> list[tuple[UUID, int, int]]:
    """Purchases whose kept returned_minor is not the sum of their returns: (id, kept, sum).

    Reads everything within reach; for an operator's audit.
    """
    return [(row[0], int(row[1]), int(row[2])) for row in _WRONG(s)]


def with_lines(s: ScopedSession, rows: Sequence[Sequence[Any]]) -> list[PurchaseFact]:
    """The facts of purchases' rows (of COLUMNS), each with its lines and what came back of them."""
    if not rows:
        return []
    ids = [row[0] for row in rows]
    back: dict[UUID, dict[int, tuple[Decimal, int]]] = {}
    for purchase_id, number, quantity, amount in _BACK(s, ids=ids):
        back.setdefault(purchase_id, {})[number] = (from_milli(int(quantity)), int(amount))
    lines: dict[UUID, list[LineFact]] = {}
    for purchase_id, number, product, department, quantity, amount in _LINES(s, ids=ids):
        lines.setdefault(purchase_id, []).append(
            LineFact(
                number,
                product,
                department,
                from_milli(quantity),
                amount,
                *back.get(purchase_id, {}).get(number, ()),
            )
        )
    return [fact_of(row, tuple(lines.get(row[0], ()))) for row in rows]


def fact_of(row: Sequence[Any], lines: tuple[LineFact, ...] = ()) -> PurchaseFact:
    """The fact of a purchase's row, in the order of COLUMNS."""
    (id_, store, ref, occurred, total, currency, customer, day, recorded, back, kind, actor) = row
    return PurchaseFact(
        id_,
        store,
        ref,
        occurred,
        total,
        currency,
        customer,
        lines,
        day,
        recorded,
        back,
        kind,
        actor,
    )


def no_purchase() -> NotFound:
    """The error for a purchase that is not within reach, or not at all."""
    return NotFound(_("There is no such purchase in this store. Check the receipt number."))
