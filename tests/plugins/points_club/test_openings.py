"""A chain that moves to Highstreet brings its members' points."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from highstreet.host import policy
from highstreet.imports import mapping as mappings
from highstreet.imports import tools
from highstreet.imports.run import Report
from highstreet_points_club import history, openings
from highstreet_points_club.models import Entry, Lot, Reason
from highstreet_tenants.errors import Invalid, NotFound, ToolOff
from highstreet_tenants.models import Brand

from .conftest import FREE, NAME, Shop

FILE = """card;points;valid_until;store
4071228693;1250;31.12.2027;101
4071228700;-20;;102
4071228718;0;;
4071228726;80;;
"""


@pytest.fixture
def folk(shop: Shop) -> dict[str, Any]:
    """Members by card, some with points already."""
    with shop.session(shop.club) as s:
        found = {
            card: shop.member(s, f"Member {card}", card=card).id
            for card in ("4071228693", "4071228700", "4071228718", "4071228726")
        }
        shop.buy(s, found["4071228693"], 500)
    return found


def take_in(
    shop: Shop, path: Path, text: str | None = None, brand: Any = None, **more: Any
) -> Report:
    """Import a file of balances as the command does."""
    if text is not None:
        path.write_text(text, encoding="utf-8")
    brand = brand or shop.club
    with shop.database.tenancy.control() as c:
        row = c.get_one(Brand, brand.id)
    written = more.pop("mapping", {"format": {"date": "day-first"}})
    mapping = mappings.parse(
        written, openings.BALANCES.name, "m", tools.fields_of(openings.BALANCES)
    )
    return tools.run(
        shop.database.tenancy, row, NAME, openings.BALANCES, path, mapping=mapping, **more
    )


def balances(shop: Shop, folk: dict[str, Any]) -> dict[str, int]:
    with shop.operator(shop.club, write=False) as s:
        return {card: history.balance(shop.ctx(s), who).balance for card, who in folk.items()}


def test_balances_go_in_once(shop: Shop, folk: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    first = take_in(shop, path, FILE)
    assert (first.records, first.created, first.known, first.refused) == (4, 3, 1, 0)
    there = balances(shop, folk)
    assert list(there.values()) == [1255, -20, 0, 80]
    again = take_in(shop, path)
    assert (again.created, again.known) == (0, 4)
    other = take_in(shop, tmp_path / "renamed.csv", FILE)
    assert (other.created, other.known) == (0, 4), "under another name it is the same"
    assert balances(shop, folk) == there
    shop.sound(shop.club)


def test_the_ledger_says_where_they_came_from(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    take_in(shop, tmp_path / "balances.csv", FILE)
    first, second = shop.club.stores
    with shop.operator(shop.club, write=False) as s:
        entries = s.query(Entry).where(Entry.kind == "opening").order_by(Entry.points).all()
        assert [(e.points, e.at_store_id) for e in entries] == [
            (-20, second.id),
            (80, None),
            (1250, first.id),
        ]
        reasons = {r.entry_id: (r.text, r.by) for r in s.query(Reason)}
        assert reasons[entries[2].id] == ("balances.csv, row 2", "Highstreet")
        lot = s.query(Lot).where(Lot.points == 1250).one()
        assert lot.expires_at == datetime(2028, 1, 1, tzinfo=UTC)
        told = history.statement(shop.ctx(s), folk["4071228693"])[-1]
        assert (told.kind, told.reason) == ("opening", "balances.csv, row 2")


def test_a_dry_run_writes_nothing(shop: Shop, folk: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    report = take_in(shop, path, FILE + "4071228734;7;01.01.2020;101\n", dry_run=True)
    assert (report.created, report.refused) == (3, 1)
    assert list(balances(shop, folk).values()) == [5, 0, 0, 0]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("4071228693;12.5;;101", "not a whole number"),
        ("4071228693;many;;101", "not a whole number"),
        ("4071228693;;;101", "says no points"),
        ("4071228693;99000000;;101", "are beyond"),
        ("4071228693;5;31.12.2019;101", "ended on 2019-12-31"),
        ("4071228693;5;31.31.2027;101", "not a date"),
        ("4071228693;5;;999", "no store with the number"),
        (";5;;101", "whose row this is"),
        ("4111111111111111;5;;101", "payment card"),
        ("4071228693;5", "only 2 of 4 columns"),
        ("=1+1;5;;101", "formula"),
        ("4071228742;5;;", "nobody here"),
    ],
)
def test_a_row_that_cannot_go_in_is_written_beside_the_file(
    shop: Shop, folk: dict[str, Any], tmp_path: Path, row: str, why: str
) -> None:
    path = tmp_path / "balances.csv"
    report = take_in(shop, path, f"card;points;valid_until;store\n{row}\n4071228726;8;;101\n")
    assert (report.created, report.refused) == (1, 1), report.reasons
    assert why in next(iter(report.reasons))
    assert report.errors_file is not None
    lines = Path(report.errors_file).read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("2,")
    assert why in lines[1]
    assert balances(shop, folk)["4071228726"] == 8


def test_a_corrected_row_says_what_is_there(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "balances.csv"
    take_in(shop, path, FILE)
    report = take_in(shop, path, FILE.replace(";1250;", ";1300;"))
    (reason,) = report.reasons
    assert "1250 points were brought for this customer before" in reason
    assert balances(shop, folk)["4071228693"] == 1255


def test_the_same_card_twice_in_a_file_is_a_question(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    text = "card;points\n4071228693;5\n4071228700;6\n4071 2286 93;7\n"
    report = take_in(shop, tmp_path / "b.csv", text)
    assert (report.created, list(report.reasons)) == (
        2,
        ["the same customer stands in line 2 already"],
    )


def test_two_cards_of_one_member_bring_both(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    with shop.session(shop.club) as s:
        shop.ctx(s).customers.issue_card(folk["4071228693"], "5071228693")
    report = take_in(shop, tmp_path / "b.csv", "card;points\n4071228693;5\n5071228693;6\n")
    assert report.created == 2
    assert balances(shop, folk)["4071228693"] == 16


def test_unknown_people_are_taken_on_where_a_store_is_named(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    text = "card,name,points,store\n4071228750,Ngozi Ade,40,101\n4071228768,,9,102\n"
    report = take_in(shop, tmp_path / "b.csv", text)
    assert (report.created, report.customers) == (2, 2)
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        ngozi = ctx.customers.by_card("4071228750")
        assert (ngozi.name, history.balance(ctx, ngozi.id).balance) == ("Ngozi Ade", 40)
        assert ctx.customers.by_card("4071228768").name == "Member 4071228768"
    nobody = "card,points,store\n4071228776,40,101\n"
    mapping = {"customers": {"create": False}}
    refused = take_in(shop, tmp_path / "c.csv", nobody, mapping=mapping)
    assert (refused.created, refused.refused) == (0, 1)


def test_where_stores_own_their_members_each_row_names_its_store(
    shop: Shop, tmp_path: Path
) -> None:
    with shop.session(shop.shops, 0) as s:
        who = shop.member(s, card="4071228693").id
    text = "card,points,store\n4071228693,40,101\n4071228693,9,102\n4071228693,1,\n"
    report = take_in(shop, tmp_path / "b.csv", text, shop.shops)
    assert (report.created, report.customers, report.refused) == (2, 1, 1)
    with shop.session(shop.shops, 0) as s:
        assert history.balance(shop.ctx(s), who).balance == 40
    shop.sound(shop.shops)


def test_off_means_off(shop: Shop, folk: dict[str, Any], tmp_path: Path) -> None:
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "optional")
        policy.choose(s, NAME, True, store_id=shop.club.stores[0].id)
    report = take_in(
        shop, tmp_path / "b.csv", "card,points,store\n4071228693,40,101\n4071228700,9,102\n"
    )
    assert (report.created, report.refused) == (1, 1)
    assert balances(shop, folk)["4071228700"] == 0
    with shop.operator(shop.club) as s:
        policy.set_policy(s, NAME, "forbidden")
    with pytest.raises(ToolOff, match="not on here"):
        take_in(shop, tmp_path / "b.csv")


def test_opening_points_are_spent_and_bring_rewards_like_others(
    shop: Shop, folk: dict[str, Any], tmp_path: Path
) -> None:
    shop.set_up(shop.club, rewards=[FREE], idle_months=6)
    take_in(shop, tmp_path / "b.csv", "card,points,store\n4071228726,18,101\n")
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), folk["4071228726"]
        assert history.balance(ctx, who).rewards == ()
        assert s.query(Lot).where(Lot.points == 18).one().idle
        shop.buy(s, who, 200)
        assert len(history.balance(ctx, who).rewards) == 2
    shop.sound(shop.club)


def test_more_than_one_transaction(shop: Shop, folk: dict[str, Any], tmp_path: Path) -> None:
    """A run that died in the middle is run again: what was in stays, the rest goes in."""
    rows = "".join(f"{4_100_000_000 + n},{n},101\n" for n in range(1, 51))
    path = tmp_path / "b.csv"
    half = take_in(shop, path, "card,points,store\n" + rows[: len(rows) // 2].rsplit("\n", 1)[0])
    report = take_in(shop, path, "card,points,store\n" + rows, chunk=7)
    assert report.created + half.created == 50
    assert report.known == half.created
    again = take_in(shop, path, chunk=50)
    assert (again.created, again.known) == (0, 50)
    shop.sound(shop.club)


def test_a_mapping_names_strange_columns(shop: Shop, folk: dict[str, Any], tmp_path: Path) -> None:
    mapping = {
        "columns": {"points": "Saldo", "card": "Karte"},
        "format": {"thousands": "."},
        "defaults": {"store": "101"},
    }
    take_in(shop, tmp_path / "b.csv", "Karte;Saldo\n4071228726;1.250\n", mapping=mapping)
    assert balances(shop, folk)["4071228726"] == 1250
    with pytest.raises(Invalid, match=r"no field of points_club\.balances"):
        take_in(shop, tmp_path / "b.csv", mapping={"columns": {"total": "Saldo"}})
    with pytest.raises(Invalid, match="No column for points"):
        take_in(shop, tmp_path / "c.csv", "card,name\n4071228726,Jo\n")


def test_a_kind_that_no_tool_has(shop: Shop) -> None:
    with pytest.raises(NotFound, match=r"there are: purchases, customers, .*points_club\.balances"):
        tools.find(shop.host, "points")
    assert tools.find(shop.host, "points_club.balances") == (NAME, openings.BALANCES)
