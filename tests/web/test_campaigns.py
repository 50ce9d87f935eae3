"""Campaigns in the browser: head office drafts, approves, launches and stops; stores answer."""

import re
from datetime import timedelta
from typing import Any

import pytest

from campaigning import double as week
from campaigning import go_through, launched
from highstreet.campaigns import queries
from highstreet_tenants import clock

CLUB = "points_club"


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def double(**given: Any) -> Any:
    """Double points for a week from tomorrow on."""
    first = clock.business_date(clock.now(), "Europe/London") + timedelta(days=1)
    return week(**{"first_day": first, "last_day": first + timedelta(days=6), **given})


def filled(**given: str) -> dict[str, Any]:
    """The form as a browser sends it."""
    wanted = double()
    return {
        "does": "points_club.multiply",
        "name": "Double points week",
        "description": "Posters come on Friday",
        "first_day": wanted.first_day.isoformat(),
        "last_day": wanted.last_day.isoformat(),
        "reach": "brand",
        "participation": "opt_out",
        "s-percent": "200",
        "s-min_minor": "0.00",
        "bound-percent": "1",
        "s-low.percent": "150",
        "s-high.percent": "300",
        **given,
    }


def the_one(front: Any, brand: int = 0) -> Any:
    with front.office(brand) as s:
        (found,) = queries.listed(s)
        return found


