"""Recording purchases. The till's path: few statements, none of them through the ORM."""

from uuid import UUID

from msgspec.structs import replace

from highstreet.customers import queries as customers
from highstreet.customers.places import place
from highstreet.host import dispatch
from highstreet.purchases import checks, measuring, queries, rows, telling
from highstreet.purchases.batch import record_batch
from highstreet.purchases.claims import claim
from highstreet.purchases.facts import PurchaseFact, PurchaseIn, Recorded
from highstreet.purchases.returns import record_return
from highstreet.purchases.sameness import conflict, differences
from highstreet.timeline.service import append
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_COLUMNS = (
    "INSERT INTO core_purchase (brand_id, id, store_id, customer_id, pos_ref, occurred_at,"
    " business_date, recorded_at, total_minor, currency, returned_minor, actor_kind, actor_id)"
)
# A merged customer's card or id goes on working: the purchase is written for the record that took
# its place. Nothing comes back where the receipt is known or the customer is not.
_KNOWN = Statement(
    f"{_COLUMNS} SELECT :brand_id, :id, :owner_store_id, COALESCE(c.merged_into, c.id), :pos_ref,"
    " :occurred_at, :business_date, :recorded_at, :total_minor, :currency, 0, :actor_kind,"
    " :actor_id FROM core_customer AS c WHERE c.id = :customer_id AND c.status <> 'erased'"
    f" AND (c.store_id IS NULL OR c.store_id = :owner_store_id) AND {own('c')}"
    " ON CONFLICT DO NOTHING RETURNING customer_id",
    returns="value",
    types={"customer_id": UUID},
)
_ANONYMOUS = Statement(
    f"{_COLUMNS} VALUES (:brand_id, :id, :owner_store_id, NULL, :pos_ref, :occurred_at,"
    " :business_date, :recorded_at, :total_minor, :currency, 0, :actor_kind, :actor_id)"
    " ON CONFLICT DO NOTHING RETURNING id",
    returns="value",
)
_LINE = Statement(
    "INSERT INTO core_purchase_line (brand_id, id, store_id, purchase_id, line_no, product,"
    " department, quantity_milli, amount_minor) VALUES (:brand_id, :id, :owner_store_id,"
    " :purchase_id, :line_no, :product, :department, :quantity_milli, :amount_minor)",
    returns="none",
)


def record(s: ScopedSession, given: PurchaseIn) -> Recorded:
    """Record a purchase and let the tools of its store earn on it.

    The same receipt with the same content again gives the purchase that is there, created False,
    and no tool hears of it twice; two tills at once leave one row. Raises Invalid naming the
    field, NotFound for a store or customer out of reach, Conflict, naming what differs, for a
    receipt number that stands for another purchase.
    """
    at = place(s, given.store_id)
    fact = checks.purchase(given, at, now(), new_id(), s.scope.actor)
    binds = {
        "id": fact.id,
        "owner_store_id": fact.store_id,
        "pos_ref": fact.pos_ref,
        "occurred_at": fact.occurred_at,
        "business_date": fact.business_date,
        "recorded_at": fact.recorded_at,
        "total_minor": fact.total_minor,
        "currency": fact.currency,
        "actor_kind": fact.actor_kind,
        "actor_id": fact.actor_id,
    }
    if fact.customer_id is None:
        if _ANONYMOUS(s, **binds) is None:
            return _replayed(s, fact)
    else:
        customer_id = _KNOWN(s, customer_id=fact.customer_id, **binds)
        if customer_id is None:
            return _replayed(s, fact)
        if customer_id != fact.customer_id:
            fact = replace(fact, customer_id=customer_id)
    if fact.lines:
        _LINE.many(s, rows.lines(fact, "owner_store_id"))
    if fact.customer_id is not None:
        append(s, rows.entry(fact))
        measuring.bought(s, fact)
    answers = dispatch.collect(s, "purchases_recorded", store_id=fact.store_id, purchases=(fact,))
    telling.recorded(s, (fact,))
    return Recorded(fact, True, tuple(answers))


def preview(s: ScopedSession, basket: PurchaseIn) -> tuple[object, ...]:
    """What each tool says a basket would earn; nothing is written.

    The receipt number may be empty. Raises Invalid, NotFound.
    """
    at = place(s, basket.store_id)
    checked = replace(basket, pos_ref=basket.pos_ref or "preview")
    checks.purchase(checked, at, now(), new_id(), s.scope.actor)
    if basket.customer_id is not None:
        customer = customers.get(s, basket.customer_id)
        checked = replace(checked, customer_id=customer.id)
    return tuple(dispatch.collect(s, "basket_preview", store_id=basket.store_id, basket=checked))


def _replayed(s: ScopedSession, given: PurchaseFact) -> Recorded:
    """The purchase that has this receipt number, if it is the same one.

    Without such a purchase it was the customer who is not there, so NotFound says that.
    """
    try:
        there = queries.by_ref(s, given.store_id, given.pos_ref)
    except NotFound:
        raise customers.no_customer() from None
    what = differences(s, there, given)
    if what:
        raise conflict(given.pos_ref, what)
    return Recorded(there, False)


__all__ = ["claim", "preview", "record", "record_batch", "record_return"]
