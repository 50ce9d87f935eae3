"""What a store that closes still owes its members through its tools, as far as head office sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal
from msgspec import Struct

from highstreet.host import dispatch, faults, state
from highstreet.i18n import LazyText, format_locale, ngettext
from highstreet.i18n import gettext as _
from highstreet.stores.hooks import Owed
from highstreet_tenants.aggregates import SMALLEST_CELL
from highstreet_tenants.models import Brand
from highstreet_tenants.money import format_minor
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

_HOOK = "store_owes"
#: The names under which the trail keeps it.
KEPT = ("owed", "owed_in", "owed_unknown")


class Debt(Struct, frozen=True):
    """One thing that is owed, and the tool that promised it."""

    tool: str
    owed: Owed


class Debts(Struct, frozen=True):
    """All of it, in the order in which tools depend. failed: names of tools that could not say.

    currency, locale: of the store, for whatever they are worth.
    """

    all: tuple[Debt, ...] = ()
    failed: tuple[str, ...] = ()
    currency: str = ""
    locale: str = ""


def ask(tenancy: Tenancy, brand: Brand, store_id: UUID, actor: Actor = SYSTEM) -> Debts:
    """Ask every tool, also those that are off, in a session that reaches what head office may read.

    The operator gets no more: the trail, where head office reads it, tells the same afterwards.
    """
    office = Scope.brand(brand, actor)
    scope = office if office.reach == "personal" else Scope.aggregate(brand.id, actor)
    with tenancy.session(scope) as s:
        return of_store(s, store_id)


def of_store(s: ScopedSession, store_id: UUID) -> Debts:
    """The same in a session that is open. Raises NotFound for a store out of reach."""
    place = state.place(s, store_id)
    debts = [
        Debt(answer.plugin, owed)
        for answer in dispatch.collect(s, _HOOK, store_id)
        for owed in answer.value
    ]
    failed = [fault.plugin for fault in faults.of_session(s, _HOOK)]
    return Debts(tuple(debts), tuple(failed), place.currency, place.locale)


def counted(owed: Owed, locale: str) -> str:
    """How many, and of how many members: "3,120 of 41 members"."""
    return _counted(owed.many, owed.people, locale)


def worth(minor: int | None, currency: str, locale: str) -> str:
    """What it comes to at most; empty where nobody can say."""
    if minor is None:
        return ""
    amount = format_minor(minor, currency, str(format_locale(locale)))
    return _("at most %(amount)s", amount=amount)


def kept(debts: Debts) -> dict[str, Any]:
    """What the trail keeps of it: words as they stand in the code, which `told` translates."""
    facts: dict[str, Any] = {}
    if debts.all:
        facts["owed"] = [
            {
                "tool": debt.tool,
                "what": _source(debt.owed.what),
                "many": debt.owed.many,
                "people": debt.owed.people,
                "worth_minor": debt.owed.worth_minor,
            }
            for debt in debts.all
        ]
        facts["owed_in"] = debts.currency
    if debts.failed:
        facts["owed_unknown"] = list(debts.failed)
    return facts


def told(facts: Mapping[str, Any], title: Callable[[str], str], locale: str) -> Iterator[str]:
    """What `kept` gave, a line each, in the reader's language. title: of a tool, by its name."""
    owed, unknown = facts.get("owed"), facts.get("owed_unknown")
    for one in owed if isinstance(owed, list) else ():
        parts = (
            _counted(one["many"], one["people"], locale),
            worth(one["worth_minor"], facts["owed_in"], locale),
        )
        yield _(
            "Still owed (%(tool)s) · %(what)s: %(much)s",
            tool=title(one["tool"]),
            what=_(one["what"]) if one["what"] else "",
            much=", ".join(part for part in parts if part),
        )
    for name in unknown if isinstance(unknown, list) else ():
        yield _("What it owes by %(tool)s is not known.", tool=title(name))


def _counted(many: int | None, people: int | None, locale: str) -> str:
    written = format_locale(locale)
    if many is None:
        return _("fewer than %(least)s people", least=SMALLEST_CELL)
    number = format_decimal(many, locale=written)
    if people is None:
        return number
    return ngettext(
        "%(many)s, of %(num)d member", "%(many)s, of %(num)d members", people, many=number
    )


def _source(what: LazyText | str) -> str:
    return what.message if isinstance(what, LazyText) and not what.values else str(what)
