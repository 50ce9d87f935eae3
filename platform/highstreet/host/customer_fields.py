"""Facts about a customer that have a name and a type, so that others can ask for them.

A tool says of each what it is and which SELECT gives it. Whoever asks (a page, a file, the REST
API, another tool) asks by name, for many customers in one statement, and finds nothing where the
tool is off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from msgspec import Struct, field

if TYPE_CHECKING:
    import sqlalchemy as sa

Kind = Literal["text", "number", "points", "money", "date", "moment", "yes_no", "choice"]
"""text: str. number: int or float. points: int. money: int, minor units of the place's currency.
date: a day. moment: an aware datetime. yes_no: bool. choice: one of the field's `choices`."""

KINDS: tuple[str, ...] = get_args(Kind)


class CustomerField(Struct, frozen=True):
    """One fact about a customer.

    name: `<tool>.<what>`, at most 80 letters. label, help: lazy translations. query: gets `ctx` of
    a place and gives a SELECT of two columns, a customer's id and the value, at most one row for
    each; it reads the tool's own tables and is narrowed to the customers that are asked about.
    NULL, like no row, is no value. choices: what a choice may be, with its words. permission: whom
    pages, files and the REST API show it to, beside `customers.read`; the tool's own or the core's.
    """

    name: str
    label: object
    kind: Kind
    query: Callable[[Any], sa.Select[*tuple[Any, ...]]]
    help: object = ""
    choices: Mapping[str, object] = field(default_factory=dict)
    permission: str = ""


#: Beginnings of names that are the core's and the brand's: no tool may be called so.
OURS = frozenset({"customer", "custom"})


def wrong(tool: str, fields: Sequence[CustomerField]) -> Iterator[str]:
    """What is wrong with the fields that a tool publishes."""
    if fields and tool in OURS:
        yield f"the core's own fields are called {tool}.…: the tool needs another name"
    names = [one.name for one in fields]
    yield from (f"two fields are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    for one in fields:
        if not re.fullmatch(rf"{tool}\.[a-z][a-z0-9_]{{0,39}}", one.name):
            yield f"the field {one.name} must be called {tool}.…, in small letters"
        if one.kind not in KINDS:
            yield f"the field {one.name} is of no kind that there is ({', '.join(KINDS)})"
        if (one.kind == "choice") != bool(one.choices):
            yield f"the field {one.name} must name its choices if it is a choice, and only then"
        if not callable(one.query):
            yield f"the query of the field {one.name} is not a function"
