"""What a blueprint says: its schema, and the frozen facts that come out of a checked one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from babel import Locale, UnknownLocaleError
from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from highstreet.blueprints.source import Path_, Problems, Source
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants import clock, money
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.people.permissions import ROLES

Level = Literal["required", "default_on", "optional", "restricted", "forbidden"]
LEVELS: tuple[Level, ...] = ("required", "default_on", "optional", "restricted", "forbidden")
FIELD_KINDS = ("text", "choice", "date", "number", "yes-no")

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class RoleAt:
    """A role granted at one node: ``kind`` is brand, region, owner or store, ``slug`` which one."""

    role: str
    kind: Literal["brand", "region", "owner", "store"]
    slug: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Values of a tool's settings for the brand, one region or one store, and the locked keys."""

    level: Literal["brand", "region", "store"]
    slug: str
    values: Mapping[str, Any]
    lock: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's policy, the regions that narrow it, the stores that choose, and the settings."""

    name: str
    policy: Level | None
    regions: Mapping[str, Level]
    on: tuple[str, ...]
    off: tuple[str, ...]
    settings: tuple[Settings, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A checked blueprint; the mappings hold column values by slug, e-mail or key."""

    brand: Mapping[str, Any]
    regions: Mapping[str, Mapping[str, Any]]
    owners: Mapping[str, Mapping[str, Any]]
    stores: Mapping[str, Mapping[str, Any]]
    users: Mapping[str, Mapping[str, Any]]
    roles: Mapping[str, tuple[RoleAt, ...]]
    fields: Mapping[str, Mapping[str, Any]]
    tools: Mapping[str, Tool] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The brand's."""
        return str(self.brand["slug"])


def _checked(check: Callable[[str], object]) -> Callable[[str], None]:
    """A marshmallow validator out of a function that raises our own errors."""

    def validator(value: str) -> None:
        try:
            check(value)
        except HighstreetError as error:
            raise ValidationError(error.detail) from error

    return validator


def _locale(value: str) -> None:
    try:
        Locale.parse(value.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValidationError(
            _("“%(name)s” is not a locale. Use one such as en_GB.", name=value)
        ) from error


class _Strict(Schema):
    class Meta:
        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow's own way of naming messages
        "unknown": _l("unknown key; check its spelling")
    }


def _slug_field() -> fields.String:
    return fields.String(
        required=True,
        validate=[
            validate.Length(max=60),
            validate.Regexp(
                re.compile(rf"{_SLUG.pattern}\Z"),
                error=str(_l("write it in small letters, digits and dashes, like high-street")),
            ),
        ],
    )


def _text(most: int, *, required: bool = True) -> fields.String:
    return fields.String(required=required, validate=validate.Length(min=1, max=most))


def _zone(*, required: bool) -> fields.String:
    return fields.String(required=required, validate=_checked(clock.zone))


def _currency(*, required: bool) -> fields.String:
    return fields.String(required=required, validate=_checked(money.check_currency))


class _BrandSchema(_Strict):
    slug = _slug_field()
    name = _text(120)
    currency = _currency(required=True)
    locale = fields.String(required=True, validate=_locale)
    zone = _zone(required=True)
    customers = fields.String(required=True, validate=validate.OneOf(["brand", "store"]))
    accent = fields.String(
        validate=validate.Regexp(r"#[0-9a-fA-F]{6}\Z", error=str(_l("write it like #1f6f4a")))
    )


class _RegionSchema(_Strict):
    slug = _slug_field()
    name = _text(120)


class _OwnerSchema(_Strict):
    slug = _slug_field()
    name = _text(120)
    legal_name = _text(200, required=False)


class _AddressSchema(_Strict):
    street = _text(120)
    city = _text(120)
    postcode = _text(20, required=False)
    state = _text(60, required=False)
    country = fields.String(validate=validate.Regexp(r"[A-Z]{2}\Z"))


class _StoreSchema(_Strict):
    slug = _slug_field()
    code = _text(40)
    name = _text(120)
    region = fields.String()
    owner = fields.String()
    zone = _zone(required=False)
    currency = _currency(required=False)
    locale = fields.String(validate=_locale)
    address = fields.Nested(_AddressSchema)
    opened_on = fields.Raw()
    status = fields.String(validate=validate.OneOf(["open", "closed"]))

    @validates_schema
    def check_day(self, data: dict[str, Any], **_kw: object) -> None:
        """TOML has dates of its own: opened_on is one."""
        if "opened_on" in data and type(data["opened_on"]) is not date:
            raise ValidationError(_("write the day like 2015-06-01, without quotes"), "opened_on")


class _RoleSchema(_Strict):
    role = fields.String(required=True, validate=validate.OneOf(list(ROLES)))
    region = fields.String()
    owner = fields.String()
    store = fields.String()


class _UserSchema(_Strict):
    email = fields.Email(required=True)
    name = _text(120)
    locale = fields.String(validate=_locale)
    roles = fields.List(fields.Nested(_RoleSchema), load_default=list)


class _FieldSchema(_Strict):
    key = fields.String(required=True, validate=validate.Regexp(r"[a-z][a-z0-9_]{0,39}\Z"))
    label = _text(80)
    kind = fields.String(load_default="text", validate=validate.OneOf(FIELD_KINDS))
    choices = fields.List(_text(80), load_default=list)
    required = fields.Boolean(load_default=False)


class _SettingsSchema(_Strict):
    region = fields.String()
    store = fields.String()
    settings = fields.Dict(keys=fields.String(), load_default=dict)
    lock = fields.List(fields.String(), load_default=list)

    @validates_schema
    def check_level(self, data: dict[str, Any], **_kw: object) -> None:
        """Exactly one of region and store."""
        if ("region" in data) == ("store" in data):
            raise ValidationError(_("name either a region or a store"))


class _ToolSchema(_Strict):
    policy = fields.String(validate=validate.OneOf(LEVELS))
    regions = fields.Dict(
        keys=fields.String(), values=fields.String(validate=validate.OneOf(LEVELS))
    )
    on = fields.List(fields.String(), load_default=list)
    off = fields.List(fields.String(), load_default=list)
    settings = fields.Dict(keys=fields.String(), load_default=dict)
    lock = fields.List(fields.String(), load_default=list)
    overrides = fields.List(fields.Nested(_SettingsSchema), load_default=list)


class BlueprintSchema(_Strict):
    """A whole blueprint. Every key is known; everything but ``brand`` may be left out."""

    brand = fields.Nested(_BrandSchema, required=True)
    regions = fields.List(fields.Nested(_RegionSchema), load_default=list)
    owners = fields.List(fields.Nested(_OwnerSchema), load_default=list)
    stores = fields.List(fields.Nested(_StoreSchema), load_default=list)
    users = fields.List(fields.Nested(_UserSchema), load_default=list)
    fields_ = fields.List(
        fields.Nested(_FieldSchema), load_default=list, data_key="fields", attribute="fields"
    )
    tools = fields.Dict(keys=fields.String(), values=fields.Nested(_ToolSchema), load_default=dict)


def check(source: Source, plugins: Collection[str]) -> Document:
    """Check a blueprint against the schema, itself, and the tools installed.

    Raises Invalid that names each wrong key with its file and line.
    """
    problems = Problems(source)
    try:
        refuse_payment_cards(source.data)
    except HighstreetError as error:
        problems.add(tuple(next(iter(error.fields), "").split(".")), error.detail)
    try:
        data: dict[str, Any] = BlueprintSchema().load(source.data)
    except ValidationError as error:
        problems.add_all((), _without_values(error.normalized_messages()))
        problems.settle()
        raise  # not reached: settle raises whenever there is a message
    slugs = {
        "region": _unique(problems, data, "regions", "slug"),
        "owner": _unique(problems, data, "owners", "slug"),
        "store": _unique(problems, data, "stores", "slug"),
    }
    _unique(problems, data, "stores", "code")
    _unique(problems, data, "users", "email")
    _unique(problems, data, "fields", "key")
    for place, store in enumerate(data["stores"]):
        for kind in ("region", "owner"):
            _known(problems, ("stores", place, kind), kind, store.get(kind), slugs)
    roles = {
        user["email"].casefold(): _roles(problems, ("users", place), user, data["brand"], slugs)
        for place, user in enumerate(data["users"])
    }
    tools = {
        name: _tool(problems, name, tool, slugs, plugins) for name, tool in data["tools"].items()
    }
    problems.settle()
    return _document(data, roles, tools)


def _document(
    data: dict[str, Any], roles: dict[str, tuple[RoleAt, ...]], tools: dict[str, Tool]
) -> Document:
    brand = {"accent": None, **data["brand"]}
    inherited = {key: brand[key] for key in ("zone", "currency", "locale")}
    return Document(
        brand=brand,
        regions={one["slug"]: one for one in data["regions"]},
        owners={one["slug"]: {"legal_name": one["name"], **one} for one in data["owners"]},
        stores={
            one["slug"]: {
                **inherited,
                "region": None,
                "owner": None,
                "address": {},
                "opened_on": None,
                "status": "open",
                **one,
            }
            for one in data["stores"]
        },
        users={
            one["email"].casefold(): {"name": one["name"], "locale": one.get("locale")}
            for one in data["users"]
        },
        roles=roles,
        fields={one["key"]: one for one in data["fields"]},
        tools=tools,
    )


def _without_values(messages: Any) -> Any:
    """marshmallow wraps what is wrong inside a Dict's values in {"value": …}; leave that out."""
    if isinstance(messages, dict):
        if set(messages) <= {"key", "value"}:
            inner = messages.get("value", messages.get("key"))
            return _without_values(inner)
        return {key: _without_values(inner) for key, inner in messages.items()}
    return messages


def _unique(problems: Problems, data: dict[str, Any], table: str, key: str) -> set[str]:
    seen: set[str] = set()
    for place, one in enumerate(data[table]):
        value = one[key].casefold()
        if value in seen:
            problems.add((table, place, key), _("“%(name)s” is there twice", name=one[key]))
        seen.add(value)
    return seen


def _known(
    problems: Problems,
    path: Path_,
    kind: str,
    slug: str | None,
    slugs: Mapping[str, set[str]],
) -> None:
    if slug is not None and slug not in slugs[kind]:
        problems.add(
            path,
            _(
                "there is no %(kind)s “%(slug)s” in this blueprint; it has: %(known)s",
                kind=kind,
                slug=slug,
                known=", ".join(sorted(slugs[kind])) or "—",
            ),
        )


def _roles(
    problems: Problems,
    path: Path_,
    user: dict[str, Any],
    brand: Mapping[str, Any],
    slugs: Mapping[str, set[str]],
) -> tuple[RoleAt, ...]:
    granted = []
    for place, one in enumerate(user["roles"]):
        at = (*path, "roles", place)
        kinds = [kind for kind in ("region", "owner", "store") if kind in one]
        kind: Any = kinds[0] if kinds else "brand"
        if len(kinds) > 1 or kind not in ROLES[one["role"]].nodes:
            problems.add(
                at,
                _(
                    "%(role)s is granted at one %(nodes)s",
                    role=one["role"],
                    nodes=" / ".join(ROLES[one["role"]].nodes),
                ),
            )
            continue
        slug = one.get(kind, brand["slug"])
        if kind != "brand":
            _known(problems, (*at, kind), kind, slug, slugs)
        granted.append(RoleAt(one["role"], kind, slug))
    return tuple(dict.fromkeys(granted))


def _tool(
    problems: Problems,
    name: str,
    tool: dict[str, Any],
    slugs: Mapping[str, set[str]],
    plugins: Collection[str],
) -> Tool:
    path = ("tools", name)
    if name not in plugins:
        problems.add(
            path,
            _(
                "no tool of this name is installed; installed are: %(known)s",
                known=", ".join(sorted(plugins)) or "—",
            ),
        )
    for slug in tool.get("regions", {}):
        _known(problems, (*path, "regions", slug), "region", slug, slugs)
    for key in ("on", "off"):
        for place, slug in enumerate(tool[key]):
            _known(problems, (*path, key, place), "store", slug, slugs)
    for slug in sorted(set(tool["on"]) & set(tool["off"])):
        problems.add((*path, "off"), _("“%(name)s” is in on and in off", name=slug))
    levels: list[Settings] = []
    if tool["settings"] or tool["lock"]:
        levels.append(Settings("brand", "", tool["settings"], tuple(tool["lock"])))
    for place, one in enumerate(tool["overrides"]):
        kind: Any = "region" if "region" in one else "store"
        _known(problems, (*path, "overrides", place, kind), kind, one[kind], slugs)
        levels.append(Settings(kind, one[kind], one["settings"], tuple(one["lock"])))
    return Tool(
        name=name,
        policy=tool.get("policy"),
        regions=tool.get("regions", {}),
        on=tuple(tool["on"]),
        off=tuple(tool["off"]),
        settings=tuple(levels),
    )
