"""Codes that customers bring: each counts once, whoever is first; undone it may be taken again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.kit.town import Shop, Town
from highstreet.sdk import Conflict, HighstreetError, NotFound
from highstreet_direct_mail import answers, posting, results, returns
from highstreet_direct_mail.models import Scan

from .conftest import codes, reach, send


def test_a_code_counts_once_and_brings_its_receipt(town: Town) -> None:
    shop, other = town.brands["quarry"].shops
    ann, bo = reach(shop, "Ann Quill", "1 High Street"), reach(shop, "Bo Lee", "2 High Street")
    with shop.ctx(write=True) as ctx:
        posting_id = send(ctx)
        code = codes(ctx, posting_id)
    assert set(code) == {ann.id, bo.id}
    till = shop.till()
    named = shop.buy(2_000, ann).purchase
    path = "/api/v1/tools/direct_mail/responses"
    spaced = f"{code[ann.id][:4].lower()} {code[ann.id][4:]}"
    taken = till.post(path, {"code": spaced, "pos_ref": named.pos_ref})
    assert taken.status_code == 201 and taken.json["purchase_id"] == str(named.id)
    assert (taken.json["offer"], taken.json["customer_id"]) == ("A free coffee", str(ann.id))
    again = till.post(path, {"code": code[ann.id]})
    assert again.status_code == 409 and "used already" in again.json["detail"]
    assert till.post(path, {"code": "0000000000"}).status_code == 404
    assert till.post(path, {"code": code[bo.id], "pos_ref": "none"}).status_code == 404
    assert other.till().post(path, {"code": code[bo.id]}).status_code == 404

    # Bo's code is taken before the purchase is rung up: what Bo buys there that day counts.
    assert till.post(path, {"code": code[bo.id]}).json["purchase_id"] is None
    shop.give_back(shop.buy(1_000, bo).purchase, 300)
    with shop.ctx() as ctx:
        told = results.of(ctx, posting.get(ctx, posting_id))
        assert told.by_code == results.ByCode(2, 2, 2, 2_700)
        assert told.per_answer_minor == 0
        story = [entry.kind for entry in ctx_story(shop, ann.id)]
        assert "mail-answered" in story

    undone = till.post(f"{path}/{taken.json['id']}/undo", {})
    assert undone.json["undone"] and till.post(path, {"code": code[ann.id]}).status_code == 201
    with shop.ctx() as ctx:
        assert results.of(ctx, posting.get(ctx, posting_id)).by_code.answers == 2


def ctx_story(shop: Shop, customer_id: UUID) -> Any:
    from highstreet.timeline import queries

    with shop.session() as s:
        return queries.read(s, customer_id).entries


def test_of_two_tills_with_one_code_one_wins(town: Town) -> None:
    shop = town.brands["quarry"].shops[0]
    reach(shop, "Ann Quill", "1 High Street")
    with shop.ctx(write=True) as ctx:
        (code,) = codes(ctx, send(ctx)).values()

    def take(_number: int) -> str:
        try:
            with shop.ctx(write=True) as ctx:
                answers.redeem(ctx, code)
        except HighstreetError as refusal:
            return refusal.detail
        return "taken"

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(take, range(12)))
    assert said.count("taken") == 1
    assert all("used already" in one for one in said if one != "taken")
    with shop.session() as s:
        assert len(s.query(Scan).all()) == 1


def test_head_offices_mail_is_answered_in_any_store_of_the_club(town: Town) -> None:
    office = town.brands["harbour"]
    first, second = office.shops
    ann = reach(first, "Ann Quill", "1 High Street")
    with office.ctx(write=True) as ctx:
        posting_id = send(ctx)
        (code,) = codes(ctx, posting_id).values()
    with second.ctx() as ctx:
        assert [job.offer for job, _until in answers.open_for(ctx, ann.id)] == ["A free coffee"]
        assert posting.listed(ctx) == []
    shown = second.browser("till_staff").get(f"{second.address}/till/{ann.id}").text
    assert "A free coffee" in shown and "mail-code" in shown
    with second.ctx(write=True) as ctx:
        answers.redeem(ctx, code)
    with pytest.raises(Conflict, match="used already"), first.ctx(write=True) as ctx:
        answers.redeem(ctx, code)
    with office.ctx() as ctx:
        assert results.of(ctx, posting.get(ctx, posting_id)).by_code.answers == 1
    with second.ctx() as ctx:
        assert answers.open_for(ctx, ann.id) == []


def test_after_its_last_day_a_code_is_over(town: Town, clock: Any) -> None:
    shop = town.brands["quarry"].shops[0]
    reach(shop, "Ann Quill", "1 High Street")
    with shop.ctx(write=True) as ctx:
        (code,) = codes(ctx, send(ctx, response_days=3)).values()
    clock.shift(timedelta(days=4))
    with pytest.raises(Conflict, match="offer ended on"), shop.ctx(write=True) as ctx:
        answers.redeem(ctx, code)
    clock.shift(timedelta(days=-1))
    with shop.ctx(write=True) as ctx:
        answers.redeem(ctx, code)


def test_what_came_back_is_written_to_no_more_unless_undone(town: Town) -> None:
    shop, other = town.brands["quarry"].shops
    ann = reach(shop, "Ann Quill", "1 High Street")
    with shop.ctx(write=True) as ctx:
        posting_id = send(ctx)
        (code,) = codes(ctx, posting_id).values()
    with pytest.raises(NotFound), other.ctx(write=True) as ctx:
        returns.came_back(ctx, code)
    page = shop.browser("till_staff")
    for _twice in range(2):
        answer = page.post(f"{shop.tool_page}returns", data={"code": code})
        assert answer.status_code == 303
    with shop.ctx() as ctx:
        told = results.of(ctx, posting.get(ctx, posting_id))
        assert told.waterfall.returned == 1
        (scan,) = ctx.s.query(Scan).all()
        assert scan.customer_id == ann.id
    with shop.ctx(write=True) as ctx:
        again = posting.plan(ctx, posting.Plan("Again", {}))
        posting.select(ctx, again)
        assert ctx.mailings.waterfall(posting.get(ctx, again).mailing.id).ready == 0
        returns.undo(ctx, scan.id)
        posting.select(ctx, again)
        assert ctx.mailings.waterfall(posting.get(ctx, again).mailing.id).ready == 1
