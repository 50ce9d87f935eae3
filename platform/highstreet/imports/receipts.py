"""Puts receipts together: a row of a file, with its lines from elsewhere, or the lines themselves.

Three feeds give the same: a file with a row for each receipt, such a file and one of lines beside
it, and a file with a row for each line. What they give is a Receipt at a time, in the order of the
file, whether its lines stand side by side or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.imports.errors import Refusal
from highstreet.imports.lines import LineRows, ProductRows, receipt_of
from highstreet.imports.reading import open_records
from highstreet.imports.scratch import Kept, Scratch
from highstreet.imports.shops import Shop
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet_tenants.cards import mask_payment_cards

#: Records that are looked up at once.
BATCH = 1_000

Name = Callable[[Record], tuple[Shop, str]]
"""Which receipt a record is: its store and number. Raises RowError."""

Refuse = Callable[[Sequence[Refusal]], None]
"""Hears of rows that can't go in."""

Moved = Callable[[int], None]
"""Hears how many bytes of a file were read."""


class Receipt(Struct):
    """One receipt as the files say it: its own record, and its lines.

    ``parts`` are the rows of the file that it takes up. ``named`` is its store and number, or why
    they can't be read.
    """

    head: Record
    parts: tuple[Record, ...]
    named: tuple[Shop, str] | RowError
    lines: Sequence[Kept] = ()


def one_each(records: Iterator[Record], name: Name, scratch: Scratch) -> Iterator[Receipt]:
    """The receipts of a file with a row for each; a repeat of one is an error of its row."""
    while batch := list(islice(records, BATCH)):
        receipts = [_receipt(record, name) for record in batch]
        asked: list[tuple[str, int]] = []
        for one in receipts:
            if not isinstance(one.named, RowError):
                asked.append((receipt_of(*one.named), one.head.line))
        first = scratch.before(asked)
        for one in receipts:
            if isinstance(one.named, RowError):
                continue
            line = first.setdefault(receipt_of(*one.named), one.head.line)
            if line != one.head.line:
                one.named = _repeated(one.named[1], line)
        yield from receipts


def _receipt(record: Record, name: Name) -> Receipt:
    try:
        named: tuple[Shop, str] | RowError = name(record)
    except RowError as error:
        named = error
    return Receipt(record, (record,), named)


def _repeated(number: str, line: int) -> RowError:
    return RowError(
        _(
            "receipt %(ref)s stands in line %(line)s already; if each row is a line of a receipt, "
            "add --by-line",
            ref=number,
            line=line,
        )
    )


def with_lines(receipts: Iterator[Receipt], lines: LineRows, scratch: Scratch) -> Iterator[Receipt]:
    """The same receipts with the lines that were kept for them."""
    while batch := list(islice(receipts, BATCH)):
        named = [
            None
            if isinstance(one.named, RowError)
            else receipt_of(one.named[0] if lines.by_store else None, one.named[1])
            for one in batch
        ]
        found = scratch.take(one for one in named if one is not None)
        for one, key in zip(batch, named, strict=True):
            if key is not None:
                one.lines = found.get(key, ())
        yield from batch


def by_line(name: Name, scratch: Scratch) -> Iterator[Receipt]:
    """The receipts of a file with a row for each line, all of which were kept."""
    for _key, kept in scratch.all_rows():
        parts = tuple(Record(one.line, one.fields, one.problem) for one in kept)
        receipt = _receipt(parts[0], name)
        receipt.parts, receipt.lines = parts, kept
        if len(parts) > 1 and (bad := next((one for one in kept if one.problem), None)):
            receipt.named = RowError(
                _("line %(line)s of this receipt: %(reason)s", line=bad.line, reason=bad.problem)
            )
        yield receipt


def keep_lines(
    found: Survey,
    rows: LineRows,
    scratch: Scratch,
    *,
    refuse: Refuse,
    moved: Moved,
    name: Name | None = None,
) -> None:
    """Keep every row of a file of lines; ``refuse`` hears of those that can't be read.

    With ``name`` the file is its own file of receipts: then a row that can't be read is kept with
    what is wrong with it, and refused with its receipt.
    """
    bad: list[Refusal] = []

    def kept(
        records: Iterable[Record],
    ) -> Iterator[tuple[int, str, str, Sequence[str], str | None]]:
        for record in records:
            product, problem = "", None
            fields: Sequence[str] = record.fields
            try:
                if name is None:
                    fields = rows.check(record)
                    receipt = rows.receipt(fields)
                else:
                    receipt = receipt_of(*name(record))
                product = rows.product(fields)
            except RowError as error:
                problem = str(error)
                if name is None:
                    bad.append(Refusal(record.line, problem, fields))
                    continue
                receipt = _likely(record, rows) or f"?{record.line}"
                fields = [mask_payment_cards(field) for field in fields]
            yield record.line, receipt, product, fields, problem

    def keep(records: Sequence[Record]) -> None:
        scratch.keep_rows(kept(records))
        refuse(bad)
        bad.clear()

    _stream(found, keep, moved)
    scratch.put_together(heads=name is not None)


def _likely(record: Record, rows: LineRows) -> str | None:
    """The receipt that a spoilt row seems to belong to: that one had better not go in without."""
    try:
        return rows.receipt(record.fields)
    except (RowError, IndexError):
        return None


def keep_products(
    found: Survey, rows: ProductRows, scratch: Scratch, *, refuse: Refuse, moved: Moved
) -> None:
    """Keep every product's department; ``refuse`` hears of rows that can't be read or that put a
    product in another department than an earlier row."""

    def keep(records: Sequence[Record]) -> None:
        bad: list[Refusal] = []
        good: dict[int, tuple[str, str]] = {}
        for record in records:
            try:
                good[record.line] = rows.read(record)
            except RowError as error:
                bad.append(Refusal(record.line, str(error), record.fields))
        scratch.keep_products((*product, line) for line, product in good.items())
        for line, (code, department) in good.items():
            first = scratch.product(code)
            if first is not None and first[0] != department:
                reason = _("line %(line)s puts this product in another department", line=first[1])
                bad.append(Refusal(line, reason, (code, department)))
        refuse(bad)

    _stream(found, keep, moved)


def _stream(found: Survey, keep: Callable[[Sequence[Record]], None], moved: Moved) -> None:
    with open_records(found) as stream:
        records = iter(stream)
        next(records, None)  # the header
        while batch := list(islice(records, BATCH)):
            keep(batch)
            moved(stream.position())
    found.check_unchanged()


__all__ = ["Receipt", "by_line", "keep_lines", "keep_products", "one_each", "with_lines"]
