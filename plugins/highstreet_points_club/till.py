"""What the points club shows at the till, on the member's page and in a store's day."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from highstreet.sdk import (
    Club,
    Ctx,
    CustomerFact,
    Deed,
    Deeds,
    Figure,
    Invalid,
    NotFound,
    Reward,
    Statement,
    address,
    bought,
    format_locale,
    ngettext,
    own,
    parse_amount,
)
from highstreet.sdk import gettext as _
from highstreet_points_club import history, rewards, rules, terms, words
from highstreet_points_club.history import Balance
from highstreet_points_club.issuing import Issued

#: How the till's buttons name a reward that waits, as opposed to one of the programme.
WAITING = "waiting-"
#: Between a reward's key and how many times it is taken.
TIMES = "*"
UNDO_WITHIN = timedelta(hours=24)

#: Who moved the points of a reward last: whoever gave them back, else whoever took them.
_BY = (
    "COALESCE((SELECT r.actor_id FROM points_club_entry AS r WHERE r.reverses_id = e.id"
    f" AND {own('r')} ORDER BY r.seq DESC LIMIT 1), e.actor_id)"
)
_EARNED = "SELECT e.purchase_id, e.points FROM points_club_entry AS e"
_OF_PURCHASES = Statement(
    f"{_EARNED} WHERE e.purchase_id IN (SELECT value FROM json_each(:ids)) AND e.kind = 'earn'"
    f" AND {own('e')}",
    postgresql=f"{_EARNED} WHERE e.purchase_id = ANY(:ids) AND e.kind = 'earn' AND {own('e')}",
    types={"purchase_id": UUID},
)
_HANDED_OVER = Statement(
    f"SELECT w.id, w.redeemed_at, w.name, w.points, w.status, a.customer_id, {_BY} AS by_id"
    " FROM points_club_reward AS w"
    " JOIN points_club_account AS a ON a.brand_id = w.brand_id AND a.id = w.account_id"
    f" LEFT JOIN points_club_entry AS e ON e.brand_id = w.brand_id AND e.id = w.id AND {own('e')}"
    " WHERE w.redeemed_store_id = :at_store AND w.redeemed_at >= :since"
    f" AND w.status IN ('redeemed', 'returned') AND a.customer_id IS NOT NULL"
    f" AND {own('w')} AND {own('a')} ORDER BY w.redeemed_at DESC LIMIT :most",
    types={"id": UUID, "redeemed_at": datetime, "customer_id": UUID, "by_id": UUID},
)
# Purchases are found by store and day; entries are not, for an index more is a cost at every sale.
_GIVEN = Statement(
    f"SELECT COALESCE(SUM(e.points), 0) AS given FROM {bought('p')}"
    " JOIN points_club_entry AS e ON e.brand_id = p.brand_id AND e.purchase_id = p.id"
    " AND e.kind = 'earn' WHERE p.store_id = :at_store"
    " AND p.business_date >= :first AND p.business_date <= :last"
    f" AND {own('p')} AND {own('e')}",
    returns="value",
)
_REWARDS_OF = Statement(
    "SELECT COUNT(*), COALESCE(SUM(w.points), 0) FROM points_club_reward AS w"
    " WHERE w.redeemed_store_id = :at_store AND w.status = 'redeemed'"
    f" AND w.redeemed_at >= :since AND w.redeemed_at < :until AND {own('w')}",
    returns="row",
)


def club(ctx: Ctx, customer: CustomerFact) -> Club:
    """A member's standing with the rewards that can be had, those that wait first."""
    balance = history.balance(ctx, customer.id)
    coming = balance.next_reward
    return Club(
        balance=balance.balance,
        unit=words.unit(balance.programme, balance.balance),
        next_label=words.next_reward(balance),
        goal=coming.points if coming else 0,
        toward=max(0, coming.points - balance.missing) if coming else 0,
        notes=words.notes(balance, rules.place(ctx)),
        rewards=choices(ctx, balance),
        redeem_url=_redeem_url(ctx, customer),
    )


