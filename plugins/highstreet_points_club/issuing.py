"""Rewards as rows: what was issued, to whom, and what became of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from highstreet.sdk import Ctx, ScopedSession, Statement, new_id, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, ledger, story, telling
from highstreet_points_club.lasting import morning
from highstreet_points_club.ledger import AccountState, Hold
from highstreet_points_club.programme import Programme, RewardRule
from highstreet_points_club.rules import Place
from highstreet_points_club.writing import Cause, Change, put, write

_TYPES: dict[str, type] = {
    "id": UUID,
    "account_id": UUID,
    "automatic": bool,
    "issued_at": datetime,
    "ends_at": datetime,
    "closed_at": datetime,
    "redeemed_at": datetime,
    "redeemed_store_id": UUID,
    "purchase_id": UUID,
}
_COLUMNS = (
    "r.id, r.account_id, r.key, r.name, r.kind, r.points, r.value_minor, r.currency, r.automatic,"
    " r.status, r.issued_at, r.ends_at, r.closed_at, r.redeemed_at, r.redeemed_store_id,"
    " r.purchase_id"
)
_ONE = Statement(
    f"SELECT {_COLUMNS} FROM points_club_reward AS r WHERE r.id = :id AND {own('r')}",
    returns="row",
    types=_TYPES,
)
_OPEN = Statement(
    f"SELECT {_COLUMNS} FROM points_club_reward AS r WHERE r.account_id = :account_id"
    f" AND r.status = 'issued' AND {own('r')} ORDER BY r.issued_at, r.id",
    types=_TYPES,
)
_IN_PURCHASE = Statement(
    f"SELECT {_COLUMNS} FROM points_club_reward AS r WHERE r.purchase_id = :purchase_id"
    f" AND r.status = 'redeemed' AND {own('r')} ORDER BY r.id",
    types=_TYPES,
)
_LATEST = Statement(
    f"SELECT {_COLUMNS} FROM points_club_reward AS r WHERE r.account_id = :account_id"
    f" AND {own('r')} ORDER BY r.issued_at DESC, r.id DESC LIMIT :most",
    types=_TYPES,
)
_CLOSE = Statement(
    "UPDATE points_club_reward AS r SET status = :status, closed_at = :closed_at,"
    " redeemed_at = :redeemed_at, redeemed_store_id = :at_store_id, purchase_id = :purchase_id"
    f" WHERE r.id = :id AND r.status = 'issued' AND {own('r')}",
    returns="count",
)


class Issued(NamedTuple):
    """A reward that points were given for. Amounts in minor units of `currency`.

    status: issued, redeemed, released, returned or lapsed. ends_at: it can't be had from then on.
    """

    id: UUID
    account_id: UUID
    key: str
    name: str
    kind: str
    points: int
    value_minor: int
    currency: str
    automatic: bool
    status: str
    issued_at: datetime
    ends_at: datetime | None = None
    closed_at: datetime | None = None
    redeemed_at: datetime | None = None
    redeemed_store_id: UUID | None = None
    purchase_id: UUID | None = None

    def usable(self, at: datetime) -> bool:
        """Whether it can be handed over at `at`."""
        return self.status == "issued" and (self.ends_at is None or self.ends_at > at)


class Made(NamedTuple):
    """A hold that the ledger made, with what its reward's row needs."""

    hold: Hold
    rule: RewardRule
    at: datetime
    place: Place
    account: accounts.Locked
    steps: int = 1
    status: str = "issued"
    ends_at: datetime | None = None
    purchase_id: UUID | None = None


def one(s: ScopedSession, reward_id: UUID) -> Issued | None:
    """The reward as it is now, or None if it is out of reach."""
    row = _ONE(s, id=reward_id)
    return None if row is None else Issued(*row)


def open_of(s: ScopedSession, account_id: UUID) -> list[Issued]:
    """Issued and not yet redeemed, oldest first."""
    return [Issued(*row) for row in _OPEN(s, account_id=account_id)]


def latest_of(s: ScopedSession, account_id: UUID, limit: int = 20) -> list[Issued]:
    """An account's rewards, newest first."""
    return [Issued(*row) for row in _LATEST(s, account_id=account_id, most=limit)]


