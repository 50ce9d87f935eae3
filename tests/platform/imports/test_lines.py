"""Receipts with their lines: in one file or in two, side by side or not, whole or not at all."""

import csv
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.imports import marks
from highstreet.imports.errors import SUFFIX
from highstreet.imports.mapping import parse
from highstreet.imports.opening import Beside
from highstreet.imports.run import Report, run
from highstreet.purchases.checks import MOST_LINES
from highstreet.purchases.models import Purchase, PurchaseLine
from highstreet_tenants.errors import Invalid
from rooms_given import Floor

BY_LINE = "receipt,store,datetime,card,product,department,qty,amount"
RECEIPTS = "receipt,store,datetime,total"
LINES = "receipt,sku,qty,line_total"


def write(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def take_in(floor: Floor, path: Path, **options: Any) -> Report:
    if said := options.pop("mapping", None):
        shape = "by-line" if options["beside"].by_line else "purchases"
        options["mapping"] = parse(said, shape)
    return run(floor.database.tenancy, floor.club.row, "purchases", path, **options)


def recorded(floor: Floor) -> dict[str, tuple[int, list[tuple[str, str, int, int]]]]:
    """{receipt: (total, [(product, department, thousandths, amount), …])}"""
    with floor.operator(floor.club, write=False) as s:
        lines: dict[Any, list[tuple[str, str, int, int]]] = {}
        for one in s.scalars(sa.select(PurchaseLine).order_by(PurchaseLine.line_no)):
            lines.setdefault(one.purchase_id, []).append(
                (one.product, one.department, one.quantity_milli, one.amount_minor)
            )
        return {
            one.pos_ref: (one.total_minor, lines.get(one.id, []))
            for one in s.scalars(sa.select(Purchase))
        }


def refused(path: Path) -> list[tuple[int, str]]:
    with path.with_name(path.name + SUFFIX).open(encoding="utf-8-sig", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def test_lines_of_a_receipt_may_stand_anywhere_in_the_file(floor: Floor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "till.csv",
        BY_LINE,
        "1,101,2026-03-01T10:00:00,,bun,Bakery,2,2.40",
        "2,101,2026-03-01T10:01:00,,milk,Dairy,1,1.10",
        "1,101,2026-03-01T10:00:07,,tea,Dry goods,,3.00",
        "1,102,2026-03-01T10:00:00,,ham,Deli,0.532,8.51",
    )
    report = take_in(floor, path, beside=Beside(by_line=True))
    assert (report.records, report.created, report.refused) == (4, 3, 0)
    with floor.operator(floor.club, write=False) as s:
        totals = s.execute(
            sa.select(Purchase.pos_ref, Purchase.total_minor).order_by(Purchase.total_minor)
        ).all()
    assert [tuple(one) for one in totals] == [("2", 110), ("1", 540), ("1", 851)]
    again = take_in(floor, path, beside=Beside(by_line=True))
    assert (again.created, again.known, again.refused) == (0, 3, 0)


def test_lines_in_a_second_file_find_their_receipts_and_departments(
    floor: Floor, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "receipts.csv",
        RECEIPTS,
        "1,101,2026-03-01T10:00:00,5.40",
        "2,101,2026-03-01T10:01:00,1.10",
    )
    beside = Beside(
        lines=write(tmp_path / "lines.csv", LINES, "2,m,1,1.10", "1,b,2,2.40", "1,t,1,3.00"),
        products=write(tmp_path / "products.csv", "sku,category", "b,Bakery", "m,Dairy"),
    )
    report = take_in(floor, path, beside=beside)
    assert (report.created, report.refused, report.beside[1].unused) == (2, 0, 0)
    assert recorded(floor) == {
        "1": (540, [("b", "Bakery", 2000, 240), ("t", "", 1000, 300)]),
        "2": (110, [("m", "Dairy", 1000, 110)]),
    }


def test_a_receipt_that_its_lines_do_not_add_up_to_is_refused_with_both_sums(
    floor: Floor, tmp_path: Path
) -> None:
    path = write(tmp_path / "receipts.csv", RECEIPTS, "1,101,2026-03-01T10:00:00,6.00")
    beside = Beside(lines=write(tmp_path / "lines.csv", LINES, "1,b,2,2.40", "1,t,1,3.00"))
    assert take_in(floor, path, beside=beside).refused == 1
    ((line, reason),) = refused(path)
    assert line == 2
    assert "5.40" in reason
    assert "6.00" in reason
    believed = take_in(floor, path, beside=beside, mapping={"receipts": {"add_up": False}})
    assert believed.created == 1
    assert recorded(floor)["1"][0] == 600


def test_a_line_that_cannot_be_read_refuses_its_whole_receipt_and_no_other(
    floor: Floor, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "till.csv",
        BY_LINE,
        "1,101,2026-03-01T10:00:00,,bun,Bakery,2,2.40",
        "2,101,2026-03-01T10:01:00,,milk,Dairy,1,1.10",
        "1,101,2026-03-01T10:00:00,,tea,Dry goods,1,three",
    )
    report = take_in(floor, path, beside=Beside(by_line=True))
    assert (report.records, report.created, report.refused) == (3, 1, 2)
    assert recorded(floor).keys() == {"2"}
    told = refused(path)
    assert [line for line, _reason in told] == [2, 4]
    assert all("“three”" in reason for _line, reason in told)


def test_rows_that_say_different_things_of_one_receipt_are_told(
    floor: Floor, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "till.csv",
        BY_LINE,
        "1,101,2026-03-01T10:00:00,2000000000015,bun,Bakery,2,2.40",
        "1,101,2026-03-01T10:00:00,2000000000022,tea,Dry goods,1,3.00",
        "2,101,2026-03-01T23:59:00,,bun,Bakery,2,2.40",
        "2,101,2026-03-02T00:01:00,,tea,Dry goods,1,3.00",
    )
    assert take_in(floor, path, beside=Beside(by_line=True)).created == 0
    assert [reason for _line, reason in refused(path)][::2] == [
        "line 3 has another card than line 2 of the same receipt",
        "line 5 has another datetime than line 4 of the same receipt",
    ]


def test_lines_without_a_receipt_are_counted(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "receipts.csv", RECEIPTS, "1,101,2026-03-01T10:00:00,2.40")
    lines = write(tmp_path / "lines.csv", LINES, "1,b,2,2.40", "7,t,1,3.00", "8,t,1,3.00", "1,b")
    report = take_in(floor, path, beside=Beside(lines=lines))
    (of_lines,) = report.beside
    assert (report.created, of_lines.refused) == (1, 1)
    assert (of_lines.unused, of_lines.first_unused) == (2, 3)
    assert refused(lines) == [(5, "only 2 of 4 columns are there")]


def test_a_column_that_is_no_receipt_number_does_not_fill_memory(
    floor: Floor, tmp_path: Path
) -> None:
    rows = [f"1,101,2026-03-01T10:00:00,,bun,Bakery,1,{n % 9}.00" for n in range(MOST_LINES + 5)]
    path = write(tmp_path / "till.csv", BY_LINE, *rows, "2,101,2026-03-01T10:00:00,,b,B,1,1.00")
    report = take_in(floor, path, beside=Beside(by_line=True))
    assert (report.created, report.refused) == (1, MOST_LINES + 5)
    assert {reason for _line, reason in refused(path)} == {
        f"there are more than {MOST_LINES} lines of this receipt"
    }


def test_each_file_may_be_written_in_its_own_way(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "receipts.csv", RECEIPTS, "1,101,2026-03-01T10:00:00,2.40")
    lines = tmp_path / "lines.csv"
    lines.write_text("receipt|sku|line_total\n1|żurek|2.40\n", encoding="cp1250")
    said = {"lines_file": {"encoding": "cp1250", "delimiter": "|"}}
    assert take_in(floor, path, beside=Beside(lines=lines), mapping=said).created == 1
    assert recorded(floor)["1"][1][0][0] == "żurek"


@pytest.mark.parametrize("stop_at", [1, 2, 3])
def test_a_stopped_run_of_lines_goes_on_and_ends_alike(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
) -> None:
    rows = [
        f"{n % 20},101,2026-03-01T10:00:00,,bun,Bakery,1,{'x' if n == 33 else n}.00"
        for n in range(60)
    ]
    path = write(tmp_path / "till.csv", BY_LINE, *rows)
    keep, calls = marks.keep, []

    def stop(s: Any, mark: Any) -> None:
        calls.append(mark)
        if len(calls) > stop_at:
            raise KeyboardInterrupt
        keep(s, mark)

    with monkeypatch.context() as patch:
        patch.setattr(marks, "keep", stop)
        with pytest.raises(KeyboardInterrupt):
            take_in(floor, path, beside=Beside(by_line=True), chunk=5)
    report = take_in(floor, path, beside=Beside(by_line=True), chunk=5)
    assert report.resumed_at > 0
    assert (report.records, report.created, report.refused) == (60, 19, 3)
    assert {name: total for name, (total, _lines) in recorded(floor).items()} == {
        str(n): 100 * (n + n + 20 + n + 40) for n in range(20) if n != 13
    }
    assert [line for line, _reason in refused(path)] == [15, 35, 55]


def test_options_that_contradict_each_other_are_refused(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "till.csv", BY_LINE, "1,101,2026-03-01T10:00:00,,bun,Bakery,2,2.40")
    with pytest.raises(Invalid, match="not both"):
        take_in(floor, path, beside=Beside(by_line=True, lines=path))
    with pytest.raises(Invalid, match="where the lines are"):
        take_in(floor, path, beside=Beside(products=path))
