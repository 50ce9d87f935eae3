"""Custom fields of the brand: what it wants to know about its customers beyond the core."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, cast, get_args

import sqlalchemy as sa

from highstreet.customers.facts import FieldFact, FieldKind
from highstreet.customers.models import FieldDef
from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

_MOST_FIELDS = 100
_MOST_CHOICES = 200
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


def define(
    s: ScopedSession,
    *,
    key: str,
    label: str,
    kind: FieldKind,
    choices: Sequence[str] = (),
    required: bool = False,
) -> FieldFact:
    """Add a field, or change the label, choices and requirement of the one with this key.

    Raises Invalid for a bad key, label or choice, Conflict when the kind would change: the answers
    already given would no longer fit.
    """
    if not _KEY.fullmatch(key):
        raise bad("key", _("Use small letters, digits and underscores, such as skin_type."))
    if kind not in get_args(FieldKind):
        raise bad("kind", _("Choose text, choice, date, number or yes-no."))
    label = clean(label, "label", 80, required=True)
    options = [clean(c, "choices", 80, required=True) for c in choices]
    if (kind == "choice") != bool(options):
        raise bad("choices", _("A choice needs its options, and other kinds have none."))
    if len(options) > _MOST_CHOICES or len(set(options)) != len(options):
        raise bad("choices", _("Name each option once, at most %(most)s.", most=_MOST_CHOICES))
    row = s.scalar(sa.select(FieldDef).where(FieldDef.key == key))
    if row is None:
        count = s.scalar(sa.select(sa.func.count(FieldDef.id))) or 0
        if count >= _MOST_FIELDS:
            raise Invalid(_("A brand has at most %(most)s fields.", most=_MOST_FIELDS))
        row = FieldDef(brand_id=s.brand_id, key=key, kind=kind, position=count)
        s.add(row)
    elif row.kind != kind:
        raise Conflict(
            _("“%(key)s” already holds answers of another kind. Use another key.", key=key)
        )
    row.label, row.choices, row.required, row.retired_at = label, options, required, None
    s.flush()
    record(s, "field.defined", "field", row.id, label, details={"key": key, "kind": kind})
    return _fact(row)


def retire(s: ScopedSession, key: str) -> None:
    """Stop asking for a field; the answers stay and are exported. Raises NotFound."""
    row = s.scalar(sa.select(FieldDef).where(FieldDef.key == key))
    if row is None:
        raise NotFound(_("There is no field “%(key)s”.", key=key[:40]))
    if row.retired_at is None:
        row.retired_at = now()
        record(s, "field.retired", "field", row.id, row.label)
    s.flush()


def listed(s: ScopedSession, *, retired: bool = False) -> list[FieldFact]:
    """The brand's fields in their order; with those no longer asked for if `retired`."""
    query = sa.select(FieldDef).order_by(FieldDef.position, FieldDef.key)
    if not retired:
        query = query.where(FieldDef.retired_at.is_(None))
    return [_fact(row) for row in s.scalars(query)]


def check(
    s: ScopedSession,
    given: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    known: Sequence[FieldFact] | None = None,
) -> dict[str, Any]:
    """All answers after `given` is laid over those of `before`; None or "" takes one away.

    known: what `listed` gave, for whoever checks the answers of thousands.

    Raises Invalid, naming each field, for an unknown field, a wrong value, or a required one that
    would be missing.
    """
    asked = {f.key: f for f in (listed(s) if known is None else known)}
    answers = dict(before or {})
    errors: dict[str, list[str]] = {}
    for key, value in given.items():
        definition = asked.get(key)
        if definition is None:
            errors[f"fields.{str(key)[:40]}"] = [_("The brand has no such field.")]
            continue
        try:
            answer = _read(definition, value)
        except Invalid as error:
            errors |= error.fields
            continue
        if answer is None:
            answers.pop(key, None)
        else:
            answers[key] = answer
    for key, definition in asked.items():
        if definition.required and key not in answers and f"fields.{key}" not in errors:
            errors[f"fields.{key}"] = [_("“%(label)s” is required.", label=definition.label)]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], fields=errors)
    return answers


def _read(definition: FieldFact, value: Any) -> Any:
    field = f"fields.{definition.key}"
    if value is None or value == "":
        return None
    if definition.kind == "yes-no":
        if isinstance(value, bool):
            return value
        raise bad(field, _("Answer yes or no."))
    if definition.kind == "number":
        return _number(value, field)
    if definition.kind == "date":
        return _date(value, field)
    text = clean(value, field, 500, required=True)
    if definition.kind == "choice" and text not in definition.choices:
        raise bad(
            field, _("Choose one of: %(choices)s.", choices=", ".join(definition.choices)[:300])
        )
    return text


def _number(value: Any, field: str) -> int | float:
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        number = Decimal(str(value).strip())
        if not number.is_finite() or abs(number) >= 10**12:
            raise InvalidOperation
    except InvalidOperation as error:
        raise bad(field, _("This must be a number, such as 12.5.")) from error
    return int(number) if number == number.to_integral_value() else float(number)


def _date(value: Any, field: str) -> str:
    try:
        return (value if type(value) is date else date.fromisoformat(value)).isoformat()
    except (TypeError, ValueError) as error:
        raise bad(field, _("This must be a date, such as 2026-05-31.")) from error


def _fact(row: FieldDef) -> FieldFact:
    return FieldFact(
        row.key, row.label, cast(FieldKind, row.kind), tuple(row.choices), row.required
    )
