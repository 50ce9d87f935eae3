"""Standing orders: once a day each looks for who is due, and sends one mailing to them.

All of a run is one transaction that holds the order's row, so that whatever is killed when, a day
has one mailing of an order or none.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.sdk import Conflict, Ctx, HighstreetError, Invalid, NotFound, business_date, new_id
from highstreet.sdk import gettext as _
from highstreet_direct_mail import posting
from highstreet_direct_mail.models import KINDS, Posting, Trigger

#: Whoever was missed, for the day's pieces were used up, is due for so many days more.
GRACE = 30
#: Days in which nobody gets a second one of an order: a birthday comes again, a second visit never.
AGAIN = {"not_seen": 180, "second_visit": 3650, "birthday": 300}
_GONE = ("finished", "stopped", "discarded")


class Order(Struct, frozen=True):
    """A standing order as somebody writes it; see `models.Trigger`."""

    name: str
    kind: str
    days: int
    design_id: UUID | None = None
    offer: str = ""
    per_day: int | None = None
    per_month: int | None = None


class Due(NamedTuple):
    """Who would get a piece today. waterfall: of a selection that was undone; room: how many pieces
    are left of the caps; people: some of those who would."""

    waterfall: Any
    room: int
    people: Sequence[UUID]


def rule(kind: str, days: int) -> dict[str, Any]:
    """Who is due."""
    last = "customer.last_purchase_at"
    if kind == "birthday":
        return {
            "is": "field", "name": "customer.birthday", "op": "anniversary_in_days", "value": days,
        }  # fmt: skip
    if kind == "second_visit":
        return {"is": "all", "of": [
            {"is": "field", "name": "customer.purchases", "op": "is", "value": 2},
            {"is": "field", "name": last, "op": "in_last_days", "value": days},
        ]}  # fmt: skip
    return {"is": "all", "of": [
        {"is": "field", "name": last, "op": "not_in_last_days", "value": days},
        {"is": "field", "name": last, "op": "in_last_days", "value": days + GRACE},
    ]}  # fmt: skip


def save(ctx: Ctx, given: Order, trigger_id: UUID | None = None) -> UUID:
    """Write a standing order down, or change one; it stays on or off. Raises Invalid, NotFound."""
    _check(given)
    if ctx.store_id is None and ctx.brand.customers == "store":
        raise Conflict(_("The stores own their customers: each store writes to its own."))
    row = get(ctx, trigger_id, lock=True) if trigger_id is not None else None
    if row is None:
        row = Trigger(brand_id=ctx.scope.brand_id, id=new_id(), store_id=ctx.store_id)
        ctx.s.add(row)
    row.name, row.kind, row.days = given.name.strip(), given.kind, given.days
    row.design_id, row.offer = given.design_id, given.offer.strip()
    row.per_day, row.per_month = given.per_day, given.per_month
    ctx.s.flush()
    return row.id


def _check(given: Order) -> None:
    errors: dict[str, list[str]] = {}
    if not 1 <= len(given.name.strip()) <= 60:
        errors["name"] = [_("Give it a name of 60 letters at most.")]
    if given.kind not in KINDS:
        errors["kind"] = [_("Choose one of the list.")]
    if not 1 <= given.days <= (366 if given.kind == "birthday" else 3650 - GRACE):
        errors["days"] = [_("Say a number of days.")]
    if len(given.offer.strip()) > 200:
        errors["offer"] = [_("At most 200 letters.")]
    for name in ("per_day", "per_month"):
        most = getattr(given, name)
        if most is not None and not 1 <= most <= 1_000_000:
            errors[name] = [_("At least one piece.")]
    if errors:
        raise Invalid(_("Some of it can’t be taken as it is."), fields=errors)


def get(ctx: Ctx, trigger_id: UUID, *, lock: bool = False) -> Trigger:
    """A standing order of this place. Raises NotFound."""
    query = sa.select(Trigger).where(Trigger.id == trigger_id, Trigger.store_id == ctx.store_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = ctx.s.scalar(query)
    if found is None:
        raise NotFound(_("There is no such standing order here."))
    return found


def listed(ctx: Ctx, *, active: bool | None = None) -> Sequence[Trigger]:
    """The standing orders of this place, by name."""
    query = sa.select(Trigger).where(Trigger.store_id == ctx.store_id)
    if active is not None:
        query = query.where(Trigger.active.is_(active))
    return ctx.s.scalars(query.order_by(Trigger.name, Trigger.id)).all()


def switch(ctx: Ctx, trigger_id: UUID, on: bool) -> Trigger:
    """Let an order run from the next morning on, or no more. Raises NotFound."""
    row = get(ctx, trigger_id, lock=True)
    if row.active is not on:
        row.active = on
        ctx.record(
            "direct_mail.order_on" if on else "direct_mail.order_off",
            "direct_mail_trigger", row.id, row.name,
        )  # fmt: skip
    return row


def run(ctx: Ctx, trigger_id: UUID, day: date) -> str:
    """Send what is due on one of the place's days; gives what came of it, see `models.Trigger`.

    A day that was looked at is not looked at again. Raises NotFound.
    """
    row = get(ctx, trigger_id, lock=True)
    if not row.active or (row.ran_on is not None and row.ran_on >= day):
        return ""
    row.ran_on = day
    if _busy(ctx, row):
        row.outcome = "busy"
        return row.outcome
    room = _room(ctx, row, day)
    if room < 1:
        row.outcome = "full"
        return row.outcome
    try:
        with ctx.s.begin_nested():
            _send(ctx, row, day, room)
        row.outcome = "sent"
    except _EmptyError:
        row.outcome = "empty"
    except HighstreetError:
        row.outcome = "failed"  # its design is out of use, for example
    ctx.s.flush()
    return row.outcome


def due(ctx: Ctx, trigger_id: UUID) -> Due:
    """Who would get a piece of an order now; everything that was done to find out is undone. For a
    session that writes. Raises NotFound, Conflict, Invalid."""
    row = get(ctx, trigger_id)
    day = business_date(ctx.now(), ctx.store().zone)
    room = _room(ctx, row, day)
    found: list[Due] = []
    try:
        with ctx.s.begin_nested():
            mailing_id = _draft(ctx, row, day, max(1, room))[0]
            ctx.mailings.select(mailing_id)
            pieces = [one for one in ctx.mailings.pieces(mailing_id) if one.state == "ready"]
            people = [one.customer_id for one in pieces[:10]]
            found.append(Due(ctx.mailings.waterfall(mailing_id), room, people))
            raise _EmptyError
    except _EmptyError:
        return found[0]


class _EmptyError(Exception):
    """Nobody is due: what was drafted to find out is undone."""


def _send(ctx: Ctx, row: Trigger, day: date, room: int) -> None:
    mailing_id, plan = _draft(ctx, row, day, room)
    selected = ctx.mailings.select(mailing_id)
    pieces = ctx.mailings.waterfall(mailing_id).ready
    if not pieces:
        raise _EmptyError
    job = posting.keep(ctx, plan, mailing_id, trigger_id=row.id, day=day)
    ctx.mailings.approve(mailing_id, selected.manifest)
    ctx.mailings.release(mailing_id)
    ctx.mailings.put_cost(mailing_id, posting.quote(job, pieces))
    ctx.s.flush()


def _draft(ctx: Ctx, row: Trigger, day: date, most: int) -> tuple[UUID, posting.Plan]:
    plan = posting.Plan(
        name=f"{row.name} {day.isoformat()}",
        filters={},
        design_id=row.design_id,
        offer=row.offer,
        response_days=ctx.settings()["response_days"],
    )
    mailing = posting.mailing_of(
        ctx,
        plan,
        {"rule": rule(row.kind, row.days)},
        most=most,
        series=f"direct_mail:{row.id}",
        again_after=AGAIN[row.kind],
    )
    return ctx.mailings.draft(mailing), plan


def _jobs(row: Trigger) -> sa.Select[Posting]:
    """An order's jobs, the latest first."""
    theirs = (Posting.trigger_id == row.id, Posting.store_id == row.store_id)
    return sa.select(Posting).where(*theirs).order_by(Posting.day.desc())


def _busy(ctx: Ctx, row: Trigger) -> bool:
    last = ctx.s.scalar(_jobs(row).limit(1))
    return last is not None and ctx.mailings.get(last.mailing_id).status not in _GONE


def _room(ctx: Ctx, row: Trigger, day: date) -> int:
    """How many pieces an order may send on a day."""
    caps = ctx.settings()
    month = [
        ctx.mailings.waterfall(one.mailing_id)
        for one in ctx.s.scalars(_jobs(row).where(Posting.day.between(day.replace(day=1), day)))
    ]
    used: int = sum(told.ready + told.sent for told in month)
    per_day: int = min(row.per_day or caps["trigger_per_day"], caps["trigger_per_day"])
    per_month: int = min(row.per_month or caps["trigger_per_month"], caps["trigger_per_month"])
    return max(0, min(per_day, per_month - used))
