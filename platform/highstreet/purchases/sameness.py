"""Whether a receipt that comes again is the same purchase, or the same return."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.purchases import checks, queries
from highstreet.purchases.facts import PurchaseFact, ReturnFact, ReturnIn, ReturnLineIn
from highstreet_tenants.errors import Conflict, NotFound
from highstreet_tenants.sessions import ScopedSession


def differences(s: ScopedSession, there: PurchaseFact, given: PurchaseFact) -> dict[str, str]:
    """What the two say differently, field by field, in words; empty if nothing.

    Customers that were merged since are the same customer.
    """
    what: dict[str, str] = {}
    if there.total_minor != given.total_minor:
        what["total_minor"] = _(
            "total: %(there)s before, %(given)s now",
            there=there.total_minor,
            given=given.total_minor,
        )
    if there.currency != given.currency:
        what["currency"] = _(
            "currency: %(there)s before, %(given)s now", there=there.currency, given=given.currency
        )
    if there.occurred_at != given.occurred_at:
        what["occurred_at"] = _(
            "time: %(there)s before, %(given)s now",
            there=there.occurred_at.isoformat(timespec="seconds"),
            given=given.occurred_at.isoformat(timespec="seconds"),
        )
    if there.customer_id is None and given.customer_id is not None:
        what["customer_id"] = _(
            "customer: nobody before, somebody now; to give it to them, claim it"
        )
    elif there.customer_id is not None and given.customer_id is None:
        what["customer_id"] = _("customer: somebody before, nobody now")
    elif there.customer_id != given.customer_id and not _same_customer(s, there, given):
        what["customer_id"] = _("customer: another one before")
    if _content(there) != _content(given):
        what["lines"] = _("lines: other products, quantities or amounts before")
    return what


def conflict(pos_ref: str, what: dict[str, str]) -> Conflict:
    """The error for a receipt number that stands for another purchase."""
    return Conflict(
        _(
            "Receipt %(ref)s is already recorded with other content (%(what)s). Send it again"
            " unchanged, or use a new receipt number.",
            ref=pos_ref,
            what="; ".join(what.values()),
        ),
        fields={field: [words] for field, words in what.items()},
    )


def is_same_return(s: ScopedSession, there: ReturnFact, given: ReturnIn) -> bool:
    """Whether what is asked for again is what was done: when, which lines, for how much.

    What the till left to us is worked out as it was then: lines without amounts for their price,
    neither lines nor amount for all that was left.
    """
    if there.occurred_at != given.occurred_at:
        return False
    if given.lines:
        asked = sum(line.amount_minor for line in there.lines)
        return (
            there.amount_minor == (asked if given.amount_minor is None else given.amount_minor)
            and _asked(there.purchase, given.lines) == _brought(there)
            and _priced(there, given.lines)
        )
    if given.amount_minor is not None:
        return there.amount_minor == given.amount_minor and not there.lines
    return _was_the_rest(s, there)


def _was_the_rest(s: ScopedSession, there: ReturnFact) -> bool:
    """Whether nothing of the purchase was left after this return."""
    given_back = 0
    for one in queries.returns_of(s, there.purchase.id):
        given_back += one.amount_minor
        if one.id == there.id:
            break
    return given_back == there.purchase.total_minor


def _asked(purchase: PurchaseFact, lines: Sequence[ReturnLineIn]) -> Counter[str]:
    """Thousandths of each product that are asked for."""
    products = _products(purchase)
    asked: Counter[str] = Counter()
    for line in lines:
        name = line.product or products.get(line.line_no or 0, "")
        asked[name] += checks.milli(Decimal(line.quantity))
    return asked


def _brought(there: ReturnFact) -> Counter[str]:
    products = _products(there.purchase)
    brought: Counter[str] = Counter()
    for line in there.lines:
        brought[products[line.line_no]] += checks.milli(line.quantity)
    return brought


def _priced(there: ReturnFact, lines: Sequence[ReturnLineIn]) -> bool:
    """Whether the amounts are those that were given back, as far as the till names them."""
    products = _products(there.purchase)
    named: dict[str, int | None] = {}
    for line in lines:
        name = line.product or products.get(line.line_no or 0, "")
        sum_so_far = named.get(name, 0)
        if line.amount_minor is None or sum_so_far is None:
            named[name] = None  # partly ours to work out: the whole amount has to tell
        else:
            named[name] = sum_so_far + line.amount_minor
    paid: Counter[str] = Counter()
    for back in there.lines:
        paid[products[back.line_no]] += back.amount_minor
    return all(amount is None or amount == paid[name] for name, amount in named.items())


def _products(purchase: PurchaseFact) -> dict[int, str]:
    return {line.line_no: line.product for line in purchase.lines}


def _content(fact: PurchaseFact) -> list[tuple[object, ...]]:
    return sorted(
        (line.line_no, line.product, line.department, line.quantity, line.amount_minor)
        for line in fact.lines
    )


def _same_customer(s: ScopedSession, there: PurchaseFact, given: PurchaseFact) -> bool:
    if there.customer_id is None or given.customer_id is None:
        return False
    try:
        return customers.get(s, there.customer_id).id == customers.get(s, given.customer_id).id
    except NotFound:
        return False
