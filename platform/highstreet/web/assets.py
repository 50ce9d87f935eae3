"""Files that we serve but did not write, and each brand's accent."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import sqlalchemy as sa
from flask import Blueprint, Response, abort, make_response, request, send_from_directory

from highstreet.host.access import public
from highstreet.web import accent
from highstreet.web.current import current
from highstreet_tenants.models import Brand

vendor = Blueprint("vendor", __name__, url_prefix="/static/vendor")
FILES = frozenset({"bootstrap.min.css"})
_YEAR = 365 * 24 * 3600


@lru_cache(maxsize=1)
def _bootstrap() -> Path:
    """Where the bootstrap-flask wheel keeps Bootstrap's stylesheet; its Python is not needed."""
    spec = find_spec("flask_bootstrap")
    assert spec is not None and spec.origin is not None, "bootstrap-flask is a requirement"
    return Path(spec.origin).parent / "static" / "bootstrap5" / "css"


@vendor.get("/<any('bootstrap.min.css'):filename>")
@public("a stylesheet, the same for everybody")
def file(filename: str) -> Response:
    """Bootstrap from its wheel."""
    return send_from_directory(_bootstrap(), filename, max_age=_YEAR)


@vendor.get("/accent/<brand>.css")
@public("a brand's colours are on its public pages too")
def brand_accent(brand: str) -> Response:
    """The brand's five accent values for each theme, contrast made sure of."""
    with current.house.tenancy.control() as c:
        colour = c.scalar(sa.select(Brand.accent).where(Brand.slug == brand))
    if colour is None:
        abort(404)
    response = make_response(accent.stylesheet(colour))
    response.mimetype = "text/css"
    response.set_etag(colour.lstrip("#"))
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
