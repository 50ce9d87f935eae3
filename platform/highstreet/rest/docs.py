"""Pages about the API: Swagger UI served from this machine, and one page per problem type."""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    make_response,
    render_template,
    request,
    send_from_directory,
)

from highstreet.host.access import public
from highstreet.rest import document
from highstreet.rest.problems import KINDS, kind_of

#: Swagger UI sets styles from script and paints icons from data: addresses. It runs no inline
#: script and reaches no other host.
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none';"
    " base-uri 'none'"
)
FILES = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
_YEAR = 365 * 24 * 3600

_OWN = Path(__file__).with_name("static")

pages = Blueprint("rest_pages", __name__, template_folder="templates")


@pages.before_request
def _count() -> None:
    current_app.extensions["highstreet"].rates.stranger(request.remote_addr)


@lru_cache(maxsize=1)
def _swagger_ui() -> Path:
    """Where the flask-swagger-ui wheel keeps Swagger UI; its Python is not needed."""
    spec = find_spec("flask_swagger_ui")
    assert spec is not None and spec.origin is not None, "flask-swagger-ui is a requirement"
    return Path(spec.origin).parent / "dist"


@pages.get("/api/docs")
@public("how to use the API; it shows nobody's data")
def api_docs() -> Response:
    """The OpenAPI document as a page; works without the internet."""
    response = make_response(render_template("rest/docs.html", example_key=document.EXAMPLE_KEY))
    response.headers["Content-Security-Policy"] = CSP
    return response


@pages.get("/api/openapi.json")
@public("how to use the API; it shows nobody's data")
def openapi() -> Response:
    """The OpenAPI document."""
    return document.respond(current_app.extensions["highstreet-api"])


@pages.get("/static/rest/<any('docs.js', 'docs.css'):filename>")
@public("scripts and styles, the same for everybody")
def own(filename: str) -> Response:
    """What the documentation page needs besides Swagger UI."""
    return send_from_directory(_OWN, filename)


@pages.get("/static/swagger-ui/<filename>")
@public("scripts and styles, the same for everybody")
def swagger_ui(filename: str) -> Response:
    """Swagger UI's own files from its wheel."""
    if filename not in FILES:
        abort(404)
    return send_from_directory(_swagger_ui(), filename, max_age=_YEAR)


@pages.get("/problems/")
@public("what each error of the API means")
def problem_list() -> str:
    """Every problem type."""
    return render_template("rest/problems.html", kinds=KINDS)


@pages.get("/problems/<slug>")
@public("what an error of the API means")
def problem_page(slug: str) -> str:
    """One problem type: what it means and what to do."""
    kind = kind_of(slug)
    if kind is None:
        abort(404)
    return render_template("rest/problem.html", slug=slug, kind=kind)
