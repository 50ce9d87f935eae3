"""A member in hand as the till shows one: plain values from the rooms' facts and tools' answers."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from msgspec import Struct

from highstreet import host as hosts
from highstreet.customers import fields as custom
from highstreet.customers import queries as customers
from highstreet.customers import service as customer_service
from highstreet.customers.facts import CustomerFact, FieldFact, Found, IdentityFact
from highstreet.host import dispatch, state
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.till.hooks import Club
from highstreet.till.last import Action
from highstreet.till.visits import visits
from highstreet.web import formats
from highstreet.web.forms import Form
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

#: So many of the brand's own fields fit beside the name.
MOST_FACTS = 3


class Extra(Struct, frozen=True):
    """A custom field of the brand as a form shows it."""

    key: str
    label: str
    kind: str
    required: bool
    options: list[tuple[str, str]]


def in_hand(s: ScopedSession, fact: CustomerFact, store_id: UUID, today: date) -> dict[str, Any]:
    """What the till shows of a customer."""
    detail = customers.detail(s, fact.id)
    cards = [one for one in detail.identities if one.kind == "card" and one.status == "active"]
    been = visits(s, fact.id, store_id, today)
    return {
        "id": fact.id,
        "name": fact.name or _("No name"),
        "card": cards[-1].shown if cards else "",
        "since": formats.month(fact.joined_at),
        "facts": facts(s, detail.fields, [note.text for note in detail.notes[:1]]),
        "last_visit": _last(been.last, today) if been.last else "",
        "visits": been.this_year,
    }


def told_apart(s: ScopedSession, hits: Sequence[Found]) -> list[str]:
    """What tells those that were found apart, beside the name: a line each.

    A card or address that was looked for stands there whole. Else the end of each, for a screen at
    the till faces the queue, too.
    """
    held = customers.contacts(s, [hit.customer.id for hit in hits])
    return [
        hit.shown if hit.by != "name" else _marks(held.get(hit.customer.id, ())) for hit in hits
    ]


def _marks(held: Sequence[IdentityFact]) -> str:
    last = {one.kind: one.shown for one in held if one.status == "active"}
    return formats.joined(
        _("Card %(number)s", number=f"•••{last['card'][-4:]}") if "card" in last else "",
        formats.hidden(last.get("phone", "")),
        formats.hidden(last.get("email", "")),
    )


def _last(been: datetime, today: date) -> str:
    """When a member was here last, as a cashier says it."""
    day = clock.business_date(been, formats.zone_name())
    if day == today:
        return _("Here today at %(time)s", time=formats.time_of_day(been))
    if day == today - timedelta(days=1):
        return _("Last here yesterday")
    return _("Last here on %(day)s", day=formats.day_short(been))


def facts(
    s: ScopedSession,
    answers: dict[str, Any],
    notes: Sequence[str],
    *,
    most: int | None = MOST_FACTS,
) -> list[dict[str, str]]:
    """Answers to the brand's own fields (all where `most` is None), then the newest note."""
    shown = [
        {"label": one.label, "value": answer(one, answers[one.key])}
        for one in custom.listed(s)
        if answers.get(one.key) not in (None, "")
    ][:most]
    return shown + [{"label": _("Note"), "value": text} for text in notes]


def answer(field: FieldFact, value: Any) -> str:
    """An answer as people read it."""
    if field.kind == "yes-no":
        return _("Yes") if value else _("No")
    if field.kind == "date" and isinstance(value, str):
        return formats.day(date.fromisoformat(value), year=True)
    return str(value)


def club(s: ScopedSession, fact: CustomerFact) -> Club | None:
    """The member's standing in the first points tool that is on here."""
    for one in dispatch.collect(s, "member_club", customer=fact):
        if one.value is not None:
            return cast(Club, one.value)
    return None


def paused(s: ScopedSession) -> list[str]:
    """Titles of points tools that only a pause keeps off here."""
    host = hosts.of(s)
    asked = host.calls.get("member_club", {})
    return [
        host.title(name, language())
        for name, effective in state.overview(s).items()
        if name in asked and effective.state == "paused"
    ]


def said(answers: Iterable[Any]) -> list[str]:
    """What tools want the cashier to read of what they did."""
    found = (getattr(one.value, "words", one.value) for one in answers)
    return [text for text in found if isinstance(text, str) and text]


def actions_shown(actions: Sequence[Action], me: UUID | None) -> dict[str, Any]:
    """The last actions in words, and the newest that can be taken back.

    `key`: by the key, too. A key is pressed blindly, so it takes back neither what somebody else
    (than `me`) did, nor the one before by a second press.
    """
    undoable = next((one for one in actions if one.undoable and not one.undone), None)
    newer = actions[: actions.index(undoable)] if undoable else []
    return {
        "last": [
            {
                "who": one.who or _("No name"),
                "at": one.at,
                "what": formats.joined(_what(one), one.by),
                "change": one.change,
                "undone": one.undone,
                # A purchase says so itself; a tool's words are of the deed, whatever became of it.
                "taken_back": _("taken back") if one.kind == "tool" else "",
            }
            for one in actions
        ],
        "undo": {
            "id": undoable.id,
            "url": undoable.undo_url,
            "label": _undo_label(undoable),
            "key": undoable.by_id in (None, me) and not any(one.undone for one in newer),
        }
        if undoable
        else None,
    }


def _undo_label(one: Action) -> str:
    what = one.change or _what(one)
    return _("Undo %(what)s for %(name)s", what=what, name=one.who or _("No name"))


def _what(one: Action) -> str:
    if one.kind == "enrolled":
        return _("New member")
    if one.kind == "tool":
        return one.what
    paid = formats.money(one.amount_minor, one.currency)
    if one.undone:
        return _("%(amount)s undone", amount=paid)
    return _("%(amount)s paid", amount=paid)


def extras(s: ScopedSession) -> list[Extra]:
    """The brand's own fields for a form."""
    return [
        Extra(one.key, one.label, one.kind, one.required, options(one)) for one in custom.listed(s)
    ]


def options(one: FieldFact) -> list[tuple[str, str]]:
    """What a field offers to choose from; nothing for one that is typed."""
    if one.kind == "yes-no":
        return [("yes", _("Yes")), ("no", _("No"))]
    return [(choice, choice) for choice in one.choices]


def typed(form: Form, fields: Iterable[Extra]) -> dict[str, Any]:
    """The answers to the brand's own fields in a form; empty ones are None."""
    found: dict[str, Any] = {}
    for one in fields:
        text = form[f"field-{one.key}"]
        found[one.key] = (text == "yes") if one.kind == "yes-no" and text else text or None
    return found


def enrol(s: ScopedSession, form: Form, fields: list[Extra]) -> CustomerFact:
    """Take on whoever the form names."""
    return customer_service.enrol(
        s,
        name=form["name"],
        phone=form["phone"] or None,
        email=form["email"] or None,
        card=form["card"] or None,
        birthday=form.date_of("birthday"),
        fields=typed(form, fields) if fields else None,
    )
