"""Reads rows of a tool's own file: who and where as in any file, the rest by the tool's columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct

from highstreet.host.taking import ImportKind
from highstreet.i18n import gettext as _
from highstreet.imports import dates, rows, values
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.shops import Shop, Shops
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet_tenants.errors import HighstreetError


class Row(NamedTuple):
    """A row that can be read: who, where, and the tool's own value.

    store_id: None where the brand owns the customers and the row names no store: head office.
    """

    record: Record
    who: Who
    shop: Shop
    store_id: UUID | None
    name: str
    value: Any

    @property
    def key(self) -> str:
        """The person as the row names one: the first of what it says, and where that counts."""
        name = next(one for one in rows.KEYS if getattr(self.who, one))
        return f"{self.who.realm_id}:{name}:{getattr(self.who, name)}"


class ToolRows:
    """Turns records into rows of one kind by one mapping; made once for a file."""

    def __init__(
        self,
        kind: ImportKind,
        found: Survey,
        columns: dict[str, int],
        mapping: FileMapping,
        shops: Shops,
        *,
        by_brand: bool,
    ) -> None:
        self._kind = kind
        self._columns = columns
        self._mapping = mapping
        self._shops = shops
        self._by_brand = by_brand
        self._width = len(found.header)
        self._read_date = dates.moments(rows.date_order(found, columns, mapping, *kind.days))
        self._read_whole = values.wholes(mapping.decimal, mapping.thousands)

    def read(self, record: Record) -> Row:
        """One record. Raises RowError with what is wrong with it."""
        cells = record.fields
        if record.problem is not None:
            raise RowError(record.problem)
        if len(cells) != self._width:
            cells = rows.fit(cells, self._width)
        values.refuse_payment_card(cells)
        shop, store_id = self._place(cells)
        given = {name: self.cell(cells, name) for name in rows.KEYS}
        who = rows.who(given, shop, self._mapping.pad)
        if not who.named:
            raise RowError(_("no number, card, phone or e-mail says whose row this is"))
        try:
            value = self._kind.read(_Cells(self, cells))
        except HighstreetError as error:
            raise RowError(error.detail) from error
        return Row(record, who, shop, store_id, values.text(self.cell(cells, "name")), value)

    def cell(self, cells: Sequence[str], name: str) -> str:
        """What stands in a field, else the mapping's default."""
        place = self._columns.get(name)
        written = cells[place].strip() if place is not None else ""
        return written or self._mapping.defaults.get(name, "")

    def whole(self, written: str) -> int:
        """A whole number. Raises RowError."""
        return self._read_whole(written)

    def day(self, written: str) -> date:
        """A day. Raises RowError."""
        return self._read_date(written).date()

    def _place(self, cells: Sequence[str]) -> tuple[Shop, UUID | None]:
        written = values.number(self.cell(cells, "store"))
        if written:
            shop = self._shops.find(written)
            return shop, shop.id
        if self._by_brand:
            return self._shops.first(), None
        only = self._shops.only()
        if only is None:
            raise RowError(_("the row names no store; give one: [defaults] store in a mapping"))
        return only, only.id


class _Cells(Struct, frozen=True):
    """See host.taking.Cells."""

    rows: ToolRows
    cells: Sequence[str]

    def text(self, name: str) -> str:
        return values.text(self.rows.cell(self.cells, name))

    def whole(self, name: str) -> int | None:
        written = self.rows.cell(self.cells, name)
        return self.rows.whole(written) if written else None

    def day(self, name: str) -> date | None:
        written = self.rows.cell(self.cells, name)
        return self.rows.day(written) if written else None


__all__ = ["Row", "ToolRows"]
