"""Whose the rows are that a statement writes, as far as its text tells.

A statement that reads is held to its scope by its conditions. A new row has none: whose it becomes
stands in its values. So those may come from a bind that somebody checks, or from a row that the
statement was allowed to read, and from nowhere else. And no row changes hands.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

#: How SQLAlchemy names the binds of a column.
BINDS = {
    "brand_id": re.compile(r"(?:^|_)brand_id(?:_+m?\d+)*$"),
    "store_id": re.compile(r"^(?:core_\w+?_)?store_id(?:_+m?\d+)*$"),
}
_BLANK = "\x00"
_GROUP = re.compile(r"\((\x00+)")  # with the bracket that closes it
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_BODY = re.compile(
    r"\s*(?:AS\s+\"?\w+\"?\s*)?\(([^()]*)\)\s*(?:OVERRIDING\s+\w+\s+VALUE\s+)?", re.I
)
_REST = re.compile(r"\bRETURNING\b|\bON\s+CONFLICT\b|\)", re.I)
_PARTS = re.compile(r"\bUNION(?:\s+ALL)?\b|\bEXCEPT\b|\bINTERSECT\b", re.I)
_SELECT = re.compile(r"\s*SELECT\s+(?:ALL\s+|DISTINCT\s+)?(.*?)(?:\bFROM\b|$)", re.I | re.S)
_TYPED = re.compile(
    r"(?P<value>.*\S)\s*::\s*\w+\s*$|\s*CAST\s*\((?P<cast>.*)\bAS\s+\w+\s*\)\s*$", re.I | re.S
)
_TAKES_OVER = re.compile(r"\bDO\s+UPDATE\b", re.I)
_REPLACES = re.compile(r"\bOR\s+REPLACE\b|\bREPLACE\s+INTO\b", re.I)
_OWNER = r"\"?(?:brand|store)_id\"?"
_MOVES = re.compile(rf"(?:\bSET|,)\s*{_OWNER}\s*=|\bSET\s*\((?:[^()]*,)?\s*{_OWNER}\s*[,)]", re.I)
# What a caller may fill under the name of a column: a value that is called so, or a list.
_RENAMED = {
    column: (
        re.compile(rf"(\S+)\s+AS\s+\"?{column}\"?(?!\w)", re.I),
        re.compile(
            rf"(?:\bAS|\bWITH(?:\s+RECURSIVE)?|,)\s+\"?\w+\"?\s*"
            rf"\((?:\s*\"?\w+\"?\s*,)*\s*\"?{column}\"?\s*[,)]",
            re.I,
        ),
    )
    for column in ("brand_id", "store_id")
}


class NewRows(NamedTuple):
    """What is known of the owner of rows that go into a table.

    brand, store: whether only one that is checked can stand there. unnamed: which of the text's
    binds without a name (`?`, counted from 0) stand there, for which column: they are to be looked
    up.
    """

    brand: bool
    store: bool
    unnamed: tuple[tuple[int, str], ...] = ()


def of_new_rows(sql: str, end: int) -> NewRows:
    """What the text says of the rows that it inserts; `end`: after the table's name."""
    body = _BODY.match(sql, end)
    if body is None:
        return NewRows(False, False)
    columns = [name.strip().strip('"').lower() for name in body[1].split(",")]
    if "brand_id" not in columns:
        return NewRows(False, False)
    elsewhere = sql[:end] + sql[body.end() :]
    brand = not _is_renamed(elsewhere, "brand_id")
    store = not _is_renamed(elsewhere, "store_id") and not _REPLACES.search(sql)
    unnamed: list[tuple[int, str]] = []
    some = False
    for values in _rows(sql, body.end()):
        if len(values) != len(columns):
            return NewRows(False, False)
        some = True
        given = dict(zip(columns, values, strict=True))
        brand = brand and _is_checked(given["brand_id"].text, "brand_id")
        owner = given.get("store_id", _NOBODY)
        store = store and (owner.text.upper() == "NULL" or _is_checked(owner.text, "store_id"))
        for column in ("brand_id", "store_id"):
            if column in given and given[column].text == "?":
                before = _QUOTED.sub("", sql[: given[column].place])
                unnamed.append((before.count("?"), column))
    return NewRows(some and brand, some and store, tuple(unnamed))


def is_checked_bind(name: str, column: str) -> bool:
    """Whether what SQLAlchemy binds under this name is held against the scope as a `column`."""
    return BINDS[column].search(name) is not None


def takes_over(sql: str) -> bool:
    """Whether an insert that meets a row of the same key writes into that one."""
    return _TAKES_OVER.search(sql) is not None


def moves(sql: str) -> bool:
    """Whether the text sets the owner of rows that are there already."""
    return _MOVES.search(sql) is not None


def _is_renamed(sql: str, column: str) -> bool:
    named, listed = _RENAMED[column]
    return listed.search(sql) is not None or any(
        not re.search(rf"(?:^|\.)\"?{column}\"?$", source, re.I) for source in named.findall(sql)
    )


class _Value(NamedTuple):
    """What a row gets in a column, as written, and where in the text."""

    text: str
    place: int


_NOBODY = _Value("NULL", 0)


def _is_checked(value: str, column: str) -> bool:
    name = re.fullmatch(r":(\w+)|%\((\w+)\)s", value)
    if name is None:
        return value == "?" or bool(re.fullmatch(rf"(?:\"?\w+\"?\.)?\"?{column}\"?", value, re.I))
    if name[1]:  # a Statement's own
        return name[1] in (column, f"owner_{column}")
    return is_checked_bind(name[2], column)


def _rows(sql: str, begin: int) -> Iterator[list[_Value]]:
    """The values of each row that VALUES or SELECT gives from `begin` on."""
    flat = _flat(sql[begin:])
    rest = _REST.search(flat)
    stop = rest.start() if rest else len(flat)
    parts = list(_PARTS.finditer(flat, 0, stop))
    starts = [0, *(match.end() for match in parts)]
    for start, end in zip(starts, [*(match.start() for match in parts), stop], strict=True):
        select = _SELECT.match(flat[start:end])
        spans = [select.span(1)] if select else []
        spans = spans or [(m.start(1), m.end(1) - 1) for m in _GROUP.finditer(flat[start:end])]
        for first, last in spans:
            yield list(_values(sql, begin + start + first, begin + start + last))


def _values(sql: str, begin: int, end: int) -> Iterator[_Value]:
    for match in re.finditer("[^,]+", _flat(sql[begin:end])):
        place = begin + match.start()
        value = sql[place : begin + match.end()]
        while typed := _TYPED.match(value):
            kind = "value" if typed["cast"] is None else "cast"
            place += typed.start(kind)
            value = typed[kind]
        yield _Value(value.strip(), place + len(value) - len(value.lstrip()))


def _flat(text: str) -> str:
    """The text, as long as it was, with what stands in brackets and quotes blanked out.

    So is each bracket that closes one opened here; what is left closes one opened before.
    """
    text = _QUOTED.sub(lambda match: _BLANK * len(match[0]), text)
    out, depth = [], 0
    for char in text:
        out.append(_BLANK if depth else char)
        if char == "(":
            depth += 1
        elif char == ")" and depth:
            depth -= 1
    return "".join(out)
