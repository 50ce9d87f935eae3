"""Files for spreadsheets, also of very many rows."""

from collections.abc import Iterable, Iterator, Sequence

from flask import Response, stream_with_context

from highstreet.sdk import as_csv

#: Rows that are written at a time.
_CHUNK = 1000


def sheet(name: str, rows: Iterable[Sequence[object]]) -> Response:
    """An answer that is saved as `name`, written as it is read."""
    response = Response(stream_with_context(written(rows)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
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
