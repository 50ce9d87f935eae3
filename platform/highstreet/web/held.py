"""All that is held of a member, as that member reads it: nothing left out but row numbers.

What the core's rooms hold is told in words. What a tool holds is told by the names that the tool
gave it, for only the tool knows more; they are translated where its catalogue has them.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct, field

from highstreet.addresses.countries import country_name
from highstreet.i18n import LANGUAGES, ngettext
from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet.web.store.story import contact_words, entry_title

#: Names of stores by their ids as text.
Places = Mapping[str, str]


class Line(NamedTuple):
    """One thing of a list, and what else is known of it."""

    text: str
    more: str = ""


class Part(Struct):
    """One part of what is held: single facts, then lists of lines by name."""

    title: str
    rows: list[tuple[str, str]] = field(default_factory=list)
    lists: list[tuple[str, list[Line]]] = field(default_factory=list)


def store_ids(data: Any) -> set[UUID]:
    """The stores that an export names."""
    if isinstance(data, list):
        return {one for inner in data for one in store_ids(inner)}
    if not isinstance(data, dict):
        return set()
    found = {UUID(one) for one in (data.get("store_id"), data.get("home_store_id")) if one}
    return found.union(*(store_ids(inner) for inner in data.values()))


def parts(data: Mapping[str, Any], places: Places, titles: Callable[[str], str]) -> list[Part]:
    """The export of a customer (see customers.service.export), part by part.

    places: names of stores; titles: what a tool is called in the reader's language.
    """
    found = [_you(data["customer"], places)]
    rooms = (
        ("addresses", _("Where you get post"), _address),
        ("consent", _("What you agreed to"), _consent),
        ("purchases", _("What you bought"), _purchase),
        ("timeline", _("What happened"), _happened),
        ("imports", _("Numbers by which other systems know you"), _known_as),
        ("member_links", _("Links to this page"), _link),
    )
    for key, title, tell in rooms:
        if lines := [tell(one, places) for one in data.get(key, [])]:
            found.append(Part(title, lists=[(_entries(lines), lines)]))
    for name, told in data.get("tools", {}).items():
        found.append(_of_tool(titles(name), told))
    if "kept_answers" in data:
        count = formats.num(data["kept_answers"]["count"])
        words = _("Answers to a till, kept for when it asks again")
        found.append(Part(words, [(_("How many"), count)]))
    told_above = {key for key, _title, _tell in rooms} | {
        *("customer", "tools", "missing", "kept_answers"),
    }
    for key, value in data.items():
        if key not in told_above and isinstance(value, dict | list) and value:
            found.append(_of_tool(_label(key), value))
    if missing := data.get("missing"):
        lines = [Line(titles(name)) for name in missing]
        words = _("Could not be looked up now; ask again later")
        found.append(Part(words, lists=[(_entries(lines), lines)]))
    return found


def _you(one: Mapping[str, Any], places: Places) -> Part:
    language = one.get("language") or ""
    facts = (
        (_("Name"), one["name"]),
        (_("Birthday"), _day(one.get("birthday"))),
        (_("Language"), LANGUAGES.get(language.replace("-", "_"), language)),
        (_("Joined"), _moment(one["joined_at"])),
        (_("Home store"), places.get(one.get("home_store_id") or "", "")),
        *((each["label"], _plain(each["value"])) for each in one.get("fields", [])),
    )
    kinds = {"card": _("Card"), "phone": _("Phone"), "email": _("E-mail")}
    states = {"active": "", "lost": _("reported lost"), "blocked": _("blocked")}
    held = [
        Line(
            f"{kinds[each['kind']]} {_number(each)}",
            formats.joined(_("since %(day)s", day=_moment(each["since"])), states[each["status"]]),
        )
        for each in one["identities"]
    ]
    notes = [
        Line(note["text"], formats.joined(note["by"], _moment(note["at"]))) for note in one["notes"]
    ]
    apart = [Line(_moment(each["at"]), each["by"]) for each in one["not_the_same_as_others"]]
    lists = (
        (_("Cards, phones and e-mails (%(count)s)", count=formats.num(len(held))), held),
        (_("Notes (%(count)s)", count=formats.num(len(notes))), notes),
        (_("Said not to be the same as somebody else"), apart),
    )
    return Part(
        _("You"),
        [fact for fact in facts if fact[1]],
        [(name, some) for name, some in lists if some],
    )


def _address(one: Mapping[str, Any], _places: Places) -> Line:
    said = [one["recipient"], *one["lines"], country_name(one["country"])]
    since = _("since %(day)s", day=_moment(one["from"]))
    until = _("until %(day)s", day=_moment(one["until"])) if one["until"] else ""
    return Line(", ".join(filter(None, said)), formats.joined(since, until))


def _entries(lines: list[Line]) -> str:
    return ngettext("%(num)d entry", "%(num)d entries", len(lines))


def _number(one: Mapping[str, Any]) -> str:
    return formats.card(one["value"]) if one["kind"] == "card" else str(one["value"])


def _consent(one: Mapping[str, Any], _places: Places) -> Line:
    what = contact_words(one["purpose"], one["channel"])
    given = one["status"] == "given"
    return Line(
        _("Agreed: %(what)s", what=what) if given else _("Refused: %(what)s", what=what),
        formats.joined(
            _moment(one["at"]),
            _ways().get(one["method"], _label(one["method"])),
            f"“{one['wording']}”" if one["wording"] else "",
            one["evidence"] or "",
        ),
    )


def _ways() -> dict[str, str]:
    """How a consent was given or taken back."""
    return {
        "till": _("at the till"),
        "form": _("on a form"),
        "import": _("from a list"),
        "member-page": _("on the member’s page"),
    }


def _purchase(one: Mapping[str, Any], places: Places) -> Line:
    currency = one["currency"]

    def paid(minor: int) -> str:
        return formats.money(minor, currency)

    return Line(
        formats.joined(
            paid(one["total_minor"]), _moment(one["at"]), places.get(one["store_id"], "")
        ),
        formats.joined(
            _("Receipt %(number)s", number=one["receipt"]),
            *(
                f"{line['quantity']} × {line['product']} {paid(line['amount_minor'])}"
                for line in one["lines"]
            ),
            *(
                _(
                    "%(amount)s given back on %(day)s",
                    amount=paid(back["amount_minor"]),
                    day=_moment(back["at"]),
                )
                for back in one["returns"]
            ),
        ),
    )


def _happened(one: Mapping[str, Any], places: Places) -> Line:
    return Line(
        entry_title(one["kind"], one["title"], one["data"]),
        formats.joined(_moment(one["at"]), places.get(one["store_id"] or "", "")),
    )


def _known_as(one: Mapping[str, Any], _places: Places) -> Line:
    return Line(one["ref"], _("since %(day)s", day=_moment(one["since"])))


def _link(one: Mapping[str, Any], _places: Places) -> Line:
    ended = one["ended_early_at"] or one["ends_at"]
    return Line(
        _("Made %(when)s", when=_moment(one["made_at"])),
        _("works until %(when)s", when=_moment(ended)),
    )


def _of_tool(title: str, told: Any) -> Part:
    part = Part(title)
    _spread(told, "", part)
    return part


def _spread(value: Any, name: str, part: Part) -> None:
    """Put nested values where they can be read: facts one by one, lists line by line."""
    if isinstance(value, dict):
        for key, inner in value.items():
            label = _label(key)
            if isinstance(inner, dict | list):
                _spread(inner, label, part)
            elif not _is_id(key) and inner not in (None, ""):
                part.rows.append((f"{name} {label}".strip(), _said(key, inner, value)))
    elif value:
        lines = [_line(one) for one in value]
        part.lists.append(
            (f"{name} ({formats.num(len(lines))})" if name else _entries(lines), lines)
        )


def _line(value: Any) -> Line:
    """One entry of a tool's list: each value with its name, moments last."""
    if isinstance(value, list):
        return Line(", ".join(_line(one).text for one in value))
    if not isinstance(value, dict):
        return Line(_plain(value))
    said: list[str] = []
    when: list[str] = []
    for key, inner in value.items():
        if isinstance(inner, dict | list):
            nested = inner if isinstance(inner, list) else [inner]
            said += [_line(one).text for one in nested if one]
        elif not _is_id(key) and inner not in (None, "") and key != "currency":
            words = f"{_label(key)}: {_said(key, inner, value)}"
            (when if _is_moment(inner) else said).append(words)
    return Line(formats.joined(*said), formats.joined(*when))


def _said(key: str, value: Any, beside: Mapping[str, Any]) -> str:
    """A value as people read it: money with its currency, moments in the place's zone."""
    currency = beside.get("currency")
    if key.endswith("_minor") and isinstance(value, int) and isinstance(currency, str):
        return formats.money(value, currency)
    if _is_moment(value):
        return _moment(value)
    # A single small word is one of the tool's own, such as a kind or a state.
    is_word = isinstance(value, str) and value.replace("_", "").isalpha() and value.islower()
    return _label(value) if is_word else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return formats.num(value) if isinstance(value, int | float) else str(value)


def _label(name: str) -> str:
    """A name of a program's as people read it; a tool's catalogue may have it."""
    words = name.replace("_", " ").replace("-", " ")
    return _(words[:1].upper() + words[1:])


def _is_id(key: str) -> bool:
    """Whether a key names a row for machines; it stays in the copy."""
    return key == "id" or key.endswith(("_id", "_ids"))


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or len(value) < 20 or value[10:11] != "T":
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _moment(value: str) -> str:
    return formats.moment(datetime.fromisoformat(value))


def _day(value: str | None) -> str:
    return formats.day(date.fromisoformat(value), year=True) if value else ""
