"""REST for tills and other machines: `/api/v1`, its OpenAPI document and its pages.

A thin face: each operation parses, calls one verb of a room and renders. `pipeline` holds what
stands before and after every operation, `document` what is published about them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from highstreet.house import House

__all__ = ["init_app"]


def init_app(app: Flask, house: House) -> None:
    """Mount the API on `app`: the core's operations, the tools' under /api/v1/tools/<tool>/, and
    the pages about them. Call it last: errors outside of /api go to the handlers found there.
    """
    from highstreet.rest import mount

    mount.init_app(app, house)
