"""Mailings in the consoles: planned, selected, approved, sent, explained; nothing needs scripts."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.mailings import drafting, queries, releasing
from highstreet.mailings.facts import LeaveOut, MailingIn
from highstreet.printing import service as printing
from highstreet.printing.service import TemplateIn
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants.trail.models import TrailEntry

PEOPLE = (("Ann Lee", "1 High Street"), ("Bo Lee", "1 High Street"), ("=Cy", "2 High Street"))
#: Only Python differs from the console of one place to that of the other.
ONE_DATABASE = pytest.mark.parametrize("database_module", ["sqlite"], indirect=True)


def fill(front: Any, brand: int = 0) -> dict[str, UUID]:
    """Three who agreed and have an address, one who has none, one who was never asked."""
    found = {}
    for name, street in (*PEOPLE, ("Di Park", ""), ("Ed Moss", "3 High Street")):
        found[name] = who = front.enrol(brand, name=name)
        with front.session(brand, write=True) as s:
            if street:
                addresses.put(s, who, AddressIn("GB", street, "Leeds", "LS1 4DY"))
            if name != "Ed Moss":
                consent.record(s, who, purpose="magazine", channel="post", status="given",
                               wording="Yes please", method="till")  # fmt: skip
    return found


def segment(front: Any, office: bool = True) -> UUID:
    with front.office(0, write=True) if office else front.session(0, write=True) as s:
        return picking.save(s, name="Everybody" if office else "Ours", rule=All()).id


def plan(front: Any, segment_id: UUID, office: bool = True, **more: Any) -> UUID:
    with front.office(0, write=True) if office else front.session(0, write=True) as s:
        return drafting.draft(s, MailingIn("Spring", "magazine", "post", segment_id, **more))


def lines(page: str) -> list[tuple[str, str]]:
    """The waterfall as its table says it: (step, people)."""
    table = re.search(r'<table class="hs-fall".*?</table>', page, re.S)
    assert table is not None, page
    rows = re.findall(r'<tr role="row".*?</tr>', table[0].partition("<tbody")[2], re.S)
    return [
        (
            unescape(re.sub(r"<small>.*?</small>|<[^>]+>", "", re.findall(r"<th.*?</th>", row)[0])),
            re.findall(r'<td class="num" role="cell">(.*?)</td>', row)[0],
        )
        for row in rows
    ]


def bars(page: str) -> list[tuple[int, int]]:
    return [(int(x), int(w)) for x, w in re.findall(r'<rect x="(\d+)" y="0" width="(\d+)"', page)]


def work(front: Any) -> None:
    """Do what is due, as the job runner does."""
    while front.site.house.runner.run_one() is not None:
        pass


def test_a_mailing_is_planned_approved_and_sent_in_head_office(front, manager):
    people = fill(front)
    kept = segment(front)
    url = f"{front.head(0)}/mailings/"
    empty = manager.get(url).text
    assert "No mailings yet" in empty and "New mailing by post" in empty
    form = {"channel": "post", "name": "Spring", "purpose": "magazine", "segment": "",
            "holdout": "60", "by_household": "1", "last_day": "", "cost": "12.4x"}  # fmt: skip
    wrong = manager.post(f"{url}new?channel=post", f"{url}new", form)
    assert wrong.status_code == 422
    assert 'href="#segment"' in wrong.text and 'href="#cost"' in wrong.text
    assert 'value="12.4x"' in wrong.text and 'value="Spring"' in wrong.text
    form |= {"segment": str(kept), "cost": "12.40", "last_day": "2099-05-14", "last_time": "18:00"}
    wrong = manager.post(f"{url}new", f"{url}new", form)
    assert wrong.status_code == 422 and "from 0 to 50 percent" in wrong.text
    saved = manager.post(f"{url}new", f"{url}new", form | {"holdout": "0"})
    one = saved.headers["Location"]
    page = manager.get(one).text
    assert "Draft" in page and "£12.40" in page and "14 May 2099, 18:00" in page

    assert manager.press(one, "Select people").status_code == 303
    page = manager.get(one).text
    assert lines(page) == [
        ("Selected", "5"),
        ("They were never asked, or never said yes.", "−1"),
        ("There is no address to reach them at.", "−1"),
        ("Somebody else of the household gets it.", "−1"),
        ("Would get it", "2"),
    ]
    assert bars(page) == [(0, 5), (4, 1), (3, 1), (2, 1), (0, 2)]
    assert "Adds up exactly" in page
    assert f"{front.head(0)}/customers/{people['Ann Lee']}" in page or "=Cy" in page
    listed = manager.get(f"{one}/pieces?reason=unreachable").text
    assert "Di Park" in listed and "Ed Moss" not in listed

    asked = manager.get(f"{one}/approve").text
    assert "Approve 2 pieces" in asked and "£12.40" in asked
    manifest = re.search(r'name="manifest" value="(\w{64})"', asked)[1]
    assert manager.press(one, "Select anew").status_code == 303
    late = manager.post(f"{one}/approve", f"{one}/approve", {"manifest": manifest})
    assert late.status_code == 409
    assert "Others were selected meanwhile" in late.text
    manifest = re.search(r'name="manifest" value="(\w{64})"', late.text)[1]
    done = manager.post(f"{one}/approve", f"{one}/approve", {"manifest": manifest})
    assert done.status_code == 303
    page = manager.get(one).text
    assert "Approved" in page and "Hana" in page and manifest in page
    asked = manager.get(f"{one}/release").text
    assert "Release 2 pieces" in asked and "£12.40" in asked
    assert manager.press(f"{one}/release", "Release 2 pieces").status_code == 303
    running = manager.get(one).text
    assert "Going out" in running and 'data-hs-again="5"' in running
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in running
    assert manager.press(one, "Pause").status_code == 303
    work(front)
    assert "0 of 2 sent" in manager.get(one).text
    assert manager.press(one, "Resume").status_code == 303
    work(front)
    page = manager.get(one).text
    assert "Gone out" in page and lines(page)[-1] == ("Sent", "2")
    assert "data-hs-again" not in page
    assert re.search(r'data-label="Sent">2<', manager.get(url).text)

    answer = manager.press(one, "Addresses for the mail house")
    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [row[1] for row in rows] == ["Name", "Ann Lee", "'=Cy"]
    with front.office(0) as s:
        told = s.scalars(sa.select(TrailEntry).where(TrailEntry.action == "mailing.exported"))
        assert [str(each.object_id) for each in told] == [one.rpartition("/")[2]]
    why = manager.get(f"{url}scan?code={rows[1][0].lower()}").text
    assert "Spring" in why and "“Yes please”" in why and "1 High Street" in why
    scan = f"{url}scan?code={rows[1][0]}"
    assert (
        manager.press(scan, "It came back with the post", {"code": rows[1][0]}).status_code == 303
    )
    assert "Came back" in manager.get(scan).text
    assert ("Came back with the post", "1") in lines(manager.get(one).text)
    again = {"code": rows[1][0], "undo": "1"}
    assert manager.press(scan, "It was another one", again).status_code == 303
    assert lines(manager.get(one).text)[-1] == ("Sent", "2")
    assert "No piece of ours bears this code." in manager.get(f"{url}scan?code=ZZZZZZZZZZ").text


@ONE_DATABASE
def test_a_store_plans_its_own_and_sees_no_others(front, owner, manager, shopkeeper):
    fill(front)
    kept = segment(front, office=False)
    mine, theirs = plan(front, kept, office=False), plan(front, segment(front))
    url = f"{front.store(0)}/mailings"
    assert "Spring" in owner.get(f"{url}/").text
    assert owner.press(f"{url}/{mine}", "Select people").status_code == 303
    assert "Adds up exactly" in owner.get(f"{url}/{mine}").text
    assert owner.get(f"{url}/{theirs}").status_code == 404
    assert manager.get(f"{front.head(0)}/mailings/{mine}").status_code == 404
    assert f"{url}/{mine}" in owner.get(f"{front.store(0)}/segments/{kept}").text
    # Where the stores own their customers, head office writes to nobody.
    head = front.person("quinn", "head_office_manager", 1, None)
    assert head.get(f"{front.head(1)}/mailings/").status_code == 403
    assert "No mailings yet" in shopkeeper.get(f"{front.store(1)}/mailings/").text


@ONE_DATABASE
def test_who_plans_neither_approves_nor_sees_customers(front, manager):
    fill(front)
    one = f"{front.head(0)}/mailings/{plan(front, segment(front))}"
    marketing = front.person("mara", "head_office_marketing", 0, None)
    assert marketing.press(one, "Select people").status_code == 303
    page = marketing.get(one).text
    assert "somebody else approves" in page and "Ann Lee" not in page
    assert f"{one}/approve" not in page
    for name in ("approve", "release", "resume", "stop"):
        assert marketing.post("/me", f"{one}/{name}").status_code == 403
    assert marketing.get(f"{one}/approve").status_code == 403
    assert marketing.post("/me", f"{one}/pieces.csv").status_code == 403
    assert "Ann Lee" not in marketing.get(f"{one}/pieces").text
    assert manager.post("/me", f"{one}/pieces.csv").status_code == 409, "nothing was released"


@ONE_DATABASE
def test_a_plan_is_changed_costed_stopped_and_thrown_away(front, manager):
    people = fill(front)
    kept = segment(front)
    first, second = plan(front, kept), plan(front, kept)
    one = f"{front.head(0)}/mailings/{first}"
    assert manager.post(one, f"{one}/cost", {"cost": "ten"}).status_code == 422
    assert manager.post(one, f"{one}/cost", {"cost": "10.00"}).status_code == 303
    manager.press(one, "Select people")
    form = manager.get(f"{one}/edit").text
    assert 'value="10.00"' in form and "selected anew" in form
    given = {"channel": "post", "name": "Autumn", "purpose": "magazine", "segment": str(kept),
             "holdout": "2.5", "verified": "1"}  # fmt: skip
    assert manager.post(f"{one}/edit", f"{one}/edit", given).status_code == 303
    with front.office(0) as s:
        fact = queries.get(s, first)
    assert (fact.name, fact.holdout, fact.by_household, fact.verified, fact.status) == (
        "Autumn", 250, False, True, "draft",
    )  # fmt: skip
    given |= {"holdout": "0", "verified": ""}
    assert manager.post(f"{one}/edit", f"{one}/edit", given).status_code == 303
    with front.office(0, write=True) as s:
        told = drafting.select(s, first)
        drafting.approve(s, first, told.manifest)
        releasing.release(s, first)
    assert manager.post(one, f"{one}/edit", given).status_code == 409
    assert "go to nobody" in manager.get(f"{one}/stop").text
    assert manager.press(f"{one}/stop", "Stop for good").status_code == 303
    assert ("The mailing was stopped.", "−3") in lines(manager.get(one).text)
    other = f"{front.head(0)}/mailings/{second}"
    with front.office(0, write=True) as s:
        tools = drafting.draft(
            s,
            MailingIn("Club letter", "magazine", "post", rule={"is": "all"}, source="points_club",
                      leave_out=[LeaveOut("too_far", "They live too far away.",
                                          {"is": "people", "ids": [str(people["=Cy"])]})],
                      most=1, series="Letters"),
        )  # fmt: skip
        drafting.select(s, tools)
    page = manager.get(f"{front.head(0)}/mailings/{tools}").text
    assert ("They live too far away.", "−1") in lines(page)
    assert "1 piece" in page and "Letters" in page and "Points club" in page
    assert manager.get(f"{front.head(0)}/mailings/{tools}/edit").status_code == 409
    letter = given | {"channel": "email", "subject": "News", "text": "Long. " * 900, "html": ""}
    saved = manager.post(f"{other}/edit", f"{front.head(0)}/mailings/new", letter)
    assert saved.status_code == 303
    with front.office(0) as s:
        fact = queries.get(s, UUID(saved.headers["Location"].rpartition("/")[2]))
    assert fact.content == {"subject": "News", "text": letter["text"].strip()}
    refused = manager.press(saved.headers["Location"], "Select people")
    assert refused.status_code == 409 and "Not done." in refused.text, "nobody set mail up"
    assert manager.press(f"{other}/discard", "Throw away").status_code == 303
    assert str(second) not in manager.get(f"{front.head(0)}/mailings/").text


@ONE_DATABASE
def test_it_is_printed_in_a_design_and_the_files_are_taken_away(front, manager):
    fill(front)
    kept = segment(front)
    areas = {"headline": "Spring", "text": "Dear {{ customer.name }}, say {{ code }}."}
    with front.office(0, write=True) as s:
        made = printing.draft(s, TemplateIn("Blossom", "postcard", "a6", areas))
        printing.approve(s, made)
    form = {"channel": "post", "name": "Spring", "purpose": "magazine", "segment": str(kept),
            "design": str(made), "by_household": "1"}  # fmt: skip
    new = f"{front.head(0)}/mailings/new"
    assert "Blossom" in manager.get(new).text
    one = manager.post(new, new, form).headers["Location"]
    manager.press(one, "Select people")
    assert manager.press(one, "Proof (PDF)").data.startswith(b"%PDF")
    labels = manager.press(one, "Labels (PDF)", {"sheet": "L7160", "start": "2"})
    assert labels.data.startswith(b"%PDF")
    assert manager.post(one, f"{one}/labels.pdf", {"sheet": "x"}).status_code == 422
    assert manager.post(one, f"{one}/print").status_code == 409, "nothing was released"
    asked = manager.get(f"{one}/approve").text
    assert "Blossom" in asked
    seen = {"manifest": asked.split('"manifest" value="')[1][:64]}
    assert manager.press(f"{one}/approve", "Approve 2", seen).status_code == 303
    manager.press(f"{one}/release", "Release 2")
    work(front)
    assert manager.press(one, "Write the print files").status_code == 303
    work(front)
    assert manager.press(one, "Download").data.startswith(b"%PDF")
    assert manager.post(one, f"{one}/print/2.pdf").status_code == 404
    assert manager.press(one, "Delete these files").status_code == 303
    assert "1 file deleted." in manager.get(one).text
    assert "Delete these files" not in manager.get(one).text
    with front.office(0) as s:
        told = s.scalars(sa.select(TrailEntry).where(TrailEntry.action == "mailing.exported"))
        assert len(list(told)) == 3, "the proof, the labels, the file"
