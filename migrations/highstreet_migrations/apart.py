"""A stranger's migration, in a process of its own: one that hangs, exits or crashes costs nobody else.

`advance` starts it and waits; `python -m highstreet_migrations.apart` is the other side. What goes
between them is one JSON object each way, for a database's password must not stand in a command line.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from msgspec.structs import asdict
from typing import Any

from highstreet_migrations.histories import History


class Stopped(Exception):
    """It was killed, or ended without a word; the message says which."""


class Raised(Exception):
    """It raised; the message says what."""


def advance(
    url: str, history: History, histories: Sequence[History], seconds: float
) -> tuple[list[str], list[str]]:
    """Bring one owner's schema to its head; gives its heads before and after.

    Raises Stopped after `seconds`, and Raised. Either way its transaction was rolled back.
    """
    said = {
        "url": url,
        "history": asdict(history),
        "histories": [asdict(one) for one in histories],
        "seconds": seconds,
    }
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "highstreet_migrations.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    ) as process:
        try:
            answer, _nothing = process.communicate(json.dumps(said), timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Stopped(f"it took longer than {seconds:g} s and was stopped") from None
        finally:
            process.kill()
    try:
        found: dict[str, Any] = json.loads(answer)
    except ValueError:
        raise Stopped(f"its process ended without a word (code {process.returncode})") from None
    if "error" in found:
        raise Raised(found["error"])
    return found["before"], found["after"]


def main() -> None:
    """Do what standard input says, and say on standard output how it went."""
    with redirect_stdout(sys.stderr):  # a migration may print
        try:
            answer = _do(json.load(sys.stdin))
        except BaseException as error:
            answer = {"error": f"{type(error).__name__}: {getattr(error, 'orig', error)}"}
    print(json.dumps(answer))


def _do(said: dict[str, Any]) -> dict[str, Any]:
    from highstreet_migrations import runner

    history = History(**said["history"])
    histories = [History(**one) for one in said["histories"]]
    engine = runner.owner_engine(said["url"])
    try:
        with engine.begin() as connection:
            runner.limit(connection, said["seconds"])
            before = runner.heads(connection, history, histories)
            runner.move(connection, history, histories, "head")
            after = runner.heads(connection, history, histories)
    finally:
        engine.dispose()
    return {"before": before, "after": after}


if __name__ == "__main__":
    main()
