"""Money given back: partly, repeatedly, never more than was paid, each time exactly once."""

from msgspec.structs import replace

from highstreet.customers.places import Place, place
from highstreet.customers.text import bad, reference
from highstreet.host import dispatch
from highstreet.i18n import format_locale
from highstreet.i18n import gettext as _
from highstreet.purchases import allotment, checks, measuring, queries, rows, telling
from highstreet.purchases.facts import (
    LineFact,
    PurchaseFact,
    Returned,
    ReturnedLine,
    ReturnFact,
    ReturnIn,
)
from highstreet.purchases.sameness import is_same_return
from highstreet.timeline.service import append
from highstreet_tenants.clock import business_date, now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.ids import new_id
from highstreet_tenants.money import format_minor
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

_INSERT = Statement(
    "INSERT INTO core_return (brand_id, id, store_id, purchase_id, at_store_id, pos_ref,"
    " occurred_at, business_date, recorded_at, amount_minor, currency, actor_kind, actor_id)"
    " VALUES (:brand_id, :id, :owner_store_id, :purchase_id, :at_store, :pos_ref, :occurred_at,"
    " :business_date, :recorded_at, :amount_minor, :currency, :actor_kind, :actor_id)"
    " ON CONFLICT DO NOTHING",
    returns="count",
)
_LINE = Statement(
    "INSERT INTO core_return_line (brand_id, id, store_id, return_id, line_no, quantity_milli,"
    " amount_minor) VALUES (:brand_id, :id, :owner_store_id, :return_id, :line_no,"
    " :quantity_milli, :amount_minor)",
    returns="none",
)
_COUNT = Statement(
    "UPDATE core_purchase AS p SET returned_minor = p.returned_minor + :amount_minor"
    f" WHERE p.id = :id AND {own('p')}",
    returns="count",
)


def record_return(s: ScopedSession, given: ReturnIn) -> Returned:
    """Record that money was given back for a purchase, wholly or in part.

    The purchase's row stays locked until the transaction ends, so two tills can't give the same
    money back. The same return receipt with the same content again gives the return that is there,
    created False, and no tool hears of it twice.

    Bought at another store of the brand's club (`purchase_store_id`): open the club's scope
    (Scope.brand) for this one verb, for a store's scope does not see what other stores sold.

    Raises NotFound for an unknown purchase, Invalid for more than is left (saying how much is), a
    product that was not bought or a bad time, Conflict for a receipt number that stands for
    another return.
    """
    at = place(s, given.store_id)
    bought_at = given.purchase_store_id or given.store_id
    present = now()
    pos_ref = reference(given.pos_ref, "pos_ref", checks.REF_LENGTH, grouped=True)
    occurred_at = checks.moment(given.occurred_at, present)
    bought_ref = reference(
        given.purchase_pos_ref, "purchase_pos_ref", checks.REF_LENGTH, grouped=True
    )
    purchase = queries.by_ref(s, bought_at, bought_ref, lock=True)
    there = queries.find_return(s, given.store_id, pos_ref)
    if there is not None:
        return _replayed(s, there, purchase, replace(given, occurred_at=occurred_at))
    amount, lines = _amount(given, purchase, at)
    if at.currency != purchase.currency:
        raise bad("store_id", _("This was paid in %(currency)s.", currency=purchase.currency))
    if occurred_at < purchase.occurred_at and occurred_at.date() < purchase.occurred_at.date():
        raise bad("occurred_at", _("Nothing can be returned before it was bought."))
    fact = ReturnFact(
        new_id(),
        _after(purchase, amount, lines),
        given.store_id,
        pos_ref,
        occurred_at,
        amount,
        purchase.currency,
        business_date(occurred_at, at.zone),
        present,
        lines,
        s.scope.actor.kind,
        s.scope.actor.id,
    )
    if not _write(s, fact):
        # Another purchase's return took this number in this very moment.
        raise _conflict(pos_ref)
    if purchase.customer_id is not None:
        append(s, rows.return_entry(fact, purchase.customer_id))
        measuring.brought_back(s, purchase, amount)
    answers = dispatch.collect(s, "purchase_returned", store_id=purchase.store_id, returned=fact)
    telling.returned(s, fact)
    return Returned(fact, True, tuple(answers))


def _amount(
    given: ReturnIn, purchase: PurchaseFact, at: Place
) -> tuple[int, tuple[ReturnedLine, ...]]:
    """How much is given back, and for which lines. Raises Invalid."""
    rest = purchase.total_minor - purchase.returned_minor
    lines = allotment.allot(purchase, given.lines) if given.lines else ()
    amount = given.amount_minor
    if amount is None:
        if given.lines:
            amount = sum(line.amount_minor for line in lines)
        else:
            amount, lines = rest, allotment.everything_left(purchase)
            if not rest and not lines:
                raise bad("amount_minor", _("All of this purchase has been returned."))
    if type(amount) is not int or amount < 0 or (amount == 0 and not lines):
        raise bad(
            "amount_minor",
            _("Give the amount in whole minor units (cents, pence), more than nothing."),
        )
    if amount > rest:
        left = format_minor(rest, purchase.currency, str(format_locale(at.locale)))
        raise Invalid(
            _("Only %(left)s of this purchase can still be returned.", left=left),
            fields={"amount_minor": [_("At most %(left)s is left.", left=left)]},
        )
    return amount, lines


def _after(purchase: PurchaseFact, amount: int, lines: tuple[ReturnedLine, ...]) -> PurchaseFact:
    """The purchase as it is once this went back."""
    back = {line.line_no: line for line in lines}

    def less(line: LineFact) -> LineFact:
        one = back.get(line.line_no)
        if one is None:
            return line
        return replace(
            line,
            returned_quantity=line.returned_quantity + one.quantity,
            returned_minor=line.returned_minor + one.amount_minor,
        )

    return replace(
        purchase,
        returned_minor=purchase.returned_minor + amount,
        lines=tuple(less(line) for line in purchase.lines),
    )


def _write(s: ScopedSession, fact: ReturnFact) -> bool:
    purchase = fact.purchase
    if not _INSERT(
        s,
        id=fact.id,
        owner_store_id=purchase.store_id,
        purchase_id=purchase.id,
        at_store=fact.store_id,
        pos_ref=fact.pos_ref,
        occurred_at=fact.occurred_at,
        business_date=fact.business_date,
        recorded_at=fact.recorded_at,
        amount_minor=fact.amount_minor,
        currency=fact.currency,
        actor_kind=fact.actor_kind,
        actor_id=fact.actor_id,
    ):
        return False
    _LINE.many(
        s,
        [
            {
                "id": new_id(),
                "owner_store_id": purchase.store_id,
                "return_id": fact.id,
                "line_no": line.line_no,
                "quantity_milli": checks.milli(line.quantity),
                "amount_minor": line.amount_minor,
            }
            for line in fact.lines
        ],
    )
    _COUNT(s, id=purchase.id, amount_minor=fact.amount_minor)
    return True


def _replayed(
    s: ScopedSession, row: tuple[object, ...], purchase: PurchaseFact, given: ReturnIn
) -> Returned:
    """The return that has this receipt number, if it is the same one."""
    if row[1] != purchase.id:
        raise _conflict(given.pos_ref)
    there = queries.return_fact(s, row, purchase)
    if not is_same_return(s, there, given):
        raise _conflict(given.pos_ref)
    return Returned(there, False)


def _conflict(pos_ref: str) -> Conflict:
    return Conflict(
        _(
            "Return receipt %(ref)s is already recorded with other content. Send it again"
            " unchanged, or use a new receipt number.",
            ref=pos_ref,
        )
    )