def test_from_draft_to_stop(club: Any, manager: Any, owner: Any) -> None:
    marketing = club.person("imke", "head_office_marketing", 0, None)
    home = f"{club.head(0)}/campaigns"
    assert "No campaigns yet" in words(marketing.get(f"{home}/"))
    assert "More points for every purchase" in words(marketing.get(f"{home}/new"))
    form = f"{home}/new?does=points_club.multiply"
    saved = marketing.post(form, f"{home}/new", filled())
    assert saved.status_code == 303
    campaign = the_one(club)
    assert campaign.store_fields == {"percent": {"min": 150, "max": 300}}
    page = f"{home}/{campaign.id}"
    draft = words(marketing.get(page))
    assert "would take part 2 of 2 in reach" in draft and "stores may go from 150 to 300" in draft
    assert "Double points" in draft and "Imke" in draft
    # Who drafts does not approve, and what is not approved is not launched.
    assert marketing.post(page, f"{page}/approve", {}).status_code in (403, 404)
    assert "Only what is approved" in words(marketing.post(page, f"{page}/launch", {}))
    stale = {"seen": "2020-01-01T00:00:00+00:00"}
    assert "changed meanwhile" in words(manager.post(page, f"{page}/approve", stale))
    seen = re.search(r'name="seen" value="([^"]+)"', manager.get(page).text)
    assert seen is not None
    assert manager.post(page, f"{page}/approve", {"seen": seen[1]}).status_code == 303
    assert marketing.post(page, f"{page}/launch", {}).status_code == 303
    go_through(club.site.tenancy, club.brands[0], campaign.id)

    day = words(owner.get(f"{club.store(0)}/"))
    assert "Double points week" in day and "You take part unless you say no" in day
    there = f"{club.store(0)}/campaigns/{campaign.id}"
    assert owner.post(there, f"{there}/answer", {"joins": "0"}).status_code == 303
    assert "You said no: Olga said no on" in words(owner.get(there))
    assert "Harbour 1" in words(manager.get(page)) and "Said no" in words(manager.get(page))
    assert owner.post(there, f"{there}/answer", {"joins": "1"}).status_code == 303

    sheet = manager.get(f"{page}/stores.csv")
    assert sheet.mimetype == "text/csv" and "Harbour 1,101,yes" in sheet.text
    assert "Double points week" in words(manager.get(f"{club.head(0)}/"))
    stopped = manager.post(page, f"{page}/stop", {"reason": "Posters are late"})
    assert stopped.status_code == 303
    assert "Stopped by Hana" in words(manager.get(page))
    assert "Posters are late" in words(owner.get(there))
    assert "It is over already" not in words(manager.get(page))


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"name": ""}, "This is needed"),
        ({"first_day": ""}, "This is needed"),
        ({"first_day": "soon"}, "This is not a date"),
        ({"s-percent": "twice"}, "Use a whole number"),
        ({"s-percent": "50"}, "Use a number from 101 to 1000"),
        ({"s-min_minor": "a lot"}, "amount"),
        ({"s-low.percent": ""}, "from which to which"),
        ({"s-high.percent": "5000"}, "Use a number from 101 to 1000"),
        ({"reach": "stores", "stores": "999"}, "no stores with these numbers: 999"),
        ({"reach": "regions"}, "Choose at least one"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_typed_is_lost(
    club: Any, manager: Any, sent: dict[str, str], said: str
) -> None:
    home = f"{club.head(0)}/campaigns"
    form = f"{home}/new?does=points_club.multiply"
    answer = manager.post(form, f"{home}/new", filled(**sent))
    assert answer.status_code == 422
    assert said in words(answer) and "Posters come on Friday" in answer.text
    with club.office(0) as s:
        assert queries.listed(s) == []


def test_a_draft_is_changed_and_an_approval_is_void(club: Any, manager: Any) -> None:
    home = f"{club.head(0)}/campaigns"
    form = f"{home}/new?does=points_club.multiply"
    stores = filled(reach="stores", stores="101, 102")
    manager.post(form, f"{home}/new", stores)
    page = f"{home}/{the_one(club).id}"
    manager.post(page, f"{page}/approve", {})
    edit = manager.get(f"{page}/edit").text
    assert "101\n102" in edit and 'value="150"' in edit and "takes the approval away" in edit
    changed = {**stores, "stores": "102", "s-percent": "300"}
    assert manager.post(f"{page}/edit", f"{page}/edit", changed).status_code == 303
    assert "needs approval again" in manager.get(page).text
    assert the_one(club).status == "draft" and the_one(club).terms["percent"] == 300
    assert manager.post(page, f"{page}/discard", {}).status_code == 303
    with club.office(0) as s:
        assert queries.listed(s) == []


def test_a_store_changes_its_own_terms(club: Any, owner: Any) -> None:
    campaign_id = launched(
        club.site.tenancy, club.brands[0], double(bounds={"percent": {"min": 150, "max": 300}})
    )
    page = f"{club.store(0)}/campaigns/{campaign_id}"
    assert "From 150 to 300." in words(owner.get(page))
    wrong = owner.post(page, f"{page}/terms", {"s-percent": "999"})
    assert wrong.status_code == 422 and "Stay from 150 to 300" in words(wrong)
    assert 'value="999"' in wrong.text
    assert owner.post(page, f"{page}/terms", {"s-percent": "300"}).status_code == 303
    assert "Triple points" in words(owner.get(page)) and "your own" in words(owner.get(page))
    assert owner.post(page, f"{page}/terms", {"reset": "1"}).status_code == 303
    assert "Double points" in words(owner.get(page))
    refused = owner.post(page, f"{page}/answer", {"joins": "0"})
    assert refused.status_code == 409 and "Head office requires it" in words(refused)


def test_till_and_member_see_that_it_runs(club: Any, clerk: Any, manager: Any) -> None:
    today = clock.business_date(clock.now(), "Europe/London")
    campaign_id = launched(club.site.tenancy, club.brands[0], double(first_day=today))
    till = words(clerk.get(f"{club.store(0)}/till/"))
    assert "Double points Double points week, until" in till
    who = club.enrol(0, name="Maren Lind")
    club.buy(0, who, 1000, "r1")
    assert "Double points week: +10" in words(clerk.get(f"{club.store(0)}/customers/{who}"))
    page = words(manager.get(f"{club.head(0)}/campaigns/{campaign_id}"))
    assert "purchases 1 points given 10" in page


def test_who_may_not_sees_nothing(club: Any, clerk: Any, owner: Any) -> None:
    campaign_id = launched(club.site.tenancy, club.brands[0], double(participation="opt_out"))
    head = f"{club.head(0)}/campaigns"
    for address in (f"{head}/", f"{head}/new", f"{head}/{campaign_id}"):
        assert owner.get(address).status_code in (403, 404)
    there = f"{club.store(0)}/campaigns/{campaign_id}"
    assert "Decline" not in words(clerk.get(there))  # till staff see it and have no say
    assert clerk.post(there, f"{there}/answer", {"joins": "0"}).status_code in (403, 404)
    stranger = club.person("sam", "store_owner", 1)
    assert stranger.get(f"{club.store(1)}/campaigns/{campaign_id}").status_code == 404
    other = club.person("hal", "head_office_manager", 1, None)
    assert other.get(f"{club.head(1)}/campaigns/{campaign_id}").status_code == 404
