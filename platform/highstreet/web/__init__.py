"""The consoles and the members' pages: parse, call one verb, render. No rule lives here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from highstreet.house import House

__all__ = ["init_app"]


def init_app(app: Flask, house: House) -> None:
    """Give `app` its pages, those of its tools, and what stands before and after each."""
    from highstreet.web import assemble

    assemble.init_app(app, house)
