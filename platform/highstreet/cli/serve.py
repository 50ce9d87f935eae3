"""``highstreet run`` and ``highstreet worker``."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from highstreet import config
from highstreet.cli.base import be_ready, make_app, safe_mode_option
from highstreet.i18n import gettext as _
from highstreet.jobs.keeper import PATIENCE, Keeper
from highstreet_tenants.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from flask import Flask

    from highstreet.house import House

THREADS = 8
#: Connections kept open, at work or not: every browser keeps six. At waitress's own 100 the server
#: would hear nobody else, for minutes. A process may have 1,024 files open, the database's too.
CONNECTIONS = 800
#: Seconds that a connection without a request stays open.
IDLE = 60


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=5050, show_default=True, type=click.IntRange(0, 65535))
@click.option(
    "--runner/--no-runner",
    default=None,
    help="Run jobs inside (default: yes, unless a Redis URL is set).",
)
@click.option(
    "--reload", "anew", is_flag=True, help="For authors: start anew when a tool's files change."
)
@safe_mode_option
@click.pass_context
def run(context: click.Context, host: str, port: int, runner: bool | None, anew: bool) -> None:
    """Serve the consoles and the REST API, with a job runner inside."""
    if anew:
        from highstreet.cli import reloading

        context.exit(reloading.serve_anew(_same(context)))
    from highstreet.app import house_of

    app = make_app(faces=True, base_url=address(host, port))
    house = house_of(app)
    with app.app_context():
        be_ready(house)
    inside = runner if runner is not None else not house.config["redis_url"]
    serve(app, house, host, port, runner=inside)


def _same(context: click.Context) -> list[str]:
    """The command line of this call, but for --reload."""
    root, given = context.find_root(), context.params
    config = root.obj["config"]
    flags = ["--debug"] * root.obj["debug"] + ["--safe-mode"] * bool(config.get("safe_mode"))
    inside = {True: ["--runner"], False: ["--no-runner"], None: []}[given["runner"]]
    where = ["--instance", config["instance"]] if "instance" in config else []
    place = ["--host", given["host"], "--port", str(given["port"])]
    return [*flags, *where, "run", *place, *inside]


def address(host: str, port: int) -> str:
    """The address under which this machine's browser finds the consoles."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def serve(app: Flask, house: House, host: str, port: int, *, runner: bool) -> None:
    """Serve until SIGINT or SIGTERM; requests and the job under way are finished first.

    Raises Unavailable if the port is taken.
    """
    from waitress import create_server

    try:
        server: Any = create_server(
            app,
            host=host,
            port=port,
            threads=THREADS,
            ident="Highstreet",
            connection_limit=CONNECTIONS,
            channel_timeout=IDLE,
            asyncore_use_poll=True,
        )
    except OSError as error:
        raise _taken(host, port, error) from error
    except ValueError as error:  # waitress: a host that no resolver knows
        raise Invalid(_("There is no address %(host)s to listen on: --host", host=host)) from error
    at = address(host, getattr(server, "effective_port", port))
    click.echo(_("Highstreet listens on %(address)s (stop: Ctrl-C)", address=at), err=True)
    house.counting.start()
    with _ending_on(signal.SIGTERM), running_jobs(house, runner):
        try:
            server.run()  # returns on SIGINT and SystemExit, after its tasks have ended
        finally:
            server.close()


def check_port(host: str, port: int) -> None:
    """Raise Unavailable if nobody can listen there: better before the work than after it."""
    try:
        kind, *_rest, place = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        return  # `serve` says what is wrong with the host
    with socket.socket(kind, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            trial.bind(place)
        except OSError as error:
            raise _taken(host, port, error) from error


def _taken(host: str, port: int, error: OSError) -> Unavailable:
    return Unavailable(
        _(
            "Port %(port)s on %(host)s can't be used (%(reason)s). Choose another: --port",
            port=port,
            host=host,
            reason=error.strerror,
        )
    )


@contextmanager
def running_jobs(house: House, wanted: bool) -> Iterator[None]:
    """Jobs run in a process of their own, if ``wanted``; stopped at the end.

    The job under way is waited for. One that hangs is not: nothing of it was committed.
    """
    if not wanted:
        yield
        return
    stop = threading.Event()
    kept = Keeper({"config": config.again(house.config)})
    thread = threading.Thread(
        target=kept.keep, args=(stop,), kwargs={"insist": True}, name="job-keeper", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE + 5)


@contextmanager
def _ending_on(number: signal.Signals) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    before = signal.signal(number, end)
    try:
        yield
    finally:
        signal.signal(number, before)


@click.command()
@safe_mode_option
def worker() -> None:
    """Run jobs until stopped: through Redis and RQ where a Redis URL is set, else directly.

    They run in a child process, which is killed and replaced when a job hangs.
    """
    stop = threading.Event()
    kept = Keeper({"config": click.get_current_context().find_root().obj["config"]})

    def end(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            kept.hurry()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    raise SystemExit(kept.keep(stop))
