"""A stranger's migration, in a process of its own: one that hangs, exits or crashes costs nobody else.

`ask` starts it and waits; `python -m highstreet_migrations.apart` is the other side. What goes
between them is one JSON object a line, for a database's password must not stand in a command line.

The other side says when the stranger's code begins and when it is over (`theirs`), and goes on only
once it is told to: so whoever stops it for its time knows that it has not come to commit. If the
side that asked is gone, however it went, the other ends without committing.
"""

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, TextIO

from msgspec.structs import asdict

from highstreet_migrations.histories import History
from highstreet_tenants import errors

_PR_SET_PDEATHSIG = 1
"""From linux/prctl.h: the signal that a process gets when its parent dies."""

#: What may be asked for, and the function (given a Side) that does it.
WORKS = {
    "advance": "highstreet_migrations.apart:_advance",
    "take_out": "highstreet_migrations.leaving:take_out",
    "bring_back": "highstreet_migrations.returning:bring_back",
}
#: Errors of ours that arrive as what they were.
_OURS = {
    one.type: one for one in (errors.Conflict, errors.Invalid, errors.NotFound, errors.Unavailable)
}
Progress = Callable[[int, int], None]


class Failed(Exception):
    """It came to nothing, for the reason in the message.

    theirs: whether the stranger's code was running. Then nothing was committed. kind: the reason
    without what an error says, which may come from anybody's row.
    """

    def __init__(self, why: str, *, theirs: bool, kind: str = "") -> None:
        super().__init__(why)
        self.theirs = theirs
        self.kind = kind or why


def advance(
    url: str, history: History, histories: Sequence[History], seconds: float
) -> tuple[list[str], list[str]]:
    """Bring one owner's schema to its head; gives its heads before and after.

    Raises Failed; its transaction was rolled back then.
    """
    found = ask("advance", url, history, histories, seconds)
    return found["before"], found["after"]


def ask(
    work: str,
    url: str,
    history: History,
    histories: Sequence[History],
    seconds: float,
    progress: Progress = lambda _done, _of: None,
    **more: Any,
) -> dict[str, Any]:
    """Have a work of WORKS done; gives what its function gave.

    `seconds`: that each stretch of the stranger's code may take. Raises Failed, and what the function
    raises of ours.
    """
    said = {
        "work": work,
        "url": url,
        "history": asdict(history),
        "histories": [asdict(one) for one in histories],
        "seconds": seconds,
        **more,
    }
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "highstreet_migrations.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        encoding="utf-8",
        start_new_session=True,
    ) as process:
        try:
            answer = _listen(process, said, seconds, progress)
        finally:
            _kill(process)
    if "refused" in answer:
        raise _OURS[answer["type"]](answer["refused"])
    if "raised" in answer:
        raise Failed(answer["raised"], theirs=answer["theirs"], kind=answer["kind"])
    found: dict[str, Any] = answer["answer"]
    return found


def _listen(
    process: "subprocess.Popen[str]", said: Mapping[str, Any], seconds: float, progress: Progress
) -> dict[str, Any]:
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None and stdout is not None
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(stdout, lines), daemon=True).start()
    theirs = False

    def say(what: str) -> None:
        with suppress(BrokenPipeError):  # it has ended, and that is heard next
            stdin.write(what + "\n")
            stdin.flush()

    say(json.dumps(said))
    while True:
        try:
            line = lines.get(timeout=seconds if theirs else None)
        except queue.Empty:
            raise Failed(
                f"it took longer than {seconds:g} s and was stopped", theirs=True
            ) from None
        if not line:
            _kill(process)
            why = f"its process ended without a word (code {process.wait()})"
            raise Failed(why, theirs=theirs)
        told: dict[str, Any] = json.loads(line)
        if "theirs" in told and "raised" not in told:
            theirs = told["theirs"]
            say("go on")
        elif "done" in told:
            progress(told["done"], told["of"])
        else:
            return told


def _read(stream: TextIO, lines: "queue.SimpleQueue[str]") -> None:
    with suppress(OSError, ValueError):  # it is closed under us at the end
        for line in stream:
            lines.put(line)
    lines.put("")


def _kill(process: "subprocess.Popen[str]") -> None:
    """Kill it with whatever programs it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):  # no groups here, or it is over
        process.kill()


class Side:
    """The other side: what is asked for, and how to tell how it goes."""

    def __init__(self, said: Mapping[str, Any], heard: TextIO, tells: TextIO) -> None:
        self.said = said
        self.url: str = said["url"]
        self.history = History(**said["history"])
        self.histories = [History(**one) for one in said["histories"]]
        self.seconds: float = said["seconds"]
        self._heard, self._tells = heard, tells
        self.in_theirs = False

    def tell(self, **what: Any) -> None:
        """One word to whoever asked. Raises OSError if nobody is there any more."""
        print(json.dumps(what), file=self._tells, flush=True)

    def progress(self, done: int, of: int) -> None:
        """How far it is."""
        self.tell(done=done, of=of)

    @contextmanager
    def theirs(self) -> Iterator[None]:
        """Around each call that runs the stranger's code: its time is measured."""
        self._turn(True)
        yield
        self._turn(False)

    def _turn(self, theirs: bool) -> None:
        self.tell(theirs=theirs)
        if not self._heard.readline():
            raise EOFError("nobody waits for this any more")
        self.in_theirs = theirs


def main() -> None:
    """Do what standard input says, and say on standard output how it went."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    heard = os.fdopen(os.dup(0), encoding="utf-8")
    tells = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # a migration may ask,
    os.dup2(2, 1)  # and print
    line = heard.readline()
    if not line:
        os._exit(1)  # whoever asked is gone already
    side = Side(json.loads(line), heard, tells)
    module, _colon, name = WORKS[side.said["work"]].partition(":")
    try:
        answer = {"answer": getattr(import_module(module), name)(side)}
    except BaseException as error:
        answer = _in_words(error, side.in_theirs)
    with suppress(OSError):
        side.tell(**answer)
    os._exit(0)  # threads that a tool has started keep nobody


def _in_words(error: BaseException, theirs: bool) -> dict[str, Any]:
    if isinstance(error, errors.HighstreetError) and error.type in _OURS and not theirs:
        return {"refused": error.detail, "type": error.type}
    kind = type(error).__name__
    return {"raised": f"{kind}: {getattr(error, 'orig', error)}", "theirs": theirs, "kind": kind}


def _advance(side: Side) -> dict[str, Any]:
    from highstreet_migrations import runner

    engine = runner.owner_engine(side.url)
    try:
        with engine.begin() as connection, side.theirs():
            runner.limit(connection, side.seconds)
            before = runner.heads(connection, side.history, side.histories)
            runner.move(connection, side.history, side.histories, "head")
            after = runner.heads(connection, side.history, side.histories)
    finally:
        engine.dispose()
    return {"before": before, "after": after}


if __name__ == "__main__":
    main()
