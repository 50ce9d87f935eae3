"""Reads rows of purchases and records them, a chunk at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from highstreet.customers.facts import EnrolIn
from highstreet.i18n import gettext as _
from highstreet.imports import people, rows, values
from highstreet.imports.errors import Refusal
from highstreet.imports.mapping import FileMapping
from highstreet.imports.people import Who
from highstreet.imports.reading import Record, Survey
from highstreet.imports.rows import Written
from highstreet.imports.shops import Shop, Shops
from highstreet.imports.values import RowError
from highstreet.purchases import service
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession


@dataclass(slots=True)
class Row:
    """One readable row."""

    record: Record
    shop: Shop
    pos_ref: str
    occurred_at: datetime
    total_minor: int
    who: Who
    name: str


class PurchaseRows:
    """Turns records into purchases by one mapping; made once for a file."""

    def __init__(
        self, found: Survey, columns: dict[str, int], mapping: FileMapping, shops: Shops
    ) -> None:
        self._columns = columns
        self._width = len(found.header)
        self._shops = shops
        self._defaults = mapping.defaults
        self._pad = mapping.pad
        self._create = mapping.create_customers
        self._latest = now() + rows.AHEAD
        self._texts = tuple(
            columns[name]
            for name in ("pos_ref", "ref", "card", "phone", "email", "name")
            if name in columns
        )
        when = "occurred_at" if "occurred_at" in columns else "date"
        self._moment = values.moments(rows.date_order(found, columns, mapping, when))
        decimal = mapping.decimal
        if decimal == "auto":
            decimal = values.guess_decimal(rows.column(found, columns, "total"))
        self._amounts = {
            currency: values.amounts(currency, decimal, mapping.thousands, int(mapping.largest))
            for currency in shops.currencies
        }
        self._keys = tuple(name for name in rows.KEYS if name in columns)

    def read(self, record: Record) -> Row:
        """One record as a row. Raises RowError with what is wrong with it."""
        fields = record.fields
        if record.problem is not None:
            raise RowError(record.problem)
        if len(fields) != self._width:
            fields = rows.fit(fields, self._width)
        values.refuse_payment_card(fields[place] for place in self._texts)
        shop = self._shop(fields)
        pos_ref = values.number(self._text(fields, "pos_ref"), pad=self._pad.get("pos_ref", 0))
        if not pos_ref:
            raise RowError(_("the receipt has no number"))
        self._check_currency(fields, shop)
        return Row(
            record,
            shop,
            pos_ref,
            self._when(fields, shop.zone),
            self._amounts[shop.currency](self._text(fields, "total").strip()),
            self._who(fields, shop),
            values.text(self._text(fields, "name")) if "name" in self._columns else "",
        )

    def _text(self, fields: Sequence[str], name: str) -> str:
        place = self._columns.get(name)
        value = fields[place] if place is not None else ""
        return value or self._defaults.get(name, "")

    def _shop(self, fields: Sequence[str]) -> Shop:
        return self._shops.find(values.number(self._text(fields, "store")))

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
                hour, minute, second = values.time_of_day(clock)
                moment = moment.replace(hour=hour, minute=minute, second=second)
        else:
            moment = self._moment(self._text(fields, "occurred_at"))
        return values.settle(moment, zone, self._latest)

    def _who(self, fields: Sequence[str], shop: Shop) -> Who:
        given = {name: fields[self._columns[name]] for name in self._keys}
        return rows.who(given, shop, self._pad)

    def write(self, s: ScopedSession, chunk: Sequence[Row]) -> Written:
        """Record a chunk of rows in the session's transaction."""
        refused: list[Refusal] = []
        once = _without_repeats(chunk, refused)
        found = people.find(s, {row.who for row in once})
        made = self._enrol(s, once, found)
        kept: list[Row] = []
        batch: list[PurchaseIn] = []
        for row in once:
            if reason := made.refused.get(row.who):
                refused.append(Refusal(row.record.line, reason, row.record.fields))
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
                    lines=(),
                )
            )
        outcome = service.record_batch(s, batch)
        for one in outcome.refused:
            record = kept[one.index].record
            refused.append(Refusal(record.line, one.detail, record.fields))
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


def _without_repeats(chunk: Sequence[Row], refused: list[Refusal]) -> list[Row]:
    """Rows that stand for the first time in their chunk; a repeat of a receipt is refused."""
    first: dict[tuple[UUID, str], Row] = {}
    kept = []
    for row in chunk:
        before = first.setdefault((row.shop.id, row.pos_ref), row)
        if before is row:
            kept.append(row)
            continue
        refused.append(
            Refusal(
                row.record.line,
                _(
                    "receipt %(ref)s stands in line %(line)s already",
                    ref=row.pos_ref,
                    line=before.record.line,
                ),
                row.record.fields,
            )
        )
    return kept
