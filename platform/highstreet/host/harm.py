"""What importing a tool does to the process around it: put back, or told."""

from __future__ import annotations

import builtins
import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def put_back() -> Iterator[None]:
    """Afterwards the process has its own streams, folder, built-in names, modules, log and warnings
    again."""
    streams = sys.stdin, sys.stdout, sys.stderr
    names, modules = dict(vars(builtins)), dict(sys.modules)
    folder, mask = os.getcwd(), logging.root.manager.disable
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        vars(builtins).update(names)
        sys.modules.update(modules)
        logging.disable(mask)
        if os.getcwd() != folder:
            os.chdir(folder)


class Before:
    """The process before an import, for what nobody can put back."""

    def __init__(self) -> None:
        self._threads = set(threading.enumerate())
        self._open = [number for number in (0, 1, 2) if _is_open(number)]

    def harmed(self) -> str:
        """What is no longer as it was, in words for the tool's author; empty if all stands."""
        for number in self._open:
            if not _is_open(number):
                return f"it closes the process's file {number} (0: input, 1: output, 2: errors)"
        for thread in set(threading.enumerate()) - self._threads:
            if not thread.daemon:
                return "it starts a thread that keeps the process from ending (use daemon=True)"
        return _serves()


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _serves() -> str:
    """What goes wrong when a page is served now; empty if nothing does."""
    try:
        import flask
        import sqlalchemy as sa

        app = flask.Flask("harm")

        @app.get("/")
        def page() -> Any:
            words = flask.render_template_string("{{ words }}", words="still here")
            return flask.jsonify(words=words)

        answer = app.test_client().get("/")
        with sa.create_engine("sqlite://").connect() as connection:
            found = connection.execute(sa.select(sa.literal(7))).scalar_one()
        if answer.json != {"words": "still here"} or found != 7:
            return f"with it no page can be served any more: it answers {answer.status_code}"
    except BaseException as error:  # whatever a tool left behind
        return f"with it no page can be served any more: {type(error).__name__}: {error}"
    return ""
