"""Mounting operations: the core's at /api/v1, each tool's at /api/v1/tools/<tool>."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import flask_smorest
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from highstreet.rest import docs, document, pipeline, problems
from highstreet.rest.current import current
from highstreet.rest.fields import moment_to_openapi
from highstreet.sdk import requests
from highstreet_tenants.errors import HighstreetError

if TYPE_CHECKING:
    from highstreet.house import House

PREFIX = "/api/v1"
CONFIG_PREFIX = "HIGHSTREET_"


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
        plugin = MarshmallowPlugin(schema_name_resolver=document.schema_name)
        super()._init_spec(marshmallow_plugin=plugin, **self._spec_options)
        self.ma_plugin.converter.add_attribute_function(moment_to_openapi)

    def _register_responses(self) -> None:
        document.register_responses(self.spec)

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
            return answer(error)
        if elsewhere is not None:
            return elsewhere(error)
        if isinstance(error, HTTPException):
            return error
        raise error

    return handle


def init_app(app: Flask, house: House) -> None:
    """See `highstreet.rest.init_app`."""
    from highstreet.rest import cards, customers, purchases, store

    app.config.update(
        {
            f"{CONFIG_PREFIX}API_TITLE": "Highstreet",
            f"{CONFIG_PREFIX}API_VERSION": "v1",
            f"{CONFIG_PREFIX}OPENAPI_VERSION": "3.1.0",
        }
    )
    api = app.extensions["highstreet-api"] = Api(app, config_prefix=CONFIG_PREFIX)
    app.register_blueprint(docs.pages)
    requests.register(app, "api", current)
    for room in (store, customers, cards, purchases):
        api.mount(room.blueprint, prefix=PREFIX)
    for name, loaded in sorted(house.host.plugins.items()):
        for blueprint in loaded.plugin.api:
            api.mount(blueprint, prefix=f"{PREFIX}/tools/{name}", tool=name)
