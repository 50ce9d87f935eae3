"""CSV files of facts, packed or not."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path


def read(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file, packed with gzip or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write a packed CSV without a time stamp, so that equal facts give equal bytes."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(header)
    count = 0
    for row in rows:
        out.writerow(row)
        count += 1
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    return count
