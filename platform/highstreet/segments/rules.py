"""Rules: a tree of conditions that picks customers, as it is kept, sent by REST and read by people.

Kept as JSON, each node an object whose `is` says what it is:

    {"is": "all", "of": [
        {"is": "field", "name": "customer.last_purchase_at", "op": "not_in_last_days", "value": 60},
        {"is": "not", "of": {"is": "bought", "departments": ["Engine oil"], "in_last_days": 365}},
        {"is": "consent", "purpose": "marketing", "channel": "post"},
        {"is": "segment", "id": "0193…"}]}
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _

#: Nodes in a rule, and how deep they may nest: SQLite's parser gives up at a hundred.
MOST_NODES = 200
MOST_DEPTH = 20
#: People named one by one in a rule; more are a list.
MOST_PEOPLE = 1000

Value = None | bool | int | float | str | list[int | float | str]


class All(Struct, frozen=True, tag_field="is", tag="all", forbid_unknown_fields=True):
    """Every one of the conditions holds; without any, everybody."""

    of: tuple[Rule, ...] = ()


class OneOf(Struct, frozen=True, tag_field="is", tag="any", forbid_unknown_fields=True):
    """At least one of the conditions holds; without any, nobody."""

    of: tuple[Rule, ...] = ()


class Not(Struct, frozen=True, tag_field="is", tag="not", forbid_unknown_fields=True):
    """The condition does not hold."""

    of: Rule


class Field(Struct, frozen=True, tag_field="is", tag="field", forbid_unknown_fields=True):
    """Something known of the customer compares so. See `questions` for names and operators.

    value: money in minor units, days as whole numbers or "2026-11-26"; two for "between".
    """

    name: str
    op: str
    value: Value = None


class Bought(Struct, frozen=True, tag_field="is", tag="bought", forbid_unknown_fields=True):
    """They bought: something of these departments or products, in these stores, on these days.

    What was wholly brought back does not count. in_last_days: business dates of the place, today
    among them. first, last: business dates, both included. times: on at least so many receipts.
    at_least_minor: lines of these departments (or receipts) that come to so much, returns of whole
    receipts left out.
    """

    departments: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    stores: tuple[UUID, ...] = ()
    in_last_days: int | None = None
    first: date | None = None
    last: date | None = None
    times: int = 1
    at_least_minor: int | None = None


class Consented(Struct, frozen=True, tag_field="is", tag="consent", forbid_unknown_fields=True):
    """They agreed to be contacted for a purpose on a channel, and have not taken it back."""

    purpose: str
    channel: str


class InSegment(Struct, frozen=True, tag_field="is", tag="segment", forbid_unknown_fields=True):
    """They are in another segment."""

    id: UUID


class People(Struct, frozen=True, tag_field="is", tag="people", forbid_unknown_fields=True):
    """They are one of these customers."""

    ids: tuple[UUID, ...]


Rule = All | OneOf | Not | Field | Bought | Consented | InSegment | People


def load(data: object) -> Rule:
    """The rule that JSON says. Raises Invalid, naming the place, for one that is none."""
    _measure(data)
    try:
        rule: Rule = msgspec.convert(data, Rule)
    except msgspec.ValidationError as error:
        raise bad("rule", _("The rule can't be read: %(why)s", why=str(error))) from None
    for node in walk(rule):
        if isinstance(node, People) and len(node.ids) > MOST_PEOPLE:
            raise bad(
                "rule",
                _("A rule names %(most)s people at most; put more into a list.", most=MOST_PEOPLE),
            )
        if isinstance(node, Bought):
            _check_bought(node)
    return rule


def dump(rule: Rule) -> dict[str, Any]:
    """The rule as JSON has it, what is as usual left out."""
    written: dict[str, Any] = _slim(msgspec.to_builtins(rule, str_keys=True))
    return written


def digest(rule: Rule) -> str:
    """The same for the same rule: sha256 of its JSON."""
    return hashlib.sha256(msgspec.json.encode(dump(rule), order="sorted")).hexdigest()


def walk(rule: Rule) -> Iterator[Rule]:
    """The rule and all within it, each before what it holds."""
    yield rule
    if isinstance(rule, Not):
        yield from walk(rule.of)
    elif isinstance(rule, All | OneOf):
        for one in rule.of:
            yield from walk(one)


def referred(rule: Rule) -> set[UUID]:
    """The other segments that a rule asks."""
    return {one.id for one in walk(rule) if isinstance(one, InSegment)}


def _check_bought(node: Bought) -> None:
    if not 1 <= node.times <= 10_000:
        raise bad("rule", _("How often they bought is a number from 1 to 10,000."))
    if node.in_last_days is not None and not 1 <= node.in_last_days <= 36_500:
        raise bad("rule", _("A span of days is a whole number from 1 to 36,500."))
    if node.in_last_days is not None and (node.first or node.last):
        raise bad("rule", _("Give a span of days or dates from and to, not both."))
    if node.first and node.last and node.last < node.first:
        raise bad("rule", _("The last day is before the first."))
    if node.at_least_minor is not None and node.at_least_minor < 0:
        raise bad("rule", _("An amount can't be below zero."))


def _measure(data: object) -> None:
    """Refuse what is too large before anything recursive looks at it."""
    waiting: list[tuple[object, int]] = [(data, 1)]
    nodes = 0
    while waiting:
        one, depth = waiting.pop()
        if not isinstance(one, Mapping):
            continue
        nodes += 1
        if depth > MOST_DEPTH:
            raise bad(
                "rule",
                _(
                    "Conditions nest %(most)s deep at most; make a segment of the inner ones.",
                    most=MOST_DEPTH,
                ),
            )
        if nodes > MOST_NODES:
            raise bad("rule", _("A rule has %(most)s conditions at most.", most=MOST_NODES))
        inner = one.get("of")
        waiting += [(each, depth + 1) for each in (inner if isinstance(inner, list) else [inner])]


def _slim(node: Any) -> Any:
    if isinstance(node, dict):
        kept = {key: _slim(value) for key, value in node.items()}
        if kept.get("is") in ("bought", "field"):
            kept = {k: v for k, v in kept.items() if v not in (None, [])}
            if kept.get("times") == 1:
                del kept["times"]
        return kept
    return [_slim(one) for one in node] if isinstance(node, list | tuple) else node
