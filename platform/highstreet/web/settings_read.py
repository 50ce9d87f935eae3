"""What came back from a settings form, as the tool's schema takes it; and what of it is new."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from marshmallow import fields
from msgspec import Struct, field
from werkzeug.datastructures import MultiDict

from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet.web.settings_form import Item
from highstreet_tenants.errors import Invalid

Sent = MultiDict[str, str]
_WHOLE = re.compile(r"[+-]?\d{1,18}")


class _Left:
    """The type of LEFT."""


#: Nothing was typed, so the schema's own default stands.
LEFT = _Left()


class Answer(Struct):
    """values: what changed, by key. clear: keys to take from the level above. lock, unlock: keys.

    paths: a value's place in the schema → its place in the form ("rewards.1" → "rewards.2" where
    the form's second place was removed). unread: what could not be read before the schema saw it
    (an amount of money), by place in the schema.
    """

    values: dict[str, Any] = field(default_factory=dict)
    clear: list[str] = field(default_factory=list)
    lock: list[str] = field(default_factory=list)
    unlock: list[str] = field(default_factory=list)
    paths: dict[str, str] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)

    def check(self) -> None:
        """Raise Invalid, naming the fields, for what could not be read."""
        if self.unread:
            words = _("Some settings can't be so. Nothing was changed.")
            raise Invalid(words, fields=self.unread)

    def in_form(self, errors: dict[str, list[str]]) -> dict[str, list[str]]:
        """Errors by the form's places."""
        found: dict[str, list[str]] = {}
        for place, messages in errors.items():
            while place and place not in self.paths:
                place = place.rpartition(".")[0]
            found.setdefault(self.paths.get(place, place), []).extend(messages)
        return found


def read(items: Sequence[Item], sent: Sent) -> Answer:
    """What the reader changed. Fields locked above are left out, whatever was sent."""
    answer = Answer()
    before = sent_by(items)
    for item in items:
        if item.locked:
            continue
        answer.paths[item.path] = item.path
        if f"reset-{item.id}" in sent:
            answer.clear.append(item.name)
        else:
            value = _value(item, sent, answer, item.path)
            if value != _value(item, before, Answer(), item.path):
                answer.values[item.name] = None if value is LEFT else value
        locked = f"lock-{item.id}" in sent
        if locked and not item.locks:
            answer.lock.append(item.name)
        elif item.locks and not locked:
            answer.unlock.append(item.name)
    return answer


def fill(items: Iterable[Item], sent: Sent) -> None:
    """Show again what was sent and not saved."""
    for item in items:
        if item.locked:
            continue
        item.locks, item.reset = f"lock-{item.id}" in sent, f"reset-{item.id}" in sent
        item.dropped = f"drop-{item.id}" in sent
        item.used = item.spare and not _untouched(item, sent)
        if item.kind in ("group", "list"):
            fill(item.items, sent)
        elif item.kind == "tick":
            item.value = item.id in sent
        elif item.kind == "ticks":
            item.value = sent.getlist(item.id)
        else:
            item.value = sent.get(item.id, "")


def sent_by(items: Iterable[Item]) -> Sent:
    """What a browser would send if nobody touched the form."""
    sent: Sent = MultiDict()
    for item in items:
        if item.kind in ("group", "list"):
            sent.update(sent_by(item.items))
        elif item.kind == "tick":
            if item.value:
                sent.add(item.id, "1")
        elif item.kind == "ticks":
            sent.setlist(item.id, list(item.value))
        elif item.options and item.value not in {key for key, _words in item.options}:
            sent.add(item.id, item.options[0][0])  # a browser sends the first where none is chosen
        else:
            sent.add(item.id, str(item.value))
    return sent


def _value(item: Item, sent: Sent, answer: Answer, place: str) -> Any:
    """The value of one field; `place` is where it will stand in what the schema gets."""
    answer.paths[place] = item.path
    if item.kind == "group":
        return _group(item, sent, answer, place)
    if item.kind == "list":
        groups: list[Any] = []
        for group in item.items:
            if f"drop-{group.id}" in sent or (group.spare and _untouched(group, sent)):
                continue
            groups.append(_value(group, sent, answer, f"{place}.{len(groups)}"))
        return groups
    if item.kind == "tick":
        return item.id in sent
    if item.kind == "ticks":
        return sent.getlist(item.id)
    text = sent.get(item.id, "").replace("\r\n", "\n").strip()
    if item.kind == "many":
        each = item.one.inner if isinstance(item.one, fields.List) else item.one
        return [_typed(each, line.strip()) for line in text.split("\n") if line.strip()]
    if item.kind == "pairs":
        inner = item.one.value_field if isinstance(item.one, fields.Dict) else None
        return dict(_pair(line, inner) for line in text.split("\n") if line.strip())
    if not text:
        return None if item.one.allow_none else LEFT
    if item.currency:
        return _money(item, text, answer, place)
    return _typed(item.one, text)


def _money(item: Item, text: str, answer: Answer, place: str) -> Any:
    """Minor units of an amount as this reader types it."""
    try:
        return formats.parse_money(text, item.currency)
    except Invalid as error:
        answer.unread[place] = [error.detail]
        return text


def _group(item: Item, sent: Sent, answer: Answer, place: str) -> dict[str, Any]:
    found = {}
    for one in item.items:
        value = _value(one, sent, answer, f"{place}.{one.name}")
        if value is not LEFT:
            found[one.name] = value
    return found


def _untouched(group: Item, sent: Sent) -> bool:
    """Whether a spare place was left empty: nothing typed, and every tick as it was."""
    before = sent_by([group])
    return bool(_value(group, sent, Answer(), "") == _value(group, before, Answer(), ""))


def _typed(one: fields.Field[Any] | None, text: str) -> Any:
    """Text as the schema takes it: a whole number as one, for a strict field refuses text."""
    if isinstance(one, fields.Integer) and _WHOLE.fullmatch(text.replace("−", "-")):
        return int(text.replace("−", "-"))
    if isinstance(one, fields.Decimal | fields.Float):
        return text.replace(",", ".")
    return text


def _pair(line: str, inner: fields.Field[Any] | None) -> tuple[str, Any]:
    key, _sign, value = line.partition("=")
    return key.strip(), _typed(inner, value.strip())