def redeemed_in(s: ScopedSession, purchase_id: UUID) -> list[Issued]:
    """Rewards that were handed over with a purchase and not given back."""
    return [Issued(*row) for row in _IN_PURCHASE(s, purchase_id=purchase_id)]


def issue_automatic(
    ctx: Ctx, account_id: UUID, programme: Programme, place: Place, at: datetime
) -> tuple[AccountState, tuple[Issued, ...]]:
    """Issue the programme's automatic reward as often as the account's points reach at `at`.

    Locks the account. Gives its state after that and what was issued.
    """
    s = ctx.s
    account = accounts.lock(s, [account_id])[account_id]
    state = accounts.states(s, [account])[account_id]
    rule = programme.automatic
    if rule is None:
        return state, ()
    step, holds = ledger.issue_due(state, rule.points, at, new_id)
    if not step.entries:
        return state, ()
    cause = Cause("hold", place.id, place.zone, ctx.scope.actor, ctx.now())
    write(ctx, [Change(account, cause, step)])
    made = [automatic(hold, rule, step.state, place, account) for hold in holds]
    return step.state, tuple(record(ctx, made))


def automatic(
    hold: Hold, rule: RewardRule, state: AccountState, place: Place, account: accounts.Locked
) -> Made:
    """What is to be written of a reward that came by itself."""
    at = state.last_at
    assert at is not None, "a hold was just booked"
    ends_at = None
    if rule.valid_days is not None:
        ends_at = morning(at.astimezone(place.zone).date(), rule.valid_days + 1, place.zone)
    return Made(hold, rule, at, place, account, ends_at=ends_at)


def record(ctx: Ctx, made: Iterable[Made]) -> list[Issued]:
    """Write the rows of rewards, and into their members' timelines; who listens is told."""
    rows = []
    issued = []
    told = []
    news = []
    for each in made:
        rule, place = each.rule, each.place
        closed_at = None if each.status == "issued" else each.at
        reward = Issued(
            each.hold.id,
            each.account.id,
            rule.key,
            rule.name,
            rule.kind,
            each.hold.points,
            rule.value_minor * each.steps,
            place.currency,
            rule.automatic,
            each.status,
            each.at,
            each.ends_at,
            closed_at,
            closed_at,  # what is closed from the start was handed over
            place.id if closed_at else None,
            each.purchase_id,
        )
        issued.append(reward)
        news.append((reward, each.account, place.id))
        row: dict[str, Any] = reward._asdict()
        rows.append(row | {"store_id": each.account.owner_id, "issued_store_id": place.id})
        if rule.automatic or closed_at:
            told.append(_told(each, reward))
    put(ctx.s, "points_club_reward", rows)
    story.tell_many(ctx, told)
    telling.issued(ctx, news)
    return issued


def _told(each: Made, reward: Issued) -> story.Event:
    if each.status == "issued":
        return story.Event(
            each.account, each.place.id, "reward-issued", _l("Reward earned: %(reward)s"),
            each.at, reward.id, {"reward": reward.name, "points": reward.points},
        )  # fmt: skip
    return redeemed(reward, each.account, each.place.id, each.at)


def redeemed(
    reward: Issued, account: accounts.Locked, store_id: UUID | None, at: datetime
) -> story.Event:
    """How the timeline says that a reward was handed over."""
    return story.Event(
        account, store_id, "reward-redeemed", _l("%(reward)s redeemed"), at, reward.id,
        {"reward": reward.name, "points": reward.points},
    )  # fmt: skip


def close(
    s: ScopedSession,
    reward_id: UUID,
    status: str,
    at: datetime,
    *,
    store_id: UUID | None = None,
    purchase_id: UUID | None = None,
) -> bool:
    """Say what became of an issued reward; False if it was not (or no longer) issued."""
    return bool(
        _CLOSE(
            s,
            id=reward_id,
            status=status,
            closed_at=at,
            redeemed_at=at if status == "redeemed" else None,
            at_store_id=store_id,
            purchase_id=purchase_id,
        )
    )


def held_until(at: datetime, programme: Programme) -> datetime:
    """When a till's hold that was neither redeemed nor released frees its points."""
    return at + timedelta(minutes=programme.hold_minutes)


def sum_points(rewards: Sequence[Issued]) -> int:
    """Points that these rewards hold."""
    return sum(reward.points for reward in rewards)
