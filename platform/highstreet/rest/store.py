"""GET /store: which store, brand and tools the API key opens."""

from typing import Any

from flask import g
from marshmallow import Schema, fields

from highstreet import host, i18n
from highstreet.host import state
from highstreet.host.access import requires
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current

blueprint = Blueprint("api-store", __name__, description="Where the key belongs.")


class StoreOut(Schema):
    """A store. Zone is IANA's, currency ISO 4217's."""

    id = fields.UUID(required=True)
    code = fields.String(required=True, metadata={"description": "Its number in tills and files."})
    slug = fields.String(required=True)
    name = fields.String(required=True)
    zone = fields.String(required=True)
    currency = fields.String(required=True)
    locale = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["open", "closed"]})


class BrandOut(Schema):
    """The store's brand. `customers` says who owns them: each store, or the brand as a whole."""

    slug = fields.String(required=True)
    name = fields.String(required=True)
    customers = fields.String(required=True, metadata={"enum": ["brand", "store"]})


class KeyOut(Schema):
    """The API key itself."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)


class ToolOut(Schema):
    """A tool that is on in this store."""

    name = fields.String(required=True)
    title = fields.String(required=True)


class WhereOut(Schema):
    """Where the key belongs and what it may do."""

    store = fields.Nested(StoreOut, required=True)
    brand = fields.Nested(BrandOut, required=True)
    key = fields.Nested(KeyOut, required=True)
    tools = fields.List(fields.Nested(ToolOut), required=True)


@blueprint.route("/store")
@blueprint.response(200, WhereOut)
@requires("till.read")
def where() -> dict[str, Any]:
    """Which store is this?

    The store, the brand and the key, and the tools that are on. Ask it when a till starts.
    """
    on = state.enabled(current.s, current.scope.store_id)
    known, language = host.of(current.s), i18n.language()
    return {
        "store": current.store,
        "brand": current.brand,
        "key": {
            "id": current.actor.id,
            "name": current.actor.name,
            "scopes": sorted(g.permissions),
        },
        "tools": [
            {"name": name, "title": known.title(name, language)}
            for name in sorted(on)
            if name in known.plugins
        ],
    }
