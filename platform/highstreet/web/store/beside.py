"""Two records beside each other, in words: why they may be one person, what differs, what merging
makes of them, and what goes where when that is taken back.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from highstreet import host as hosts
from highstreet.addresses import queries as addresses
from highstreet.addresses.facts import AddressFact
from highstreet.customers import comparing, listing
from highstreet.customers.facts import (
    CustomerDetail,
    CustomerFact,
    Difference,
    Likeness,
    UnmergeFact,
)
from highstreet.i18n import LANGUAGES, language
from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet.web.store import member
from highstreet_tenants.sessions import ScopedSession

Names = dict[UUID | None, str]


def pairs(
    s: ScopedSession, found: Sequence[Likeness], *, first: UUID | None = None
) -> list[dict[str, Any]]:
    """Likely pairs as the list shows them; the record `first` stands first in each."""
    turned = [_turned(one) if one.other.id == first else one for one in found]
    names = listing.store_names(s, _stores(one for pair in turned for one in pair.different))
    return [_pair(one.one, one.other, one.reason, one.different, names) for one in turned]


def _turned(pair: Likeness) -> Likeness:
    different = tuple(Difference(one.what, one.other, one.one) for one in pair.different)
    return Likeness(pair.other, pair.one, pair.score, pair.same, different)


def chosen(
    s: ScopedSession, fact: CustomerFact, others: Sequence[CustomerFact], why: str
) -> list[dict[str, Any]]:
    """A record beside each of those that somebody found."""
    found = comparing.differences(s, [(fact.id, one.id) for one in others])
    names = listing.store_names(s, _stores(d for differ in found.values() for d in differ))
    return [_pair(fact, one, why, found[fact.id, one.id], names) for one in others]


def _stores(differences: Iterable[Difference]) -> list[UUID | None]:
    return [
        value for one in differences for value in (one.one, one.other) if isinstance(value, UUID)
    ]


def _pair(
    one: CustomerFact,
    other: CustomerFact,
    why: str,
    differences: Iterable[Difference],
    names: Names,
) -> dict[str, Any]:
    return {
        "one": one,
        "other": other,
        "why": why,
        "different": [difference(each, names) for each in differences],
    }


def difference(one: Difference, names: Names) -> dict[str, str]:
    """A difference in words: its label and what each record says."""
    label = {
        "birthday": _("Birthday"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "language": _("Language"),
        "store": _("Home store"),
    }[one.what]
    here, there = (_shown(value, one.what, names) for value in (one.one, one.other))
    return {"label": label, "one": here, "other": there}


def _shown(value: str | date | UUID, what: str, names: Names) -> str:
    if isinstance(value, date):
        return formats.day(value, year=True)
    if isinstance(value, UUID):
        return names.get(value, _("Another store"))
    return _language(value) if what == "language" else value


def _language(tag: str) -> str:
    return LANGUAGES.get(tag.replace("-", "_"), tag)


def compared(s: ScopedSession, keep: CustomerDetail, gone: CustomerDetail) -> list[dict[str, Any]]:
    """Row by row: this record, that one, and what will be there afterwards."""
    one, other = keep.customer, gone.customer
    names = listing.store_names(s, [one.home_store_id, other.home_store_id])
    rows = [
        _row(_("Name"), one.name, other.name),
        _row(
            _("Joined"),
            formats.day(one.joined_at, year=True),
            formats.day(other.joined_at, year=True),
            formats.day(min(one.joined_at, other.joined_at), year=True),
        ),
    ]
    for kind, label in (("card", _("Cards")), ("phone", _("Phones")), ("email", _("E-mails"))):
        held, their = identities(keep, kind), identities(gone, kind)
        both = ", ".join(dict.fromkeys([*held, *their]))
        rows.append(_row(label, ", ".join(held), ", ".join(their), both))
    rows.append(_row(_("Birthday"), _day(keep.birthday), _day(gone.birthday)))
    rows.append(_row(_("Language"), _language(one.language or ""), _language(other.language or "")))
    lives = addresses.of_many(s, [one.id, other.id])
    rows.append(_row(_("Address"), *(_address(lives.get(who.id)) for who in (one, other))))
    home, away = names.get(one.home_store_id, ""), names.get(other.home_store_id, "")
    rows.append(_row(_("Home store"), home, away))
    answers = [
        {row["label"]: row["value"] for row in member.facts(s, fields, [], most=None)}
        for fields in (keep.fields, gone.fields)
    ]
    for label in dict.fromkeys([*answers[0], *answers[1]]):
        rows.append(_row(label, answers[0].get(label, ""), answers[1].get(label, "")))
    mine, theirs = len(keep.notes), len(gone.notes)
    many = (formats.num(mine), formats.num(theirs), formats.num(mine + theirs))
    rows.append(_row(_("Notes"), *many))
    return [row for row in rows if row["keep"] or row["gone"]]


def _row(label: str, keep: str, gone: str, after: str | None = None) -> dict[str, Any]:
    after = (keep or gone) if after is None else after
    return {"label": label, "keep": keep, "gone": gone, "after": after}


def _address(held: AddressFact | None) -> str:
    return ", ".join(held.lines) if held is not None else ""


def _day(birthday: date | None) -> str:
    return formats.day(birthday, year=True) if birthday else ""


def identities(detail: CustomerDetail, kind: str) -> list[str]:
    """What a record has of a kind, as people read it."""
    shown = formats.card if kind == "card" else str
    return [shown(one.shown) for one in detail.identities if one.kind == kind]


def parted(s: ScopedSession, told: UnmergeFact) -> list[tuple[str, str]]:
    """What goes back to the other record, and what tools say of their part."""
    rows = []
    for kind, label in (("card", _("Cards")), ("phone", _("Phones")), ("email", _("E-mails"))):
        shown = formats.card if kind == "card" else str
        held = [shown(one.shown) for one in told.identities if one.kind == kind]
        if held:
            rows.append((label, ", ".join(held)))
    partly = told.back.store_id is None and s.store_id is not None
    rows += [
        (label, formats.num(count))
        for label, count in (
            (_("Notes"), told.notes),
            (
                _("Purchases in this store") if partly else _("Purchases"),
                told.rooms["purchases"]["purchases"],
            ),
            (_("Address"), told.rooms["addresses"]["addresses"]),
            (_("Entries of the timeline"), told.rooms["timeline"]["entries"]),
            (_("Records merged into it before"), told.records),
        )
        if count
    ]
    host = hosts.of(s)
    for tool, said in told.tools.items():
        title = host.title(tool, language())
        rows += [(f"{title}: {row.label}", row.value) for row in sorted(said, key=lambda r: r.sort)]
    return rows
