"""A store's tools: states with reasons, switching with a dry run, setting up, faults."""

import re
from typing import Any

import pytest

from highstreet.customers import queries as customers
from highstreet.host import dispatch, faults, policy, settings, state
from web_forms import fields

CLUB = "points_club"


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def tools(front: Any) -> str:
    return f"{front.store(0)}/tools/"


def say(front: Any, level: str, note: str | None = None) -> None:
    with front.office(0, write=True) as s:
        policy.set_policy(s, CLUB, level, note=note)


def is_on(front: Any) -> bool:
    with front.session(0) as s:
        return state.is_on(s, CLUB)


def test_off_is_the_stores_choice_and_switching_shows_first_what_changes(
    front: Any, owner: Any, tools: str
) -> None:
    assert "3 off" in words(owner.get(tools))
    dry = owner.get(f"{tools}{CLUB}/switch")
    assert "What would change" in words(dry)
    assert "reads customers" in words(dry)
    assert not is_on(front)
    owner.post(f"{tools}{CLUB}/switch", f"{tools}{CLUB}/switch", {"on": "1"})
    assert is_on(front)
    assert "Switched on by Olga" in words(owner.get(tools))
    owner.post(f"{tools}{CLUB}/switch", f"{tools}{CLUB}/switch", {"on": "0"})
    assert not is_on(front)


def test_required_and_forbidden_give_the_reason_and_no_button(
    front: Any, owner: Any, tools: str
) -> None:
    say(front, "forbidden", "No contract yet")
    page = owner.get(tools)
    assert "Forbidden by head office" in words(page)
    assert "No contract yet" in words(page)
    assert f"{CLUB}/switch" not in page.text
    answer = owner.post(tools, f"{tools}{CLUB}/switch", {"on": "1"})
    assert answer.status_code == 409
    assert "No contract yet" in words(answer)
    say(front, "required")
    page = owner.get(tools)
    assert "Required by head office" in words(page)
    assert "Switch off" not in page.text


def test_a_restricted_tool_is_asked_for_withdrawn_and_refused(
    front: Any, owner: Any, manager: Any, tools: str
) -> None:
    say(front, "restricted")
    assert "Ask for it" in words(owner.get(tools))
    switch = f"{tools}{CLUB}/switch"
    owner.post(switch, switch, {"on": "1"})
    assert "Waiting for approval" in words(owner.get(tools))
    owner.press(tools, "Withdraw")
    assert "Waiting for approval" not in words(owner.get(tools))
    owner.post(switch, switch, {"on": "1"})
    desk = f"{front.head(0)}/approvals/"
    assert "Harbour 1" in words(manager.get(desk))
    manager.post(desk, f"{desk}{CLUB}/harbour-1", {"answer": "refuse", "note": "Not this year"})
    assert "Not this year" in words(owner.get(tools))
    assert not is_on(front)


def test_an_approved_tool_is_on(front: Any, owner: Any, manager: Any, tools: str) -> None:
    say(front, "restricted")
    switch, desk = f"{tools}{CLUB}/switch", f"{front.head(0)}/approvals/"
    owner.post(switch, switch, {"on": "1"})
    manager.post(desk, f"{desk}{CLUB}/harbour-1", {"answer": "approve"})
    assert is_on(front)
    assert "Nobody waits" in words(manager.get(desk))


def test_a_paused_tool_is_resumed_from_its_list(front: Any, owner: Any, tools: str) -> None:
    say(front, "required")
    with front.session(0, write=True) as s:
        policy.pause(s, CLUB)
    assert "Paused" in words(owner.get(tools))
    assert "Points club is paused" in words(owner.get(f"{front.store(0)}/"))
    owner.press(tools, "Resume")
    assert is_on(front)


