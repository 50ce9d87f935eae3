"""What a tool answers, taken over while its guard still stands.

An answer is held to what the hook says it is, down to the fields, and copied: a list that the tool
changes later, a text that can't be shown or a number that is none is the tool's fault where it was
asked, and not the page's that shows it.
"""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, get_args, get_origin
from uuid import UUID

from markupsafe import Markup, escape

from highstreet.i18n import LazyText
from highstreet_tenants.values import fields_of, replaced

Take = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, type(None), UUID, datetime, date, Decimal, Enum)


def held(function: Callable[..., Any], gives: type | list[type]) -> Callable[..., Any]:
    """The function, raising TypeError for an answer that no page could show; None is no answer."""
    take = _each(_taker(gives[0]), gives[0]) if isinstance(gives, list) else _taker(gives)

    def call(*given: Any) -> Any:
        value = function(*given)
        return None if value is None else take(value)

    call.__wrapped__ = function  # type: ignore[attr-defined] # whose lines are the tool's
    return call


def markup(piece: Any) -> Markup | None:
    """A piece of a page: markup stays, a text is escaped. Raises TypeError for anything else."""
    if piece is None or isinstance(piece, Markup):
        return piece
    if hasattr(piece, "__html__"):
        return Markup(piece.__html__())
    if isinstance(piece, str):
        return escape(piece)
    raise TypeError(f"a piece of a page must be Markup or text, and is {type(piece).__name__}")


def facts(rows: Any) -> list[dict[str, Any]]:
    """What a verb tells, row by row. Raises TypeError for what is no table."""
    if isinstance(rows, str | bytes | Mapping):
        raise TypeError(f"it must give rows, and gives {type(rows).__name__}")
    found = []
    for row in rows:
        if not isinstance(row, Mapping):
            raise TypeError(f"each row must be a mapping, and there is {type(row).__name__}")
        found.append({str(key): tree(value) for key, value in row.items()})
    return found


def tree(value: Any) -> Any:
    """A copy of what can be written as JSON: texts, numbers, days, ids, lists and dicts of such."""
    if isinstance(value, LazyText):
        return str(value)
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {str(key): tree(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [tree(one) for one in value]
    names = fields_of(type(value))
    if names is not None:
        return {name: tree(getattr(value, name)) for name in names}
    raise TypeError(f"{type(value).__name__} can't be written down")


@lru_cache(maxsize=512)
def _taker(hint: Any) -> Take:
    """What takes over a value of a kind."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(tuple(_taker(one) for one in inner))
    if origin is not None and isinstance(origin, type):
        if issubclass(origin, Mapping):
            return _mapping(_taker(inner[0]), _taker(inner[1]))
        if issubclass(origin, Sequence):
            return _each(_taker(inner[0]), inner[0])
        return _as_it_is
    if hint is dict:
        return _tree
    if hint is str:
        return _text
    if isinstance(hint, type) and (names := fields_of(hint)) is not None:
        return _fields(hint, names)
    if isinstance(hint, type) and hint is not object:
        return _kind(hint)
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _tree(value: Any) -> Any:
    if not isinstance(value, dict):
        raise _wrong("dict", value)
    return tree(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, LazyText):
        return str(value)
    raise _wrong("str", value)


def _kind(kind: type) -> Take:
    wanted = (int, float) if kind is float else kind

    def take(value: Any) -> Any:
        if not isinstance(value, wanted):
            raise _wrong(kind.__name__, value)
        return value

    return take


def _each(take_one: Take, hint: Any) -> Take:
    name = getattr(hint, "__name__", str(hint))

    def take(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise TypeError(
                f"the answer must be a list of {name}, and there is {type(value).__name__} in it"
            )
        return [take_one(one) for one in value]

    return take


def _mapping(key: Take, one: Take) -> Take:
    def take(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong("mapping", value)
        return {key(name): one(inner) for name, inner in value.items()}

    return take


def _one_of(takes: tuple[Take, ...]) -> Take:
    def take(value: Any) -> Any:
        error: TypeError | None = None
        for one in takes:
            try:
                return one(value)
            except TypeError as wrong:
                error = error or wrong
        assert error is not None
        raise error

    return take


def _fields(kind: Any, names: tuple[str, ...]) -> Take:
    try:
        hints = typing.get_type_hints(kind)
    except NameError:  # its module names them for type checkers alone
        return _kind(kind)
    takes = [(name, _taker(hints[name])) for name in names]

    def take(value: Any) -> Any:
        if not isinstance(value, kind):
            raise _wrong(kind.__name__, value)
        changed = {}
        for name, one in takes:
            was = getattr(value, name)
            try:
                now = one(was)
            except TypeError as error:
                raise TypeError(f"{kind.__name__}.{name}: {error}") from error
            if now is not was:
                changed[name] = now
        return replaced(value, changed) if changed else value

    return take


def _wrong(wanted: str, value: Any) -> TypeError:
    return TypeError(f"the answer must be {wanted}, and there is {type(value).__name__} in it")
