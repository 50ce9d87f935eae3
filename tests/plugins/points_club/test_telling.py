"""What the points club tells others' programmes: each deed once, with the balance after it."""

import json
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine

from highstreet.customers import service as customers
from highstreet.host import policy, state
from highstreet.purchases import service as purchases
from highstreet.webhooks.models import Webhook, WebhookEvent, WebhookInterest
from highstreet_points_club import corrections, events, issuing, lapse, rewards, telling
from highstreet_tenants.ids import new_id

from .conftest import COFFEE, FREE, NOON, later

NAMES = [one.name for one in events.EVENTS]


def listen(s: Any, *names: str) -> None:
    """Somebody wants to hear of these, in the session's store."""
    s.add(
        Webhook(
            brand_id=s.brand_id,
            id=new_id(),
            store_id=s.store_id,
            name="CRM",
            url="https://hooks.example/",
            events=list(names or NAMES),
            secret="sealed",
        )
    )
    s.add_all(
        WebhookInterest(brand_id=s.brand_id, type=one.name)
        for one in events.EVENTS
        if one.club and one.name in (names or NAMES)
    )
    s.flush()
    state.touch(s)


def told(s: Any) -> list[tuple[str, dict[str, Any]]]:
    """(kind without the tool's name, data) of what is to be told, in its order."""
    rows = s.execute(sa.select(WebhookEvent.type, WebhookEvent.body).order_by(WebhookEvent.id))
    return [(kind.partition(".")[2], json.loads(body)["data"]) for kind, body in rows]


def short(s: Any) -> list[tuple[Any, ...]]:
    """The same in short: kind, points (or how a reward ended), balance."""
    return [
        (kind, data.get("how", data.get("points")), data.get("balance")) for kind, data in told(s)
    ]


def test_a_purchase_and_what_came_back_of_it_are_told_with_the_balance(shop):
    shop.set_up(shop.club)
    with shop.session(shop.club) as s:
        listen(s)
        member = shop.member(s)
        bought = shop.buy(s, member.id, 1000)
        shop.bring_back(s, bought, 400)
        earned, back = told(s)
    assert earned[0] == "earned"
    assert earned[1] == {
        "customer_id": str(member.id),
        "points": 10,
        "balance": 10,
        "why": "purchase",
        "purchase_id": str(bought.id),
        "store_id": str(shop.club.stores[0].id),
        "store": shop.club.stores[0].code,
    }
    assert (back[0], back[1]["points"], back[1]["balance"]) == ("taken_back", 4, 6)
    assert back[1]["purchase_id"] == str(bought.id)


def test_a_purchase_that_is_told_twice_earns_and_is_heard_of_once(shop):
    with shop.session(shop.club) as s:
        listen(s, events.EARNED)
        made = shop.purchase(s, shop.member(s).id, 1000)
        purchases.record(s, made)
        purchases.record(s, made)
        assert len(told(s)) == 1


def test_an_import_tells_the_same_as_the_till_and_nothing_of_stores_that_did_not_ask(shop):
    with shop.session(shop.club, 0) as s:
        listen(s, events.EARNED)
        member = shop.member(s)
    here, there = shop.club.stores
    with shop.operator(shop.club) as s:
        many = [
            shop.purchase(s, member.id, 100, at=NOON, store_id=here.id, ref=f"i{number}")
            for number in range(30)
        ]
        other = shop.purchase(s, member.id, 100, at=NOON, store_id=there.id, ref="other")
        purchases.record_batch(s, [*many, other])
    with shop.session(shop.club, 0) as s:
        found = told(s)
    assert [kind for kind, _data in found] == ["earned"] * 30
    assert {data["store_id"] for _kind, data in found} == {str(here.id)}
    assert len({data["purchase_id"] for _kind, data in found}) == 30


def test_a_correction_is_told_without_its_reason(shop):
    with shop.session(shop.club) as s:
        listen(s)
        member = shop.member(s)
        corrections.adjust(shop.ctx(s), member.id, 50, "Lost receipt of Anna")
        corrections.adjust(shop.ctx(s), member.id, -20, "Typing error")
        assert short(s) == [("adjusted", 50, 50), ("adjusted", -20, 30)]
        assert "Anna" not in json.dumps(told(s))


def test_a_reward_that_comes_by_itself_is_ready_then_handed_over_then_given_back(shop):
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        listen(s)
        member = shop.member(s)
        shop.buy(s, member.id, 1200)
        [waiting] = issuing.open_of(s, _account(s, member.id))
        rewards.redeem(shop.ctx(s), waiting.id)
        rewards.redeem(shop.ctx(s), waiting.id)
        found = told(s)
        assert [kind for kind, _data in found] == ["earned", "reward_ready", "reward_redeemed"]
        ready = found[1][1]
        assert (ready["reward_id"], ready["key"], ready["name"], ready["points"]) == (
            str(waiting.id), "free", "Free sandwich", 10,
        )  # fmt: skip
        rewards.give_back(shop.ctx(s), waiting.id)
        assert short(s)[3:] == [("reward_ended", "returned", None), ("reward_ready", 10, None)]


