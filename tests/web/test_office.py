"""Head office: policy with its dry run, figures that show nobody, settings with locks."""

import re
from datetime import timedelta
from typing import Any

import pytest

from highstreet.host import policy, settings, state
from highstreet.web import chart
from highstreet_tenants import clock
from web_forms import fields

CLUB = "points_club"


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def office(front: Any) -> str:
    return front.head(0)


def last_week(n: int = 0) -> Any:
    """A moment in the last whole week."""
    now = clock.now()
    return now - timedelta(days=now.isoweekday() + n)


def test_a_policy_is_tried_before_it_is_saved(front: Any, manager: Any, office: str) -> None:
    page = f"{office}/tools/{CLUB}/policy"
    dry = manager.post(page, page, {"level": "required", "dry": "1", "note": "One club for all"})
    assert dry.status_code == 200
    assert "stores change 2 of 2" in words(dry)
    assert "Harbour 1" in words(dry)
    with front.session(0) as s:
        assert not state.is_on(s, CLUB)
    saved = manager.post(page, page, {"level": "required", "save": "1", "note": "One club for all"})
    assert saved.status_code == 303
    with front.session(0) as s:
        assert state.is_on(s, CLUB)
    assert "One club for all" in words(manager.get(f"{office}/tools/"))
    assert "2 of 2" in words(manager.get(f"{office}/"))


def test_a_region_narrows_and_cannot_widen(front: Any, manager: Any, office: str) -> None:
    with front.office(0, write=True) as s:
        policy.set_policy(s, CLUB, "restricted")
    page = f"{office}/tools/{CLUB}/policy"
    shown = manager.get(f"{page}?region=coast").text
    assert re.search(r'id="level-required"[^>]*disabled', shown)
    assert not re.search(r'id="level-forbidden"[^>]*disabled', shown)
    wider = manager.post(page, page, {"region": "coast", "level": "required", "save": "1"})
    assert wider.status_code == 409
    assert "may only narrow" in words(wider)
    manager.post(page, page, {"region": "coast", "level": "forbidden", "save": "1"})
    assert "Coast: Forbidden" in words(manager.get(f"{office}/tools/"))
    manager.post(page, page, {"region": "coast", "level": "", "save": "1"})
    assert "Coast: Forbidden" not in words(manager.get(f"{office}/tools/"))


def test_a_level_or_region_that_does_not_exist_is_refused(
    front: Any, manager: Any, office: str
) -> None:
    page = f"{office}/tools/{CLUB}/policy"
    assert manager.post(page, page, {"level": "loved", "save": "1"}).status_code == 422
    assert manager.get(f"{page}?region=atlantis").status_code == 404
    assert manager.get(f"{office}/tools/nothing_such/policy").status_code == 404


def test_brand_settings_are_locked_for_the_stores(
    front: Any, manager: Any, owner: Any, office: str
) -> None:
    with front.office(0, write=True) as s:
        policy.set_policy(s, CLUB, "required")
    page = f"{office}/tools/{CLUB}/settings"
    answer = manager.post(
        page, page, {"s-unit_one": "star", "s-unit_many": "stars", "lock-s-unit_many": "1"}
    )
    assert answer.status_code in (303, 422)
    form = fields(manager.get(page).text) | {"s-unit_many": "stars", "lock-s-unit_many": "1"}
    assert manager.post(page, page, form).status_code == 303
    with front.session(0) as s:
        source = settings.resolve(s, CLUB).provenance["unit_many"]
        assert (settings.resolve(s, CLUB)["unit_many"], source.locked) == ("stars", True)
    set_up = owner.get(f"{front.store(0)}/tools/{CLUB}/set-up").text
    assert re.search(r'id="s-unit_many"[^>]*disabled', set_up)
    manager.post(page, page, fields(manager.get(page).text))
    with front.session(0) as s:
        assert not settings.resolve(s, CLUB).provenance["unit_many"].locked


def test_figures_of_few_people_are_left_out(front: Any) -> None:
    """Four members could be guessed at; five can't."""
    head = front.person("hugo", "head_office_manager", 1, None)
    office = front.head(1)
    for n in range(4):
        who = front.enrol(1, name=f"Customer {n}")
        front.buy(1, who, 1000, f"r-{n}", at=last_week())
    assert "£10" not in words(head.get(f"{office}/results/"))
    fifth = front.enrol(1, name="Customer 5")
    front.buy(1, fifth, 1000, "r-5", at=last_week())
    page = words(head.get(f"{office}/results/"))
    assert "Quarry 1" in page
    assert "£50" in page
    assert "Customer" not in page


