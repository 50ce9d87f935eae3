"""Files for spreadsheets run nothing of what they hold."""

import csv
from decimal import Decimal
from io import StringIO

import pytest

from highstreet.spreadsheet import as_csv


def read(text: str) -> list[list[str]]:
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=cmd|"/c calc"!A1']
)
def test_a_text_that_would_run_is_shown_instead(text: str) -> None:
    [[cell]] = read(as_csv([[text]]))
    assert cell == f"'{text}"


def test_numbers_stay_numbers_and_nothing_stays_empty() -> None:
    assert read(as_csv([[-5, Decimal("-12.40"), None, 0, "Maren, O"]])) == [
        ["-5", "-12.40", "", "0", "Maren, O"]
    ]


def test_a_spreadsheet_reads_the_letters_right() -> None:
    text = as_csv([["店", "ü"], ["line\nbreak", 'a "quote"']])
    assert text.startswith("\ufeff")
    assert read(text) == [["店", "ü"], ["line\nbreak", 'a "quote"']]
