"""The front door: `create_app` for servers, commands and tests; `assembly` puts all together.

Nothing else is imported here, so that even the imports of a start are undisturbed.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

    from highstreet.house import House

__all__ = ["create_app", "house_of", "serving"]


def create_app(config: Mapping[str, Any] | None = None, *, faces: bool = True) -> Flask:
    """The application. `config` beats environment and file; `faces=False` leaves out the web.

    Raises Invalid for a wrong setting. A plugin that can't load never stops the start.
    """
    with _undisturbed():
        from highstreet import assembly

        return assembly.put_together(config, faces=faces)


def serving(config: Mapping[str, Any] | None = None) -> Flask:
    """The application for a server of its own, such as gunicorn: 'highstreet.app:serving()'.

    Tools whose tables are not ready are left alone from the first request on.
    """
    app = create_app(config)
    house = house_of(app)
    house.look_at_tables()
    house.counting.start()
    return app


def house_of(app: Flask) -> House:
    """The house of an application."""
    house: House = app.extensions["highstreet"]
    return house


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Nobody looks for garbage meanwhile, nor ever again among what the first start has made.

    All of that stays as long as the process. Looking through it takes a fifth of the start, as
    long again when the process ends, and would hold up some request at each full collection.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():
            gc.freeze()
        if was:
            gc.enable()
