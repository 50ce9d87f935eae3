"""Blueprints of tools: where their screens and operations hang, and whose they are.

The faces read `highstreet_tool` and `highstreet_face` and put the gate in front of every view: a
tool that is off in the place of the request answers 404 with its reason.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import flask_smorest
import marshmallow
from flask import Blueprint, Request, g
from webargs.flaskparser import FlaskParser

from highstreet.host.pages import FACE, TOOL
from highstreet.host.plugin import Face

V = TypeVar("V", bound=Callable[..., Any])

#: Where a face's screens hang; a tool's own addresses follow.
PREFIXES: dict[Face, str] = {
    "store": "/store/<brand>/<store>/t/{name}",
    "office": "/office/<brand>/t/{name}",
    "member": "/m/<token>/t/{name}",
}


def screens(
    name: str,
    face: Face = "store",
    *,
    import_name: str | None = None,
    template_folder: str | None = "templates",
    static_folder: str | None = None,
) -> Blueprint:
    """A Flask blueprint for the pages of the tool `name` in one console.

    Endpoints are `<name>-<face>.<view>`. Views take the arguments of the address (`brand` and
    `store`, `brand`, or `token`) only if they name them; every view states `@requires` or
    `@public`. Templates live in `templates/<name>/`, so that they cannot shadow another's.
    """
    blueprint = Blueprint(
        f"{name}-{face}",
        import_name or _caller(),
        url_prefix=PREFIXES[face].format(name=name),
        template_folder=template_folder,
        static_folder=static_folder,
    )
    setattr(blueprint, TOOL, name)
    setattr(blueprint, FACE, face)
    return blueprint


class _Parser(FlaskParser):
    """Takes the body that the API has already checked; refuses unknown query parameters."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,  # a misspelt filter must not be a filter left out
    }

    def _raw_load_json(self, req: Request) -> Any:
        return g.body


class Operations(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's blueprint with the house's parser."""

    ARGUMENTS_PARSER = _Parser()

    if TYPE_CHECKING:  # flask-smorest has no types: without these every view would be untyped

        def route(self, rule: str, **options: Any) -> Callable[[V], V]:
            """Register a view and document it."""

        def arguments(self, schema: Any, **options: Any) -> Callable[[V], V]:
            """Hand the parsed body (or `location="query"`) to the view as its next argument."""

        def response(self, status: int, schema: Any = None, **options: Any) -> Callable[[V], V]:
            """Dump what the view gives, unless it is a Response."""

        def alt_response(self, status: int, **options: Any) -> Callable[[V], V]:
            """Document a further answer."""

        def etag(self, view: V) -> V:
            """Give the answer an ETag; 304, 412 and 428 follow from it."""

        def check_etag(self, data: Any, schema: Any = None) -> None:
            """Raise 412 unless If-Match names what is there now."""


def api(name: str, description: str = "", *, import_name: str | None = None) -> Operations:
    """A flask-smorest blueprint for the REST operations of the tool `name`.

    It hangs at /api/v1/tools/<name>; every view states `@requires` with a scope of API keys.
    """
    blueprint = Operations(f"{name}-api", import_name or _caller(), description=description)
    setattr(blueprint, TOOL, name)
    setattr(blueprint, FACE, "api")
    return blueprint


def _caller() -> str:
    """The module that asked for a blueprint: its folder holds the templates."""
    frame = sys._getframe(2)
    return str(frame.f_globals["__name__"])


__all__ = ["PREFIXES", "Operations", "api", "screens"]
