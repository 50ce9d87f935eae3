"""Hookspecs: what a room may ask of tools, and how the answers are gathered.

pluggy holds and checks the signatures; the calls go through `dispatch`, because pluggy loses all
results when one plugin raises and knows nothing of stores.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, get_args
from uuid import UUID

import pluggy
from msgspec import Struct

from highstreet_tenants.sessions import ScopedSession

Kind = Literal["collect", "first", "chain", "veto", "all"]
F = TypeVar("F", bound=Callable[..., Any])

PROJECT = "highstreet"
hookimpl = pluggy.HookimplMarker(PROJECT)
_mark = pluggy.HookspecMarker(PROJECT)
_INFO = "highstreet_hook"


class Retry(Protocol):
    """How a writing hook's arguments outlive the transaction: a failed part is done again later.

    Write down ids, not facts: the job reads the facts anew.
    """

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The hook's arguments (without `ctx`) as JSON."""

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The arguments again, or None if what they were about is gone (then nothing is owed)."""


class Missing(NamedTuple):
    """A call of a hook that a tool was not there for. at: when (UTC); arguments: as `Retry.dump`
    writes them."""

    at: datetime
    store_id: UUID | None
    arguments: dict[str, Any]


#: Every call of a hook since a moment.
Missed = Callable[[ScopedSession, datetime], Iterable[Missing]]


class Hook(Struct, frozen=True):
    """One hook as its room declared it.

    arguments: names after `ctx`, in order. winddown: obligations (reversal, expiry, export,
    erasure), so it reaches tools that are off too. budget_ms: slower than this is a fault; None
    takes the host's default. wordless: a fault in it keeps no words of the error, for they would
    name somebody who is being forgotten. gives: what an answer is, [kind] for a list of such;
    anything else is a fault of the tool's, not of the page that shows it. None: the room makes of
    it what it can. missed: every call of it since a moment, from the room's own rows; for a tool
    that was not installed meanwhile and has obligations all the same. deprecated: what to answer
    instead and when it goes, for a hook that is on its way out.
    """

    name: str
    kind: Kind
    arguments: tuple[str, ...]
    writes: bool = False
    winddown: bool = False
    since: str = "0.1"
    stability: Literal["stable", "provisional"] = "stable"
    retry: Retry | None = None
    budget_ms: float | None = None
    wordless: bool = False
    gives: type | list[type] | None = None
    missed: Missed | None = None
    deprecated: str = ""
    doc: str = ""
    room: str = ""


class Call(NamedTuple):
    """One tool's implementation of a hook. order: -1 wants to be first, 1 last."""

    plugin: str
    function: Callable[..., Any]
    order: int = 0


def spec(
    *,
    kind: Kind,
    since: str,
    writes: bool = False,
    winddown: bool = False,
    stability: Literal["stable", "provisional"] = "stable",
    retry: Retry | None = None,
    budget_ms: float | None = None,
    wordless: bool = False,
    gives: type | list[type] | None = None,
    missed: Missed | None = None,
    deprecated: str = "",
) -> Callable[[F], F]:
    """Declare a hook: put it on a function of a class in a room's `hooks.py`.

    The first argument after `self` is `ctx`; a `chain` hook's second is the value that is passed
    along. Only `collect` and `all` hooks may write; an `all` hook can't be owed, for without a
    tool's part nothing is done. Raises TypeError for a declaration that breaks these.
    """

    def declare(function: F) -> F:
        names = [n for n in inspect.signature(function).parameters if n != "self"]
        if kind not in get_args(Kind):
            raise TypeError(f"hook {function.__name__}: there is no kind {kind!r}")
        if not names or names[0] != "ctx":
            raise TypeError(f"hook {function.__name__}: the first argument must be ctx")
        if kind == "chain" and len(names) < 2:
            raise TypeError(f"hook {function.__name__}: a chain needs the value it passes along")
        if writes and kind not in ("collect", "all"):
            raise TypeError(f"hook {function.__name__}: only a collect or all hook may write")
        if (missed is not None) != (retry is not None and winddown):
            raise TypeError(
                f"hook {function.__name__}: an obligation that can be owed needs `missed`"
            )
        if retry is not None and not (writes and kind == "collect"):
            raise TypeError(f"hook {function.__name__}: only a writing collect hook can be owed")
        if not function.__doc__:
            raise TypeError(f"hook {function.__name__}: say in its docstring when it is called")
        info = Hook(
            name=function.__name__,
            kind=kind,
            arguments=tuple(names[1:]),
            writes=writes,
            winddown=winddown,
            since=since,
            stability=stability,
            retry=retry,
            budget_ms=budget_ms,
            wordless=wordless,
            gives=gives,
            missed=missed,
            deprecated=deprecated,
            doc=inspect.cleandoc(function.__doc__),
            room=function.__module__,
        )
        setattr(function, _INFO, info)
        return _mark(function)

    return declare


def hooks_in(namespace: object) -> Iterator[Hook]:
    """The hooks that a class or module of hookspecs declares."""
    for name in dir(namespace):
        info = getattr(inspect.getattr_static(namespace, name), _INFO, None)
        if isinstance(info, Hook):
            yield info
