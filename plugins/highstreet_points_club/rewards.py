"""Spending points: a till holds them for a reward, then hands it over or lets them go.

Every verb locks the account's row first, so of any number at the same moment each sees what the
one before it left.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from highstreet.sdk import Conflict, Ctx, Invalid, NotFound, ScopedSession, Statement, new_id, own
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import accounts, idle, issuing, ledger, rules, story, telling
from highstreet_points_club.accounts import Locked
from highstreet_points_club.errors import NotEnoughPoints, RewardClosed
from highstreet_points_club.issuing import Issued, Made
from highstreet_points_club.ledger import Hold, Step
from highstreet_points_club.programme import Programme, RewardRule
from highstreet_points_club.writing import Cause, Change, write

MOST_STEPS = 10_000

_BY_KEY = Statement(
    "SELECT e.id FROM points_club_entry AS e"
    f" WHERE e.idem_key = :key AND e.points <= 0 AND {own('e')}",
    returns="value",
    types={"id": UUID},
)
_RETURNED = Statement(
    "UPDATE points_club_reward AS r SET status = 'returned', closed_at = :closed_at"
    f" WHERE r.id = :id AND r.status = 'redeemed' AND {own('r')}",
    returns="count",
)


def hold(
    ctx: Ctx, customer_id: UUID, key: str, *, steps: int = 1, ref: str | None = None
) -> Issued:
    """Lock the points of the reward `key` until it is redeemed or released.

    steps: how many times, for money off ("choose how many points to burn"). ref: the same ref in
    the same store is the same deed; said again it gives the same reward. Raises NotFound for a
    reward that is not on offer here, NotEnoughPoints, Invalid, Conflict for a ref of another deed.
    """
    return _take(ctx, customer_id, key, steps, ref, ledger.hold, None)


def redeem_now(
    ctx: Ctx,
    customer_id: UUID,
    key: str,
    *,
    steps: int = 1,
    ref: str | None = None,
    purchase_id: UUID | None = None,
) -> Issued:
    """Hand a reward over at once: points are spent in one entry. See `hold`."""
    return _take(ctx, customer_id, key, steps, ref, ledger.burn, purchase_id)


def redeem(ctx: Ctx, reward_id: UUID, *, purchase_id: UUID | None = None) -> Issued:
    """Hand over an issued reward. Done twice it stays done once and raises nothing.

    Raises NotFound, RewardClosed if it was given back or has ended.
    """
    reward, account = locked(ctx, reward_id)
    at = ctx.now()
    if reward.status == "redeemed":
        return reward
    if not reward.usable(at):
        raise _closed(reward, at)
    place = rules.place(ctx)
    idle.stay(ctx, account, rules.programme(ctx), place, at)
    issuing.close(ctx.s, reward_id, "redeemed", at, store_id=place.id, purchase_id=purchase_id)
    done = reward._replace(
        status="redeemed",
        closed_at=at,
        redeemed_at=at,
        redeemed_store_id=place.id,
        purchase_id=purchase_id,
    )
    story.tell_many(ctx, [issuing.redeemed(done, account, place.id, at)])
    telling.issued(ctx, [(done, account, place.id)])
    return done


def release(ctx: Ctx, reward_id: UUID) -> Issued:
    """Let the points of a reward go back into the lots they came from.

    Raises NotFound, RewardClosed, Conflict for one that came by itself: it would come again.
    """
    reward, account = locked(ctx, reward_id)
    at = ctx.now()
    if reward.status == "released":
        return reward
    if reward.status != "issued":
        raise _closed(reward, at)
    if reward.automatic:
        raise Conflict(
            _("“%(name)s” came by itself and waits for the member. It can’t be turned into points.",
              name=reward.name)
        )  # fmt: skip
    let_go(ctx, account, reward, at)
    return reward._replace(status="released", closed_at=at)


def let_go(ctx: Ctx, account: Locked, reward: Issued, at: datetime) -> None:
    """Release an issued reward of a locked account."""
    place = rules.place(ctx)
    state = accounts.states(ctx.s, [account])[account.id]
    step = ledger.release(state, reward.id, at, new_id)
    cause = Cause("release", place.id, place.zone, ctx.scope.actor, at)
    write(ctx, [Change(account, cause, step)])


def give_back(ctx: Ctx, reward_id: UUID) -> Issued:
    """Undo a redeemed reward: its points return to their lots, once.

    One that came by itself is issued anew. Raises NotFound, RewardClosed if it is not redeemed.
    """
    reward, account = locked(ctx, reward_id)
    at = ctx.now()
    if reward.status == "returned":
        return reward
    if reward.status != "redeemed":
        raise _closed(reward, at)
    take_back(ctx, account, reward, at)
    return reward._replace(status="returned", closed_at=at)


def take_back(ctx: Ctx, account: Locked, reward: Issued, at: datetime) -> None:
    """Return the points of a redeemed reward of a locked account."""
    s = ctx.s
    if not _RETURNED(s, id=reward.id, closed_at=at):
        return
    place = rules.place(ctx)
    state = accounts.states(s, [account])[account.id]
    whole, spent = accounts.with_spent(s, state, reward.id, reward.points)
    cause = Cause("reverse_burn", place.id, place.zone, ctx.scope.actor, at)
    write(ctx, [Change(account, cause, ledger.give_back(whole, spent, at, new_id))])
    story.tell_many(
        ctx,
        [
            story.Event(
                account, place.id, "reward-returned", _l("%(reward)s given back"), at, reward.id,
                {"reward": reward.name, "points": reward.points},
            )
        ],
    )  # fmt: skip
    telling.ended(ctx, reward.id, account, "returned", place.id)
    if reward.automatic:
        issuing.issue_automatic(ctx, account.id, rules.programme(ctx), place, at)


def _take(
    ctx: Ctx,
    customer_id: UUID,
    key: str,
    steps: int,
    ref: str | None,
    spend: Callable[..., tuple[Step, Hold]],
    purchase_id: UUID | None,
) -> Issued:
    s = ctx.s
    place = rules.place(ctx)
    programme = rules.programme(ctx)
    rule = _on_offer(programme, key, steps)
    account = _account(ctx, customer_id, programme, rule.points * steps)
    idem_key = None if ref is None else f"reward:{place.id or 'office'}:{ref}"
    if idem_key is not None:
        before = _BY_KEY(s, key=idem_key)
        if before is not None:
            return _same(s, before, account, rule, steps)
    at = ctx.now()
    stays_until = rules.idle_at(programme, at, place.zone)
    account = _without_ended(ctx, account, at)
    state = accounts.states(s, [account])[account.id]
    here = ledger.visit(state, at, new_id, idle_at=stays_until)
    try:
        step, held = spend(here.state, rule.points * steps, at, new_id)
    except ledger.NotEnough as refusal:
        raise not_enough(programme, refusal.wanted, refusal.spendable) from refusal
    at_once = spend is ledger.burn
    kind = "burn" if at_once else "hold"
    cause = Cause(kind, place.id, place.zone, ctx.scope.actor, at, key=idem_key)
    write(ctx, [Change(account, cause, here), Change(account, cause, step)])
    made = Made(
        held, rule, at, place, account, steps,
        status="redeemed" if at_once else "issued",
        ends_at=None if at_once else issuing.held_until(at, programme),
        purchase_id=purchase_id,
    )  # fmt: skip
    return issuing.record(ctx, [made])[0]


def _without_ended(ctx: Ctx, account: Locked, at: datetime) -> Locked:
    """A locked account, once the points are free that a till held and let lie too long."""
    for reward in issuing.open_of(ctx.s, account.id):
        if not reward.automatic and not reward.usable(at):
            let_go(ctx, account, reward, at)
            account = accounts.lock(ctx.s, [account.id])[account.id]
    return account


def _on_offer(programme: Programme, key: str, steps: int) -> RewardRule:
    rule = programme.reward(key)
    if rule is None:
        raise NotFound(_("This reward is not on offer in this store. Choose another."))
    if rule.automatic:
        raise Invalid(
            _("“%(name)s” comes by itself as soon as the points are there.", name=rule.name)
        )
    if not 1 <= steps <= MOST_STEPS or (steps > 1 and rule.kind != "money"):
        raise Invalid(
            _("Take “%(name)s” once at a time.", name=rule.name)
            if rule.kind != "money"
            else _("Choose how many times, from 1 to %(most)s.", most=MOST_STEPS)
        )
    return rule


def _account(ctx: Ctx, customer_id: UUID, programme: Programme, wanted: int) -> Locked:
    """The customer's account, locked. Raises NotFound for the customer."""
    account_id = accounts.of_customer(ctx.s, customer_id)
    if account_id is None:
        account_id = accounts.of_customer(ctx.s, ctx.customers.get(customer_id).id)
    if account_id is None:
        raise not_enough(programme, wanted, 0)
    return accounts.lock(ctx.s, [account_id])[account_id]


