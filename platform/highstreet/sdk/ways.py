"""Addresses of a tool's pages, and where to go on after a form."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from highstreet import host as hosts

if TYPE_CHECKING:
    from flask import Blueprint
    from werkzeug.routing import Map
    from werkzeug.wrappers import Response

    from highstreet.sdk.context import Ctx

Face = Literal["store", "office", "member"]


def address(ctx: Ctx, view: str, *, face: Face | None = None, **values: Any) -> str:
    """The address of one of the tool's own pages, as a path; also where there is no request: in a
    hook, a job, a verb or a test.

    view: the name of the function, or of its `endpoint`. face: which console's; the store's where
    `ctx` works in a store, else head office's. values: what the address takes besides brand and
    store (of a member's page the `token`); what it does not take goes into the query. Raises
    ValueError for a view that is not there, or that lacks a value.
    """
    from flask import has_request_context, url_for
    from werkzeug.routing import BuildError

    face = face or ("office" if ctx.store_id is None else "store")
    if face != "member":
        values.setdefault("brand", ctx.brand.slug)
    if face == "store":
        values.setdefault("store", ctx.store().slug)
    endpoint = f"{ctx.plugin}-{face}.{view}"
    try:
        if has_request_context():  # it may know of a prefix that a proxy has put before all
            return url_for(endpoint, _external=False, **values)
        screens = tuple(hosts.of(ctx.s).plugins[ctx.plugin].plugin.screens)
        return _pages(screens).bind("localhost").build(endpoint, values)
    except BuildError as error:
        raise ValueError(f"{ctx.plugin} has no page for that: {error}") from error


@lru_cache(maxsize=64)
def _pages(screens: tuple[Blueprint, ...]) -> Map:
    """The addresses of screens, without the application that serves them."""
    from flask import Flask

    alone = Flask(__name__, static_folder=None)
    for blueprint in screens:
        alone.register_blueprint(blueprint)
    return alone.url_map


def go_on(otherwise: str) -> Response:
    """The answer to a form that did its work: a redirect (303) to its field `next`, as the till's
    forms send it, if that is a page of this installation; else to `otherwise`."""
    from flask import redirect, request

    target = request.form.get("next", "")
    ours = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return redirect(target if ours and target.isprintable() else otherwise, 303)
