"""Reads the lines of receipts: what was bought, in which department, how many, for how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from highstreet.i18n import gettext as _
from highstreet.imports import rows, values
from highstreet.imports.mapping import FileMapping
from highstreet.imports.scratch import Kept
from highstreet.imports.shops import Shop, Shops
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet.purchases.facts import LineIn

LONGEST_TEXT = 100


class LineRows:
    """Turns records into lines of receipts by one mapping; made once for a file."""

    def __init__(
        self, found: Survey, columns: Mapping[str, int], mapping: FileMapping, shops: Shops
    ) -> None:
        self._columns = columns
        self._width = len(found.header)
        self._shops = shops
        self._pad = mapping.pad.get("pos_ref", 0)
        self._codes = frozenset(columns[name] for name in ("pos_ref", "product") if name in columns)
        decimal = mapping.decimal
        if decimal == "auto":
            decimal = values.guess_decimal(rows.column(found, columns, "amount"))
        self._decimal = decimal
        self._amounts: dict[str, Callable[[str], int]] = {
            currency: values.amounts(
                currency,
                decimal,
                mapping.thousands,
                int(mapping.largest),
                signs=shops.signs[currency],
                signed=True,
            )
            for currency in shops.currencies
        }
        #: Whether the lines name the store of their receipt.
        self.by_store = "store" in columns

    def check(self, record: Record) -> Sequence[str]:
        """The fields of a record that is whole. Raises RowError."""
        if record.problem is not None:
            raise RowError(record.problem)
        fields = record.fields
        if len(fields) != self._width:
            fields = rows.fit(fields, self._width)
        values.refuse_payment_card(fields, self._codes)
        return fields

    def receipt(self, fields: Sequence[str]) -> str:
        """The receipt that a line belongs to, as `receipt_of` names it. Raises RowError."""
        shop = None
        if self.by_store:
            shop = self._shops.find(values.number(fields[self._columns["store"]]))
        return receipt_of(shop, values.number(fields[self._columns["pos_ref"]], pad=self._pad))

    def product(self, fields: Sequence[str]) -> str:
        """The code of what was bought; empty where the file has none."""
        place = self._columns.get("product")
        return fields[place].strip() if place is not None else ""

    def read(self, kept: Kept, number: int, currency: str) -> LineIn:
        """A line that was kept as the line ``number`` of its receipt. Raises RowError."""
        if kept.problem is not None:
            raise RowError(kept.problem)
        fields, columns = kept.fields, self._columns
        product = values.text(self.product(fields), longest=LONGEST_TEXT)
        place = columns.get("department")
        department = values.text(fields[place], longest=LONGEST_TEXT) if place is not None else ""
        if kept.department is not None:
            department = kept.department
        if not product and not department:
            raise RowError(_("the line names neither a product nor a department"))
        place = columns.get("quantity")
        return LineIn(
            number,
            product or department,
            department,
            values.quantity(fields[place], self._decimal) if place is not None else 1,
            self._amounts[currency](fields[columns["amount"]]),
        )


def receipt_of(shop: Shop | None, number: str) -> str:
    """One text for a receipt, by which its lines are put together. Raises RowError."""
    if not number:
        raise RowError(_("the receipt has no number"))
    return f"{shop.code if shop else ''}\x1f{number}"


class ProductRows:
    """Turns records into products: which department each belongs to."""

    def __init__(self, found: Survey, columns: Mapping[str, int]) -> None:
        self._width = len(found.header)
        self._product, self._department = columns["product"], columns["department"]

    def read(self, record: Record) -> tuple[str, str]:
        """(code, department) of a record. Raises RowError."""
        if record.problem is not None:
            raise RowError(record.problem)
        fields = record.fields
        if len(fields) != self._width:
            fields = rows.fit(fields, self._width)
        values.refuse_payment_card(fields, (self._product,))
        code = values.text(fields[self._product], longest=LONGEST_TEXT)
        if not code:
            raise RowError(_("the row names no product"))
        return code, values.text(fields[self._department], longest=LONGEST_TEXT)


__all__ = ["LineRows", "ProductRows", "receipt_of"]
