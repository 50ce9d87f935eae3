"""The gate: may this place contact these people, on this channel, for this purpose, now?

One statement, for one person as for all. Each gets the first reason that holds, or none: then they
may be contacted. No send goes round it, and each asks again when it goes out.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.addresses.models import Address
from highstreet.consent import laying_down, setwise
from highstreet.consent.facts import CHANNELS, EVERY, SERVICE, SUPPRESSIONS, Answer
from highstreet.consent.laying_down import Cap
from highstreet.consent.models import Contact, ContactSuppression
from highstreet.customers import places, queries, standing
from highstreet.customers.models import Customer, Identity
from highstreet.customers.text import bad
from highstreet.host import facts
from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.base import table_alias
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession

WORDS: Final[Mapping[str, LazyText]] = {
    "not_a_customer": _l("They are no customer here any more."),
    "deceased": _l("They are deceased."),
    "opted_out": _l("They refused it."),
    "not_agreed": _l("They were never asked, or never said yes."),
    "do_not_contact": _l("They are not to be contacted at all."),
    "do_not_mail": _l("They are on a do-not-mail list."),
    "complained": _l("They complained about an e-mail."),
    "unreachable": _l("There is no address to reach them at."),
    "gone_away": _l("They have moved away, nobody knows where to."),
    "returned": _l("Post to this address came back."),
    "bounced": _l("Mail to this address came back for good."),
    "unverified": _l("The address was never verified."),
    "frequency": _l("They were contacted often enough of late."),
}


class Asking(Struct, frozen=True):
    """What for. at: when (aware), now if not given. verified: only to addresses that are known to
    be right. used_for: whose own contacts do not count against the caps ("mailing:<id>")."""

    purpose: str
    channel: str
    at: datetime | None = None
    verified: bool = False
    used_for: str = ""


def answers(s: ScopedSession, people: Any, asking: Asking) -> Any:
    """A select of customer_id, reason (None: may be contacted), household_id and reached_at (the
    e-mail address or phone number; by post the id of the address), for a select of ids of
    customers, held to the scope; of records that stand: a merged one is nobody.

    Raises Invalid for a channel that there is none of.
    """
    if asking.channel not in CHANNELS:
        known = ", ".join(sorted(CHANNELS))
        raise bad("channel", _("Choose one of: %(channels)s.", channels=known))
    rules = laying_down.holding(s, asking.channel)
    at = asking.at or now()
    person = _people(s, people, asking.channel)
    said = setwise.words(s, asking.purpose, asking.channel).cte("said")
    stopped = _stopped(s, person, asking.channel, at).cte("stopped")
    joined = person.outerjoin(said, said.c.customer_id == person.c.customer_id).outerjoin(
        stopped, stopped.c.customer_id == person.c.customer_id
    )
    often: list[Any] = []
    caps = () if asking.purpose == SERVICE else rules.caps
    for number, cap in enumerate(caps):
        counted = _contacts(s, cap, at, asking.used_for).cte(f"often_{number}")
        joined = joined.outerjoin(counted, counted.c.customer_id == person.c.customer_id)
        often.append(sa.func.coalesce(counted.c.times, 0) >= cap.most)
    reason = sa.case(
        (stopped.c.rank == _rank("deceased"), "deceased"),
        (_refused(said), "opted_out"),
        *(
            [(said.c.given.is_(None), "not_agreed")]
            if rules.needs_yes and asking.purpose != SERVICE
            else []
        ),
        (stopped.c.rank == _rank("do_not_contact"), "do_not_contact"),
        (stopped.c.rank == _rank("do_not_mail"), "do_not_mail"),
        (stopped.c.rank == _rank("complained"), "complained"),
        (person.c.reached_at.is_(None), "unreachable"),
        (stopped.c.rank == _rank("gone_away"), "gone_away"),
        (stopped.c.rank == _rank("returned"), "returned"),
        (stopped.c.rank == _rank("bounced"), "bounced"),
        *([(person.c.known.is_(sa.false()), "unverified")] if asking.verified else []),
        *([(sa.or_(*often), "frequency")] if often else []),
        else_=sa.null(),
    )
    return sa.select(
        person.c.customer_id,
        sa.cast(reason, sa.String(20)).label("reason"),
        person.c.household_id,
        person.c.reached_at,
    ).select_from(joined)


class Told(Struct, frozen=True):
    """The gate's answer about one: the first reason that holds, None if they may be contacted;
    reached_at: as of `answers`."""

    reason: str | None
    reached_at: str | None


def told(s: ScopedSession, customer_ids: Collection[UUID], asking: Asking) -> dict[UUID, Told]:
    """The answers about some customers, by the ids that were given: a merged record's is that about
    whoever it became, and whoever is erased or out of reach is no customer. One statement for all.
    Raises Invalid."""
    standing_now = queries.followed(s, customer_ids)
    people = sa.select(Customer.id).where(
        Customer.id.in_(set(standing_now.values())),
        Customer.status == "active",
        *s.scope.owns(Customer),
    )
    found = {
        row.customer_id: Told(row.reason, row.reached_at)
        for row in s.execute(answers(s, people, asking))
    }
    nobody = Told("not_a_customer", None)
    return {one: found.get(standing_now.get(one, one), nobody) for one in customer_ids}


def may_contact(s: ScopedSession, customer_id: UUID, asking: Asking) -> Answer:
    """Whether one customer may be contacted now, and why (not), quiet hours among the reasons.

    Raises Invalid.
    """
    reason = told(s, [customer_id], asking)[customer_id].reason
    if reason is not None:
        return Answer(False, str(WORDS[reason]))
    if is_quiet(s, asking.channel, asking.at):
        return Answer(False, _("Nobody is disturbed at this hour here."))
    return Answer(True, _("They may be contacted."))


def by_channel(s: ScopedSession, customer_id: UUID, purpose: str) -> dict[str, Answer]:
    """Whether one customer may be contacted now for a purpose, channel by channel."""
    return {
        channel: may_contact(s, customer_id, Asking(purpose, channel))
        for channel in sorted(CHANNELS)
    }


def is_quiet(s: ScopedSession, channel: str, at: datetime | None = None) -> bool:
    """Whether it is an hour, by the clock of the place, at which nobody is disturbed."""
    rules = laying_down.holding(s, channel)
    zone = places.place(s, s.store_id).zone if s.store_id else facts.brand(s).zone
    return rules.is_quiet(at or now(), zone)


def _people(s: ScopedSession, people: Any, channel: str) -> Any:
    """Who is asked about, with how they are reached: customer_id, household_id, reached_at, known
    (whether the address is known to be right)."""
    scope = s.scope
    asked = people.cte("asked")
    who = asked.c[0]
    home = table_alias(Address)
    current = sa.and_(home.c.customer_id == who, home.c.valid_to.is_(None), *scope.owns(home))
    if channel == "post":
        query = sa.select(
            who.label("customer_id"),
            home.c.household_id,
            sa.cast(home.c.id, sa.String(36)).label("reached_at"),
            (home.c.state == "good").label("known"),
        ).select_from(asked.outerjoin(home, current))
        return query.cte("person")
    kind = "email" if channel == "email" else "phone"
    identity = table_alias(Identity)
    newest = (
        sa.select(
            identity.c.customer_id,
            identity.c.value,
            sa.func.row_number()
            .over(
                partition_by=identity.c.customer_id,
                order_by=(identity.c.created_at.desc(), identity.c.id.desc()),
            )
            .label("place"),
        )
        .where(
            identity.c.kind == kind,
            identity.c.status == "active",
            identity.c.customer_id.in_(sa.select(who)),
            *scope.owns(identity),
        )
        .cte("newest")
    )
    query = sa.select(
        who.label("customer_id"),
        home.c.household_id,
        newest.c.value.label("reached_at"),
        sa.true().label("known"),
    ).select_from(
        asked.outerjoin(
            newest, sa.and_(newest.c.customer_id == who, newest.c.place == 1)
        ).outerjoin(home, current)
    )
    return query.cte("person")


def _stopped(s: ScopedSession, person: Any, channel: str, at: datetime) -> Any:
    """For each who must not be contacted, whatever they said: the first of the reasons."""
    stop = table_alias(ContactSuppression)
    source, customer = standing.joined(s.scope, stop)
    rank = sa.case(
        *((stop.c.reason == reason, place) for place, reason in enumerate(_RANKED)),
        else_=len(_RANKED),
    )
    return (
        sa.select(person.c.customer_id, sa.func.min(rank).label("rank"))
        .select_from(source.join(person, person.c.customer_id == customer))
        .where(
            *s.scope.owns(stop),
            stop.c.channel.in_((channel, EVERY)),
            stop.c.lifted_at.is_(None),
            sa.or_(stop.c.until.is_(None), stop.c.until > at),
            sa.or_(stop.c.address.is_(None), stop.c.address == person.c.reached_at),
            sa.or_(
                stop.c.address_id.is_(None),
                sa.cast(stop.c.address_id, sa.String(36)) == person.c.reached_at,
            ),
        )
        .group_by(person.c.customer_id)
    )


def _contacts(s: ScopedSession, cap: Cap, at: datetime, but_for: str) -> Any:
    """How often each was contacted within the days of a cap, by whoever of the brand."""
    contact = table_alias(Contact)
    source, customer = standing.joined(s.scope, contact)
    query = (
        sa.select(customer.label("customer_id"), sa.func.count(contact.c.id).label("times"))
        .select_from(source)
        .where(
            *s.scope.owns(contact),
            contact.c.at > at - timedelta(days=cap.days),
            contact.c.purpose != SERVICE,
        )
        .group_by(customer)
    )
    if cap.channel != EVERY:
        query = query.where(contact.c.channel == cap.channel)
    return query.where(contact.c.used_for != but_for) if but_for else query


_RANKED = tuple(SUPPRESSIONS)


def _rank(reason: str) -> int:
    return _RANKED.index(reason)


def _refused(said: Any) -> sa.ColumnElement[bool]:
    return sa.and_(
        said.c.refused.is_not(None),
        sa.or_(said.c.given.is_(None), said.c.given <= said.c.refused),
    )
