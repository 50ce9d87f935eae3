"""What was typed into the rows of a rule's form, as conditions; what is wrong, by its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from babel.numbers import NumberFormatError, parse_decimal

from highstreet.host import shops
from highstreet.i18n import gettext as _
from highstreet.segments import comparing, rules
from highstreet.segments.questions import OPERATORS, Question
from highstreet.segments.rules import Bought, Consented, Field, InSegment, People, Rule
from highstreet.web import formats
from highstreet.web.segments.drafts import Draft, Row, joined
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.sessions import ScopedSession

_DAYS = frozenset({"in_last_days", "not_in_last_days", "in_next_days", "anniversary_in_days"})
_WHOLE = _DAYS | {"anniversary_month"}


class WrongError(Exception):
    """What was typed into an input of a row is wrong. where: the input."""

    def __init__(self, where: str, words: str) -> None:
        super().__init__(words)
        self.where = where
        self.words = words


class Reader:
    """Reads a form. errors: what is wrong, by input."""

    def __init__(self, s: ScopedSession, known: Mapping[str, Question], currency: str) -> None:
        self._s = s
        self._known = known
        self._currency = currency
        self.errors: dict[str, list[str]] = {}

    def rule(self, draft: Draft) -> Rule | None:
        """The rule of all rows; None where something is wrong."""
        groups: list[tuple[str, Sequence[Rule]]] = []
        for g, group in enumerate(draft.groups):
            nodes = [self._row(f"g{g}-r{r}", row) for r, row in enumerate(group.rows)]
            groups.append((group.how, [one for one in nodes if one is not None]))
        return None if self.errors else joined(groups)

    def _row(self, at: str, row: Row) -> Rule | None:
        kind = row.what.partition(":")[0]
        make = _MAKERS.get(kind)
        try:
            if make is None:
                raise WrongError("", _("This condition can’t be read. Remove it."))
            return make(self, row)
        except WrongError as wrong:
            where, words = wrong.where, wrong.words
        except HighstreetError as error:
            where, words = "value" if kind == "field" else "", error.detail
        self.errors.setdefault(f"{at}-{where}" if where else at, []).append(words)
        return None

    def _field(self, row: Row) -> Rule:
        question = self._known.get(row.what.partition(":")[2])
        if question is None:
            raise WrongError("", _("This can’t be asked here: its tool is off. Remove it."))
        op = row.one("op")
        if op not in OPERATORS[question.kind]:
            raise WrongError("op", _("Choose how it is compared."))
        value = self._value(question, op, row)
        comparing.check(question, op, value)
        return Field(question.name, op, value)

    def _value(self, question: Question, op: str, row: Row) -> Any:
        if op in ("empty", "filled"):
            return None
        typed = row.all("value")
        if not typed:
            raise WrongError("value", _("Say what it is compared with."))
        if op in _WHOLE:
            return self._whole(typed[0], "value")
        if op in ("one_of", "not_one_of"):
            return self._stores(typed, "value") if question.kind == "store" else typed
        if question.kind == "choice" and len(typed) > 1:
            raise WrongError("value", _("Tick one."))
        if question.kind == "yes_no":
            return typed[0] == "yes"
        if op == "between":
            if not row.one("to"):
                raise WrongError("to", _("Say up to what."))
            return [self._single(question, typed[0], "value"),
                    self._single(question, row.one("to"), "to")]  # fmt: skip
        return self._single(question, typed[0], "value")

    def _single(self, question: Question, text: str, where: str) -> Any:
        if question.kind == "money":
            return self._money(text, where)
        if question.kind == "points":
            return self._whole(text, where)
        if question.kind == "number":
            number = self._number(text, where)
            return int(number) if number == int(number) else number
        if question.kind in ("date", "moment"):
            return self._day(text, where).isoformat()
        return text

    def _number(self, text: str, where: str) -> float:
        try:
            return float(parse_decimal(text.replace(formats.MINUS, "-"), formats.locale()))
        except (NumberFormatError, ValueError, OverflowError):
            raise WrongError(where, _("This is not a number.")) from None

    def _whole(self, text: str, where: str) -> int:
        number = self._number(text, where)
        if number != number // 1 or abs(number) >= 2**53:
            raise WrongError(where, _("Type a whole number."))
        return int(number)

    def _money(self, text: str, where: str) -> int:
        try:
            return formats.parse_money(text, self._currency)
        except Invalid as error:
            raise WrongError(where, error.detail) from error

    def _day(self, text: str, where: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise WrongError(where, _("This is not a date. Write it like 2026-05-14.")) from None

    def _stores(self, typed: Sequence[str], where: str) -> list[str]:
        found = shops.called(self._s, typed)
        for one in typed:
            if one not in found:
                raise WrongError(where, _("No store, or several, are called “%(name)s”.", name=one))
        return [str(found[one]) for one in typed]

    def _bought(self, row: Row) -> Rule:
        def day(name: str) -> date | None:
            return self._day(row.one(name), name) if row.one(name) else None

        def whole(name: str) -> int | None:
            return self._whole(row.one(name), name) if row.one(name) else None

        node = Bought(
            departments=tuple(row.all("departments")),
            products=tuple(row.all("products")),
            stores=tuple(UUID(one) for one in self._stores(row.all("stores"), "stores")),
            in_last_days=whole("days"),
            first=day("first"),
            last=day("last"),
            times=whole("times") if row.one("times") else 1,  # type: ignore[arg-type]  # it is there
            at_least_minor=self._money(row.one("amount"), "amount") if row.one("amount") else None,
        )
        rules.load(rules.dump(node))
        return node

    def _consented(self, row: Row) -> Rule:
        purpose, channel = row.one("purpose"), row.one("channel")
        if not purpose:
            raise WrongError("purpose", _("Say what they agreed to."))
        if not channel:
            raise WrongError("channel", _("Choose how they are reached."))
        return Consented(purpose, channel)

    def _segment(self, row: Row) -> Rule:
        try:
            return InSegment(UUID(row.one("segment")))
        except ValueError:
            raise WrongError("segment", _("Choose a segment.")) from None

    def _people(self, row: Row) -> Rule:
        try:
            return People(tuple(UUID(one) for one in row.one("ids").split(",")))
        except ValueError:
            raise WrongError("", _("This condition can’t be read. Remove it.")) from None


_MAKERS: Mapping[str, Callable[[Reader, Row], Rule]] = {
    "field": Reader._field,
    "bought": Reader._bought,
    "consent": Reader._consented,
    "segment": Reader._segment,
    "people": Reader._people,
}
