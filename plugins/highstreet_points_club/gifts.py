"""Points that no purchase earned: for joining, and on the birthday. Each gift is made once.

The store that takes somebody on, or whose own member has a birthday, gives them and owes what they
buy. They lapse as earned points do, but are no visit: they bring back nothing that lapsed.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, CustomerFact, LazyText, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, issuing, ledger, rules, story
from highstreet_points_club.accounts import Locked
from highstreet_points_club.lasting import morning
from highstreet_points_club.state import Kind, Step
from highstreet_points_club.writing import Cause, Change, business_date, write

#: Birthdays of so many days are looked at, today's among them: the machine may have been off.
LATE = 7
CHUNK = 500
"""Members per transaction."""

_TITLES: Mapping[str, LazyText] = {
    "welcome": _l("Points for joining: %(points)s"),
    "birthday": _l("Points on the birthday: %(points)s"),
}
_KNOWN_SQL = f"SELECT e.idem_key FROM points_club_entry AS e WHERE e.idem_key {{}} AND {own('e')}"
_KNOWN = Statement(
    _KNOWN_SQL.format("IN (SELECT value FROM json_each(:keys))"),
    postgresql=_KNOWN_SQL.format("= ANY(:keys)"),
)
_THIS_YEAR_SQL = (
    "SELECT DISTINCT e.account_id FROM points_club_entry AS e WHERE e.account_id {}"
    " AND e.kind = 'birthday' AND e.business_date > :first AND e.business_date <= :last"
    f" AND {own('e')}"
)
_THIS_YEAR = Statement(
    _THIS_YEAR_SQL.format("IN (SELECT value FROM json_each(:ids))"),
    postgresql=_THIS_YEAR_SQL.format("= ANY(:ids)"),
    types={"account_id": UUID},
)


class Gift(NamedTuple):
    """What a member gets. owner_id: the store that keeps the record (None: the brand); key: no
    other gift has it."""

    customer_id: UUID
    owner_id: UUID | None
    key: str


def welcome(ctx: Ctx, customers: Sequence[CustomerFact]) -> int:
    """Give the newcomer of a till, a console or a page what the programme gives; gives the points.

    Members who come in a file (thousands of them, by whoever runs the installation) have been
    members before: they get nothing.
    """
    if ctx.scope.actor.kind == "system" or len(customers) != 1:
        return 0
    (one,) = customers
    store_id = ctx.store_id or one.home_store_id
    points = rules.programme(ctx, store_id).welcome_points
    gift = Gift(one.id, one.store_id, f"welcome:{one.id.hex}")
    return _give(ctx, "welcome", points, [gift], store_id)


def birthdays(ctx: Ctx, behind: UUID | None = None) -> UUID | None:
    """Give the members of this store whose birthday is today, or was in the last days, their gift.

    At most CHUNK members of each day at a time; gives the id behind which to go on, or None.
    """
    points = rules.programme(ctx).birthday_points
    if not points:
        return None
    zone = rules.place(ctx).zone
    today = business_date(ctx.now(), zone)
    last: UUID | None = None
    for back in range(LATE):
        day = today - timedelta(days=back)
        found = ctx.customers.born_on(day, behind=behind, limit=CHUNK)
        if len(found) == CHUNK:
            last = min(last or found[-1].id, found[-1].id)
        gifts = [
            Gift(one.id, one.store_id, f"birthday:{day.year}:{one.id.hex}")
            for one in found
            if one.joined_at < morning(day, 1, zone)
        ]
        _give(ctx, "birthday", points, gifts, ctx.store_id, day=day)
    return last


def _give(
    ctx: Ctx,
    kind: Kind,
    points: int,
    gifts: Sequence[Gift],
    store_id: UUID | None,
    *,
    day: date | None = None,
) -> int:
    if not points or not gifts:
        return 0
    s, at = ctx.s, ctx.now()
    keys = {one.customer_id: one.key for one in gifts}
    accounts.open_many(s, [(one.customer_id, one.owner_id) for one in gifts], at)
    locked = accounts.lock_of(s, keys)
    known = {row[0] for row in _KNOWN(s, keys=list(keys.values()))}  # under the locks
    had = set() if day is None else _had(ctx, locked.values(), day)
    place, programme = rules.place(ctx, store_id), rules.programme(ctx, store_id)
    expires_at = rules.expires_at(programme, at, place.zone)
    idle_at = rules.idle_at(programme, at, place.zone)
    changes, events, given = [], [], []
    states = accounts.states(s, list(locked.values()))
    for customer_id, account in locked.items():
        if account.id in had or keys[customer_id] in known:
            continue
        step = ledger.earn(
            states[account.id],
            points,
            at,
            new_id,
            kind=kind,
            expires_at=expires_at,
            store_id=store_id,
            idle_at=idle_at,
        )
        cause = Cause(kind, store_id, place.zone, ctx.scope.actor, at, key=keys[customer_id])
        changes.append(Change(account, cause, step))
        events.append(_event(account, store_id, kind, step, points))
        given.append(account.id)
    write(ctx, changes)
    story.tell_many(ctx, events)
    for account_id in given:
        issuing.issue_automatic(ctx, account_id, programme, place, at)
    return points * len(given)


def _had(ctx: Ctx, locked: Iterable[Locked], day: date) -> set[UUID]:
    """Accounts that got a gift for this birthday already, under another record's name."""
    ids = [account.id for account in locked]
    roots = accounts.lineages(ctx.s, ids)
    rows = _THIS_YEAR(
        ctx.s, ids=list(roots), first=day - timedelta(days=180), last=day + timedelta(days=180)
    )
    return {roots[row[0]] for row in rows}


def _event(
    account: Locked, store_id: UUID | None, kind: str, step: Step, points: int
) -> story.Event:
    entry = next(one for one in step.entries if one.kind == kind)
    return story.Event(
        account, store_id, f"points-{kind}", _TITLES[kind], entry.at, entry.id, {"points": points}
    )
