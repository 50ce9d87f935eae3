"""flask-smorest as we use it: our pipeline around every view, our problems for every error."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls
from flask import Flask, Response, request
from flask_smorest.utils import prepare_response
from werkzeug.exceptions import HTTPException

from highstreet.rest import pipeline, problems
from highstreet.rest.fields import moment_to_openapi
from highstreet.rest.segment_schemas import rule_to_openapi
from highstreet_tenants.errors import HighstreetError


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest with our pipeline around every view and our problems for every error."""

    ERROR_SCHEMA = problems.Problem
    DEFAULT_ERROR_RESPONSE_NAME = None  # every status is documented by name instead

    def mount(self, blueprint: Any, *, prefix: str, tool: str | None = None) -> None:
        """Register `blueprint` under `prefix` + its own; `tool` is the plugin that it belongs to.

        Its documentation is worked out when somebody first asks for it: that takes longer than
        the rest of the start.
        """
        app = self._app
        own = blueprint.url_prefix or ""
        before = set(app.view_functions)
        app.extensions["flask-smorest"]["blp_name_to_api"][blueprint.name] = self
        app.register_blueprint(blueprint, url_prefix=prefix + own)
        for endpoint in set(app.view_functions) - before:
            app.view_functions[endpoint] = pipeline.operation(
                app.view_functions[endpoint], tool=tool
            )
        csrf = app.extensions.get("csrf")
        if csrf is not None:
            csrf.exempt(blueprint)  # a bearer key, never a cookie, opens the API
        self.mounted.append((blueprint, tool))

    def init_app(self, app: Flask, **options: Any) -> None:
        """See flask_smorest.Api.init_app."""
        self.mounted: list[tuple[Any, str | None]] = []
        super().init_app(app, **options)

    def _init_spec(self, **options: Any) -> None:
        """Not yet: `begin_document` does it for whoever first asks for the document."""
        self._spec_options = options

    def begin_document(self) -> None:
        """Make the empty document, with the answers that all operations share."""
        plugin = MarshmallowPlugin(schema_name_resolver=_schema_name)
        super()._init_spec(marshmallow_plugin=plugin, **self._spec_options)
        self.ma_plugin.converter.add_attribute_function(moment_to_openapi)
        self.ma_plugin.converter.add_attribute_function(rule_to_openapi)

    def _register_responses(self) -> None:
        _register_responses(self.spec)

    def _register_error_handlers(self) -> None:
        """Problems under /api; pages elsewhere, by whatever handler was there before."""
        app = self._app
        before = dict(app.error_handler_spec[None][None])
        for kind, answer in (
            (HighstreetError, problems.of_error),
            (HTTPException, problems.of_http),
            (Exception, problems.of_defect),
        ):
            app.register_error_handler(kind, _branch(answer, before.get(kind)))


def _branch(
    answer: Callable[[Any], Response], elsewhere: Callable[[Any], Any] | None
) -> Callable[[Any], Any]:
    def handle(error: Any) -> Any:
        if request.path.startswith("/api/"):
            return pipeline.with_room(answer(error))
        if elsewhere is not None:
            return elsewhere(error)
        if isinstance(error, HTTPException):
            return error
        raise error

    return handle


def _schema_name(schema: Any) -> str:
    """The published name of a schema: its class's, with the tool before it where it is a tool's.

    Two tools may both have a `LineOut`.
    """
    resolved = resolve_schema_cls(schema)
    found = resolved[0] if isinstance(resolved, list) else resolved
    package = found.__module__.partition(".")[0]
    owner = "" if package == "highstreet" else package.removeprefix("highstreet_").title()
    return owner.replace("_", "") + str(found.__name__)


def _register_responses(spec: Any) -> None:
    """Give flask-smorest a problem for every status that its decorators name."""
    for status in HTTPStatus:
        response: dict[str, Any] = {"description": status.phrase}
        if status >= 400:
            response["schema"] = problems.Problem
        prepare_response(response, spec, problems.MEDIA_TYPE)
        spec.components.response(status.name, response, lazy=True)
