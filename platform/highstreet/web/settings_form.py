"""A tool's settings as a form: fields from its marshmallow Schema, each value with where it comes
from. The schema stays the one place that says what is valid (`settings_read` brings it back).

A schema's field may say, in `metadata`: label, help (lazy translations), unit, secret, lines
(a longer text), options (value → label, for OneOf), money (whole minor units, which a person reads
and types as an amount in the currency of the place).
"""

from collections.abc import Mapping
from typing import Any, Literal

from marshmallow import Schema, fields, missing, validate
from msgspec import Struct, field

from highstreet.host import setting_words
from highstreet.host.cascade import MASK, Level, Resolved, Source
from highstreet.host.reasons import on_day
from highstreet.i18n import gettext as _
from highstreet.web import formats
from highstreet.web.current import Place

PREFIX = "s-"
#: Beyond those that are there, a list offers so many empty places to fill in.
EMPTY_PLACES = 1

Kind = Literal["text", "lines", "tick", "choice", "ticks", "many", "pairs", "group", "list"]


class Item(Struct):
    """One field of the form, or a group (`items`: its fields), or a list (`items`: its groups).

    path: "rewards.0.name". value: as an input shows it; of "ticks" a list. spare: a group that is
    only a place to add another. currency: of a field that holds money. The rest is of top-level
    fields only: source in words, locked (above), given (at this level), locks (this level locks
    it). Of a form that is shown again: reset (the value from above is wanted), dropped (a group is
    to go), used (a spare group was filled in).
    """

    path: str
    label: str
    kind: Kind
    one: fields.Field[Any]
    hint: str = ""
    value: Any = ""
    type: str = "text"
    unit: str = ""
    currency: str = ""
    options: list[tuple[str, str]] | None = None
    lines: int = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    items: list["Item"] = field(default_factory=list)
    spare: bool = False
    source: str = ""
    locked: bool = False
    given: bool = False
    locks: bool = False
    reset: bool = False
    dropped: bool = False
    used: bool = False

    @property
    def id(self) -> str:
        """The input's name and id."""
        return PREFIX + self.path

    @property
    def name(self) -> str:
        """The last part of the path: the field's own name."""
        return self.path.rsplit(".", 1)[-1]

    @property
    def sign(self) -> str:
        """What stands before the input: the currency's sign, of money."""
        return formats.symbol(self.currency) if self.currency else ""


def build(schema: type[Schema], resolved: Resolved, level: Level, place: Place) -> list[Item]:
    """The form of one level."""
    shown = resolved.shown()
    found = []
    for name, one in schema().fields.items():
        if name not in shown:
            continue
        source = resolved.provenance.get(name, Source("default"))
        item = make(name, one, shown[name], place.currency)
        item.given = source.level == level
        item.locks = source.lock == level
        if source.locked and source.lock != level:
            _lock(item)
        item.source = _provenance(source, place)
        if name in resolved.problems:
            stale = _("The stored value is no longer valid:")
            item.hint = f"{item.hint} {stale} {resolved.problems[name]}".strip()
        found.append(item)
    return found


def _lock(item: Item) -> None:
    item.locked = True
    for inner in item.items:
        _lock(inner)


def make(path: str, one: fields.Field[Any], value: Any, currency: str) -> Item:
    """One field with its value, whatever its kind; money is shown in `currency`."""
    meta = one.metadata
    name = path.rsplit(".", 1)[-1]
    label = setting_words.label(name, one)
    item = Item(path, label, "text", one, str(meta.get("help", "")), unit=str(meta.get("unit", "")))
    oneof = validator(one, validate.OneOf)
    if isinstance(one, fields.Nested):
        _group(item, one, value, currency)
    elif isinstance(one, fields.List) and isinstance(one.inner, fields.Nested):
        _list(item, one.inner, value or [], currency)
    elif isinstance(one, fields.List) and (choices := validator(one.inner, validate.OneOf)):
        item.kind, item.options = "ticks", _options(choices, one.inner)
        item.value = [str(v) for v in value or []]
    elif isinstance(one, fields.Boolean):
        item.kind, item.value = "tick", bool(value)
    elif isinstance(one, fields.List):
        item.kind, item.lines = "many", int(meta.get("lines", 3))
        item.value = "\n".join(str(v) for v in value or [])
        each = _("One on each line.")  # not inside the f-string: extractors don't look there
        item.hint = f"{item.hint} {each}".strip()
    elif isinstance(one, fields.Dict):
        item.kind, item.lines = "pairs", int(meta.get("lines", 3))
        item.value = "\n".join(f"{k} = {v}" for k, v in (value or {}).items())
        each = _("One on each line, as name = value.")
        item.hint = f"{item.hint} {each}".strip()
    elif oneof is not None:
        item.kind, item.options = "choice", _options(oneof, one)
        item.value = "" if value is None else str(value)
    elif meta.get("money"):
        item.currency = currency
        item.value = "" if value is None else formats.amount(value, currency)
        item.attributes["inputmode"] = "decimal"
    else:
        _plain(item, one, value)
    return item


