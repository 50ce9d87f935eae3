"""What the kit asks of a tool that works by the calendar, tells events and keeps empty tables."""

import re
import shutil
from pathlib import Path

import pytest

from . import good, judging
from .tools import run_pytest

#: A daily job that trusts what the calendar hands over: whoever has their birthday gets one more.
TIDY = """    rows = s.scalars(sa.select(Entry)).all()
    for row in rows:
        if row.thanked_at is not None:
            s.delete(row)
"""
DAILY = """    ctx = ctx_of(s, "good", s.store_id)
    day = date.fromisoformat(payload["subject"])
    born = [one.id for one in ctx.customers.born_on(day)]
    for row in s.scalars(sa.select(Entry).where(Entry.customer_id.in_(born))):
        row.total_minor += 1
"""
EVENT = """

class Listed(Schema):
    who = fields.String(required=True)


EVENTS = [EventType("good.listed", _l("How many wait"), "", Listed, {"who": "x"}, personal=True)]
"""


def with_event(package: Path, said: str) -> None:
    """It tells of each purchase that goes on the list."""
    good.edit(package, "more.py", "", EVENT)
    good.edit(
        package,
        "more.py",
        "from markupsafe import Markup",
        "from highstreet.sdk import EventType\nfrom markupsafe import Markup\n"
        "from marshmallow import Schema, fields",
    )
    good.edit(package, "__init__.py", "    slots=", "    events=more.EVENTS,\n    slots=")
    good.edit(
        package,
        "entries.py",
        "    ctx.s.add_all(made)\n",
        "    ctx.s.add_all(made)\n"
        "    names = ctx.customers.names([one.customer_id for one in made])\n"
        "    for one in made:\n"
        f'        ctx.events.publish("good.listed", {{"who": {said}}}, store_id=one.store_id)\n',
    )


@pytest.fixture
def source(package: Path, tmp_path: Path) -> Path:
    made = tmp_path / "source" / package.name
    shutil.copytree(package, made)
    return made


@pytest.mark.slow
def test_a_migration_that_raises_is_one_finding_and_nothing_else_is_asked(
    source: Path, tmp_path: Path
) -> None:
    migration = next(
        one for one in (source / "migrations").glob("*.py") if one.name != "__init__.py"
    )
    text = migration.read_text("utf-8")
    name = f"migrations/{migration.name}"
    line = next(one for one in text.splitlines() if one.startswith("def upgrade"))
    good.edit(source, name, line, f'{line}\n    raise RuntimeError("no such luck")')
    good.install(source, tmp_path / "site")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "test_own.py").write_text("def test_own(town):\n    assert town\n")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", "-rsfE", fails=True)
    assert list(said.failed) == ["tables-migrated"], said.text[-4000:]
    printed = said.failed["tables-migrated"]
    assert "`highstreet migrate` failed: RuntimeError: no such luck" in printed
    assert f"{migration.name}:" in printed and "MEND" in printed
    assert "Traceback" not in said.text
    assert "not asked: its migration failed, see tables-migrated" in said.text
    assert "The migration of good failed" in said.text, "the author's own tests say why as well"


def daily(source: Path) -> None:
    """Its job of each day is about birthdays."""
    good.edit(source, "more.py", TIDY, DAILY)
    good.edit(source, "more.py", "import Ctx, ", "import Ctx, ctx_of, ")
    typing = "from typing import Any\n"
    good.edit(source, "more.py", typing, f"from datetime import date\n{typing}")


@pytest.mark.slow
def test_a_daily_job_gets_the_day_and_members_with_a_birthday(source: Path, tmp_path: Path) -> None:
    daily(source)
    good.install(source, tmp_path / "site")
    only = ("-k", "jobs-run or jobs-twice")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", *only, fails=True)
    assert list(said.failed) == ["jobs-twice"], said.text[-4000:]
    assert "The job good.tidy, run twice" in said.failed["jobs-twice"]


OWN = """
from datetime import date, timedelta

import sqlalchemy as sa
from highstreet_good.models import Entry


def test_what_is_told_is_read(town):
    for shop in (town.shops[0], town.shops[2]):
        bought = shop.buy(12_000, shop.enrol("Ann Quill")).purchase
    told = [(name, data["total_minor"]) for name, data in town.told()]
    assert told == [("good.noted", 12_000)] * 2
    assert town.run_jobs() == 0, "what hands events on is no work of the tool's"
    assert len(town.told()) == 2


def test_the_clock_brings_the_days_work(town, clock):
    assert town.run_jobs() == 0
    shop = town.shops[0]
    with shop.ctx() as ctx:
        tomorrow = ctx.now().date() + timedelta(days=1)
    ann = shop.enrol("Ann Quill", birthday=tomorrow.replace(year=1980))
    shop.buy(12_000, ann)
    clock.shift(timedelta(days=1))
    assert town.run_jobs() == 4, "once in each store"
    assert town.run_jobs() == 0
    with shop.ctx() as ctx:
        assert ctx.s.scalar(sa.select(Entry.total_minor)) == 12_001
"""


@pytest.mark.slow
def test_own_tests_read_events_and_move_the_calendar(source: Path, tmp_path: Path) -> None:
    daily(source)
    good.install(source, tmp_path / "site")
    (tmp_path / "test_own.py").write_text(OWN)
    more = ("test_own.py", "-rs")
    env = judging.NOWHERE
    said = run_pytest(good.NAME, *more, cwd=tmp_path, path=tmp_path / "site", **env)
    assert "2 passed" in said


@pytest.mark.slow
def test_what_has_no_rows_is_not_said_to_be_well(source: Path, tmp_path: Path) -> None:
    good.edit(source, "entries.py", "    ctx.s.add_all(made)\n", "    made = []\n")
    good.install(source, tmp_path / "site")
    only = ("-rs", "-k", "person- or leak-pages")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", *only, fails=False)
    assert said.passed == 0, said.text
    assert "not asked: its tables hold nothing about anybody" in said.text
    assert "not asked: its tables are empty" in said.text


@pytest.mark.slow
def test_a_tool_brings_along_what_lets_members_use_it(source: Path, tmp_path: Path) -> None:
    text = (source / "entries.py").read_text("utf-8")
    (source / "entries.py").write_text(
        text.replace("def note(", "def put(").replace(
            "PAGE = 100", "PAGE = 100\n\n\ndef note(ctx, purchases):\n    return 0"
        ),
        "utf-8",
    )
    (source / "kit_fill.py").write_text(
        "def fill(town):\n"
        "    from highstreet_good import entries\n\n"
        "    for shop in town.shops:\n"
        "        bought = shop.buy(9_000, shop.members[0]).purchase\n"
        "        with shop.ctx(write=True) as ctx:\n"
        "            entries.put(ctx, [bought])\n"
    )
    good.install(source, tmp_path / "site")
    only = ("-k", "person- or leak-pages or tables-filled or imports-")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", *only, fails=False)
    assert said.passed >= 8, said.text


@pytest.mark.slow
def test_a_wrong_answer_is_found_in_the_tools_own_line(source: Path, tmp_path: Path) -> None:
    good.edit(source, "hooks.py", '[SummaryRow(_("To be thanked"), str(len(rows)))]', "[len(rows)]")
    good.install(source, tmp_path / "site")
    only = ("-k", "hooks-")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", *only, fails=True)
    places = re.findall(r"WHERE  (\S+)", said.text)
    assert places and all("highstreet_good/hooks.py:" in one for one in places), said.text[-3000:]