def test_what_a_till_holds_is_told_only_when_it_is_handed_over(shop):
    shop.set_up(shop.club, rewards=[COFFEE])
    with shop.session(shop.club) as s:
        member = shop.member(s)
        shop.buy(s, member.id, 20_000)
        listen(s)
        ctx = shop.ctx(s)
        rewards.release(ctx, rewards.hold(ctx, member.id, "coffee").id)
        assert told(s) == []
        rewards.redeem(ctx, rewards.hold(ctx, member.id, "coffee").id)
        rewards.redeem_now(ctx, member.id, "coffee")
        assert [kind for kind, _data in told(s)] == ["reward_redeemed"] * 2


def test_a_reward_that_turns_back_into_points_to_pay_a_return_is_told(shop):
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        listen(s)
        bought = shop.buy(s, shop.member(s).id, 1000)
        shop.bring_back(s, bought, 500)
        assert short(s) == [
            ("earned", 10, 10),
            ("reward_ready", 10, None),
            ("reward_ended", "released", None),
            ("taken_back", 5, 5),
        ]


def test_points_and_rewards_that_end_in_the_night_are_told_to_every_store_of_a_club(shop):
    shop.set_up(shop.club, rewards=[FREE | {"valid_days": 3}], expiry="days", expiry_days=10)
    with shop.session(shop.club, 1) as s:
        listen(s, events.EXPIRED, events.ENDED)
    with time_machine.travel(NOON), shop.session(shop.club) as s:
        shop.buy(s, shop.member(s).id, 1700)
    with time_machine.travel(later(20)), shop.session(shop.club) as s:
        lapse.sweep(shop.ctx(s))
    with shop.database.tenancy.session(_office(shop.club)) as s:
        found = told(s)
    assert [(kind, data.get("points"), data["store_id"]) for kind, data in found] == [
        ("reward_ended", None, None),
        ("expired", 7, None),
    ]


def test_gifts_and_balances_brought_along_are_earned_and_say_why(shop):
    shop.set_up(shop.club, welcome_points=25)
    with shop.session(shop.club, actor=_somebody()) as s:
        listen(s, events.EARNED)
        shop.member(s)
        [(kind, data)] = told(s)
    assert (kind, data["points"], data["why"], data["purchase_id"]) == (
        "earned", 25, "welcome", None,
    )  # fmt: skip


def test_where_the_tool_is_off_nothing_is_told_though_what_is_owed_goes_on(shop):
    shop.set_up(shop.shops, expiry="days", expiry_days=10)
    with time_machine.travel(NOON), shop.session(shop.shops) as s:
        listen(s)
        shop.buy(s, shop.member(s).id, 1700)
        s.execute(sa.delete(WebhookEvent).where(WebhookEvent.store_id == s.store_id))
    with shop.operator(shop.shops) as s:
        policy.set_policy(s, "points_club", "forbidden")
    with time_machine.travel(later(20)), shop.session(shop.shops) as s:
        assert lapse.sweep(shop.ctx(s)).points == 17
        assert told(s) == []


def test_an_erasure_tells_nothing_of_the_points_that_go_with_it(shop):
    with shop.session(shop.shops) as s:
        member = shop.member(s)
        shop.buy(s, member.id, 1700)
        listen(s)
        customers.erase(s, member.id, "asked")
        assert told(s) == []


@pytest.mark.parametrize("kind", events.EVENTS, ids=lambda one: one.name)
def test_no_payload_can_hold_a_name_or_a_free_text_about_somebody(kind):
    free = {"name", "key", "currency", "why", "kind", "how"}  # the programme's, or words of a list
    assert kind.schema().validate(kind.sample) == {}
    for name, field in kind.schema().fields.items():
        assert name in free or type(field).__name__ in ("UUID", "Integer", "DateTime"), name


def test_where_nobody_listens_a_sale_asks_once_and_puts_nothing_together(shop, monkeypatch):
    asked: list[str] = []
    with shop.session(shop.club) as s:
        member = shop.member(s)
        shop.buy(s, member.id, 1000)
        ctx = shop.ctx(s)
        real = type(ctx.events).wanted
        monkeypatch.setattr(
            type(ctx.events), "wanted", lambda room, name: asked.append(name) or real(room, name)
        )
        monkeypatch.setattr(telling, "Happened", None)
        shop.buy(s, member.id, 1000)
    assert asked == [events.EARNED]


def _account(s: Any, customer_id: UUID) -> UUID:
    from highstreet_points_club import accounts

    found = accounts.of_customer(s, customer_id)
    assert found is not None
    return found


def _office(brand: Any) -> Any:
    from highstreet_tenants.scopes import Scope

    return Scope.operator(brand.id)


def _somebody() -> Any:
    from highstreet_tenants.scopes import Actor

    return Actor("user", new_id(), "Till")