def test_what_failed_is_listed(
    front: Any, owner: Any, tools: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(front, "required")
    maren = front.enrol(0, name="Maren")
    from highstreet_points_club import till

    def broken(*_args: Any) -> Any:
        raise KeyError("the till of the club is broken")

    monkeypatch.setattr(till, "club", broken)
    page = owner.get(f"{front.store(0)}/till/{maren}")
    assert page.status_code == 200
    faults = words(owner.get(f"{tools}{CLUB}/faults"))
    assert "member_club" in faults
    assert "the till of the club is broken" in faults


def test_what_a_tool_still_has_to_do_is_shown_and_can_be_tried_now(
    front: Any, owner: Any, tools: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(front, "required")
    maren = front.enrol(0, name="Maren")
    assert "What failed" not in words(owner.get(tools))
    host = front.site.house.host
    call = host.calls["purchases_recorded"][CLUB]

    def broken(*_args: Any) -> Any:
        raise KeyError("the club can't count")

    calls = host.calls["purchases_recorded"]
    with monkeypatch.context() as patched:
        patched.setitem(calls, CLUB, call._replace(function=broken))
        host.actives.clear()
        host.states._entries.clear()
        front.buy(0, maren, 6000, "R1")
    host.actives.clear()
    host.states._entries.clear()
    assert "What failed" in words(owner.get(tools))
    page = f"{tools}{CLUB}/faults"
    assert "Still to be done" in words(owner.get(page))
    assert "purchases_recorded 1 " in words(owner.get(page))
    with front.session(0, write=True) as s:
        policy.pause(s, CLUB)
    assert "once it is on again" in words(owner.get(page))
    assert "Try now" not in owner.get(page).text
    owner.press(tools, "Resume")
    assert owner.press(page, "Try now").status_code == 303
    assert "1 part is tried now" in words(owner.get(page))
    while front.site.house.runner.run_one():
        pass
    assert "Still to be done" not in words(owner.get(page))
    with front.session(0) as s:
        (answer,) = dispatch.collect(s, "customer_summary", customer=customers.get(s, maren))
    assert any("60" in row.value for row in answer.value), "sixty points for £60"


def test_settings_are_saved_for_this_store_only(front: Any, owner: Any, tools: str) -> None:
    say(front, "required")
    page = f"{tools}{CLUB}/set-up"
    form = fields(owner.get(page).text) | {"s-unit_many": "stars"}
    assert owner.post(page, page, form).status_code == 303
    with front.session(0) as s:
        found = settings.resolve(s, CLUB)
        assert found["unit_many"] == "stars"
        assert found.provenance["unit_many"].level == "store"
        assert found.provenance["pending_days"].level == "default", "only what changed is given"
    with front.session(0, 1) as s:
        assert settings.resolve(s, CLUB)["unit_many"] == "points"
    back = fields(owner.get(page).text) | {"reset-s-unit_many": "1"}
    owner.post(page, page, back)
    with front.session(0) as s:
        assert settings.resolve(s, CLUB)["unit_many"] == "points"


def test_a_locked_setting_cannot_be_changed_whatever_is_sent(
    front: Any, owner: Any, tools: str
) -> None:
    say(front, "required")
    with front.office(0, write=True) as s:
        settings.put(s, CLUB, {"pending_days": 3}, lock=["pending_days"])
    page = f"{tools}{CLUB}/set-up"
    shown = owner.get(page)
    assert "locked by head office" in words(shown)
    assert re.search(r'id="s-pending_days"[^>]*disabled', shown.text)
    owner.post(page, page, fields(shown.text) | {"s-pending_days": "0"})
    with front.session(0) as s:
        assert settings.resolve(s, CLUB)["pending_days"] == 3


def test_a_reward_is_added_changed_and_taken_out(front: Any, owner: Any, tools: str) -> None:
    say(front, "required")
    page = f"{tools}{CLUB}/set-up"
    first = {"s-rewards.0.key": "coffee", "s-rewards.0.name": "Coffee", "s-rewards.0.points": "80"}
    assert owner.post(page, page, fields(owner.get(page).text) | first).status_code == 303
    second = {"s-rewards.1.key": "lunch", "s-rewards.1.name": "Lunch", "s-rewards.1.points": "200"}
    owner.post(page, page, fields(owner.get(page).text) | second | {"s-rewards.0.points": "90"})
    with front.session(0) as s:
        found = [(r["key"], r["points"]) for r in settings.resolve(s, CLUB)["rewards"]]
    assert found == [("coffee", 90), ("lunch", 200)]
    owner.post(page, page, fields(owner.get(page).text) | {"drop-s-rewards.0": "1"})
    with front.session(0) as s:
        assert [r["key"] for r in settings.resolve(s, CLUB)["rewards"]] == ["lunch"]


def test_a_wrong_setting_is_shown_beside_its_field_and_nothing_is_saved(
    front: Any, owner: Any, tools: str
) -> None:
    say(front, "required")
    page = f"{tools}{CLUB}/set-up"
    form = fields(owner.get(page).text) | {
        "s-pending_days": "soon",
        "s-rewards.0.key": "Coffee!",
        "s-rewards.0.name": "Coffee",
        "s-rewards.0.points": "0",
    }
    answer = owner.post(page, page, form)
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert re.search(r'id="s-rewards\.0\.key"[^>]*aria-invalid="true"', answer.text)
    with front.session(0) as s:
        assert settings.resolve(s, CLUB)["rewards"] == []


def test_saving_an_untouched_form_gives_nothing(front: Any, owner: Any, tools: str) -> None:
    say(front, "required")
    page = f"{tools}{CLUB}/set-up"
    owner.post(page, page, fields(owner.get(page).text))
    with front.session(0) as s:
        levels = {one.level for one in settings.resolve(s, CLUB).provenance.values()}
    assert levels == {"default"}


def test_the_set_up_of_a_tool_that_is_off_says_why(front: Any, owner: Any, tools: str) -> None:
    answer = owner.get(f"{tools}{CLUB}/set-up")
    assert answer.status_code == 404
    assert "is not on here" in words(answer)
    assert owner.get(f"{tools}nothing_such/set-up").status_code == 404
    assert owner.get(f"{tools}nothing_such/switch").status_code == 404


def test_how_a_tool_is_doing_is_told_to_the_store_and_to_head_office(
    club: Any, owner: Any, manager: Any, tools: str
) -> None:
    page = f"{tools}{CLUB}/health"
    assert "Nothing to tell yet" in words(owner.get(page))
    ann = club.enrol(0, name="Ann Hall")
    club.buy(0, ann, 1000, "R-1")
    with club.session(0, write=True) as s:
        fault = faults.of_error(CLUB, "purchases_recorded", s.store_id, ValueError("no"), 900.0)
        faults.record(s, fault)
    club.site.house.counting.write(everything=True)
    told = owner.get(page)
    assert "purchases_recorded 2 2 1" in words(told), "a sale and a fault"
    assert "<b>900.0</b>" in told.text, "longer than a hook may take"
    assert f"{tools}{CLUB}/health" in owner.get(tools).text
    all_stores = manager.get(f"{club.head(0)}/tools/{CLUB}/health")
    assert "purchases_recorded 2 2 1" in words(all_stores)
    assert "Where it failed oftenest" in words(all_stores)
    assert f"/tools/{CLUB}/health" in manager.get(f"{club.head(0)}/tools/").text
