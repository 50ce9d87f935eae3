"""Mounting the tools' screens: each behind the same guard as the core's, and gated by the host."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from flask import Flask

from highstreet.host import access, gating
from highstreet.house import House
from highstreet.sdk import requests
from highstreet.web.current import current

View = Callable[..., Any]
PLACE = ("brand", "store", "token")


def tools(app: Flask, house: House) -> None:
    """Register every loaded tool's screens, and say what answers for their requests."""
    requests.register(app, "pages", current)
    before = set(app.view_functions)
    gating.mount(app, house.host, current.session)
    for endpoint in set(app.view_functions) - before:
        view = app.view_functions[endpoint]
        if endpoint.endswith(".static"):
            # Pictures and scripts of a tool: for whoever has any role where the tool is on.
            view = access.requires("place")(functools.partial(view))
        app.view_functions[endpoint] = without_place(view)


def without_place(view: View) -> View:
    """`view`, given the address's brand, store and token only if it names them."""
    parameters = inspect.signature(view).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in parameters) and not isinstance(
        view, functools.partial
    ):
        return view
    named = {one.name for one in parameters}

    @functools.wraps(view)
    def run(**arguments: Any) -> Any:
        return view(**{k: v for k, v in arguments.items() if k not in PLACE or k in named})

    for mark in (access.PERMISSION, access.PUBLIC):
        if hasattr(view, mark):
            setattr(run, mark, getattr(view, mark))
    return run