def test_a_tool_has_news_for_head_office_where_it_is_on(
    app: Any, front: Any, manager: Any, office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces = app.extensions["highstreet"].host.plugins[CLUB].plugin.slots
    monkeypatch.setitem(pieces, "office.news", lambda ctx: f"<b>{ctx.brand.name}</b> has news")
    assert "has news" not in words(manager.get(f"{office}/"))
    with front.office(0, write=True) as s:
        policy.set_policy(s, CLUB, "required")
    assert "From your tools &lt;b&gt;" in words(manager.get(f"{office}/"))


def test_overview_and_store_pages_show_sums_only(front: Any) -> None:
    head = front.person("hugo", "head_office_manager", 1, None)
    for n in range(6):
        who = front.enrol(1, name=f"Secretname {n}", card=f"4071000{n}")
        front.buy(1, who, 1000, f"r-{n}", at=last_week())
    for path in ("/", "/stores/", "/stores/quarry-1", "/results/", "/charts/visits.svg"):
        answer = head.get(front.head(1) + path)
        assert answer.status_code == 200, path
        assert "Secretname" not in answer.text
        assert "4071000" not in answer.text


def test_one_brands_head_office_is_blind_to_the_other(front: Any, manager: Any) -> None:
    for path in ("/", "/stores/", "/tools/", "/results/", "/approvals/", "/jobs/", "/settings/"):
        assert manager.get(front.head(1) + path).status_code == 404, path
        assert manager.get(front.head(0) + path).status_code == 200, path
    assert manager.get(f"{front.head(0)}/stores/quarry-1").status_code == 404


def test_stores_are_found_by_name_and_number(front: Any, manager: Any, office: str) -> None:
    assert "Harbour 2" in words(manager.get(f"{office}/stores/?q=our 2"))
    assert "Harbour 1" not in words(manager.get(f"{office}/stores/?q=our 2"))
    assert "Harbour 1" in words(manager.get(f"{office}/stores/?q=101"))
    assert "No store with %" in words(manager.get(f"{office}/stores/?q=%"))
    assert manager.get(f"{office}/stores/?page=999999999999").status_code == 200


def test_marketing_looks_and_does_not_decide(front: Any, office: str) -> None:
    looker = front.person("mia", "head_office_marketing", 0, None)
    assert looker.get(f"{office}/").status_code == 200
    assert looker.get(f"{office}/tools/").status_code == 200
    assert looker.get(f"{office}/tools/{CLUB}/policy").status_code == 403
    assert "/policy" not in looker.get(f"{office}/tools/").text


def test_the_chart_says_what_it_shows_and_keeps_to_its_frame() -> None:
    from flask import Flask

    from highstreet import i18n

    app = Flask("x")
    i18n.init_app(app)
    with app.test_request_context():
        picture = chart.line_chart(
            "Visits <& more>",
            ["2 Mar", "9 Mar", "16 Mar"],
            [chart.Line("All", [10, None, 2000]), chart.Line("Members", [0, 5, 1990], main=True)],
            "#c8102e",
            narrow=False,
        )
    assert "<title>Visits &lt;&amp; more&gt;</title>" in picture
    heights = [float(y) for y in re.findall(r'points="[^"]*?,([\d.]+)', picture)]
    assert all(0 <= y <= 240 for y in heights)
    names = [float(y) for y in re.findall(r'class="t" x="[^"]+" y="([^"]+)"', picture)]
    assert abs(names[0] - names[1]) >= 16


def test_results_of_many_stores_come_page_by_page_and_whole_as_a_file(
    app: Any, front: Any, manager: Any, office: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("highstreet.web.office.results.PER_PAGE", 1)
    for store, many in ((0, 5), (1, 6)):
        for n in range(many):
            who = front.enrol(0, store, name=f"Secretname {store}{n}")
            front.buy(0, who, 1000, f"r-{n}", store, at=last_week())
    first = manager.get(f"{office}/results/")
    assert "Harbour 2" in words(first)
    assert "Harbour 1" not in words(first)
    (more,) = re.findall(r'href="([^"]*/results/\?page=1)"', first.text)
    second = manager.get(more)
    assert "Harbour 1" in words(second)
    assert "page=2" not in second.text
    sheet = manager.get(f"{office}/results/stores.csv")
    assert sheet.mimetype == "text/csv"
    lines = sheet.text.removeprefix("\ufeff").splitlines()
    assert lines[0] == (
        "store,code,from,to,members,member_visits,visits,currency,sales,member_sales"
    )
    assert [line.split(",")[0] for line in lines[1:]] == ["Harbour 2", "Harbour 1"]
    assert lines[1].endswith(",6,6,6,GBP,60.00,60.00")
    assert "Secretname" not in sheet.text


def test_a_file_of_results_hides_what_the_page_hides(front: Any, manager: Any, office: str) -> None:
    for n in range(2):
        front.buy(0, front.enrol(0, name=f"Somebody {n}"), 1000, f"r-{n}", at=last_week())
    (line,) = manager.get(f"{office}/results/stores.csv").text.splitlines()[1:]
    assert line.startswith("Harbour 1,")
    assert line.endswith(",,,,GBP,,")


def test_all_stores_and_the_state_of_their_tools_are_a_file(club: Any, manager: Any) -> None:
    with club.session(0, 1, write=True) as s:
        policy.pause(s, CLUB)
    file = manager.get(f"{club.head(0)}/stores/all.csv")
    assert file.mimetype == "text/csv"
    header, *lines = [line.split(",") for line in file.text.lstrip("\ufeff").splitlines()]
    states = {line[0]: line[header.index(CLUB)] for line in lines}
    assert states == {"Harbour 1": "required", "Harbour 2": "paused"}
    assert "quarry" not in file.text.lower()
