"""Standing orders: whoever is due gets one piece, once, whatever is run again or killed when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.kit.town import Shop, Town
from highstreet.sdk import business_date
from highstreet_direct_mail import posting, triggers
from highstreet_direct_mail.models import Posting
from highstreet_direct_mail.triggers import Order

from .conftest import reach


def ordered(shop: Shop, **more: Any) -> UUID:
    given: dict[str, Any] = {"name": "Missed", "kind": "not_seen", "days": 60, "offer": "Tea"}
    with shop.ctx(write=True) as ctx:
        trigger_id = triggers.save(ctx, Order(**(given | more)))
        triggers.switch(ctx, trigger_id, True)
    return trigger_id


def gone(shop: Shop, name: str, street: str, days: int) -> UUID:
    """Somebody who bought so many days ago and not since."""
    who = reach(shop, name, street)
    with shop.ctx() as ctx:
        at = ctx.now() - timedelta(days=days)
    shop.buy(500, who, at=at)
    return who.id


def run(shop: Shop, trigger_id: UUID, later: int = 0) -> str:
    with shop.ctx(write=True) as ctx:
        day = business_date(ctx.now(), ctx.store().zone) + timedelta(days=later)
        return triggers.run(ctx, trigger_id, day)


def got(shop: Shop) -> list[UUID]:
    with shop.ctx() as ctx:
        return [
            piece.customer_id
            for whole in posting.listed(ctx)
            for piece in ctx.mailings.pieces(whole.mailing.id)
            if piece.state == "sent"
        ]


def test_whoever_is_due_gets_one_piece_by_the_calendar(town: Town, clock: Any) -> None:
    shop, other = town.brands["quarry"].shops
    due = gone(shop, "Ann Quill", "1 High Street", 61)
    gone(shop, "Bo Lee", "2 High Street", 10)
    gone(shop, "Cy Old", "3 High Street", 200)  # long gone: whoever missed it is no news
    gone(other, "Di Moss", "4 High Street", 61)
    trigger_id = ordered(shop)
    with shop.ctx(write=True) as ctx:
        looked = triggers.due(ctx, trigger_id)
        assert (looked.waterfall.ready, list(looked.people)) == (1, [due])
        assert posting.listed(ctx) == []  # looking sends nothing
    for _day in range(3):
        clock.shift(timedelta(days=1))
        town.run_jobs()
    assert got(shop) == [due] and got(other) == []
    with shop.ctx() as ctx:
        (whole,) = posting.listed(ctx)
        assert whole.mailing.status == "finished" and whole.job.offer == "Tea"
        assert triggers.get(ctx, trigger_id).outcome == "empty"


def test_killed_and_run_again_a_day_has_one_mailing(town: Town) -> None:
    shop = town.brands["quarry"].shops[0]
    gone(shop, "Ann Quill", "1 High Street", 61)
    trigger_id = ordered(shop)
    with pytest.raises(KeyboardInterrupt), shop.ctx(write=True) as ctx:
        day = business_date(ctx.now(), ctx.store().zone)
        assert triggers.run(ctx, trigger_id, day) == "sent"
        raise KeyboardInterrupt  # as a worker that is killed before it commits
    with shop.ctx() as ctx:
        assert posting.listed(ctx) == [] and triggers.get(ctx, trigger_id).ran_on is None
    assert [run(shop, trigger_id) for _again in range(3)] == ["sent", "", ""]
    # The next day the mailing has not gone out: nothing new is begun beside it.
    gone(shop, "Bo Lee", "2 High Street", 62)
    assert run(shop, trigger_id, 1) == "busy"
    town.run_jobs()
    assert run(shop, trigger_id, 2) == "sent"
    with shop.session() as s:
        assert len({one.day for one in s.query(Posting)}) == len(list(s.query(Posting))) == 2


def test_no_more_pieces_than_the_caps_say(town: Town) -> None:
    shop = town.brands["quarry"].shops[0]
    for number in range(4):
        gone(shop, f"Ann Q{number}", f"{number} High Street", 61)
    shop.set({"trigger_per_month": 3})
    trigger_id = ordered(shop, per_day=2)
    with shop.ctx() as ctx:
        first = business_date(ctx.now(), ctx.store().zone).replace(day=1)
    said = []
    for later in range(3):
        with shop.ctx(write=True) as ctx:
            said.append(triggers.run(ctx, trigger_id, first + timedelta(days=later)))
        town.run_jobs()
    assert said == ["sent", "sent", "full"] and len(set(got(shop))) == len(got(shop)) == 3


def test_an_order_that_is_off_or_elsewhere_does_nothing(town: Town) -> None:
    shop, other = town.brands["quarry"].shops
    gone(shop, "Ann Quill", "1 High Street", 61)
    trigger_id = ordered(shop)
    with shop.ctx(write=True) as ctx:
        triggers.switch(ctx, trigger_id, False)
    assert run(shop, trigger_id) == "" and got(shop) == []
    page = other.browser().post(f"{other.tool_page}orders/{trigger_id}/switch", data={"on": "1"})
    assert page.status_code == 404
    # The office of a brand whose stores own their customers writes to nobody.
    office = town.brands["quarry"]
    answer = office.browser().post(
        f"{office.tool_page}orders", data={"name": "x", "due": "birthday", "days": "7"}
    )
    assert answer.status_code == 409
