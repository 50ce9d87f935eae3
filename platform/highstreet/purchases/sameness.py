"""Whether a receipt that comes again is the same purchase."""

from highstreet.customers import queries as customers
from highstreet.i18n import gettext as _
from highstreet.purchases.facts import PurchaseFact
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
    if there.customer_id != given.customer_id and not _same_customer(s, there, given):
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
