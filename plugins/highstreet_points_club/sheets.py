"""Files for spreadsheets."""

from collections.abc import Iterable, Sequence

from flask import make_response
from werkzeug.wrappers import Response

from highstreet.sdk import as_csv


def sheet(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """An answer that is saved as `name`: a table that a spreadsheet shows and runs nothing of."""
    response = make_response(as_csv([header, *rows]))
    response.mimetype = "text/csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
