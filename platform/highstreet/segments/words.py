"""A rule as people read it: each condition a line, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from babel.dates import format_date
from babel.numbers import format_decimal

from highstreet.customers import published
from highstreet.host import facts, shops
from highstreet.i18n import LazyText, format_locale, ngettext
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.segments.compiling import Compiler
from highstreet.segments.models import Segment
from highstreet.segments.questions import Question
from highstreet.segments.rules import (
    All,
    Bought,
    Consented,
    Field,
    InSegment,
    Not,
    OneOf,
    People,
    Rule,
)
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.money import format_minor
from highstreet_tenants.sessions import ScopedSession

#: Operator → a sentence of a field's name and what it is compared with.
SENTENCES: Mapping[str, LazyText] = {
    "is": _l("%(name)s is %(value)s"),
    "is_not": _l("%(name)s is not %(value)s"),
    "one_of": _l("%(name)s is one of: %(value)s"),
    "not_one_of": _l("%(name)s is none of: %(value)s"),
    "begins": _l("%(name)s begins with “%(value)s”"),
    "contains": _l("%(name)s contains “%(value)s”"),
    "at_least": _l("%(name)s is at least %(value)s"),
    "at_most": _l("%(name)s is at most %(value)s"),
    "between": _l("%(name)s is from %(value)s"),
    "on": _l("%(name)s is on %(value)s"),
    "before": _l("%(name)s is before %(value)s"),
    "after": _l("%(name)s is after %(value)s"),
    "in_last_days": _l("%(name)s is within the last %(value)s days"),
    "not_in_last_days": _l("%(name)s is longer ago than %(value)s days"),
    "in_next_days": _l("%(name)s is within the next %(value)s days"),
    "anniversary_in_days": _l("The anniversary of %(name)s is within %(value)s days"),
    "anniversary_month": _l("The anniversary of %(name)s is in %(value)s"),
    "empty": _l("%(name)s is not known"),
    "filled": _l("%(name)s is known"),
}
_COUNTED = ("in_last_days", "not_in_last_days", "in_next_days", "anniversary_in_days")
CHANNELS: Mapping[str, LazyText] = {
    "email": _l("e-mail"),
    "sms": _l("text message"),
    "phone": _l("telephone"),
    "post": _l("post"),
    "push": _l("app"),
}
_MOST_SHOWN = 8


class Speaker:
    """Says a place's rules; asks for names as it needs them."""

    def __init__(self, s: ScopedSession, compiler: Compiler) -> None:
        self._s = s
        self._compiler = compiler
        self._locale = format_locale(facts.brand(s).locale)
        self._currency = facts.brand(s).currency

    def says(self, rule: Rule) -> str:
        """One node of a rule, without what it holds."""
        return _SAYS[type(rule)](self, rule)

    def reads(self, rule: Rule, customer_id: UUID) -> str:
        """What is known of a customer that the condition compares; empty for other nodes."""
        if not isinstance(rule, Field):
            return ""
        question = self._compiler.question(rule.name)
        if rule.name not in published.CORE and question.field is None and question.sums:
            return ""  # a class: to work it out for one takes everybody
        try:
            found = published.read(self._s, [rule.name], [customer_id], self._s.store_id)
        except HighstreetError:
            return ""
        value = found.get(customer_id, {}).get(rule.name)
        return _("not known") if value is None else self._value(question, value)

    def _all(self, rule: All) -> str:
        return _("All of these:") if rule.of else _("Everybody")

    def _any(self, rule: OneOf) -> str:
        return _("At least one of these:") if rule.of else _("Nobody")

    def _not(self, rule: Not) -> str:
        return _("Not:")

    def _field(self, rule: Field) -> str:
        try:
            question = self._compiler.question(rule.name)
        except HighstreetError as error:
            return str(error.detail)
        sentence = str(SENTENCES.get(rule.op, SENTENCES["is"]))
        return sentence % {"name": str(question.label), "value": self._compared(question, rule)}

    def _compared(self, question: Question, rule: Field) -> str:
        value = rule.value
        if rule.op in _COUNTED:
            return self._number(value)
        if rule.op == "anniversary_month" and isinstance(value, int) and 1 <= value <= 12:
            return str(format_date(date(2024, value, 1), "LLLL", locale=self._locale))
        if isinstance(value, list):
            if rule.op == "between" and len(value) == 2:
                low, high = (self._value(question, one) for one in value)
                return _("%(low)s to %(high)s", low=low, high=high)
            return self._some([self._value(question, one) for one in value])
        return self._value(question, value)

    def _value(self, question: Question, value: Any) -> str:
        if question.kind == "store":
            return self._stores([value])
        if question.choices:
            return str(question.choices.get(value, value))
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if question.kind == "money" and isinstance(value, int):
            return format_minor(value, self._currency, str(self._locale))
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, datetime):
            value = value.astimezone(ZoneInfo(self._compiler.today.zone)).date()
        if isinstance(value, str) and question.kind in ("date", "moment"):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                return str(value)
        if isinstance(value, date):
            return str(format_date(value, locale=self._locale))
        return str(value)

    def _bought(self, rule: Bought) -> str:
        parts = [
            _("Bought in %(what)s", what=self._some(rule.departments))
            if rule.departments
            else _("Bought something")
        ]
        if rule.products:
            parts.append(_("the products %(what)s", what=self._some(rule.products)))
        if rule.stores:
            parts.append(_("at %(stores)s", stores=self._stores(rule.stores)))
        if rule.in_last_days:
            parts.append(
                ngettext("within the last day", "within the last %(num)s days", rule.in_last_days)
            )
        if rule.first:
            parts.append(_("from %(day)s on", day=format_date(rule.first, locale=self._locale)))
        if rule.last:
            parts.append(_("until %(day)s", day=format_date(rule.last, locale=self._locale)))
        if rule.times > 1:
            parts.append(ngettext("at least once", "at least %(num)s times", rule.times))
        if rule.at_least_minor:
            amount = format_minor(rule.at_least_minor, self._currency, str(self._locale))
            parts.append(_("for %(amount)s or more", amount=amount))
        return _(", ").join(parts)

    def _consented(self, rule: Consented) -> str:
        channel = str(CHANNELS.get(rule.channel, rule.channel))
        return _("Agreed to “%(purpose)s” by %(channel)s", purpose=rule.purpose, channel=channel)

    def _segment(self, rule: InSegment) -> str:
        name = self._s.scalar(sa.select(Segment.name).where(Segment.id == rule.id))
        return _("In the segment “%(name)s”", name=name or _("(not there)"))

    def _people(self, rule: People) -> str:
        return ngettext("One customer by name", "%(num)s customers by name", len(rule.ids))

    def _stores(self, ids: Any) -> str:
        wanted = [one if isinstance(one, UUID) else UUID(str(one)) for one in ids]
        named = shops.named(self._s, wanted)
        return self._some([named[one].name if one in named else "?" for one in wanted])

    def _some(self, words: Any) -> str:
        shown = list(words)[:_MOST_SHOWN]
        more = len(words) - len(shown)
        text = _(", ").join(shown)
        return _("%(some)s and %(more)s more", some=text, more=more) if more else text

    def _number(self, value: Any) -> str:
        return format_decimal(value, locale=self._locale) if value is not None else ""


_SAYS: Mapping[type, Callable[[Speaker, Any], str]] = {
    All: Speaker._all,
    OneOf: Speaker._any,
    Not: Speaker._not,
    Field: Speaker._field,
    Bought: Speaker._bought,
    Consented: Speaker._consented,
    InSegment: Speaker._segment,
    People: Speaker._people,
}
