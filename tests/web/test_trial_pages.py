"""Settings tried on last month's purchases: in a store, and over head office's stores."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.host import faults, policy, settings, trying
from highstreet_points_club import trial
from highstreet_tenants import clock
from highstreet_tenants.errors import ToolOff
from web_forms import fields

CLUB = "points_club"
MONEY = {"key": "off", "name": "Money off", "points": 100, "kind": "money", "value_minor": 500}


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def last_month() -> datetime:
    """Noon of the last day of the last month."""
    return clock.now().replace(day=1, hour=12) - timedelta(days=1)


@pytest.fixture
def month(front: Any) -> Any:
    """In both brands: six members with 10 each in the first store, one with 7 in the second."""
    for brand in (0, 1):
        with front.office(brand, write=True) as s:
            policy.set_policy(s, CLUB, "required")
            settings.put(s, CLUB, {"rewards": [MONEY]})
        for number in range(6):
            who = front.enrol(brand, name=f"Member {number}")
            front.buy(brand, who, 1000, f"A-{number}", at=last_month())
        who = front.enrol(brand, store=1, name="Member alone")
        front.buy(brand, who, 700, "B-1", store=1, at=last_month())
    front.buy(0, None, 5000, "A-nobody", at=last_month())
    front.buy(0, UUID(str(front.enrol(0, name="Late"))), 9900, "A-today")
    return front


def pressed(browser: Any, page: str, **typed: str) -> Any:
    form = fields(browser.get(page).text) | typed | {"try": "1"}
    return browser.post(page, page, form)


def given(front: Any, brand: int = 0) -> dict[str, Any]:
    with front.session(brand) as s:
        return dict(settings.resolve(s, CLUB))


def test_an_owner_sees_what_a_rule_would_have_given_and_nothing_is_saved(
    month: Any, owner: Any
) -> None:
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    before = given(month)
    assert "Try it on last month’s purchases" in words(owner.get(page))
    answer = pressed(owner, page, **{"s-accruals.0.points": "3"})
    said = words(answer)
    assert answer.status_code == 200
    assert "Nothing is saved yet" in said
    assert re.search(r"6 Purchases of members|Purchases of members 6", said), said
    assert "Points for these purchases 60 180 +120" in said
    assert "What that is worth £3.00 £9.00 +£6.00" in said
    assert "Enough for so many times: Money off 0 1 +1" in said
    assert re.search(
        r'name="s-accruals.0.points"[^>]*value="3"|value="3"[^>]*name="s-accruals', (answer.text)
    ), "what was typed is kept"
    assert given(month) == before
    with month.session(0) as s:
        assert not faults.recent(s, CLUB)


def test_the_same_in_chinese(month: Any, owner: Any) -> None:
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    owner.post(page, "/choose/language/zh_Hans", {"next": page})
    said = words(pressed(owner, page, **{"s-accruals.0.points": "3"}))
    assert "尚未保存。" in said
    assert "60 180 +120" in said


def test_what_can_not_be_so_is_told_beside_its_field(month: Any, owner: Any) -> None:
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    answer = pressed(owner, page, **{"s-accruals.0.points": "many"})
    assert answer.status_code == 422
    assert re.search(r'id="s-accruals\.0\.points"[^>]*aria-invalid="true"', answer.text)
    assert "Nothing is saved yet" not in words(answer)


def test_a_locked_setting_stays_as_it_is(month: Any, owner: Any) -> None:
    with month.office(0, write=True) as s:
        settings.put(s, CLUB, {}, lock=["accruals"])
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    said = words(pressed(owner, page, **{"s-accruals.0.points": "3"}))
    assert "Nothing is changed in the form yet" in said
    assert "Points for these purchases 60 60 0" in said


def test_head_office_sees_all_stores_and_those_that_are_set_otherwise(
    month: Any, manager: Any
) -> None:
    with month.session(0, 1, write=True) as s:
        settings.put(s, CLUB, {"accruals": [{"mode": "visit", "points": 4}]})
    page = f"{month.head(0)}/tools/{CLUB}/settings"
    said = words(pressed(manager, page, **{"s-accruals.0.points": "2"}))
    assert "Tried in 2 stores" in said
    assert "Nothing changes in 1 of them" in said
    assert "Points for these purchases 64 124 +60" in said
    assert "set otherwise there 4 4 0" in said
    locked = words(pressed(manager, page, **{"s-accruals.0.points": "2", "lock-s-accruals": "1"}))
    assert "Points for these purchases 64 134 +70" in locked, "a lock reaches what is below"


def test_head_office_sees_nothing_of_fewer_than_five_where_people_are_the_stores(
    month: Any,
) -> None:
    head = month.person("ines", "head_office_manager", 1, None)
    page = f"{month.head(1)}/tools/{CLUB}/settings"
    said = words(pressed(head, page, **{"s-accruals.0.points": "2"}))
    assert "Points for these purchases 60 120 +60" in said
    assert re.search(r"2 – – – Reckoned", said) or "– – –" in said
    store = f"{month.store(1, 1)}/tools/{CLUB}/set-up"
    assert "Points for these purchases – – –" in words(pressed(head, store))
    mine = month.person("sia", "store_owner", 1, 1)
    assert "Points for these purchases 7 7 0" in words(pressed(mine, store))


def test_a_tool_that_is_off_is_not_tried(month: Any, owner: Any, manager: Any) -> None:
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    form = fields(owner.get(page).text) | {"try": "1"}
    with month.office(0, write=True) as s:
        policy.set_policy(s, CLUB, "forbidden")
    assert owner.post(f"{month.store(0)}/tools/", page, form).status_code == 404
    said = words(pressed(manager, f"{month.head(0)}/tools/{CLUB}/settings"))
    assert "on in no store" in said
    with month.session(0) as s, pytest.raises(ToolOff):
        trying.run(s, settings.propose(s, CLUB, {}))


def test_of_very_many_the_latest_are_reckoned_and_it_says_so(
    month: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "MOST", 4)
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    said = words(pressed(owner, page))
    assert "The month has 6 of them, too many for one look: reckoned were the 4 latest." in said
    assert "Points for these purchases 40 40 0" in said


def test_a_tool_that_fails_is_said_to_have_and_noted(
    month: Any, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial.simulation, "compare", lambda *_given: 1 / 0)
    page = f"{month.store(0)}/tools/{CLUB}/set-up"
    answer = pressed(owner, page)
    assert answer.status_code == 500
    assert "failed at trying this" in words(answer)
    with month.session(0) as s:
        assert [one.hook for one in faults.recent(s, CLUB)] == [trying.LABEL]
