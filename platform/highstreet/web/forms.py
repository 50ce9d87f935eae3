"""A posted form: its values as they were typed, and what is wrong with each."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time

from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid

#: Nothing that a person types into one field is longer.
MOST = 4000


class Form:
    """Values by field, so that a refused form comes back as it was sent. Unknown fields read "".

    renamed: the fields' names in errors of the rooms → here.
    """

    def __init__(self, given: Mapping[str, str], names: Iterable[str]) -> None:
        self.values: dict[str, str] = {name: given.get(name, "").strip()[:MOST] for name in names}
        for name in given:
            if name.startswith("field-"):
                self.values[name] = given[name].strip()[:MOST]
        self.errors: dict[str, list[str]] = {}
        self.renamed: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.values.get(name, "")

    def money_of(self, name: str, currency: str) -> int:
        """Minor units typed into a field, as this reader writes amounts. Raises Invalid."""
        try:
            return formats.parse_money(self[name], currency)
        except Invalid as error:
            raise Invalid(error.detail, fields={name: [error.detail]}) from error

    def date_of(self, name: str) -> date | None:
        """A date (ISO 8601), or None for an empty field. Raises Invalid."""
        if not self[name]:
            return None
        try:
            return date.fromisoformat(self[name])
        except ValueError as error:
            raise _bad(name, _("This is not a date. Write it like 2026-05-14.")) from error

    def moment_of(self, day: str, at: str, zone: str) -> datetime:
        """A day and a wall time in a zone, as UTC. Raises Invalid."""
        on = self.date_of(day)
        if on is None:
            raise _bad(day, _("Say on which day it was."))
        try:
            wall = time.fromisoformat(self[at])
        except ValueError as error:
            raise _bad(at, _("This is not a time. Write it like 10:41.")) from error
        return clock.from_local(datetime.combine(on, wall.replace(tzinfo=None)), zone)

    @contextmanager
    def noting(self, main: str) -> Iterator[None]:
        """Note what is wrong in the block, by field or at `main`, and go on to the next field."""
        try:
            yield
        except HighstreetError as error:
            self.refuse(error, main)

    def refuse(self, error: HighstreetError, main: str) -> None:
        """Take the words of an error to the fields it names, or to `main`."""
        found = error.fields or {main: [error.detail]}
        for name, messages in found.items():
            name = f"field-{name[7:]}" if name.startswith("fields.") else name
            self.errors.setdefault(self.renamed.get(name, name), []).extend(messages)


def field_labels() -> dict[str, str]:
    """Names of fields that several forms have, for the list of what is wrong."""
    return {
        "name": _("Name"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "card": _("Card number"),
        "birthday": _("Birthday"),
        "language": _("Language"),
        "amount": _("Amount paid"),
        "receipt": _("Receipt no."),
        "day": _("Day"),
        "time": _("Time"),
        "reason": _("Why"),
    }


def _bad(name: str, words: str) -> Invalid:
    return Invalid(words, fields={name: [words]})
