"""Labels lie on the sheet where the sheet has them."""

from typing import Any

import msgspec
import pytest

from highstreet.printing.labels import SHEETS, Sheet, _sheets, checked, labels, overfull
from highstreet_tenants.errors import Invalid
from pieces_given import HIEROGLYPH

ANN = ("Ann Example", "Flat 3", "12 Long Street", "London", "W1A 1AA")


def pages(pdf: bytes) -> int:
    return pdf.count(b"/Type/Page/") + pdf.count(b"/Type/Page\n") + pdf.count(b"/Type /Page\n")


@pytest.mark.parametrize("name", SHEETS)
def test_usual_sheets_are_on_their_paper_and_hold_five_lines(name: str) -> None:
    sheet = checked(SHEETS[name])
    size = 9 if name == "5160" else 10
    assert overfull(sheet, [ANN] * 3, size=size) == []
    assert labels(sheet, [ANN] * (sheet.labels + 1)).startswith(b"%PDF")


def test_a_part_used_sheet_goes_on_where_it_ended() -> None:
    sheet = SHEETS["L7160"]
    first, second = _sheets(sheet, [ANN] * 20, 20)
    assert [len(first), len(second)] == [2, 18]
    # The 20th label is the second in the seventh row.
    assert (first[0]["x"], first[0]["y"]) == pytest.approx((7.25 + 66.04 + 3, 15.15 + 6 * 38.1 + 3))
    assert (second[0]["x"], second[0]["y"]) == pytest.approx((10.25, 18.15))
    for wrong in (0, 22):
        with pytest.raises(Invalid):
            labels(sheet, [ANN], start=wrong)
    with pytest.raises(Invalid):
        labels(sheet, [])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"columns": 4}, "columns"),
        ({"rows": 8}, "rows"),
        ({"pitch_x": 60}, "pitch_x"),
        ({"pitch_y": 30}, "pitch_y"),
        ({"label_width": 2}, "label_width"),
        ({"width": float("nan")}, "width"),
    ],
)
def test_a_sheet_of_ones_own_is_checked(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(msgspec.structs.replace(SHEETS["L7160"], **changes))
    assert named in caught.value.fields
    assert checked(Sheet(210, 297, 1, 1, 100, 50, 20, 20, 0, 0)).labels == 1


def test_what_does_not_fit_on_a_label_is_found() -> None:
    tall = tuple(f"line {n}" for n in range(9))
    found = overfull(SHEETS["5160"], [ANN, tall, (HIEROGLYPH,)], size=9)
    assert [(one.key, one.wrong) for one in found] == [("2", "overflow"), ("3", "missing_letter")]
