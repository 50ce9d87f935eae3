"""Members who stay away: points that lapse so many months after the last visit.

A visit is a purchase, whether it earns or not, and a reward that is handed over. What a visit has
promised is a day on the account; a later visit moves it on, never back.
"""

from datetime import datetime
from uuid import UUID

from highstreet.sdk import Ctx, new_id
from highstreet_points_club import accounts, ledger, reviving, rules, story
from highstreet_points_club.accounts import Locked
from highstreet_points_club.programme import Programme
from highstreet_points_club.rules import Place
from highstreet_points_club.writing import Cause, Change, write


def visited(ctx: Ctx, customer_id: UUID, programme: Programme, place: Place, at: datetime) -> None:
    """A customer was here and earned nothing. Costs nothing where the programme does not ask."""
    if not programme.idle_months:
        return
    for account in accounts.lock_of(ctx.s, [customer_id]).values():
        stay(ctx, account, programme, place, at)


def stay(ctx: Ctx, account: Locked, programme: Programme, place: Place, at: datetime) -> None:
    """The member of a locked account was here."""
    stays_until = rules.idle_at(programme, at, place.zone)
    if account.idle_at is None and stays_until is None:
        return
    s = ctx.s
    state = accounts.states(s, [account])[account.id]
    found = reviving.late_for(s, account, at)
    now = ctx.now()
    step = ledger.visit(
        found.into(state), at, new_id, idle_at=stays_until, lapsed=found.lapses, heard_at=now
    )
    cause = Cause("expire", place.id, place.zone, ctx.scope.actor, now)
    write(ctx, [Change(account, cause, step)])
    story.tell_many(ctx, reviving.told(account, place.id, step))
