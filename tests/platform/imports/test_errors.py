"""What was refused is told in a few lines and kept in a file that a spreadsheet may open."""

import csv
from pathlib import Path

from highstreet.imports.errors import ErrorsFile, Refusal, Tally


def test_reasons_that_differ_only_in_their_own_words_count_as_one() -> None:
    tally = Tally(20)
    for text in ("“a” is not an amount such as 12.40", "“b” is not an amount such as 12.40"):
        tally.add(text)
    tally.add("“c” is not an amount such as 12.40")
    tally.add("only 3 of 5 columns are there")
    tally.add("only 3 of 5 columns are there")
    tally.add("only 4 of 5 columns are there")
    assert tally.counts == {
        "… is not an amount such as 12.40": 3,
        "only … of 5 columns are there": 3,
    }


def test_the_file_holds_rows_that_run_nothing_and_tell_no_card(tmp_path: Path) -> None:
    errors = ErrorsFile(tmp_path / "a.csv", ("name", "=note"))
    errors.add([Refusal(7, "“=1+1” is a formula", ["=1+1", "4111 1111 1111 1111"])])
    path = errors.settle()
    assert path is not None
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header == ["line", "reason", "name", "'=note"]
    assert row == ["7", "“=1+1” is a formula", "'=1+1", "•••• 1111"]