def validator(one: fields.Field[Any], kind: type[Any]) -> Any:
    """The first validator of a kind that a field has, or None."""
    return next((v for v in one.validators if isinstance(v, kind)), None)


def _group(item: Item, one: fields.Nested, value: Any, currency: str) -> None:
    item.kind = "group"
    given = value if isinstance(value, Mapping) else {}
    for name, inner in one.schema.fields.items():
        there = given.get(name, missing)
        if there is missing:
            there = _default(inner)
        item.items.append(make(f"{item.path}.{name}", inner, there, currency))


def _list(item: Item, inner: fields.Nested, values: list[Any], currency: str) -> None:
    item.kind = "list"
    for number in range(len(values) + EMPTY_PLACES):
        spare = number >= len(values)
        group = Item(f"{item.path}.{number}", str(number + 1), "group", inner, spare=spare)
        _group(group, inner, {} if spare else values[number], currency)
        if spare:
            for one in group.items:
                if one.kind in ("text", "lines", "many", "pairs"):
                    one.value = ""  # an untouched place must look untouched
        item.items.append(group)


def _default(one: fields.Field[Any]) -> Any:
    if one.load_default is missing:
        return None
    return one.load_default() if callable(one.load_default) else one.load_default


def _options(oneof: validate.OneOf, one: fields.Field[Any]) -> list[tuple[str, str]]:
    labels = one.metadata.get("options") or {}
    found = [(str(choice), str(labels.get(choice, choice))) for choice in oneof.choices]
    return [("", _("None")), *found] if one.allow_none else found


def _plain(item: Item, one: fields.Field[Any], value: Any) -> None:
    meta = one.metadata
    item.value = "" if value is None else str(value)
    if meta.get("secret"):
        item.type = "password"
        item.attributes["data-mask"] = MASK
    elif isinstance(one, fields.Integer):
        item.attributes["inputmode"] = "numeric"
    elif isinstance(one, fields.Decimal | fields.Float):
        item.attributes["inputmode"] = "decimal"
    elif isinstance(one, fields.Date):
        item.type = "date"
    elif isinstance(one, fields.Time):
        item.type = "time"
        item.value = value.isoformat("minutes") if value is not None else ""
    elif isinstance(one, fields.Email):
        item.type = "email"
    elif isinstance(one, fields.Url):
        item.type = "url"
    if meta.get("lines"):
        item.kind, item.lines = "lines", int(meta["lines"])
    length = validator(one, validate.Length)
    if length is not None and length.max:
        item.attributes["maxlength"] = length.max


def _provenance(source: Source, place: Place) -> str:
    """Where a value comes from, and who locked it."""
    where = {
        "default": _("As the tool comes"),
        "brand": _("Set by head office"),
        "region": _("Set by the region"),
        "store": _("Set by the store"),
    }[source.level]
    if source.at is not None:
        day = on_day(source.at, place.zone, place.locale)
        where = _("%(where)s: %(who)s, %(day)s", where=where, who=source.by, day=day)
    if source.locked:
        locker = {"brand": _("locked by head office"), "region": _("locked by the region")}.get(
            source.lock or "", _("locked")
        )
        where = f"{where} · {locker}"
    return where
