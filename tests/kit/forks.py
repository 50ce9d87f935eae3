"""Runs of pytest, each in a process that was forked off one which has imported all that they need.

A run by itself spends most of its second on importing what no tool changes. As a program, reads one
run as a line of JSON (arguments, folder, environment, where to print) and answers with its exit
code.
"""

import atexit
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

#: Whatever a run of the kit loads before it knows the tool; not the kit itself, which reads the
#: environment of its run as it is imported.
LOADED = (
    "highstreet.app, highstreet.assembly, highstreet.rooms, highstreet.web.assemble,"
    " highstreet.web.store.customers, highstreet.web.office.pages, highstreet.rest.mount,"
    " highstreet.rest.customers, highstreet.rest.purchases, highstreet.customers.service,"
    " highstreet.purchases.service, highstreet_migrations.runner, alembic.command"
)


def run(arguments: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """(exit code, what was printed) of pytest with these arguments, there."""
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as printed:
        asked = {"arguments": list(arguments), "cwd": str(cwd), "env": dict(env)}
        server.stdin.write(json.dumps(asked | {"printed": printed.name}) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return code, printed.read()


@cache
def _server() -> "subprocess.Popen[str]":
    here = str(Path(__file__))
    server = subprocess.Popen(
        [sys.executable, "-P", here], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(server.kill)
    return server


def serve() -> None:
    """Fork for each line until there is none."""
    import pytest

    exec(f"import {LOADED}")
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            out = os.open(asked["printed"], os.O_WRONLY)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.chdir(asked["cwd"])
            os.environ.clear()
            os.environ.update(asked["env"])
            sys.path[:0] = [one for one in asked["env"].get("PYTHONPATH", "").split(":") if one]
            code = pytest.main(asked["arguments"])
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(int(code))
        _child, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