def locked(ctx: Ctx, reward_id: UUID) -> tuple[Issued, Locked]:
    """The reward and its account, as they are under the account's lock. Raises NotFound."""
    found = issuing.one(ctx.s, reward_id)
    while found is not None:
        account = accounts.lock(ctx.s, [found.account_id])[found.account_id]
        again = issuing.one(ctx.s, reward_id)
        if again is not None and again.account_id == account.id:
            return again, account
        found = again  # merged meanwhile: it is another account's now
    raise NotFound(_("There is no such reward here."))


def _same(
    s: ScopedSession, reward_id: UUID, account: Locked, rule: RewardRule, steps: int
) -> Issued:
    reward = issuing.one(s, reward_id)
    if (
        reward is None
        or reward.account_id != account.id
        or (reward.key, reward.points) != (rule.key, rule.points * steps)
    ):
        raise Conflict(_("This till number was used for another reward. Start again."))
    return reward


def not_enough(programme: Programme, wanted: int, spendable: int) -> NotEnoughPoints:
    """The error for points that are not there."""
    missing = wanted - max(0, spendable)
    return NotEnoughPoints(
        _(
            "%(missing)s %(unit)s short: %(wanted)s are needed, %(there)s can be spent.",
            missing=missing,
            unit=programme.unit(missing),
            wanted=wanted,
            there=max(0, spendable),
        ),
        missing=missing,
    )


def _closed(reward: Issued, at: datetime) -> RewardClosed:
    words = {
        "redeemed": _("“%(name)s” was handed over already.", name=reward.name),
        "released": _("“%(name)s” was given back for its points. Choose again.", name=reward.name),
        "returned": _("“%(name)s” was handed over and given back.", name=reward.name),
        "lapsed": _("“%(name)s” has ended.", name=reward.name),
    }
    return RewardClosed(words.get(reward.status, words["lapsed"]))
