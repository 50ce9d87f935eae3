"""Mounting the tools' screens: each view behind the same guard as the core's, and gated.

A view of a tool runs in one session of its place (`g.session`): reading for GET, writing for POST,
committed when the view returns. It gets the arguments of its address only if it names them.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, request

from highstreet.host import access, state
from highstreet.host.contributions import FACE
from highstreet.house import House
from highstreet.web.current import current

View = Callable[..., Any]
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def tools(app: Flask, house: House) -> None:
    """Register every loaded tool's blueprints of screens."""
    for name, loaded in house.host.plugins.items():
        for blueprint in loaded.plugin.screens:
            before = set(app.view_functions)
            app.register_blueprint(blueprint)
            face = getattr(blueprint, FACE, "store")
            for endpoint in set(app.view_functions) - before:
                view = app.view_functions[endpoint]
                if endpoint.endswith(".static"):
                    app.view_functions[endpoint] = access.public("a tool's own static files")(
                        _without_place(view)
                    )
                elif face != "member":
                    app.view_functions[endpoint] = gated(view, name)


def gated(view: View, tool: str) -> View:
    """`view` in the place's session, answered with "off" (and why) where the tool is off."""
    named = _named(view)

    @functools.wraps(view)
    def run(**arguments: Any) -> Any:
        if named is not None:
            arguments = {key: value for key, value in arguments.items() if key in named}
        with current.session(write=request.method not in READING) as s:
            state.require(s, tool, current.place.store_id)
            g.session, g.scope = s, s.scope
            try:
                # Rendered to a response while the session is open; a lazy answer would outlive it.
                return current_app.make_response(view(**arguments))
            finally:
                del g.session, g.scope

    return run


def _without_place(view: View) -> View:
    @functools.wraps(view)
    def run(filename: str, **_place: Any) -> Any:
        return view(filename=filename)

    return run


def _named(view: View) -> frozenset[str] | None:
    """Arguments that a view takes by name; None if it takes all that come."""
    parameters = inspect.signature(view).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return None
    return frozenset(one.name for one in parameters)
