"""What a rule can ask of a customer by name: what the core knows, the brand's own fields, tools'.

The names are those of `customers.published`, and three classes of the core's that stand only here,
for working them out takes everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.customers import published
from highstreet.host.customer_fields import CustomerField
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.sessions import ScopedSession

Kind = Literal["text", "number", "points", "money", "date", "moment", "yes_no", "choice", "store"]
"""As of fields; "store": one of the brand's, by id."""
KINDS: tuple[str, ...] = get_args(Kind)

_KNOWN = ("empty", "filled")
_AMOUNT = ("is", "at_least", "at_most", "between", *_KNOWN)
_DAY = ("on", "before", "after", "between", "in_last_days", "not_in_last_days", "in_next_days")

#: What can be asked of each kind. "not_in_last_days": longer ago than that.
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "text": ("is", "is_not", "one_of", "begins", "contains", *_KNOWN),
    "number": _AMOUNT,
    "points": _AMOUNT,
    "money": _AMOUNT,
    "date": (*_DAY, "anniversary_in_days", "anniversary_month", *_KNOWN),
    "moment": (*(op for op in _DAY if op != "in_next_days"), *_KNOWN),
    "yes_no": ("is", *_KNOWN),
    "choice": ("is", "is_not", "one_of", *_KNOWN),
    "store": ("one_of", "not_one_of", *_KNOWN),
}


class Question(Struct, frozen=True):
    """Something to ask by name.

    Exactly one of these says where the answer stands. column: gives it from the customer's own row.
    sums: its name among the columns of `sums.of`; absent: what those have who never bought. field:
    asks by a query of its own.
    """

    name: str
    label: object
    kind: Kind
    help: object = ""
    choices: Mapping[str, object] = field(default_factory=dict)
    permission: str = ""
    column: Callable[[Any], sa.ColumnElement[Any]] | None = None
    sums: str = ""
    absent: int | None = None
    field: CustomerField | None = None


_COLUMNS: Mapping[str, Callable[[Any], sa.ColumnElement[Any]]] = {
    "customer.name": lambda c: c.name,
    "customer.language": lambda c: c.language,
    "customer.birthday": lambda c: c.birthday,
    "customer.joined_at": lambda c: c.joined_at,
}
_SUMS: Mapping[str, tuple[str, int | None]] = {
    "customer.purchases": ("purchases", 0),
    "customer.spent": ("spent_minor", 0),
    "customer.first_purchase_at": ("first_at", None),
    "customer.last_purchase_at": ("last_at", None),
}
_CLASSES = (
    Question(
        "customer.recency",
        _l("Recency (1 to 5)"),
        "number",
        help=_l("5: among the fifth who bought last."),
        sums="recency",
    ),
    Question(
        "customer.frequency",
        _l("Frequency (1 to 5)"),
        "number",
        help=_l("5: among the fifth who bought most often. As often is the same class."),
        sums="frequency",
    ),
    Question(
        "customer.money",
        _l("Money (1 to 5)"),
        "number",
        help=_l("5: among the fifth who spent most. As much is the same class."),
        sums="money",
    ),
)
_HOME = Question("customer.home_store", _l("Home store"), "store", column=lambda c: c.home_store_id)


def known(
    s: ScopedSession, store_id: UUID | None = None, may: Callable[[str], bool] | None = None
) -> dict[str, Question]:
    """All that can be asked in a place, by name; may: see `published.known`."""
    found = {
        name: _question(one, s.dialect)
        for name, one in published.known(s, store_id, may=may).items()
    }
    found[_HOME.name] = _HOME
    return found | {one.name: one for one in _CLASSES}


def _question(one: CustomerField, dialect: str) -> Question:
    plain: dict[str, Any] = {
        "name": one.name,
        "label": one.label,
        "kind": one.kind,
        "help": one.help,
        "choices": one.choices,
        "permission": one.permission,
    }
    if one.name in _COLUMNS:
        return Question(**plain, column=_COLUMNS[one.name])
    if one.name in _SUMS:
        column, absent = _SUMS[one.name]
        return Question(**plain, sums=column, absent=absent)
    if one.name.startswith("custom."):
        return Question(**plain, column=_custom(one, dialect))
    return Question(**plain, field=one)


def _custom(one: CustomerField, dialect: str) -> Callable[[Any], sa.ColumnElement[Any]]:
    key = one.name.partition(".")[2]

    def column(c: Any) -> sa.ColumnElement[Any]:
        value = c.fields[key]
        if one.kind == "yes_no":
            return value.as_boolean()  # type: ignore[no-any-return]
        if one.kind == "date":  # kept as ISO text, which SQLite takes for a day as it is
            text = value.as_string()
            return sa.type_coerce(text, sa.Date()) if dialect == "sqlite" else text.cast(sa.Date())
        told: sa.ColumnElement[Any] = (
            value.as_float() if one.kind == "number" else value.as_string()
        )
        return told

    return column
