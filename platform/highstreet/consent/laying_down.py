"""What head office lays down about contacting people: how often, at what hours, on what basis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from msgspec import Struct

from highstreet.consent.facts import CHANNELS, EVERY
from highstreet.consent.models import ContactRule
from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Forbidden, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_DAY = 24 * 60


class RuleFact(Struct, frozen=True):
    """One rule; see `models.ContactRule`. region_id, place_id: both None for the whole brand."""

    id: UUID
    kind: str
    channel: str
    region_id: UUID | None
    place_id: UUID | None
    most: int | None
    days: int | None
    starts: int | None
    ends: int | None
    changed_by: str
    changed_at: datetime


class Cap(Struct, frozen=True):
    """At most so many within so many days, on a channel or on all together ("*")."""

    channel: str
    most: int
    days: int


class Rules(Struct, frozen=True):
    """What holds in a place for a channel. needs_yes: without one nobody is contacted. quiet: spans
    of minutes of the day."""

    caps: Sequence[Cap] = ()
    quiet: Sequence[tuple[int, int]] = ()
    needs_yes: bool = True

    def is_quiet(self, at: datetime, zone: str) -> bool:
        """Whether nobody may be disturbed at a moment (aware), by the clock of the place."""
        local = at.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        return any(
            starts <= minute < ends if starts < ends else minute >= starts or minute < ends
            for starts, ends in self.quiet
        )


def lay_down(
    s: ScopedSession,
    kind: str,
    channel: str,
    *,
    region_id: UUID | None = None,
    place_id: UUID | None = None,
    most: int | None = None,
    days: int | None = None,
    starts: int | None = None,
    ends: int | None = None,
) -> RuleFact:
    """Add a rule, or change the one of this kind, channel and place (a cap: of these days, too).

    A rule for a region or a store adds to what holds above it, and can take nothing away. Raises
    Invalid, NotFound for a place that is not the brand's, Forbidden from a store.
    """
    _in_office(s)
    _check(kind, channel, most, days, starts, ends, place=region_id or place_id)
    if region_id and s.scalar(sa.select(Region.id).where(Region.id == region_id)) is None:
        raise NotFound(_("There is no such region in this brand."))
    if place_id and s.scalar(sa.select(Store.id).where(Store.id == place_id)) is None:
        raise NotFound(_("There is no such store in this brand. Check its number."))
    row = _standing(s, kind, channel, region_id, place_id, days)
    if row is None:
        row = ContactRule(
            brand_id=s.brand_id,
            id=new_id(),
            kind=kind,
            channel=channel,
            region_id=region_id,
            place_id=place_id,
        )
        s.add(row)
    row.most, row.days, row.starts, row.ends = most, days, starts, ends
    row.changed_by, row.changed_at = s.scope.actor.name, now()
    s.flush()
    record(s, "contact_rule.laid_down", "contact_rule", row.id, details=_details(row))
    return _fact(row)


def loosens(
    s: ScopedSession,
    kind: str,
    channel: str,
    *,
    region_id: UUID | None = None,
    place_id: UUID | None = None,
    most: int | None = None,
    days: int | None = None,
    starts: int | None = None,
    ends: int | None = None,
) -> bool:
    """Whether people could be contacted more, or at other hours, than now if this were laid down.

    Raises Invalid.
    """
    _check(kind, channel, most, days, starts, ends, place=region_id or place_id)
    row = _standing(s, kind, channel, region_id, place_id, days)
    if kind == "basis":
        return row is None
    if row is None:
        return False
    if kind == "cap":
        return (most or 0) > (row.most or 0)
    now_quiet = _minutes(row.starts or 0, row.ends or 0)
    return bool(now_quiet - _minutes(starts or 0, ends or 0))


def get(s: ScopedSession, rule_id: UUID) -> RuleFact:
    """One rule. Raises NotFound."""
    return _fact(_row(s, rule_id))


def withdraw(s: ScopedSession, rule_id: UUID) -> None:
    """A rule holds no longer. Raises NotFound, Forbidden from a store."""
    _in_office(s)
    row = _row(s, rule_id)
    record(s, "contact_rule.withdrawn", "contact_rule", row.id, details=_details(row))
    s.delete(row)
    s.flush()


def listed(s: ScopedSession) -> list[RuleFact]:
    """All rules of the brand: its own, then regions', then stores'."""
    return _sorted(s.scalars(sa.select(ContactRule)))


def here(s: ScopedSession) -> list[RuleFact]:
    """The rules that hold in the place of the session, in the same order."""
    return _sorted(s.scalars(sa.select(ContactRule).where(*_of_here(s))))


def holding(s: ScopedSession, channel: str) -> Rules:
    """What holds in the place of the session: the brand's, its region's and its own."""
    rows = s.scalars(
        sa.select(ContactRule).where(ContactRule.channel.in_((channel, EVERY)), *_of_here(s))
    ).all()
    return Rules(
        caps=[Cap(one.channel, one.most or 0, one.days or 1) for one in rows if one.kind == "cap"],
        quiet=[(one.starts or 0, one.ends or 0) for one in rows if one.kind == "quiet"],
        needs_yes=not any(one.kind == "basis" and one.channel == channel for one in rows),
    )


def _of_here(s: ScopedSession) -> list[sa.ColumnElement[bool]]:
    region_id = None
    if s.store_id is not None:
        region_id = s.scalar(sa.select(Store.region_id).where(Store.id == s.store_id))
    return [
        sa.or_(ContactRule.region_id.is_(None), _same(ContactRule.region_id, region_id)),
        sa.or_(ContactRule.place_id.is_(None), _same(ContactRule.place_id, s.store_id)),
    ]


def _sorted(rows: Iterable[ContactRule]) -> list[RuleFact]:
    found = sorted(
        rows,
        key=lambda one: (
            one.place_id is not None,
            one.region_id is not None,
            one.kind,
            one.channel,
            one.days or 0,
        ),
    )
    return [_fact(one) for one in found]


def _row(s: ScopedSession, rule_id: UUID) -> ContactRule:
    row = s.scalar(sa.select(ContactRule).where(ContactRule.id == rule_id))
    if row is None:
        raise NotFound(_("There is no such rule."))
    return row


def _standing(
    s: ScopedSession,
    kind: str,
    channel: str,
    region_id: UUID | None,
    place_id: UUID | None,
    days: int | None,
) -> ContactRule | None:
    """The rule that one of this kind, channel and place takes the place of."""
    return s.scalar(
        sa.select(ContactRule).where(
            ContactRule.kind == kind,
            ContactRule.channel == channel,
            _same(ContactRule.region_id, region_id),
            _same(ContactRule.place_id, place_id),
            *([ContactRule.days == days] if kind == "cap" else []),
        )
    )


def _minutes(starts: int, ends: int) -> set[int]:
    """The minutes of the day of a span, past midnight if it ends before it starts."""
    return set(range(starts, ends)) if starts < ends else {*range(starts, _DAY), *range(ends)}


def _check(
    kind: str,
    channel: str,
    most: int | None,
    days: int | None,
    starts: int | None,
    ends: int | None,
    *,
    place: UUID | None,
) -> None:
    if kind not in ("cap", "quiet", "basis"):
        raise bad("kind", _("Choose cap, quiet or basis."))
    if channel not in CHANNELS and (channel != EVERY or kind == "basis"):
        known = ", ".join(sorted(CHANNELS))
        raise bad("channel", _("Choose one of: %(channels)s.", channels=known))
    if kind == "cap":
        if most is None or not 0 <= most <= 1000:
            raise bad("most", _("How many is a number from 0 to 1000."))
        if days is None or not 1 <= days <= 730:
            raise bad("days", _("Within how many days is a number from 1 to 730."))
    if kind == "quiet" and (
        starts is None
        or ends is None
        or starts == ends
        or not 0 <= min(starts, ends) < _DAY
        or max(starts, ends) >= _DAY
    ):
        raise bad("starts", _("Give the hours from and to, such as 21:00 to 8:00."))
    if kind == "basis" and place is not None:
        raise bad("kind", _("On what basis people are contacted is the same in the whole brand."))


def _in_office(s: ScopedSession) -> None:
    if s.store_id is not None:
        raise Forbidden(_("Head office lays down how people are contacted."))


def _same(column: Any, value: object) -> sa.ColumnElement[bool]:
    same: sa.ColumnElement[bool] = column.is_(None) if value is None else column == value
    return same


def _details(row: ContactRule) -> dict[str, object]:
    shown = {"kind": row.kind, "channel": row.channel, "most": row.most, "days": row.days}
    return {name: value for name, value in shown.items() if value is not None}


def _fact(row: ContactRule) -> RuleFact:
    return RuleFact(
        row.id, row.kind, row.channel, row.region_id, row.place_id, row.most, row.days,
        row.starts, row.ends, row.changed_by, row.changed_at,
    )  # fmt: skip
