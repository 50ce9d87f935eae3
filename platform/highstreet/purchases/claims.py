"""A purchase of nobody turns out to be a customer's: the card was shown after the sale."""

from datetime import timedelta
from uuid import UUID

from msgspec.structs import replace

from highstreet.customers import queries as customers
from highstreet.customers.text import reference
from highstreet.host import dispatch
from highstreet.i18n import gettext as _
from highstreet.purchases import checks, measuring, queries, rows, telling
from highstreet.purchases.facts import Recorded
from highstreet.timeline.service import append
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement, own

#: So long after it was made a purchase of nobody may become somebody's.
WITHIN = timedelta(days=30)

_GIVE = Statement(
    "UPDATE core_purchase AS p SET customer_id = :customer_id"
    f" WHERE p.id = :id AND p.customer_id IS NULL AND {own('p')}",
    returns="count",
)


def claim(s: ScopedSession, store_id: UUID, pos_ref: str, customer_id: UUID) -> Recorded:
    """Give a store's anonymous purchase to a customer; the tools earn on it as of when it was made.

    What was returned of it since counts. Again for the same customer changes nothing, created
    False. Raises NotFound for an unknown purchase or customer, Conflict for a purchase that is
    somebody else's or older than WITHIN.
    """
    ref = reference(pos_ref, "pos_ref", checks.REF_LENGTH, grouped=True)
    bought = queries.by_ref(s, store_id, ref, lock=True)
    customer = customers.get(s, customer_id)
    if customer.store_id not in (None, bought.store_id):
        raise customers.no_customer()
    if bought.customer_id is not None:
        if bought.customer_id in customers.lineage(s, customer.id):
            return Recorded(bought, False)
        raise _refused(_("This purchase is another customer's already."))
    if bought.occurred_at < now() - WITHIN:
        raise _refused(
            _(
                "This purchase is older than %(days)s days. It can't become a customer's any more.",
                days=WITHIN.days,
            )
        )
    if not _GIVE(s, id=bought.id, customer_id=customer.id):
        raise Conflict(_("Somebody changed this purchase just now. Send it again."))
    fact = replace(bought, customer_id=customer.id)
    append(s, rows.entry(fact, claimed_by=s.scope.actor.name))
    measuring.bought(s, fact)
    if fact.returned_minor:
        for back in queries.returns_of(s, fact.id):
            append(s, rows.return_entry(back, customer.id))
    answers = dispatch.collect(s, "purchase_claimed", store_id=fact.store_id, purchase=fact)
    telling.claimed(s, fact)
    return Recorded(fact, True, tuple(answers))


def _refused(words: str) -> Conflict:
    return Conflict(words, fields={"purchase_pos_ref": [words]})
