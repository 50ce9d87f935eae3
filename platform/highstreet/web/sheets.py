"""Tables as files for spreadsheets. Names of columns are not translated: programs read them."""

from collections.abc import Iterable, Sequence

from flask import Response, make_response

from highstreet.spreadsheet import as_csv


def sheet(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """An answer that is saved as `name`: a table that a spreadsheet shows and runs nothing of."""
    response = make_response(as_csv([columns, *rows]))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
