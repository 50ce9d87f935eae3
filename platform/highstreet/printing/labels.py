"""Address labels on sheets: the usual ones by number, and one's own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.printing import typesetting
from highstreet.printing.pieces import Finding
from highstreet.printing.typesetting import Press
from highstreet_tenants.errors import Invalid

INSET = 3.0
"""Millimetres within a label that stay free, for printers draw the paper in a little askew."""
MOST = 60_000
"""Labels in one file."""


class Sheet(Struct, frozen=True):
    """A sheet of labels. Lengths are mm. left, top: of the first label; pitch: from one label's
    edge to the next one's."""

    width: float
    height: float
    columns: int
    rows: int
    label_width: float
    label_height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float

    @property
    def labels(self) -> int:
        """Labels on a sheet."""
        return self.columns * self.rows


SHEETS: Mapping[str, Sheet] = {
    "L7160": Sheet(210, 297, 3, 7, 63.5, 38.1, 7.25, 15.15, 66.04, 38.1),
    "L7163": Sheet(210, 297, 2, 7, 99.1, 38.1, 4.65, 15.15, 101.6, 38.1),
    "5160": Sheet(215.9, 279.4, 3, 10, 66.675, 25.4, 4.7625, 12.7, 69.85, 25.4),
    "5163": Sheet(215.9, 279.4, 2, 5, 101.6, 50.8, 3.96, 12.7, 106.4, 50.8),
}
"""By the number on the box: L… on A4, the others on US Letter."""


def checked(sheet: Sheet) -> Sheet:
    """The sheet, if its labels are on the paper and do not lie on one another. Raises Invalid
    naming each length that is wrong."""
    errors: dict[str, list[str]] = {}
    for name, low, high in (
        ("width", 50, 500), ("height", 50, 700), ("columns", 1, 20), ("rows", 1, 60),
        ("label_width", 15, 500), ("label_height", 8, 700), ("left", 0, 500), ("top", 0, 700),
        ("pitch_x", 0, 500), ("pitch_y", 0, 700),
    ):  # fmt: skip
        if not low <= getattr(sheet, name) <= high:
            errors[name] = [_("Use a number from %(low)s to %(high)s.", low=low, high=high)]
    if not errors:
        for count, size, pitch, start, most, name in (
            (sheet.columns, sheet.label_width, sheet.pitch_x, sheet.left, sheet.width, "x"),
            (sheet.rows, sheet.label_height, sheet.pitch_y, sheet.top, sheet.height, "y"),
        ):
            if count > 1 and pitch < size:
                errors[f"pitch_{name}"] = [_("The labels would lie on one another.")]
            elif start + (count - 1) * pitch + size > most + 0.01:
                side = {"x": "columns", "y": "rows"}[name]
                errors[side] = [_("The labels would go beyond the paper.")]
    if errors:
        raise Invalid(_("There is no such sheet."), fields=errors)
    return sheet


def labels(
    sheet: Sheet,
    addresses: Iterable[Sequence[str]],
    *,
    start: int = 1,
    size: float = 10,
    language: str = "en",
    fonts: tuple[str, ...] = (),
) -> bytes:
    """A PDF of labels, row by row. start: the first one that is free on a part-used sheet, counted
    from 1. size: points. Raises Invalid, Unprintable."""
    rows = _sheets(checked(sheet), addresses, start)
    with Press("labels.typ", fonts) as press:
        return press.pdf(_data(sheet, list(rows), size, language))


def overfull(
    sheet: Sheet,
    addresses: Iterable[Sequence[str]],
    *,
    size: float = 10,
    fonts: tuple[str, ...] = (),
) -> list[Finding]:
    """Addresses that do not fit on a label or that no font can print, each by its number from 1."""
    held = list(addresses)
    rows = list(_sheets(checked(sheet), held, 1))
    with Press("labels.typ", fonts) as press:
        found = [
            Finding(str(one.row + 1), "overflow", "address", f"{one.over:.1f}")
            for one in press.overfull(_data(sheet, rows, size, "en"))
        ]
    for number, address in enumerate(held, 1):
        lacking = typesetting.unprintable("".join(address), fonts)
        if lacking:
            letters = " ".join(sorted(lacking))
            found.append(Finding(str(number), "missing_letter", "address", letters))
    return found


def _data(
    sheet: Sheet, rows: list[list[dict[str, Any]]], size: float, language: str
) -> dict[str, Any]:
    return {
        "title": "",
        "width": sheet.width,
        "height": sheet.height,
        "label_width": sheet.label_width,
        "label_height": sheet.label_height,
        "inset": min(INSET, sheet.label_height / 8),
        "size": size,
        "lang": language[:2],
        "region": None,
        "fonts": typesetting.FONTS,
        "rows": rows,
    }


def _sheets(
    sheet: Sheet, addresses: Iterable[Sequence[str]], start: int
) -> Iterator[list[dict[str, Any]]]:
    """Labels of each sheet in turn, each with its place."""
    if not 1 <= start <= sheet.labels:
        words = _("Start at a label from 1 to %(most)s.", most=sheet.labels)
        raise Invalid(words, fields={"start": [words]})
    inset = min(INSET, sheet.label_height / 8)
    left = enumerate(islice(addresses, MOST))
    at = start - 1
    count = 0
    while some := list(islice(left, sheet.labels - at)):
        yield [
            {
                "n": number,
                "lines": [" ".join(line.split()) for line in lines if line.strip()],
                "x": sheet.left + (place % sheet.columns) * sheet.pitch_x + inset,
                "y": sheet.top + (place // sheet.columns) * sheet.pitch_y + inset,
            }
            for place, (number, lines) in enumerate(some, at)
        ]
        at = 0
        count += len(some)
    if not count:
        raise Invalid(_("There is no address to print."))
