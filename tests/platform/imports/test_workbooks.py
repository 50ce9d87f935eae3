"""Workbooks go in as the tables that they are, whatever a spreadsheet did to them."""

import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from highstreet.imports.mapping import parse
from highstreet.imports.reading import open_records, survey
from highstreet.imports.run import run
from highstreet.imports.survey import Hints
from highstreet.imports.workbooks import MOST_HELD
from highstreet_tenants.errors import Invalid
from rooms_given import Floor

HEADER = ["receipt", "store", "datetime", "total"]


def book(path: Path, *rows: list[Any], fill: Callable[[Any], None] = lambda _book: None) -> Path:
    made = Workbook()
    made.active.title = "June"
    for row in rows:
        made.active.append(row)
    fill(made)
    made.save(path)
    return path


def read(path: Path, hints: Hints | None = None) -> list[list[str]]:
    with open_records(survey(path, hints)) as stream:
        return [record.fields for record in stream]


def problems(path: Path) -> list[str | None]:
    with open_records(survey(path)) as stream:
        return [record.problem for record in stream]


def test_cells_become_the_texts_that_a_csv_of_the_sheet_would_have(tmp_path: Path) -> None:
    def zeros(made: Any) -> None:
        made.active["B2"].number_format = "000"

    path = book(
        tmp_path / "a.xlsx",
        [*HEADER, "time", "name"],
        [1001, 7, datetime(2026, 5, 1, 10, 15), 12.4, time(9, 5), "Käthe"],
        [1002.0, "007", date(2026, 5, 1), 0.1 + 0.2, timedelta(hours=9, minutes=5), None],
        [2000000000015, 4e15, "x", True, None, ""],
        fill=zeros,
    )
    assert read(path)[1:] == [
        ["1001", "007", "2026-05-01T10:15:00", "12.4", "09:05:00", "Käthe"],
        ["1002", "007", "2026-05-01", "0.3", "9:05:00", ""],
        ["2000000000015", "4.00000E+15", "x", "TRUE", "", ""],
    ]


def test_the_first_sheet_that_holds_anything_is_read_and_the_others_named(tmp_path: Path) -> None:
    def more(made: Any) -> None:
        made.create_sheet("July").append(["receipt"])
        made.create_sheet("August")

    path = book(tmp_path / "a.xlsx", fill=more)
    assert (survey(path).sheet, survey(path).unread) == ("July", ())
    path = book(tmp_path / "b.xlsx", HEADER, fill=more)
    assert (survey(path).sheet, survey(path).unread) == ("June", ("July",))
    assert read(path, Hints(sheet="July")) == [["receipt"]]
    with pytest.raises(Invalid, match="it has: June, July, August"):
        survey(path, Hints(sheet="May"))


def test_a_title_above_the_names_is_passed_over(floor: Floor, tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx",
        ["Sales"],
        [],
        HEADER,
        ["1", "101", datetime(2026, 5, 1, 10), 5],
        [],
        ["2", "101", datetime(2026, 5, 1, 10), 5],
    )
    with pytest.raises(Invalid, match="header = 3"):
        run(floor.database.tenancy, floor.club.row, "purchases", path)
    mapping = parse({"file": {"header": 3}}, "purchases")
    report = run(floor.database.tenancy, floor.club.row, "purchases", path, mapping=mapping)
    assert (report.created, report.refused) == (2, 0)


def test_where_columns_are_missing_the_other_sheets_are_named(floor: Floor, tmp_path: Path) -> None:
    def notes(made: Any) -> None:
        made.create_sheet("Notes", 0).append(["hello"])

    path = book(tmp_path / "a.xlsx", HEADER, fill=notes)
    with pytest.raises(Invalid, match="sheet “Notes”; there are also: “June”"):
        run(floor.database.tenancy, floor.club.row, "purchases", path)


def test_errors_and_formulas_without_values_are_told_by_their_cells(tmp_path: Path) -> None:
    path = book(
        tmp_path / "a.xlsx", HEADER, ["#N/A", 1, 2, 3], ["1", 1, 2, "=SUM(A1:A2)"], ["1", 1, 2, 3]
    )
    found = problems(path)
    assert found[1] == "cell A2 holds the error #N/A"
    assert found[2] is not None
    assert found[2].startswith("cell D3 holds a formula without its value")
    assert found[3] is None


def test_dates_that_a_spreadsheet_took_for_some_of_the_texts_are_an_error(
    floor: Floor, tmp_path: Path
) -> None:
    path = book(
        tmp_path / "a.xlsx",
        HEADER,
        ["1", "101", datetime(2026, 5, 1), 5],
        ["2", "101", "13/05/2026", 5],
    )
    with pytest.raises(Invalid, match="a spreadsheet has read some"):
        run(floor.database.tenancy, floor.club.row, "purchases", path)


def test_what_is_no_workbook_or_would_fill_memory_is_refused(tmp_path: Path) -> None:
    good = book(tmp_path / "good.xlsx", HEADER)
    cut = tmp_path / "cut.xlsx"
    cut.write_bytes(good.read_bytes()[:-200])
    with pytest.raises(Invalid, match="damaged"):
        survey(cut)
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.csv", "receipt,store\n")
    with pytest.raises(Invalid, match="no \\.xlsx workbook"):
        survey(other)
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            out.writestr(name, source.read(name))
        out.writestr("xl/sharedStrings.xml", b" " * (MOST_HELD + 1))
    with pytest.raises(Invalid, match="would unpack to"):
        survey(bomb)
