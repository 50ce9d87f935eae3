"""The request that a tool's screen or operation answers, whichever face it came in by.

The faces register what they know (`register`); tools see one `current` and never import a face.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, cast
from uuid import UUID

from flask import Flask, current_app, request
from werkzeug.local import LocalProxy

from highstreet.host import gating
from highstreet.sdk.context import Ctx, ctx_of
from highstreet_tenants.scopes import Actor
from highstreet_tenants.sessions import ScopedSession

_EXTENSION = "highstreet.current"


class Current(Protocol):
    """What each face knows of its request."""

    @property
    def actor(self) -> Actor:
        """Who asks."""

    @property
    def member_id(self) -> UUID | None:
        """Whose own page this is (the id of a customer); None in the consoles and the API."""

    def may(self, permission: str) -> bool:
        """Whether they hold a permission in the place of the request."""

    def session(self, *, write: bool = False) -> AbstractContextManager[ScopedSession]:
        """A session for the place of the request: one transaction."""

    def aggregate(self) -> AbstractContextManager[ScopedSession]:
        """A reading session for registered grouped queries over the brand; in consoles only."""


def register(app: Flask, face: str, current: Any) -> None:
    """Say what answers for a face: "pages" (the consoles and the member's) or "api"."""
    app.extensions.setdefault(_EXTENSION, {})[face] = current


def _current() -> Current:
    face = gating.face_of(current_app.blueprints.get(request.blueprint or ""))
    faces = current_app.extensions.get(_EXTENSION, {})
    return cast(Current, faces["api" if face == "api" else "pages"])


#: The request at hand; RuntimeError outside of one.
current: Current = cast(Current, LocalProxy(_current))


@contextmanager
def open_ctx(*, write: bool = False) -> Iterator[Ctx]:
    """The `ctx` of the tool whose screen or operation this is, in a session of its own.

    write: commit at the end. Raises RuntimeError in a view that is no tool's.
    """
    tool = gating.tool_of(current_app.blueprints.get(request.blueprint or ""))
    if tool is None:
        raise RuntimeError("open_ctx() works in the views of sdk.screens and sdk.api only")
    with current.session(write=write) as s:
        yield ctx_of(s, tool)


@contextmanager
def open_totals() -> Iterator[ScopedSession]:
    """A reading session over all stores of the brand, for `aggregates.run` and nothing else.

    For screens of head office: it reads sums there also where customers are the stores'.
    """
    with current.aggregate() as s:
        yield s
