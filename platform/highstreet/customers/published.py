"""What is known of customers, by name: the core's fields, the brand's own, and those of tools.

The one way to ask for a fact without knowing who keeps it. Names of the core begin with
`customer.`, the brand's own fields are `custom.<key>`, a tool's begin with its name and are there
where it is on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.customers import fields, measures, queries
from highstreet.customers.facts import FieldFact
from highstreet.customers.models import Customer
from highstreet.host import guard, state
from highstreet.host.customer_fields import CustomerField, Kind
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Store
from highstreet_tenants.sessions import ScopedSession

#: Customers asked about in one statement.
CHUNK = 500
_CUSTOM = "custom."
_KINDS: Mapping[str, Kind] = {
    "text": "text",
    "choice": "choice",
    "date": "date",
    "number": "number",
    "yes-no": "yes_no",
}


_TYPES: Mapping[Kind, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "points": (int,),
    "money": (int,),
    "date": (date,),
    "moment": (datetime,),
    "yes_no": (bool,),
    "choice": (str,),
}


def _column(column: Any) -> Any:
    return lambda _ctx: sa.select(Customer.id, column)


CORE: dict[str, CustomerField] = {
    one.name: one
    for one in (
        CustomerField("customer.name", _l("Name"), "text", _column(Customer.name)),
        CustomerField("customer.language", _l("Language"), "text", _column(Customer.language)),
        CustomerField("customer.birthday", _l("Birthday"), "date", _column(Customer.birthday)),
        CustomerField("customer.joined_at", _l("Joined"), "moment", _column(Customer.joined_at)),
        CustomerField(
            "customer.home_store",
            _l("Home store"),
            "text",
            lambda _ctx: sa.select(Customer.id, Store.name).join(
                Store,
                sa.and_(Store.brand_id == Customer.brand_id, Store.id == Customer.home_store_id),
            ),
        ),
        *measures.FIELDS,
    )
}
"""The core's own."""


def add(*more: CustomerField) -> None:
    """Let a room above publish its fields as the core's. Adding again replaces."""
    CORE.update({one.name: one for one in more})


def known(
    s: ScopedSession, store_id: UUID | None = None, may: Callable[[str], bool] | None = None
) -> dict[str, CustomerField]:
    """All fields that can be asked for in a place: the core's, the brand's, those of tools that are
    on there, in this order.

    may: whether the reader holds a permission there; fields that need another are left out.
    """
    found = dict(CORE)
    found |= {f"{_CUSTOM}{one.key}": _custom(one) for one in fields.listed(s)}
    found |= _of_tools(s, store_id)
    if may is None:
        return found
    return {name: one for name, one in found.items() if not one.permission or may(one.permission)}


def read(
    s: ScopedSession,
    names: Collection[str],
    customer_ids: Iterable[UUID],
    store_id: UUID | None = None,
) -> dict[UUID, dict[str, Any]]:
    """Values by customer and name: whoever has none, or is out of reach, is missing, and so are the
    fields of tools that are off. Under the id of a merged record stands what is known of the one
    that took its place.

    A few statements for each field, however many customers. A tool that fails costs its own fields
    alone, and the failure is recorded. Raises NotFound for a name that nobody publishes anywhere.
    """
    there = known(s, store_id)
    _refuse_unknown(s, names, there)
    asked = list(dict.fromkeys(customer_ids))
    now = queries.followed(s, asked)
    found: dict[UUID, dict[str, Any]] = {one: {} for one in now.values()}
    ids = list(found)
    for name in dict.fromkeys(names):
        if name in there:
            for customer_id, value in _values(s, there[name], ids, store_id).items():
                found[customer_id][name] = value
    return {one: dict(found[now[one]]) for one in asked if one in now and found[now[one]]}


def _values(
    s: ScopedSession, one: CustomerField, ids: list[UUID], store_id: UUID | None
) -> dict[UUID, Any]:
    def ask(ctx: Any) -> dict[UUID, Any]:
        found: dict[UUID, Any] = {}
        query = one.query(ctx or s)
        which = query.selected_columns[0]
        for start in range(0, len(ids), CHUNK):
            # Within the SELECT itself: around it, the walls would find a subquery of nobody's.
            some = query.where(which.in_(ids[start : start + CHUNK]))
            for customer_id, value in (s if ctx is None else ctx.s).execute(some):
                if value is None or value == "":
                    continue
                if customer_id in found:
                    raise TypeError(f"{one.name} gives two values for one customer")
                found[customer_id] = _typed(one, value)
        return found

    tool = one.name.partition(".")[0]
    if one.name in CORE or one.name.startswith(_CUSTOM):
        return ask(None)
    host = hosts.of(s)
    well, values = guard.call(
        s,
        tool,
        f"field:{one.name}",
        ask,
        store_id=store_id,
        budget=host.slow_ms / 1000 * guard.size([ids]),
    )
    return values if well else {}


def _typed(one: CustomerField, value: Any) -> Any:
    """A value as its kind says. Raises TypeError for one that is none."""
    if one.kind == "date" and isinstance(value, str):  # as JSON keeps the brand's own
        value = date.fromisoformat(value)
    elif one.kind == "yes_no" and value in (0, 1):
        value = bool(value)
    elif one.kind == "number" and isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = type(value) in _TYPES[one.kind] and (not one.choices or value in one.choices)
    if not fits and not one.name.startswith(_CUSTOM):  # a choice that the brand took back stays
        raise TypeError(f"{one.name} gives {type(value).__name__}, and is of the kind {one.kind}")
    return value


def _of_tools(s: ScopedSession, store_id: UUID | None) -> dict[str, CustomerField]:
    on = state.enabled(s, store_id)
    return {
        one.name: one
        for tool, loaded in hosts.of(s).plugins.items()
        if tool in on
        for one in loaded.plugin.fields
    }


def _refuse_unknown(
    s: ScopedSession, names: Collection[str], there: Mapping[str, CustomerField]
) -> None:
    """A field that is off is absent; one that nobody has ever heard of is a mistake."""
    installed = {
        one.name for loaded in hosts.of(s).plugins.values() for one in loaded.plugin.fields
    }
    strange = [one for one in names if one not in there and one not in installed]
    if strange:
        raise NotFound(
            _(
                "There is no field %(strange)s; there are: %(known)s.",
                strange=", ".join(strange)[:200],
                known=", ".join(there),
            )
        )


def _custom(one: FieldFact) -> CustomerField:
    value = Customer.fields[one.key]
    column: Any = (
        value.as_boolean()
        if one.kind == "yes-no"
        else value.as_float()
        if one.kind == "number"
        else value.as_string()
    )
    return CustomerField(
        f"{_CUSTOM}{one.key}",
        one.label,
        _KINDS[one.kind],
        _column(column),
        choices={choice: choice for choice in one.choices},
    )
