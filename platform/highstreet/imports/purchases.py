"""Reads receipts and records them as purchases, a chunk at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import Struct

from highstreet.customers.facts import EnrolIn
from highstreet.i18n import gettext as _
from highstreet.imports import dates, people, rows, values
from highstreet.imports.errors import Refusal
from highstreet.imports.lines import LineRows
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.receipts import Receipt
from highstreet.imports.rows import Written
from highstreet.imports.shops import Shop, Shops
from highstreet.imports.survey import Record, Survey
from highstreet.imports.values import RowError
from highstreet.purchases import service
from highstreet.purchases.facts import LineIn, PurchaseIn
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession

_WHEN = ("occurred_at", "date", "time")
_FACTS = ("total", "currency", "ref", "card", "phone", "email", "name")


class Row(Struct):
    """One readable receipt."""

    receipt: Receipt
    shop: Shop
    pos_ref: str
    occurred_at: datetime
    total_minor: int
    who: Who
    name: str
    lines: tuple[LineIn, ...]


class PurchaseRows:
    """Turns receipts into purchases by one mapping; made once for a file.

    ``lines`` reads the receipts' lines, of the same file if it is ``by_line``; without it a
    purchase has none.
    """

    def __init__(
        self,
        found: Survey,
        columns: dict[str, int],
        mapping: FileMapping,
        shops: Shops,
        lines: LineRows | None = None,
        *,
        by_line: bool = False,
    ) -> None:
        self._columns = columns
        self._header = found.header
        self._shops = shops
        self._lines = lines
        self._by_line = by_line
        self._defaults = mapping.defaults
        self._pad = mapping.pad
        self._create = mapping.create_customers
        self._add_up = mapping.add_up
        self._latest = now() + rows.AHEAD
        self._codes = frozenset(columns[name] for name in ("pos_ref", "product") if name in columns)
        when = "occurred_at" if "occurred_at" in columns else "date"
        self._moment = dates.moments(rows.date_order(found, columns, mapping, when))
        decimal = mapping.decimal
        if decimal == "auto":
            decimal = values.guess_decimal(rows.column(found, columns, "total"))
        self._amounts = {
            currency: values.amounts(
                currency,
                decimal,
                mapping.thousands,
                int(mapping.largest),
                signs=shops.signs[currency],
            )
            for currency in shops.currencies
        }
        self._sums = {
            currency: values.amounts(currency, ".", "", int(mapping.largest))
            for currency in shops.currencies
        }
        self._keys = tuple(name for name in rows.KEYS if name in columns)
        self._shared = [columns[name] for name in (*_WHEN, *_FACTS) if name in columns]
        self._facts = itemgetter(*self._shared, self._shared[0])  # a tuple, of one column too

    def name(self, record: Record) -> tuple[Shop, str]:
        """The store and number of a record's receipt. Raises RowError, also for a spoilt record."""
        if record.problem is not None:
            raise RowError(record.problem)
        fields = record.fields
        if len(fields) != len(self._header):
            fields = rows.fit(fields, len(self._header))
        values.refuse_payment_card(fields, self._codes)
        shop = self._shops.find(values.number(self._text(fields, "store")))
        number = values.number(self._text(fields, "pos_ref"), pad=self._pad.get("pos_ref", 0))
        if not number:
            raise RowError(_("the receipt has no number"))
        return shop, number

    def read(self, receipt: Receipt) -> Row:
        """One receipt as a row. Raises RowError with what is wrong with it."""
        if isinstance(receipt.named, RowError):
            raise receipt.named
        shop, number = receipt.named
        fields: Sequence[str] = receipt.head.fields
        if len(receipt.parts) > 1:
            fields = self._agreed(receipt.parts)
        self._check_currency(fields, shop)
        lines = self._read_lines(receipt, shop.currency) if self._lines else ()
        return Row(
            receipt,
            shop,
            number,
            self._when(fields, shop.zone),
            self._total(fields, shop.currency, lines),
            self._who(fields, shop),
            values.text(self._text(fields, "name")) if "name" in self._columns else "",
            lines,
        )

    def _text(self, fields: Sequence[str], name: str) -> str:
        place = self._columns.get(name)
        value = fields[place] if place is not None else ""
        return value or self._defaults.get(name, "")

    def _agreed(self, parts: Sequence[Record]) -> Sequence[str]:
        """The facts of a receipt that stand in each of its rows, or only in some of them.

        Raises RowError where two rows say different things. Its time is the first row's, for tills
        write down when each piece was scanned; another day is another receipt.
        """
        first = parts[0]
        if all(self._facts(part.fields) == self._facts(first.fields) for part in parts):
            return first.fields
        merged = list(first.fields)
        for part in parts[1:]:
            for place in self._shared:
                here, there = merged[place].strip(), part.fields[place].strip()
                if not here:
                    merged[place] = there
                elif there and here != there and not self._same_day(place, here, there):
                    raise RowError(
                        _(
                            "line %(other)s has another %(column)s than line %(line)s of the same "
                            "receipt",
                            other=part.line,
                            line=first.line,
                            column=self._header[place],
                        )
                    )
        return merged

    def _same_day(self, place: int, here: str, there: str) -> bool:
        if place == self._columns.get("time"):
            return True
        if place not in (self._columns.get("occurred_at"), self._columns.get("date")):
            return False
        return self._moment(here).date() == self._moment(there).date()

    def _read_lines(self, receipt: Receipt, currency: str) -> tuple[LineIn, ...]:
        assert self._lines is not None
        found = []
        for number, kept in enumerate(receipt.lines, start=1):
            try:
                found.append(self._lines.read(kept, number, currency))
            except RowError as error:
                if self._by_line and len(receipt.parts) == 1:
                    raise
                raise RowError(
                    _("line %(line)s of this receipt: %(reason)s", line=kept.line, reason=error)
                ) from error
        return tuple(found)

    def _total(self, fields: Sequence[str], currency: str, lines: Sequence[LineIn]) -> int:
        together = sum(line.amount_minor for line in lines)
        if self._by_line and not self._text(fields, "total").strip():
            return self._sums[currency](values.plain(together, currency))
        total = self._amounts[currency](self._text(fields, "total").strip())
        if self._lines is not None and self._add_up and together != total:
            if not lines:
                raise RowError(_("no line of this receipt is there"))
            raise RowError(
                _(
                    "the lines add up to %(sum)s, the receipt to %(total)s; if tax or discounts "
                    "are in the total alone, set add_up = false in a mapping",
                    sum=values.plain(together, currency),
                    total=values.plain(total, currency),
                )
            )
        return total

    def _check_currency(self, fields: Sequence[str], shop: Shop) -> None:
        currency = self._text(fields, "currency").strip().upper()
        if currency and currency != shop.currency:
            raise RowError(
                _(
                    "the amount is in %(currency)s, but the store's currency is %(own)s",
                    currency=currency[:10],
                    own=shop.currency,
                )
            )

    def _when(self, fields: Sequence[str], zone: ZoneInfo) -> datetime:
        if "date" in self._columns and "occurred_at" not in self._columns:
            moment = self._moment(self._text(fields, "date"))
            if clock := self._text(fields, "time").strip():
                hour, minute, second = dates.time_of_day(clock)
                moment = moment.replace(hour=hour, minute=minute, second=second)
        else:
            moment = self._moment(self._text(fields, "occurred_at"))
        return dates.settle(moment, zone, self._latest)

    def _who(self, fields: Sequence[str], shop: Shop) -> Who:
        given = {name: fields[self._columns[name]] for name in self._keys}
        return rows.who(given, shop, self._pad)

    def write(self, s: ScopedSession, chunk: Sequence[Row]) -> Written:
        """Record a chunk of receipts in the session's transaction."""
        refused: list[Refusal] = []
        found = people.find(s, {row.who for row in chunk})
        made = self._enrol(s, chunk, found)
        kept: list[Row] = []
        batch: list[PurchaseIn] = []
        for row in chunk:
            if reason := made.refused.get(row.who):
                refused += rows.refuse(row.receipt.parts, reason)
                continue
            customer = made.ids.get(row.who) or found.get(row.who)
            kept.append(row)
            batch.append(
                PurchaseIn(
                    store_id=row.shop.id,
                    pos_ref=row.pos_ref,
                    occurred_at=row.occurred_at,
                    total_minor=row.total_minor,
                    currency=row.shop.currency,
                    customer_id=customer if isinstance(customer, UUID) else None,
                    lines=row.lines,
                )
            )
        outcome = service.record_batch(s, batch)
        for one in outcome.refused:
            refused += rows.refuse(kept[one.index].receipt.parts, one.detail)
        return Written(outcome.created, outcome.duplicates, made.created, refused)

    def _enrol(self, s: ScopedSession, chunk: Sequence[Row], found: people.Found) -> people.Taken:
        new: dict[Who, EnrolIn] = {}
        if self._create:
            for row in chunk:
                one = row.who
                if one.named and one not in found and one not in new:
                    new[one] = EnrolIn(
                        store_id=row.shop.id,
                        name=row.name or rows.member_name(one),
                        phone=one.phone or None,
                        email=one.email or None,
                        card=one.card or None,
                        joined_at=row.occurred_at,
                    )
        return people.take_on(s, new)
