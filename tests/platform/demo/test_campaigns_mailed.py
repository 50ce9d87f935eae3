"""Campaigns that were mailed: of each, who got it and who answered, as plain SQL over the files
themselves has it, which knows nothing of how they are taken in."""

from __future__ import annotations

import csv
import gzip
import random
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.app import create_app, house_of
from highstreet.demo import build as demos
from highstreet.demo import whole
from highstreet.demo.extract import DATA
from highstreet.house import House
from highstreet.imports.models import CustomerRef
from highstreet.mailings.models import Mailing, Piece
from highstreet_direct_mail.models import Posting, Scan
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope

DATABASES = ["sqlite"]
_TOLD = """
    SELECT {name}, COUNT(DISTINCT m.{who}), COUNT(DISTINCT CASE WHEN {answered} THEN m.{who} END)
    FROM {source} GROUP BY {name}
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    app = create_app({"instance": str(tmp_path_factory.mktemp("demo"))}, faces=False)
    found = house_of(app)
    with app.app_context():
        found.migrate()
        yield found
    found.engine.dispose()


def table(sql: sqlite3.Connection, path: Path) -> None:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    name = path.name.partition(".")[0]
    sql.execute(f"CREATE TABLE {name} ({', '.join(heading)})")
    sql.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(heading))})", rows)


def in_files(folder: Path) -> dict[str, tuple[int, int]]:
    """By campaign the households that were mailed, and those of them that redeemed a coupon."""
    sql = sqlite3.connect(":memory:")
    for name in ("campaigns.csv", "campaign_households.csv", "coupon_redemptions.csv"):
        table(sql, folder / name)
    asked = _TOLD.format(
        name="'Campaign ' || m.campaign_id",
        who="household_id",
        answered="r.household_id IS NOT NULL",
        source="campaign_households AS m LEFT JOIN coupon_redemptions AS r"
        " ON r.campaign_id = m.campaign_id AND r.household_id = m.household_id",
    )
    return {name: (got, answered) for name, got, answered in sql.execute(asked)}


def in_house(house: House, slug: str) -> dict[str, tuple[int, int]]:
    with house.tenancy.control() as c:
        brand = c.scalars(sa.select(Brand).where(Brand.slug == slug)).one()
    with house.tenancy.session(Scope.brand(brand)) as s:
        got = s.execute(
            sa.select(Mailing.name, sa.func.count(sa.distinct(Piece.customer_id)))
            .join(Piece, Piece.mailing_id == Mailing.id)
            .where(Piece.state == "sent", Mailing.source == "direct_mail", Mailing.manifest == "")
            .group_by(Mailing.name)
        )
        answered = dict(
            s.execute(
                sa.select(Posting.name, sa.func.count(sa.distinct(Scan.customer_id)))
                .join(Scan, Scan.posting_id == Posting.id)
                .group_by(Posting.name)
            ).all()
        )
        return {name: (people, answered.get(name, 0)) for name, people in got}


def put(path: Path, heading: str, rows: Iterable[Sequence[object]]) -> None:
    opened: Any = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([heading.split(), *rows])


def a_small_journey(folder: Path) -> None:
    """Files as the original's, of forty households; some answer more than once."""
    dice = random.Random(26)
    homes = range(1, 41)
    put(folder / "households.csv", "household_id age income", ((n, "35-44", "") for n in homes))
    first = date(2017, 1, 2)
    baskets = [
        (7000 + n, dice.choice(homes), dice.choice((367, 406, 31)),
         f"{first + timedelta(days=dice.randrange(300))}T12:{n % 60:02d}:00", 1, 1, "4.50", 0, 0)
        for n in range(90)
    ]  # fmt: skip
    put(
        folder / "baskets.csv.gz",
        "basket_id household_id store_id occurred_at lines units sales_value retail_disc"
        " coupon_disc",
        baskets,
    )
    put(
        folder / "lines.csv.gz",
        "basket_id product_id quantity sales_value",
        ((one[0], 51, 1, "4.50") for one in baskets),
    )
    put(
        folder / "products.csv.gz", "product_id department category type brand",
        [(51, "GROCERY", "Bread", "Rye", "National")],
    )  # fmt: skip
    days = {n: first + timedelta(days=40 * n) for n in (1, 2, 3)}
    put(
        folder / "campaigns.csv", "campaign_id campaign_type start_date end_date",
        ((n, "Type A", day, day + timedelta(days=30)) for n, day in days.items()),
    )  # fmt: skip
    mailed = [(n, home) for n in days for home in homes if dice.random() < 0.5]
    put(folder / "campaign_households.csv", "campaign_id household_id", mailed)
    answers = [
        (home, 500 + turn, n, days[n] + timedelta(days=dice.randrange(31)))
        for n, home in mailed
        for turn in range(dice.choice((0, 0, 1, 3)) if n < 3 else 0)
    ]
    put(
        folder / "coupon_redemptions.csv",
        "household_id coupon_upc campaign_id redemption_date", answers,
    )  # fmt: skip


def test_the_whole_journey_is_what_its_files_say(house: House, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        whole.build(house, tmp_path)
    a_small_journey(tmp_path)
    for _twice in range(2):
        whole.build(house, tmp_path)
        told = in_house(house, whole.SLUG)
        assert told == in_files(tmp_path)
        assert len(told) == 3 and any(answered for _got, answered in told.values())


def test_the_demos_club_got_its_campaigns(house: House) -> None:
    demos.build(house)
    with house.tenancy.control() as c:
        club = c.scalars(sa.select(Brand).where(Brand.slug == "torque-and-co")).one()
    with house.tenancy.session(Scope.brand(club)) as s:
        members = list(s.scalars(sa.select(CustomerRef.ref)))
    sql = sqlite3.connect(":memory:")
    table(sql, DATA / "mailed.csv.gz")
    sql.execute("CREATE TABLE member (ref)")
    sql.executemany("INSERT INTO member VALUES (?)", ((one,) for one in members))
    asked = _TOLD.format(
        name="m.mailing", who="ref", answered="m.answered <> ''",
        source="mailed AS m JOIN member ON member.ref = m.ref",
    )  # fmt: skip
    assert in_house(house, "torque-and-co") == {
        name: (got, answered) for name, got, answered in sql.execute(asked)
    }
