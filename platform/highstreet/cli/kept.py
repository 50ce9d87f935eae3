"""The process in which a keeper lets jobs run: `python -m highstreet.cli.kept`, see jobs/keeper.py.

Its standard input is the keeper's pipe: the settings as one line of JSON, then nothing until the
keeper is gone. On standard output it tells what it has begun.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

import click

from highstreet.app import create_app, house_of
from highstreet.cli.base import be_ready
from highstreet.host import gating
from highstreet.house import House
from highstreet.jobs import keeper
from highstreet_tenants.errors import HighstreetError

log = logging.getLogger(__name__)


def main() -> None:
    """Run jobs until the keeper says so or is gone."""
    said: dict[str, Any] = json.loads(sys.stdin.readline())
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a tool prints is no message to the keeper
    keeper.when_alone(sys.stdin, lambda: os.kill(os.getpid(), signal.SIGTERM))
    app = create_app(said["config"], faces=False)
    house = house_of(app)
    with app.app_context():
        try:
            be_ready(house)
        except HighstreetError as error:
            click.echo(f"Error: {error.detail}", err=True)
            raise SystemExit(2) from error
        if (killed := keeper.killed_in(said)) is not None:
            _note(house, killed)
        house.runner.watch = keeper.Teller(told)
        try:
            _work(house)
        finally:
            house.counting.end()


def _note(house: House, killed: keeper.Killed) -> None:
    """Free the job that the process before us was killed with, and blame its tool."""
    try:
        job = house.runner.was_killed(killed)
        if job is not None:
            with house.tenancy.session(house.runner.scope_of(job), write=True) as s:
                gating.job_killed(s, job, killed.seconds)
    except Exception:  # its lease lapses by itself, and the others must not wait for it
        log.exception("job %s was killed, and that was not written down", killed.job)


def _work(house: House) -> None:
    url = house.config["redis_url"]
    if url:
        from highstreet.jobs import rq_transport

        rq_transport.work(url, lambda: house.runner)
        return
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():  # told again: the job under way is given back
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with suppress(KeyboardInterrupt):
        house.runner.run_forever(stop)


if __name__ == "__main__":
    main()
