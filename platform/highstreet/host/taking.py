"""Files that tools take in: what a tool says of such a file, and what it gets of each row.

The core reads the file, finds the stores and the people that its rows name, asks whether the tool
is on there, and writes the rows that can't go in beside the file. The tool reads its own columns
and writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from msgspec import Struct, field

if TYPE_CHECKING:
    from uuid import UUID


#: Fields that say of every row whose it is, and where.
WHO_AND_WHERE = frozenset({"ref", "card", "phone", "email", "name", "store"})


class Cells(Protocol):
    """The tool's own columns of one row. Each reader raises what refuses the row, with words."""

    def text(self, name: str) -> str:
        """A text; empty where nothing stands."""

    def whole(self, name: str) -> int | None:
        """A whole number, "1,250" and "−5" too; None where nothing stands."""

    def day(self, name: str) -> date | None:
        """A day, in the file's own order of day and month; None where nothing stands."""


class ImportRow(NamedTuple):
    """One row that can be read, and whose tool is on in its place.

    store_id: None where the row names no store: head office. value: what the tool's `read` gave.
    key: names the person as the row does and is the same when the row comes again. origin:
    "balances.csv, row 17".
    """

    customer_id: UUID
    store_id: UUID | None
    value: Any
    key: str
    origin: str


class ImportDone(Struct, frozen=True):
    """What became of some rows. refused: place among the rows → words; the rest of the transaction
    stands. known: those that were taken in before.
    """

    created: int
    known: int = 0
    refused: Mapping[int, str] = field(default_factory=dict)


class ImportKind(Struct, frozen=True):
    """A file that a tool takes in by `highstreet import <name> FILE`.

    name: `<tool>.<what>`. title: a lazy translation. columns: the tool's own fields → names of
    columns that are understood without a mapping; who (ref, card, phone, email, name) and where
    (store) a row may say in any case. needs: fields that a file must have. days: fields that hold
    days. once: somebody stands in a file in one row alone. read: one row's value;
    may raise an sdk error to refuse it. write: in the transaction of up to 2,000 rows, with a `ctx`
    that stands in no store; rows that come again must change nothing.
    """

    name: str
    title: object
    columns: Mapping[str, Sequence[str]]
    needs: Sequence[str]
    read: Callable[[Cells], Any]
    write: Callable[[Any, Sequence[ImportRow]], ImportDone]
    days: Sequence[str] = ()
    once: bool = True
