"""The owner's day."""

import re
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import Markup

from highstreet import jobs
from highstreet.host import policy
from highstreet.web import slots
from highstreet_tenants import clock


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def today(front: Any) -> str:
    return f"{front.store(0)}/"


def test_an_empty_day_says_that_all_is_done(front: Any, owner: Any, today: str) -> None:
    page = words(owner.get(today))
    assert "All done for today" in page
    assert "No earlier weeks to compare with yet" in page


def test_yesterday_stands_beside_the_same_weekdays_before(
    club: Any, owner: Any, today: str
) -> None:
    yesterday = clock.now() - timedelta(days=1)
    maren = club.enrol(0, name="Maren", at=yesterday - timedelta(days=60))
    club.buy(0, maren, 3000, "y-1", at=yesterday)
    club.buy(0, None, 1000, "y-2", at=yesterday)
    for week in (1, 2):
        club.buy(0, maren, 2000, f"w-{week}", at=yesterday - timedelta(weeks=week))
    page = words(owner.get(today))
    assert "against the last 2 of the same weekday" in page
    assert "▲ 50 % · 75 % of £40" in page
    assert "others £10.00" in page
    assert "points given 30" in page  # the tool answers day_figures


def test_a_closed_yesterday_shows_the_last_day_with_sales(
    front: Any, owner: Any, today: str
) -> None:
    front.buy(0, None, 1000, "r-1", at=clock.now() - timedelta(days=5))
    assert "The last day with sales" in words(owner.get(today))


def test_likely_duplicates_are_a_task_for_whoever_may_merge(
    front: Any, owner: Any, clerk: Any, today: str
) -> None:
    front.enrol(0, name="Maren Okafor", phone="07700 900142")
    front.enrol(0, name="Maren Okafor", phone="07700 900142")
    page = owner.get(today)
    assert "1 pair of records may be one person" in words(page)
    assert f"{front.store(0)}/customers/likely" in page.text
    assert "may be one person" not in words(clerk.get(today))


def test_jobs_that_gave_up_are_a_task(front: Any, owner: Any, today: str) -> None:
    with front.session(0, write=True) as s:
        name = next(iter(front.site.house.jobs)).name
        job = jobs.enqueue(s, name, {})
    import sqlalchemy as sa

    from highstreet.jobs.models import job_table

    with front.site.tenancy.control(write=True) as c:
        c.execute(
            sa.update(job_table)
            .where(job_table.c.id == job)
            .values(status="failed", lane=None, error="it broke")
        )
    assert "1 job gave up" in words(owner.get(today))
    listed = words(owner.get(f"{front.store(0)}/jobs/?state=failed"))
    assert "it broke" in listed
    owner.press(f"{front.store(0)}/jobs/?state=failed", "Try again")
    assert "job gave up" not in words(owner.get(today))


def test_a_paused_tool_is_said_with_a_way_on(club: Any, owner: Any, today: str) -> None:
    with club.session(0, write=True) as s:
        policy.pause(s, "points_club")
    page = owner.get(today)
    assert "Points club is paused" in words(page)
    assert "Nothing is lost" in words(page)
    owner.press(today, "Resume")
    assert "is paused" not in words(owner.get(today))


def test_nothing_new_is_not_said_beside_a_tools_panel(
    front: Any, owner: Any, today: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "From your tools Nothing new." in words(owner.get(today))
    pieces = {"today.panel": [Markup("<section>Birthdays of the next days</section>")]}
    monkeypatch.setattr(slots, "fill", lambda _s, slot, **_page: pieces.get(slot, []))
    page = owner.get(today)
    assert "Birthdays of the next days" in words(page)
    assert "Nothing new" not in words(page)
    assert "<aside" not in page.text, "an empty column"


def test_every_link_of_the_consoles_leads_somewhere(
    club: Any, owner: Any, manager: Any, today: str
) -> None:
    """Follow every link from page to page; none is dead and none breaks."""
    maren = club.enrol(0, name="Maren Okafor", phone="07700 900142", card="40711234")
    club.enrol(0, name="Maren Okafor", phone="07700 900142")
    club.buy(0, maren, 1240, "r-1")
    broken = []
    for reader, start in ((owner, today), (manager, f"{club.head(0)}/")):
        seen, ahead = {start}, [start]
        while ahead and len(seen) < 150:
            page = ahead.pop()
            answer = reader.get(page)
            if answer.status_code not in (200, 303, 301):
                broken.append((page, answer.status_code))
                continue
            if "html" not in answer.mimetype:
                continue
            for found in re.findall(r'(?:href|src)="(/[^"#]*)', answer.text):
                link = found.replace("&amp;", "&")
                if link not in seen and not link.startswith("/static/"):
                    seen.add(link)
                    ahead.append(link)
    assert broken == []
