"""Parting the accounts of two members again when the merge of their records is taken back.

Points that the other record had before the merge go back with its account, as far as they are
left; what came since stays. Where points of both were spent as one, nobody can say whose they
were, and nothing is done.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from highstreet.sdk import (
    Conflict,
    Ctx,
    CustomerFact,
    ScopedSession,
    Statement,
    SummaryRow,
    new_id,
    own,
)
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, issuing, ledger, parting, rules, story, words
from highstreet_points_club.accounts import Locked
from highstreet_points_club.issuing import Issued
from highstreet_points_club.parting import Since
from highstreet_points_club.rules import Place
from highstreet_points_club.state import AccountState, Entry, Hold
from highstreet_points_club.writing import Cause, Change, write

_PARTED = Statement(
    "UPDATE points_club_account AS a SET customer_id = a.merged_customer_id,"
    f" merged_customer_id = NULL, merged_into_id = NULL WHERE a.id = :id AND {own('a')}",
    returns="none",
)
_WENT = Statement(
    "SELECT a.id FROM points_club_account AS a"
    f" WHERE a.merged_into_id = :kept AND a.merged_customer_id = :customer_id AND {own('a')}",
    returns="value",
    types={"id": UUID},
)
# Lots and rewards bear the ids of their entries, so what came along is what entries of the other
# account, or of those merged into it before, had made.
_GIVE_BACK_LOTS = Statement(
    "UPDATE points_club_lot AS l SET account_id = :gone WHERE l.account_id = :kept AND l.id IN"
    f" (SELECT e.id FROM points_club_entry AS e WHERE e.account_id = :origin AND {own('e')})"
    f" AND {own('l')}",
    returns="none",
)
_GIVE_BACK_REWARDS = Statement(
    "UPDATE points_club_reward AS r SET account_id = :gone WHERE r.account_id = :kept AND r.id IN"
    f" (SELECT e.id FROM points_club_entry AS e WHERE e.account_id = :origin AND {own('e')})"
    f" AND {own('r')}",
    returns="none",
)
_TYPES: dict[str, type] = {
    "id": UUID,
    "account_id": UUID,
    "reverses_id": UUID,
    "occurred_at": datetime,
    "recorded_at": datetime,
    "entry_id": UUID,
    "lot_id": UUID,
}
_ENTRIES = Statement(
    "SELECT e.id, e.account_id, e.seq, e.kind, e.points, e.occurred_at, e.reverses_id"
    f" FROM points_club_entry AS e WHERE e.account_id = :id AND e.seq >= :seq AND {own('e')}"
    " ORDER BY e.seq",
    types=_TYPES,
)
_MOVED = Statement(
    "SELECT p.entry_id, p.lot_id, p.points FROM points_club_entry AS e"
    " JOIN points_club_allocation AS p ON p.brand_id = e.brand_id AND p.entry_id = e.id"
    f" WHERE e.account_id = :id AND e.seq >= :seq AND {own('e')} AND {own('p')}",
    types=_TYPES,
)
_ORIGINS = Statement(
    f"SELECT e.id FROM points_club_entry AS e WHERE e.account_id = :id AND {own('e')}",
    types=_TYPES,
)
_CAME = Statement(
    "SELECT i.id, i.seq, i.recorded_at FROM points_club_entry AS i"
    " JOIN points_club_entry AS o ON o.brand_id = i.brand_id AND o.id = i.reverses_id"
    " WHERE o.account_id = :gone AND o.seq = :seq AND o.kind = 'merge_out'"
    f" AND i.account_id = :kept AND i.kind = 'merge_in' AND {own('i')} AND {own('o')}",
    returns="row",
    types=_TYPES,
)


class _Parting(NamedTuple):
    """Two merged accounts under their locks. theirs: entries of `gone` and of what is merged into
    it; came: the entry by which its points came, of number `seq`, at `at`."""

    kept: Locked
    gone: Locked
    origins: Sequence[UUID]
    theirs: frozenset[UUID]
    came: Hold
    seq: int
    at: datetime


def unmerge(ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> list[SummaryRow] | None:
    """Let `gone` have back what is left of its points; what came since stays with `kept`.

    Gives rows that say what goes and what stays, None where nothing was merged. Raises Conflict
    where points of both were spent as one, and says what can be done.
    """
    s, at = ctx.s, ctx.now()
    two = _parting(s, kept, gone)
    if two is None:
        return None
    place, programme = rules.place(ctx), rules.programme(ctx)
    turned = _turn_back(ctx, two, place, at)
    _need_apart(ctx, two, place)
    account = accounts.lock(s, [two.kept.id])[two.kept.id]
    state, came = accounts.with_spent(s, _state(s, account), two.came.id, 0)
    try:
        stays, comes = parting.unmerge(state, _state(s, two.gone), two.theirs, came, at, new_id)
    except parting.StillOwed:
        raise _refused(
            _("Points that were owed when the two merged are in a reward that waits. Release it.")
        ) from None
    cause = Cause("unmerge_out", place.id, place.zone, ctx.scope.actor, at)
    write(ctx, [Change(account, cause, stays), Change(two.gone, cause, comes)])
    for origin in two.origins:
        _GIVE_BACK_LOTS(s, kept=account.id, gone=two.gone.id, origin=origin)
        _GIVE_BACK_REWARDS(s, kept=account.id, gone=two.gone.id, origin=origin)
    _PARTED(s, id=two.gone.id)
    for account_id in (account.id, two.gone.id):
        issuing.issue_automatic(ctx, account_id, programme, place, at)
    rows = [
        SummaryRow(_("Points that go back"), words.amount(programme, comes.state.balance), 10),
        SummaryRow(_("Points that stay"), words.amount(programme, stays.state.balance), 11),
    ]
    waiting = len(issuing.open_of(s, two.gone.id))
    if waiting:
        rows.append(SummaryRow(_("Rewards that go back"), words.number(waiting), 12))
    if turned:
        names = ", ".join(reward.name for reward in turned)
        rows.append(SummaryRow(_("Rewards that turn back into points"), names, 13))
    return rows


def _parting(s: ScopedSession, kept: CustomerFact, gone: CustomerFact) -> _Parting | None:
    staying = accounts.of_customer(s, kept.id)
    leaving = _WENT(s, kept=staying, customer_id=gone.id) if staying is not None else None
    if staying is None or leaving is None:
        return None
    locked = accounts.lock(s, [staying, leaving])
    row = _CAME(s, kept=staying, gone=leaving, seq=locked[leaving].seq)
    assert row is not None, "an account that was merged ends with that"
    origins = accounts.lineage(s, leaving)
    theirs = frozenset(entry[0] for one in origins for entry in _ORIGINS(s, id=one))
    came = Hold(row[0], 0, ())
    return _Parting(locked[staying], locked[leaving], origins, theirs, came, row[1], row[2])


def _state(s: ScopedSession, account: Locked) -> AccountState:
    return accounts.states(s, [account])[account.id]


def _mixed(s: ScopedSession, two: _Parting) -> list[Since]:
    moved: dict[UUID, dict[UUID, int]] = {}
    for entry_id, lot_id, points in _MOVED(s, id=two.kept.id, seq=two.seq):
        lots = moved.setdefault(entry_id, {})
        lots[lot_id] = lots.get(lot_id, 0) + points
    entries = (Entry(*row) for row in _ENTRIES(s, id=two.kept.id, seq=two.seq))
    merge, *since = (Since(one, moved.get(one.id, {})) for one in entries)
    return list(parting.mixed(merge, since, two.theirs))


def _turn_back(ctx: Ctx, two: _Parting, place: Place, at: datetime) -> list[Issued]:
    """Rewards that came by themselves for points of both, and still wait, become points again.

    Whoever of the two has enough alone gets one anew.
    """
    s = ctx.s
    held = {one.entry.id for one in _mixed(s, two) if one.entry.kind == "hold"}
    turned = [one for one in issuing.open_of(s, two.kept.id) if one.automatic and one.id in held]
    for reward in turned:
        account = accounts.lock(s, [two.kept.id])[two.kept.id]
        step = ledger.release(_state(s, account), reward.id, at, new_id)
        cause = Cause("release", place.id, place.zone, ctx.scope.actor, at)
        write(ctx, [Change(account, cause, step)])
        told = _l("%(reward)s turned back into points: a merge was taken back")
        data = {"reward": reward.name, "points": reward.points}
        event = story.Event(account, place.id, "reward-released", told, at, reward.id, data)
        story.tell_many(ctx, [event])
    return turned


def _need_apart(ctx: Ctx, two: _Parting, place: Place) -> None:
    """Raise Conflict, with the first reason, where the two can't be told apart any more."""
    s = ctx.s
    for one in _mixed(s, two):
        day = words.day(one.entry.at.astimezone(place.zone).date(), place)
        reward = issuing.one(s, one.entry.id) if one.entry.kind in ("hold", "burn") else None
        if reward is None:
            raise _refused(_("On %(day)s points of both were taken, or paid, as one.", day=day))
        if reward.status == "issued":
            raise _refused(
                _(
                    "“%(reward)s” waits since %(day)s, for points of both. Release it first.",
                    reward=reward.name,
                    day=day,
                )
            )
        if reward.status == "redeemed":
            raise _refused(
                _(
                    "“%(reward)s” was given on %(day)s for points of both. If it can be taken back,"
                    " take it back first.",
                    reward=reward.name,
                    day=day,
                )
            )
        raise _refused(_("“%(reward)s”, for points of both, ended unused.", reward=reward.name))
    for reward in issuing.latest_of(s, two.kept.id, 10_000):
        if reward.id not in two.theirs or reward.status != "redeemed":
            continue
        if reward.closed_at is not None and reward.closed_at > two.at:
            raise _refused(
                _(
                    "“%(reward)s” came with the other record and was handed over since. If it can"
                    " be taken back, take it back first.",
                    reward=reward.name,
                )
            )


def _refused(why: str) -> Conflict:
    otherwise = _(
        "Otherwise leave the two merged: enrol the other person anew, and correct the points of"
        " both by hand."
    )
    return Conflict(f"{why} {otherwise}")
