"""A store's own results: figures against the weeks before, who comes back, the file."""

import csv
import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine

from highstreet_tenants import clock
from highstreet_tenants.models import Store
from highstreet_tenants.scopes import Scope
from people_site import Browser


def shown(answer: Any) -> str:
    """A page's words without its marks."""
    text = re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1])
    return " ".join(text.replace("\u202f", " ").split()).replace("\u202f", " ")


@pytest.fixture
def weeks(club: Any) -> Any:
    """Last week: Anna twice, Otto once, one stranger. The week thirteen weeks ago: one sale."""
    today = clock.now().replace(hour=12)
    sunday = today - timedelta(days=today.isoweekday())
    anna, otto = (club.enrol(0, name=n, at=today - timedelta(days=400)) for n in ("Anna", "Otto"))
    club.buy(0, anna, 3000, "1", at=sunday)
    club.buy(0, anna, 1000, "2", at=sunday - timedelta(days=2))
    club.buy(0, otto, 2000, "3", at=sunday)
    club.buy(0, None, 2000, "4", at=sunday)
    club.buy(0, otto, 500, "5", at=sunday - timedelta(weeks=30))
    return sunday.date()


def test_the_weeks_in_figures(club: Any, owner: Browser, weeks: Any) -> None:
    page = shown(owner.get(f"{club.store(0)}/results/"))
    for told in (
        "12 weeks to",
        "visits 4 3 by members",
        "of all sales are members’ 75 % £60 of £80",
        "spent at a member’s visit £20.00 others £20.00",
        "came again within 12 weeks 50 % 1 of 2 members who came",
        "points given 60",
        "The best member £40 67 % 50 %",
    ):
        assert told in page


def test_a_redeemed_reward_is_in_the_figures(club: Any, owner: Browser) -> None:
    maren = club.enrol(0, name="Maren")
    club.buy(0, maren, 6000, "m")
    page = f"{club.store(0)}/till/{maren}"
    owner.press(page, "<kbd>1</kbd><span>Coffee", {"reward": "coffee"})
    with time_machine.travel(clock.now() + timedelta(days=8), tick=False):
        later = club.site.browser("olga@people.example")
        found = shown(later.get(f"{club.store(0)}/results/"))
    # the tool answers period_figures
    assert "points given 60 points redeemed 10 rewards handed over 1" in found


def test_nothing_is_compared_with_weeks_before_the_first_sale(
    club: Any, owner: Browser, weeks: Any
) -> None:
    assert "▲" not in shown(owner.get(f"{club.store(0)}/results/?weeks=52"))
    assert "▲" not in shown(owner.get(f"{club.store(0)}/results/?weeks=12"))
    before = clock.now() - timedelta(weeks=13)
    club.buy(0, None, 4000, "before", at=before)
    assert "▲ 300 %" in shown(owner.get(f"{club.store(0)}/results/"))


def test_the_period_can_be_chosen_and_nonsense_is_the_usual_one(
    club: Any, owner: Browser, weeks: Any
) -> None:
    for asked, told in (("4", "four weeks to"), ("52", "52 weeks to"), ("7", "12 weeks to")):
        assert told in shown(owner.get(f"{club.store(0)}/results/?weeks={asked}"))
    for nonsense in ("-4", "x", "٤", "9" * 99, ""):
        assert "12 weeks to" in shown(owner.get(f"{club.store(0)}/results/?weeks={nonsense}"))
    year = owner.get(f"{club.store(0)}/results/?weeks=52").text
    assert "Visits in four weeks" in year
    assert len(re.findall(r'<th class="num" scope="col">\w', year.split('<h2 id="few"')[0])) == 13


def test_the_picture_has_its_figures_beneath(club: Any, owner: Browser, weeks: Any) -> None:
    page = owner.get(f"{club.store(0)}/results/").text
    found = re.search(r'<img class="hs-chart[^>]* src="([^"]+)"[^>]* alt="([^"]+)"', page)
    assert found is not None
    assert "The figures are in the table below" in found[2]
    picture = owner.get(found[1].replace("&amp;", "&"))
    assert picture.mimetype == "image/svg+xml"
    assert "<title>Visits by week</title>" in picture.text
    assert '<td class="num">3</td>' in page


def test_the_file_holds_the_weeks_and_runs_nothing(club: Any, owner: Browser, weeks: Any) -> None:
    it = club.brands[0]
    with club.site.tenancy.session(Scope.operator(it.id), write=True) as s:
        s.get_one(Store, (it.id, it.stores[0].id)).name = "=HYPERLINK(1)"
    answer = owner.get(f"{club.store(0)}/results/weeks.csv?weeks=4")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(rows) == 4
    last = rows[-1]
    assert last["store"] == "'=HYPERLINK(1)"
    assert last["to"] == weeks.isoformat()
    assert (last["visits"], last["member_visits"], last["members"]) == ("4", "3", "2")
    assert (last["sales"], last["member_sales"], last["currency"]) == ("80.00", "60.00", "GBP")


def test_a_store_without_sales_is_told_where_they_come_from(club: Any, owner: Browser) -> None:
    page = shown(owner.get(f"{club.store(0)}/results/"))
    assert "No purchases in these weeks" in page
    assert "To the till" in page
    assert owner.get(f"{club.store(0)}/results/weeks.csv").status_code == 200
    assert owner.get(f"{club.store(0)}/results/visits.svg").status_code == 200


def test_a_store_that_sold_nothing_lately_shows_its_last_weeks(club: Any, owner: Browser) -> None:
    club.buy(0, None, 4000, "old", at=clock.now() - timedelta(weeks=40))
    assert "visits 1 0 by members" in shown(owner.get(f"{club.store(0)}/results/"))


def test_few_people_are_not_hidden_from_the_stores_own_and_head_office_sees_none(
    club: Any, shopkeeper: Browser, clerk: Browser
) -> None:
    ines = club.enrol(1, name="Ines")
    club.buy(1, ines, 900, "1", at=clock.now() - timedelta(days=clock.now().isoweekday()))
    assert "The best member £9" in shown(shopkeeper.get(f"{club.store(1)}/results/"))
    hana = club.person("hana", "head_office_manager", 1, None)
    marketing = club.person("imke", "head_office_marketing", 1, None)
    for stranger in (hana, marketing):
        for page in ("", "visits.svg", "weeks.csv"):
            assert stranger.get(f"{club.store(1)}/results/{page}").status_code == 403
    assert clerk.get(f"{club.store(0)}/results/").status_code == 403


def test_results_are_in_the_bar_of_who_may_see_them(
    club: Any, owner: Browser, clerk: Browser
) -> None:
    assert f'href="{club.store(0)}/results/"' in owner.get(f"{club.store(0)}/").text
    assert f'href="{club.store(0)}/results/"' not in clerk.get(f"{club.store(0)}/").text
