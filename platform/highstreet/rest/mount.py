"""Mounting operations: the core's at /api/v1, each tool's at /api/v1/tools/<tool>."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.routing import PathConverter

from highstreet.rest import docs
from highstreet.rest.api import Api
from highstreet.rest.current import current
from highstreet.sdk import requests

if TYPE_CHECKING:
    from highstreet.house import House

PREFIX = "/api/v1"
CONFIG_PREFIX = "HIGHSTREET_"


class Receipt(PathConverter):
    """A till's number of a receipt in an address: with strokes in it, and before it too."""

    regex = ".+?"
    part_isolating = False


def init_app(app: Flask, house: House) -> None:
    """See `highstreet.rest.init_app`."""
    from highstreet.rest import (
        addresses,
        cards,
        consents,
        contacting,
        customers,
        known,
        mailings,
        purchases,
        segments,
        store,
        webhooks,
    )

    app.config.update(
        {
            f"{CONFIG_PREFIX}API_TITLE": "Highstreet",
            f"{CONFIG_PREFIX}API_VERSION": "v1",
            f"{CONFIG_PREFIX}OPENAPI_VERSION": "3.1.0",
        }
    )
    app.url_map.converters["receipt"] = Receipt
    api = app.extensions["highstreet-api"] = Api(app, config_prefix=CONFIG_PREFIX)
    app.register_blueprint(docs.pages)
    requests.register(app, "api", current)
    for room in (
        store, customers, addresses, known, cards, consents, contacting, purchases, segments,
        mailings, webhooks,
    ):  # fmt: skip
        api.mount(room.blueprint, prefix=PREFIX)
    for name, loaded in sorted(house.host.plugins.items()):
        for blueprint in loaded.plugin.api:
            api.mount(blueprint, prefix=f"{PREFIX}/tools/{name}", tool=name)
