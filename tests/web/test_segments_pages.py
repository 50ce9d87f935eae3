"""Segments in the consoles: made, changed, counted, looked into, taken out of use; no scripts."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from html import unescape

import pytest
import sqlalchemy as sa

from highstreet.segments import queries, service
from highstreet.segments.rules import All, Bought, Field, InSegment, Not, OneOf, dump
from highstreet_tenants import clock
from highstreet_tenants.trail.models import TrailEntry
from people_site import Browser


@pytest.fixture
def people(front):
    """Ana spent 40.00, Bo 5.00, Cy nothing; all of harbour's first store."""
    found = {name: front.enrol(0, name=name) for name in ("Ana", "Bo", "Cy")}
    front.buy(0, found["Ana"], 4000, "1", at=clock.now() - timedelta(days=90))
    front.buy(0, found["Bo"], 500, "2")
    return found


def make(front, rule, name="Spenders", brand=0, office=False):
    with front.office(brand, write=True) if office else front.session(brand, write=True) as s:
        return service.save(s, name=name, rule=rule).id


SPENT = Field("customer.spent", "at_least", 1000)


def typed(page: str) -> dict[str, list[str]]:
    """What the form of a page would send, but for its buttons."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name = re.search(r' name="([^"]*)"', tag)
        value = re.search(r' value="([^"]*)"', tag)
        if name and ("checkbox" not in tag or " checked" in tag):
            found.setdefault(name[1], []).append(unescape(value[1]) if value else "")
    for name, body in re.findall(r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', body)
        found[name] = [unescape(chosen[1]) if chosen else ""]
    for name, body in re.findall(
        r'<textarea[^>]* name="([^"]*)"[^>]*>(.*?)</textarea>', page, re.S
    ):
        found[name] = [unescape(body.removeprefix("\n"))]
    return found


def post(browser: Browser, front, path: str, data=None):
    """Post to an address with the token of a page that everybody may open."""
    return browser.post("/me", path, data)


def press(browser: Browser, url: str, page: str, do: str, **changed: str):
    """Press a button of the form with what is in it, changed as a person would."""
    values = typed(page) | {name.replace("_", "-"): [value] for name, value in changed.items()}
    return browser.client.post(url, data={**values, "do": do})


def test_a_segment_is_made_step_by_step_without_scripts(front, owner, people):
    url = f"{front.store(0)}/segments/new"
    page = owner.get(url).text
    page = press(owner, url, page, "add-0", g0_what="field:customer.spent").text
    assert "Spent" in page or "spent" in page
    wrong = press(owner, url, page, "save", name="Spenders", g0_r0_value="ten")
    assert wrong.status_code == 422
    assert 'value="ten"' in wrong.text and 'value="Spenders"' in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    counted = press(owner, url, wrong.text, "count", g0_r0_value="10.00")
    assert counted.status_code == 200
    assert "of 3 customers" in counted.text and "Ana" in counted.text
    assert "Bo<" not in counted.text
    with front.session(0) as s:
        assert queries.listed(s) == []
    page = press(owner, url, counted.text, "group").text
    page = press(owner, url, page, "add-1", g1_what="bought", g1="none").text
    saved = press(owner, url, page, "save", g1_r0_days="30")
    assert saved.status_code == 303, saved.text
    with front.session(0) as s:
        (kept,) = queries.listed(s)
    assert kept.rule == All((SPENT, Not(Bought(in_last_days=30))))
    shown = owner.get(saved.headers["Location"]).text
    assert "Not:" in shown and "Bought something, within the last 30 days" in shown
    assert "Ana" in shown


def test_conditions_and_groups_are_taken_away_again(front, owner, people):
    rule = All((SPENT, OneOf((Field("customer.name", "contains", "a"), Bought()))))
    url = f"{front.store(0)}/segments/{make(front, rule)}/edit"
    page = owner.get(url).text
    page = press(owner, url, page, "remove-1-0").text
    saved = press(owner, url, page, "save")
    assert saved.status_code == 303
    with front.session(0) as s:
        assert queries.listed(s)[0].rule == All((SPENT, OneOf((Bought(),))))
    page = owner.get(url).text
    page = press(owner, url, page, "drop-1").text
    assert press(owner, url, page, "save").status_code == 303
    with front.session(0) as s:
        assert queries.listed(s)[0].rule == All((SPENT,))


RULES = [
    All(()),
    SPENT,
    All((SPENT, Field("customer.spent", "between", [100, 5050]))),
    OneOf((Field("customer.name", "one_of", ["Ana", "Bo"]), Field("customer.name", "empty"))),
    Not(OneOf((Bought(departments=("Oil", "Tyres"), times=2), Bought(at_least_minor=1250)))),
    Not(All((SPENT, Bought(in_last_days=7)))),
    All(
        (
            Field("customer.birthday", "anniversary_month", 3),
            Not(Field("customer.joined_at", "before", "2026-05-14")),
        )
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
def test_a_rule_comes_out_of_its_form_as_it_went_in(front, owner, people, rule):
    kept = make(front, rule)
    with front.session(0) as s:
        before = queries.counted(s, rule).people
    url = f"{front.store(0)}/segments/{kept}/edit"
    assert press(owner, url, owner.get(url).text, "save").status_code == 303
    with front.session(0) as s:
        after = queries.get(s, kept).rule
        assert queries.counted(s, after).people == before
    assert press(owner, url, owner.get(url).text, "save").status_code == 303
    with front.session(0) as s:
        assert queries.get(s, kept).rule == after


def test_a_rule_that_no_form_can_show_is_text(front, owner, people):
    rule = OneOf((All((SPENT, OneOf((Bought(), SPENT)))), SPENT))
    url = f"{front.store(0)}/segments/{make(front, rule)}/edit"
    page = owner.get(url).text
    assert "nests deeper" in page and "At least one of these:" in page
    bad = press(owner, url, page, "save", json='{"is": "all"')
    assert bad.status_code == 422
    assert "not JSON" in bad.text
    bad = press(owner, url, page, "save", json='{"is": "every"}')
    assert bad.status_code == 422
    changed = All((rule.of[0], Bought()))
    assert press(owner, url, page, "save", json=json.dumps(dump(changed))).status_code == 303
    with front.session(0) as s:
        assert queries.listed(s)[0].rule == changed
    page = owner.get(url).text
    shown = press(owner, url, page, "count", json=json.dumps(dump(SPENT)))
    assert 'name="g0-r0"' in shown.text


def test_text_that_was_changed_counts_in_place_of_the_rows(front, owner, people):
    url = f"{front.store(0)}/segments/{make(front, SPENT)}/edit"
    page = owner.get(url).text
    rule = dump(Field("customer.name", "is", "Bo"))
    assert press(owner, url, page, "save", json=json.dumps(rule)).status_code == 303
    with front.session(0) as s:
        assert queries.listed(s)[0].rule == Field("customer.name", "is", "Bo")


def test_the_list_counts_only_when_asked(front, owner, people):
    one = make(front, SPENT)
    make(front, Not(InSegment(one)), "Others")
    url = f"{front.store(0)}/segments/"
    page = owner.get(url).text
    assert "Spenders" in page and "Count them now" in page and "At risk" in page
    assert 'data-label="People"' not in page
    counted = owner.get(f"{url}?count=1").text
    assert re.findall(r'data-label="People">(\d+)<', counted) == ["2", "1"]
    assert re.findall(r'data-label="Uses">(\d+)<', counted) == ["0", "1"]


def test_why_somebody_is_in_it(front, owner, people):
    one = make(front, All((SPENT, Not(Bought(in_last_days=30)))))
    url = f"{front.store(0)}/segments/{one}/who"
    page = owner.get(f"{url}?q=Ana").text
    assert "Is in it" in page
    assert "Known: £40.00" in page
    page = owner.get(f"{url}?q=Bo").text
    assert "Is not in it" in page and "does not hold" in page
    assert "Nobody with" in owner.get(f"{url}?q=Zed").text


def test_it_is_frozen_taken_out_of_use_and_back(front, owner, people):
    one = make(front, SPENT)
    url = f"{front.store(0)}/segments/{one}"
    kept = post(owner, front, f"{url}/freeze", {"name": "Ana today"})
    assert "Ana today" in owner.get(kept.headers["Location"]).text
    assert "Nothing yet." in owner.get(url).text
    make(front, Not(InSegment(one)), "Others")
    assert "Others" in owner.get(f"{url}/retire").text
    post(owner, front, f"{url}/retire")
    with front.session(0) as s:
        assert not queries.get(s, one).retired
        others = next(each for each in queries.listed(s) if each.name == "Others")
    post(owner, front, f"{front.store(0)}/segments/{others.id}/retire")
    assert post(owner, front, f"{url}/retire").status_code == 303
    assert "Out of use" in owner.get(url).text
    post(owner, front, f"{url}/restore")
    assert "Out of use" not in owner.get(url).text


def test_the_people_as_a_file_with_formulas_defused(front, shopkeeper, people):
    who = front.enrol(1, name="=1+1")
    front.buy(1, who, 5000, "9")
    one = make(front, SPENT, brand=1)
    answer = post(shopkeeper, front, f"{front.store(1)}/segments/{one}/people.csv")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row[0] for row in rows] == ["name", "'=1+1"]
    with front.session(1) as s:
        told = s.scalars(sa.select(TrailEntry).where(TrailEntry.action == "customers.exported"))
        assert [(each.object_id, each.details) for each in told] == [(one, {"people": 1})]


def test_a_store_of_the_club_exports_nobody(front, owner, people):
    one = make(front, SPENT)
    assert "spreadsheet" not in owner.get(f"{front.store(0)}/segments/{one}").text
    assert post(owner, front, f"{front.store(0)}/segments/{one}/people.csv").status_code == 403


def test_a_store_makes_its_own_of_head_offices(front, owner, people):
    one = make(front, SPENT, "All over", office=True)
    page = owner.get(f"{front.store(0)}/segments/{one}").text
    assert "Head office’s" in page and "Begin with this one" in page
    assert post(owner, front, f"{front.store(0)}/segments/{one}/retire").status_code == 303
    url = f"{front.store(0)}/segments/new"
    page = owner.get(f"{url}?of={one}").text
    assert press(owner, url, page, "save", name="Mine").status_code == 303
    with front.session(0) as s:
        assert {(each.name, each.store_id is None) for each in queries.listed(s)} == {
            ("All over", True),
            ("Mine", False),
        }
    assert press(owner, url, page, "save", name="Mine").status_code == 422


def test_ready_made_ones_are_looked_at_and_made_ones_own(front, owner, people):
    assert "of 3 customers" in owner.get(f"{front.store(0)}/segments/ready/lapsed").text
    assert owner.get(f"{front.store(0)}/segments/ready/nothing").status_code == 404
    for ready in ("satisfied", "birthday", "key"):
        url = f"{front.store(0)}/segments/new"
        page = owner.get(f"{url}?ready={ready}").text
        assert "nests deeper" not in page
        assert press(owner, url, page, "save").status_code == 303


def test_head_office_writes_rules_and_sees_nobody_where_stores_own_their_customers(front, people):
    head = front.person("mara", "head_office_marketing", 1, None)
    front.buy(1, front.enrol(1, name="Secret Person"), 5000, "9")
    url = f"{front.head(1)}/segments/new"
    page = head.get(url).text
    assert "each store counts for itself" in page
    page = press(head, url, page, "add-0", g0_what="field:customer.spent").text
    page = press(head, url, page, "count", g0_r0_value="10").text
    assert "In words" in page and "of 1 customer" not in page
    saved = press(head, url, page, "save", name="Spenders")
    assert saved.status_code == 303
    one = saved.headers["Location"]
    assert "Secret" not in head.get(one).text
    assert head.get(f"{one}/who?q=Secret").status_code == 403
    assert post(head, front, f"{one}/people.csv").status_code == 403
    assert post(head, front, f"{one}/freeze", {"name": "x"}).status_code == 403
    with front.session(1) as s:
        assert queries.count(s, queries.listed(s)[0].rule) == 1
    named = {"is": "people", "ids": [str(front.enrol(1, name="Other Person"))]}
    refused = press(head, url, head.get(url).text, "count", json=json.dumps(named))
    assert refused.status_code in (200, 422)
    assert head.get(f"{front.store(1)}/segments/").status_code in (403, 404)


def test_marketing_of_a_club_counts_and_does_not_see(front, people):
    head = front.person("mara", "head_office_marketing", 0, None)
    one = make(front, SPENT, office=True)
    page = head.get(f"{front.head(0)}/segments/{one}").text
    assert "of 3 customers" in page and "Ana" not in page


def test_till_staff_have_no_segments(front, clerk):
    assert clerk.get(f"{front.store(0)}/segments/").status_code == 403


def test_the_customers_page_says_which_on_request(front, owner, people):
    make(front, SPENT)
    page = owner.get(f"{front.store(0)}/customers/{people['Ana']}").text
    assert f"{people['Ana']}/segments" in page and "Spenders" not in page
    page = owner.get(f"{front.store(0)}/customers/{people['Ana']}/segments").text
    assert "Spenders" in page and "Is in it" in page
    page = owner.get(f"{front.store(0)}/customers/{people['Cy']}/segments").text
    assert "Is not in it" in page
