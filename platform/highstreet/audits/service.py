"""Runs the audit of a brand."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses import checking
from highstreet.audits.hooks import Audited, Difference
from highstreet.host import dispatch, faults
from highstreet.i18n import gettext as _
from highstreet.purchases import measuring, queries
from highstreet.purchases.models import Purchase
from highstreet_tenants.sessions import ScopedSession


class Part(Struct, frozen=True):
    """One part of the audit: by whom, how much was looked at, what differs."""

    by: str
    audited: Audited


def audit(s: ScopedSession) -> list[Part]:
    """Audit the brand of an operator's session: the core's own sums, then every tool's.

    A tool that failed has checked nothing, and that counts as a difference.
    """
    parts = [Part("core", look(s)) for look in (_returns, _measures, _households)]
    parts += [Part(one.plugin, one.value) for one in dispatch.collect(s, "audit")]
    parts += [
        Part(fault.plugin, Audited(0, [Difference(_("the audit itself"), "—", fault.message)]))
        for fault in faults.of_session(s, "audit")
    ]
    return parts


def _measures(s: ScopedSession) -> Audited:
    many, wrong = measuring.check(s)
    return Audited(
        many,
        [
            Difference(
                _("what customer %(id)s bought in a store", id=one.customer_id),
                _summed(one.kept),
                _summed(one.derived),
            )
            for one in wrong
        ],
    )


def _households(s: ScopedSession) -> Audited:
    many, wrong = checking.check(s)
    return Audited(
        many,
        [
            Difference(
                _("members of household %(id)s", id=one.household_id),
                "—" if one.customer_id is None else str(one.customer_id),
                _("nobody") if one.customer_id is None else _("not in it"),
            )
            for one in wrong
        ],
    )


def _summed(sums: tuple[int, int] | None) -> str:
    return "—" if sums is None else _("%(many)s purchases, %(minor)s", many=sums[0], minor=sums[1])


def _returns(s: ScopedSession) -> Audited:
    wrong = queries.check_returned(s)
    return Audited(
        s.scalar(sa.select(sa.func.count(Purchase.id))) or 0,
        [
            Difference(
                _("returned amount of purchase %(id)s", id=purchase_id), str(kept), str(derived)
            )
            for purchase_id, kept, derived in wrong
        ],
    )
