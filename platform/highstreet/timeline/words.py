"""Titles are kept as English messages with their values, and said in the reader's language."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal

from highstreet.i18n import LazyText, format_locale
from highstreet.i18n import gettext as _
from highstreet_tenants.money import format_minor


def message_of(title: str | LazyText) -> tuple[str, dict[str, Any]]:
    """The message to keep and the values that came with it."""
    if isinstance(title, LazyText):
        return title.message, dict(title.values)
    return title, {}


def say(message: str, data: Mapping[str, Any], place_locale: str | None = None) -> str:
    """The message in the reader's language, its places filled from `data`.

    A value {"minor": 1240, "currency": "GBP"} is written as money, {"date": "2026-05-31"} as a
    day, a number as a number. A message whose places can't be filled is shown as it is.
    """
    if "%(" not in message:
        return _(message) if message else ""
    locale = format_locale(place_locale)
    values = {key: _written(value, locale) for key, value in data.items()}
    try:
        return _(message, **values)
    except (KeyError, TypeError, ValueError):
        return message


def _written(value: Any, locale: Any) -> str:
    if isinstance(value, Mapping):
        if "minor" in value and "currency" in value:
            return format_minor(int(value["minor"]), str(value["currency"]), str(locale))
        if "date" in value:
            return format_date(date.fromisoformat(str(value["date"])), "medium", locale=locale)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return format_decimal(value, locale=locale)
    return str(value)
