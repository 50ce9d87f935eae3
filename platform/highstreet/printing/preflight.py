"""Looking through all pieces before anything is printed: what does not fit, is missing, or can't be
set. Nothing is kept of the pieces, so 130,000 take no more memory than a chunk of them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from highstreet.printing.designs import Design, fill
from highstreet.printing.pieces import Finding, Findings, Piece
from highstreet.printing.typesetting import Press

MOST = 1_000
"""Findings that are named; the rest is counted."""
CHUNK = 1_000


def preflight(design: Design, pieces: Iterable[Piece], *, fonts: tuple[str, ...] = ()) -> Findings:
    """What is to be mended, piece by piece. fonts: further folders of fonts."""
    counts: Counter[str] = Counter()
    named: list[Finding] = []
    seen = 0
    with Press("press.typ", fonts) as press:
        design.lay_pictures(press)
        for first, chunk in chunked(pieces, CHUNK):
            seen += len(chunk)
            found = _of(press, design, first, chunk, fonts)
            counts.update(one.wrong for one in found)
            named += found[: MOST - len(named)]
    return Findings(seen, tuple(named), dict(counts))


def chunked(pieces: Iterable[Piece], size: int) -> Iterator[tuple[int, list[Piece]]]:
    """(number of the first, pieces), up to so many at a time."""
    left = iter(pieces)
    first = 0
    while chunk := list(islice(left, size)):
        yield first, chunk
        first += len(chunk)


def _of(
    press: Press, design: Design, first: int, chunk: list[Piece], fonts: tuple[str, ...]
) -> list[Finding]:
    rows: list[dict[str, Any]] = []
    found: list[tuple[int, Finding]] = []
    for number, piece in enumerate(chunk):
        row, wrong = fill(design, number, piece, fonts)
        rows.append(row)
        found += ((number, one) for one in wrong)
    for over in press.overfull(design.data(rows)):
        by = f"{over.over:.1f}"
        found.append((over.row, Finding(chunk[over.row].key, "overflow", over.area, by)))
    return [one for _number, one in sorted(found, key=lambda pair: pair[0])]
