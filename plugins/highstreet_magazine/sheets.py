"""Files for spreadsheets, also of very many rows."""

from collections.abc import Iterable, Iterator, Sequence
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from flask import send_file
from werkzeug.wrappers import Response

from highstreet.sdk import as_csv

#: Rows that are written at a time, and bytes that are held in memory.
_CHUNK = 1000
_HELD = 2**20


def sheet(name: str, rows: Iterable[Sequence[object]]) -> Response:
    """An answer that is saved as `name`. What is large lies on disk until it is sent."""
    file = SpooledTemporaryFile(max_size=_HELD)  # noqa: SIM115 - sent, then closed
    for part in written(rows):
        file.write(part.encode())
    file.seek(0)
    response = send_file(
        cast(IO[bytes], file), mimetype="text/csv", as_attachment=True, download_name=name
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def written(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The file, piece by piece."""
    some: list[Sequence[object]] = []
    first = True
    for row in rows:
        some.append(row)
        if len(some) == _CHUNK:
            yield _told(some, first)
            some, first = [], False
    if some or first:
        yield _told(some, first)


def _told(rows: Sequence[Sequence[object]], first: bool) -> str:
    text = as_csv(rows)
    return text if first else text[1:]  # the mark stands once, at the beginning
