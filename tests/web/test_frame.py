"""What stands around every page: language, theme, brand, navigation, errors."""

import re
import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.host.access import public
from highstreet.web import choose, errors
from highstreet_tenants.models import Brand


def test_a_page_speaks_the_language_that_the_browser_asks_for(front: Any) -> None:
    page = front.site.browser().get("/signin", headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert '<html lang="zh-Hans"' in page.text
    page = front.site.browser().get("/signin", headers={"Accept-Language": "fr,de"})
    assert '<html lang="en"' in page.text


def test_a_chosen_language_and_theme_stay(front: Any, clerk: Any) -> None:
    till = f"{front.store(0)}/till/"
    answer = clerk.post(till, "/choose/language/zh_Hans", {"next": till})
    assert (answer.status_code, answer.location) == (303, till)
    clerk.post(till, "/choose/theme/dark", {"next": till})
    page = clerk.get(till).text
    assert '<html lang="zh-Hans" data-bs-theme="dark">' in page
    again = front.site.browser("clara@people.example")
    assert '<html lang="zh-Hans" data-bs-theme="dark">' in again.get(till).text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/\nSet-Cookie: a"]
)
def test_a_choice_never_leads_out_of_the_house(target: str) -> None:
    assert choose.local_path(target) == "/"


def test_a_language_that_is_not_there_is_not_found(front: Any, clerk: Any) -> None:
    till = f"{front.store(0)}/till/"
    assert clerk.post(till, "/choose/language/tlh").status_code == 404
    assert clerk.post(till, "/choose/theme/pink").status_code == 404


def test_a_brand_with_a_colour_gets_its_stylesheet(front: Any, clerk: Any) -> None:
    till = f"{front.store(0)}/till/"
    assert "/static/vendor/accent" not in clerk.get(till).text
    with front.site.tenancy.control(write=True) as c:
        c.get_one(Brand, front.brands[0].id).accent = "#c8102e"
    assert "/static/vendor/accent/harbour.css" in clerk.get(till).text
    sheet = clerk.get("/static/vendor/accent/harbour.css")
    assert sheet.mimetype == "text/css"
    assert "--hs-accent: #c8102e" in sheet.text
    same = clerk.get(
        "/static/vendor/accent/harbour.css", headers={"If-None-Match": sheet.headers["ETag"]}
    )
    assert same.status_code == 304
    assert clerk.get("/static/vendor/accent/quarry.css").status_code == 404
    assert clerk.get("/static/vendor/accent/nobody.css").status_code == 404


def test_bootstrap_is_served_from_our_own_house(front: Any) -> None:
    page = front.site.browser().get("/signin").text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert front.site.browser().get("/static/vendor/bootstrap.min.css").status_code == 200
    assert front.site.browser().get("/static/vendor/bootstrap.min.js").status_code == 404


def test_the_bar_shows_what_the_reader_may_open(front: Any, clerk: Any, owner: Any) -> None:
    till = f"{front.store(0)}/till/"
    seen = re.findall(r'<a href="([^"]+)"', clerk.get(till).text.split("</nav>")[0])
    assert till in seen
    assert not any("/tools/" in one or "/people" in one for one in seen)
    seen = re.findall(r'<a href="([^"]+)"', owner.get(till).text.split("</nav>")[0])
    assert {f"{front.store(0)}/tools/", f"{front.store(0)}/jobs/"} <= set(seen)
    assert 'aria-current="page"' in owner.get(till).text


def test_nothing_here_says_so_in_words(front: Any, clerk: Any) -> None:
    answer = clerk.get("/store/harbour/harbour-1/nothing")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text
    assert clerk.get("/store/harbour/nowhere/till/").status_code == 404
    assert clerk.client.delete("/signin").status_code == 405


def test_a_defect_shows_a_number_and_nothing_of_its_inside(
    front: Any, clerk: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from highstreet.till import last

    def broken(*_args: Any) -> Any:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr(last, "last_actions", broken)
    monkeypatch.setitem(front.site.app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = clerk.get(f"{front.store(0)}/till/")
    assert answer.status_code == 500
    number = re.search(r"HS-[2-9A-Z]{4}-[2-9A-Z]{2}", answer.text)
    assert number is not None
    assert number[0] in caplog.text
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_fault_numbers_can_be_read_over_the_phone() -> None:
    for _each in range(200):
        assert not set(errors.fault_number()[3:]) & set("01OIL")


def test_a_file_that_is_too_large_gets_words(front: Any, clerk: Any) -> None:
    answer = clerk.client.post("/signin", data={"email": "x" * (9 * 1024 * 1024)})
    assert answer.status_code == 413
    assert "Too large" in answer.text


@pytest.mark.parametrize(
    "trouble",
    [
        sqlite3.OperationalError("database is locked"),
        sa.exc.OperationalError("BEGIN", {}, Exception("server closed the connection")),
    ],
)
def test_a_database_that_is_busy_is_no_defect(
    front: Any, trouble: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_given: object, **_named: object) -> None:
        raise trouble

    app = front.site.app
    monkeypatch.setitem(app.view_functions, "signin.form", public("for the test")(busy))
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    page = front.site.browser().get("/signin")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert "Nothing was changed" in page.text
    assert "HS-" not in page.text
    trouble = sqlite3.OperationalError("interrupted")
    page = front.site.browser().get("/signin")
    assert (page.status_code, page.headers.get("Retry-After")) == (503, None)
    assert "This took too long" in page.text
    assert "HS-" in page.text, "whoever runs it finds the query in the log"
    with monkeypatch.context() as patch:
        trouble = sqlite3.OperationalError("database is locked")
        patch.setattr(type(front.site.house), "look_at_tables", busy)
        ready = front.site.browser().get("/readyz")
    assert (ready.status_code, ready.get_json()["database"]) == (503, "does not answer")


def test_the_frames_names_are_those_that_tools_are_told_of(club: Any) -> None:
    from highstreet.web import assemble

    with club.site.app.test_request_context("/signin"):
        assert set(assemble.page_context()) == assemble.FRAME
