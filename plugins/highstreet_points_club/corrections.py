"""Corrections of a balance by hand: who gave or took how much, and why."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Conflict, Ctx, Invalid, Statement, new_id, own, refuse_payment_cards
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, issuing, ledger, rules, story
from highstreet_points_club.programme import Programme
from highstreet_points_club.rules import Place
from highstreet_points_club.writing import Cause, Change, business_date, write

MOST = 1_000_000
"""Points: more in one correction is a slip of the finger."""

_BY_KEY = Statement(
    "SELECT e.id, e.account_id, e.points FROM points_club_entry AS e"
    f" WHERE e.idem_key = :key AND {own('e')}",
    returns="row",
    types={"id": UUID, "account_id": UUID},
)
_REASON = Statement(
    "INSERT INTO points_club_reason (brand_id, id, store_id, entry_id, text, by)"
    " VALUES (:brand_id, :id, :owner_store_id, :entry_id, :text, :by)",
    returns="none",
)
_GIVEN_SQL = (
    "SELECT COALESCE(SUM(e.points), 0) FROM points_club_entry AS e"
    " WHERE e.at_store_id {at} AND e.business_date = :day AND e.kind = 'adjust'"
    f" AND e.points > 0 AND e.actor_kind = :kind AND e.actor_id = :actor_id AND {own('e')}"
)
_GIVEN = Statement(_GIVEN_SQL.format(at="= :at_store"), returns="value")
_GIVEN_BY_OFFICE = Statement(_GIVEN_SQL.format(at="IS NULL"), returns="value")
_LATEST = Statement(
    "SELECT e.occurred_at, e.points, n.text, n.by, a.customer_id"
    " FROM points_club_entry AS e"
    " JOIN points_club_reason AS n ON n.brand_id = e.brand_id AND n.entry_id = e.id"
    " JOIN points_club_account AS a ON a.brand_id = e.brand_id AND a.id = e.account_id"
    " WHERE e.at_store_id = :at_store AND e.business_date >= :first AND e.kind = 'adjust'"
    f" AND {own('e')} AND {own('n')} AND {own('a')} ORDER BY e.occurred_at DESC, e.id LIMIT :most",
    types={"occurred_at": datetime, "customer_id": UUID},
)
#: How far back corrections are listed, and how many of them.
_DAYS, _MOST_LISTED = timedelta(days=30), 20


class Adjusted(NamedTuple):
    """What a correction did: the entry, the balance after it, rewards that it brought."""

    entry_id: UUID
    balance: int
    rewards: tuple[issuing.Issued, ...] = ()


class Corrected(NamedTuple):
    """A correction as an owner looks it over. name: None for a member who has left or merged."""

    at: datetime
    points: int
    reason: str
    by: str
    customer_id: UUID | None
    name: str | None


def adjust(
    ctx: Ctx,
    customer_id: UUID,
    points: int,
    reason: str,
    *,
    ref: str | None = None,
    beyond: bool = False,
) -> Adjusted:
    """Correct a balance by `points` (above or below zero), saying why.

    The caller has made sure of the permission `points_club.adjust`; beyond: and of
    `points_club.adjust_beyond`, which knows no limit. Points given this way expire as earned ones
    do. A balance may go below zero. ref: the same ref in the same store is the same correction.
    Raises NotFound, Invalid, Conflict for a ref of another correction.
    """
    reason = " ".join(reason.split())
    _check(points, reason)
    s = ctx.s
    customer = ctx.customers.get(customer_id)
    place = rules.place(ctx)
    programme = rules.programme(ctx)
    at = ctx.now()
    limited = bool(programme.correct_most) and points > 0 and not beyond
    if limited:
        # Two at once would each find room. Before the account's lock, as turns are to be taken.
        ctx.take_turn("corrections", place.id, ctx.scope.actor.kind, ctx.scope.actor.id)
    accounts.open_many(s, [(customer.id, customer.store_id)], at)
    account = accounts.lock_of(s, [customer.id])[customer.id]
    key = None if ref is None else f"adjust:{place.id or 'office'}:{ref}"
    before = None if key is None else _BY_KEY(s, key=key)
    if before is not None:
        if before[1] not in accounts.lineage(s, account.id) or before[2] != points:
            raise Conflict(_("This form was used for another correction. Open it again."))
        return Adjusted(before[0], account.balance)
    if limited:
        _check_limit(ctx, programme, place, points, at)
    step = ledger.adjust(
        accounts.states(s, [account])[account.id],
        points,
        at,
        new_id,
        expires_at=rules.expires_at(programme, at, place.zone),
        store_id=place.id,
        idle_at=rules.idle_at(programme, at, place.zone),
    )
    cause = Cause("adjust", place.id, place.zone, ctx.scope.actor, at, key=key)
    write(ctx, [Change(account, cause, step)])
    entry_id = next(entry.id for entry in step.entries if entry.kind == "adjust")
    by = ctx.scope.actor.name[:120]
    _REASON(s, id=new_id(), owner_store_id=account.owner_id, entry_id=entry_id, text=reason, by=by)
    story.tell_many(
        ctx,
        [
            story.Event(
                account, place.id, "points-adjusted", _l("Points corrected by %(points)s: %(why)s"),
                at, entry_id, {"points": points, "why": reason},
            )
        ],
    )  # fmt: skip
    ctx.record("points_club.corrected", "customer", customer.id, details={"points": points})
    if points < 0:
        return Adjusted(entry_id, step.state.balance)
    state, issued = issuing.issue_automatic(ctx, account.id, programme, place, at)
    return Adjusted(entry_id, state.balance, issued)


def latest(ctx: Ctx) -> list[Corrected]:
    """Corrections that were made in this store in the last 30 days, newest first."""
    at_store = ctx.store_id
    if at_store is None:
        return []
    today = business_date(ctx.now(), rules.place(ctx).zone)
    rows = _LATEST(ctx.s, at_store=at_store, first=today - _DAYS, most=_MOST_LISTED)
    names = ctx.customers.names(row[4] for row in rows if row[4] is not None)
    return [
        Corrected(at, points, text, by, customer_id, names.get(customer_id))
        for at, points, text, by, customer_id in rows
    ]


def _check_limit(ctx: Ctx, programme: Programme, place: Place, points: int, at: datetime) -> None:
    """One person gives only so many points by hand in a store's day."""
    actor = ctx.scope.actor
    if actor.id is None:
        return
    who = {"day": business_date(at, place.zone), "kind": actor.kind, "actor_id": actor.id}
    s = ctx.s
    given = _GIVEN_BY_OFFICE(s, **who) if place.id is None else _GIVEN(s, at_store=place.id, **who)
    left = max(0, programme.correct_most - int(given))
    if points > left:
        words = _(
            "You may give %(left)s more by hand today. Ask the owner of the store for more.",
            left=left,
        )
        raise Invalid(words, fields={"points": [words]})


def _check(points: int, reason: str) -> None:
    if isinstance(points, bool) or not isinstance(points, int) or not 0 < abs(points) <= MOST:
        words = _("Give points from 1 to %(most)s, with a minus to take them away.", most=MOST)
        raise Invalid(words, fields={"points": [words]})
    if not 3 <= len(reason) <= 200:
        words = _("Say why, in 3 to 200 letters. The member may ask to see it.")
        raise Invalid(words, fields={"reason": [words]})
    refuse_payment_cards(reason, "reason")