def choices(ctx: Ctx, balance: Balance) -> list[Reward]:
    """Rewards as the till's buttons: what waits costs nothing more, then what is on offer."""
    at = ctx.now()
    usable = [reward for reward in balance.rewards if reward.usable(at)]
    waiting = [
        Reward(f"{WAITING}{first.id}", words.waiting(first.name, count), 0)
        for first, count in grouped(usable)
    ]
    place = rules.place(ctx)
    there = max(0, balance.spendable)
    offered = []
    for rule in balance.programme.rewards:
        if rule.automatic:
            continue
        short = ""
        if rule.points > there:
            missing = words.amount(balance.programme, rule.points - there)
            short = _("%(points)s short", points=missing)
        most = min(there // rule.points, rewards.MOST_STEPS)
        each = rule.value_minor if rule.kind == "money" else 0
        label = words.offer(rule, 1, place)
        offered.append(Reward(rule.key, label, rule.points, short, each, each * most))
        if rule.kind == "money" and most > 1:
            # All of it at once; how much between, the cashier types.
            label = words.offer(rule, most, place)
            offered.append(Reward(f"{rule.key}{TIMES}{most}", label, rule.points * most))
    return waiting + offered


def grouped(waiting: Iterable[Issued]) -> list[tuple[Issued, int]]:
    """Of rewards with one name the one that ends first, and how many there are.

    A cashier hands over one at a time; ten buttons that say the same would hide the others.
    """
    found: dict[str, list[Issued]] = {}
    for reward in waiting:
        found.setdefault(reward.name, []).append(reward)
    return [(min(same, key=_end), len(same)) for same in found.values()]


def _end(reward: Issued) -> datetime:
    return reward.ends_at or datetime.max.replace(tzinfo=UTC)


def take(
    ctx: Ctx, customer: CustomerFact, chosen: str, ref: str | None, amount: str = ""
) -> Issued:
    """Hand over what a button of `choices` stands for, or as much money off as is typed.

    Raises Invalid for an amount that is no multiple of the reward's, and what `rewards` raises.
    """
    if chosen.startswith(WAITING):
        try:
            reward_id = UUID(chosen.removeprefix(WAITING))
        except ValueError as error:
            raise NotFound(_("There is no such reward here.")) from error
        return rewards.redeem(ctx, reward_id)
    key, _times, steps = chosen.partition(TIMES)
    many = int(steps) if steps.isascii() and steps.isdigit() and len(steps) < 7 else 1
    if amount:
        many = _steps(ctx, key, amount)
    return rewards.redeem_now(ctx, customer.id, key, steps=many, ref=ref)


def _steps(ctx: Ctx, key: str, amount: str) -> int:
    """How many times the money reward `key` makes up the amount."""
    place = rules.place(ctx)
    rule = rules.programme(ctx).reward(key)
    if rule is None or rule.kind != "money":
        raise NotFound(_("This reward is not on offer in this store. Choose another."))
    minor = parse_amount(amount, place.currency, format_locale(place.locale))
    if minor <= 0 or minor % rule.value_minor:
        each = words.money(rule.value_minor, place)
        raise Invalid(_("Choose an amount in steps of %(each)s.", each=each))
    return minor // rule.value_minor


def deeds(ctx: Ctx, purchases: Sequence[UUID], limit: int) -> Deeds:
    """Points of these purchases, and the newest rewards handed over in the store."""
    s = ctx.s
    rows = _OF_PURCHASES(s, ids=list(purchases))
    earned = {row[0]: words.signed(int(row[1])) for row in rows}
    at_store = ctx.store_id
    if at_store is None:
        return Deeds(earned)
    since = ctx.now() - 2 * UNDO_WITHIN
    handed = _HANDED_OVER(s, at_store=at_store, since=since, most=limit)
    return Deeds(
        earned,
        [
            Deed(
                at=at,
                customer_id=customer_id,
                what=_("%(reward)s redeemed", reward=name),
                change=words.signed(-points),
                undo_url=_undo_url(ctx, reward_id)
                if status == "redeemed" and at >= ctx.now() - UNDO_WITHIN
                else "",
                undone=status == "returned",
                by=by_id,
            )
            for reward_id, at, name, points, status, customer_id, by_id in handed
        ],
    )


def day_figures(ctx: Ctx, on: date) -> list[Figure]:
    """Points given and rewards handed over on a business day of the store."""
    return _figures(ctx, on, on)[::2]


def period_figures(ctx: Ctx, first: date, last: date) -> list[Figure]:
    """Points given and redeemed, and rewards handed over, in a span of the store's days."""
    return _figures(ctx, first, last)


def _figures(ctx: Ctx, first: date, last: date) -> list[Figure]:
    at_store = ctx.store_id
    if at_store is None:
        return []
    programme = rules.programme(ctx)
    place = rules.place(ctx)
    unit = words.units(programme)
    given = int(_GIVEN(ctx.s, at_store=at_store, first=first, last=last))
    since = rules.morning(first, 0, place.zone)
    until = rules.morning(last, 1, place.zone)
    handed, points = _REWARDS_OF(ctx.s, at_store=at_store, since=since, until=until)
    return [
        Figure(_("%(unit)s given", unit=unit), words.number(given)),
        Figure(_("%(unit)s redeemed", unit=unit), words.number(int(points))),
        Figure(_("Rewards handed over"), words.number(int(handed))),
    ]


def facts(ctx: Ctx) -> list[str]:
    """Facts for the list of tools: how one earns, and what for."""
    programme, place = rules.programme(ctx), rules.place(ctx)
    said = [terms.of_rule(programme, rule, place).rstrip(".") for rule in programme.accruals[:1]]
    if programme.rewards:
        said.append(
            ngettext("%(num)d reward on offer", "%(num)d rewards on offer", len(programme.rewards))
        )
    return said


def _redeem_url(ctx: Ctx, customer: CustomerFact) -> str:
    return page_of(ctx, "redeem", customer_id=customer.id)


def _undo_url(ctx: Ctx, reward_id: UUID) -> str:
    return page_of(ctx, "give_back", reward_id=reward_id)


def page_of(ctx: Ctx, view: str, **values: Any) -> str:
    """The address of a screen of this store; empty where there is none."""
    return address(ctx, view, **values) if ctx.store_id is not None else ""
