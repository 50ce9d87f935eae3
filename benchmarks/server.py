"""`python -m benchmarks.server ours|bare FILE`: one side of a comparison over HTTP.

ours: the application. bare: a Flask view that plays prepared statements. Both under waitress with
as many threads; the port is the first line that is printed.
"""

from __future__ import annotations

import gc
import logging
import pickle
import sys
import threading
from typing import Any

from flask import Flask, request
from waitress import create_server

from highstreet.cli.serve import THREADS


def ours(settings: dict[str, Any]) -> Flask:
    """The application, consoles and all, as `highstreet run` serves it."""
    from highstreet.app import create_app

    # Requests are counted as always, but one key is all tills of a busy day here.
    return create_app({"rate_per_key": 10**9, **settings})


def bare(settings: dict[str, Any]) -> Flask:
    """A view that reads the order as JSON, plays that piece in one transaction, answers JSON."""
    from benchmarks import replay

    app = Flask("bare")
    mine = threading.local()
    pieces: list[replay.Piece] = settings["pieces"]
    answer: dict[str, Any] = settings["answer"]

    @app.post("/play")
    def play() -> tuple[dict[str, Any], int]:
        order = request.get_json()
        if not hasattr(mine, "client"):
            mine.client = replay.client(settings["url"])
        mine.client.play(pieces[order["piece"]])
        return answer, 201

    return app


def main() -> None:
    """Serve until the process is ended."""
    kind, path = sys.argv[1:]
    # Eight clients on eight threads: that one of them waits for a moment is no news.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    with open(path, "rb") as file:
        settings = pickle.load(file)
    app = {"ours": ours, "bare": bare}[kind](settings)
    gc.freeze()  # as `create_app` does; or the bare view's prepared pieces would slow it down
    server: Any = create_server(app, host="127.0.0.1", port=0, threads=THREADS)
    print(server.effective_port, flush=True)
    server.run()


if __name__ == "__main__":
    main()
