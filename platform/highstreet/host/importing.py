"""Importing a tool's package, so that whatever it does there ends neither the core nor the start.

What it raises, prints or calls (`sys.exit`), and how long it takes, is its own affair. What nobody
in the same process can catch, such as `os._exit` and a crash in C, `trial` finds out before.
"""

import importlib
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from time import monotonic
from types import FrameType, ModuleType

from highstreet.host import harm

#: Seconds. Whoever waits for the start should know for whom.
SLOW = 3.0
#: Seconds after which an import is given up.
LIMIT = 20.0
log = logging.getLogger("highstreet.host")


class TooLong(BaseException):
    """Raised in a tool that is still importing; no `except Exception` of its own swallows it."""


class Stopped(Exception):
    """The tool raised KeyboardInterrupt itself: nobody pressed Ctrl-C."""


def load(package: str, *, limit: float = LIMIT) -> ModuleType:
    """Import a package. Raises whatever it raises; KeyboardInterrupt only if the operator pressed
    Ctrl-C, TooLong after `limit` seconds (in the main thread, where a signal can end it)."""
    began = monotonic()
    try:
        # What it prints must not get between the lines of JSON that a command gives a machine.
        with harm.put_back(), redirect_stdout(sys.stderr), _signals(limit) as pressed:
            try:
                return importlib.import_module(package)
            except KeyboardInterrupt as error:
                if pressed or threading.current_thread() is not threading.main_thread():
                    raise
                raise Stopped("it raised KeyboardInterrupt") from error
    finally:
        if (took := monotonic() - began) > SLOW:
            log.warning("importing %s took %.0f s", package, took)


@contextmanager
def _signals(limit: float) -> Iterator[list[int]]:
    """Keep the process's signals from the tool, and let the alarm end an import that hangs.

    Gives a list that is empty until somebody presses Ctrl-C.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return

    def interrupted(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    def too_long(_number: int, _frame: FrameType | None) -> None:
        raise TooLong(f"it takes longer than {limit:g} s")

    kept = [one for name in ("SIGINT", "SIGTERM", "SIGALRM") if (one := getattr(signal, name, 0))]
    before = {number: signal.getsignal(number) for number in kept}
    alarm = getattr(signal, "setitimer", None)
    if before[signal.SIGINT] is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupted)
    if alarm is not None:
        signal.signal(signal.SIGALRM, too_long)
        alarm(signal.ITIMER_REAL, limit, 1.0)  # again each second, should it swallow the first
    try:
        yield pressed
    finally:
        if alarm is not None:
            alarm(signal.ITIMER_REAL, 0)
        for number, was in before.items():
            if was is not None:  # None: installed by C, and can't be put back from here
                signal.signal(number, was)
