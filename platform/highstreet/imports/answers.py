"""Reads what a file says of the brand's own fields of its customers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from highstreet.customers import fields
from highstreet.customers.facts import FieldFact
from highstreet.host.spelling import meant
from highstreet.i18n import gettext as _
from highstreet.imports import values
from highstreet.imports.values import RowError
from highstreet_tenants.errors import Invalid
from highstreet_tenants.sessions import ScopedSession

Answer = str | int | float | bool | Decimal
Read = Callable[[str], Answer]

#: How files write yes and no.
_YES = frozenset("yes y true t 1 x ja oui si sí sim 是".split())
_NO = frozenset("no n false f 0 nein non não nee 否".split())


def of_brand(s: ScopedSession, wanted: Mapping[str, str]) -> dict[str, FieldFact]:
    """The brand's fields that a mapping names. Raises Invalid for one that the brand has not."""
    if not wanted:
        return {}
    there = {one.key: one for one in fields.listed(s)}
    for key in wanted:
        if key not in there:
            raise Invalid(
                _(
                    "[fields] %(key)s: the brand has no such field of its customers; it has: "
                    "%(known)s.",
                    key=key,
                    known=", ".join(there) or "—",
                )
                + meant(key, there)
            )
    return {key: there[key] for key in wanted}


def reader(
    field: FieldFact, decimal: str, thousands: str, read_date: Callable[[str], datetime]
) -> Read:
    """What turns a cell into an answer to ``field``; it raises RowError.

    Whether a choice is one of the brand's is seen where customers are taken on.
    """
    if field.kind == "yes-no":
        return _yes_or_no
    if field.kind == "date":
        return lambda text: read_date(text).date().isoformat()
    if field.kind == "number":
        return _numbers(decimal, thousands)
    return lambda text: values.text(text, longest=500)


def _yes_or_no(text: str) -> bool:
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise RowError(_("“%(text)s” is neither yes nor no", text=text[:40]))


def _numbers(decimal: str, thousands: str) -> Read:
    point = "." if decimal == "auto" else decimal
    form = re.compile(rf"([+\-−]?)(\d{{1,12}})(?:{re.escape(point)}(\d{{0,6}}))?")

    def read(text: str) -> Decimal:
        bare = text.replace(thousands, "") if thousands else text
        match = form.fullmatch(bare)
        if match is None:
            raise RowError(_("“%(text)s” is not a number", text=text[:40]))
        sign = "" if match[1] in ("", "+") else "-"
        return Decimal(f"{sign}{match[2]}.{match[3] or 0}")

    return read


__all__ = ["Answer", "Read", "of_brand", "reader"]
