"""What a blueprint says: its schema, and the frozen facts that come out of a checked one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Literal

from marshmallow import ValidationError
from msgspec import Struct, field

from highstreet.blueprints.schema import BlueprintSchema
from highstreet.blueprints.source import Path_, Problems, Source, listed
from highstreet.host import lattice
from highstreet.host.lattice import Level
from highstreet.host.spelling import meant, suggest
from highstreet.i18n import gettext as _
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.people.permissions import ROLES

# Controls but tab and line ends, and the signs that turn the direction of writing, with which a
# name can be made to look like another.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]"
)


class RoleAt(Struct, frozen=True):
    """A role granted at one node: ``kind`` is brand, region, owner or store, ``slug`` which one."""

    role: str
    kind: Literal["brand", "region", "owner", "store"]
    slug: str


class Settings(Struct, frozen=True):
    """Values of a tool's settings for the brand, one region or one store, and the locked keys."""

    level: Literal["brand", "region", "store"]
    slug: str
    values: Mapping[str, Any]
    lock: tuple[str, ...] = ()


class Tool(Struct, frozen=True):
    """A tool's policy, the regions that narrow it, the stores that choose, and the settings.

    ``since``: the day from which the settings count; without it, now, or for a brand without
    purchases always, so that those imported later count by them.
    """

    name: str
    policy: Level | None
    regions: Mapping[str, Level]
    on: tuple[str, ...]
    off: tuple[str, ...]
    approved: tuple[str, ...]
    settings: tuple[Settings, ...]
    since: date | None = None


class Document(Struct, frozen=True):
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


def check(source: Source, plugins: Collection[str]) -> Document:
    """Check a blueprint against the schema, itself, and the tools installed.

    Raises Invalid that names each wrong key with its file and line.
    """
    problems = Problems(source)
    _refuse_texts(problems, source.data, ())
    schema = BlueprintSchema()
    try:
        data: dict[str, Any] = schema.load(source.data)
    except ValidationError as error:
        problems.add_all((), _without_values(suggest(schema, error.messages)))
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


def _refuse_texts(problems: Problems, value: Any, path: Path_) -> None:
    """No text anywhere, keys included, may be a payment card or hold what can't be printed."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _refuse_texts(problems, key, path)
            _refuse_texts(problems, inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            _refuse_texts(problems, inner, (*path, place))
    elif isinstance(value, str) and _UNPRINTABLE.search(value):
        problems.add(path, _("a control character stands here; write the text anew"))
    else:
        try:
            refuse_payment_cards(value)
        except HighstreetError as error:
            problems.add(path, error.detail)


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
                known=listed(slugs[kind]),
            )
            + meant(slug, slugs[kind]),
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
                known=listed(plugins),
            )
            + meant(name, plugins),
        )
    for slug in tool.get("regions", {}):
        _known(problems, (*path, "regions", slug), "region", slug, slugs)
    for key in ("on", "off", "approved"):
        seen: set[str] = set()
        for place, slug in enumerate(tool[key]):
            _known(problems, (*path, key, place), "store", slug, slugs)
            if slug in seen:
                problems.add((*path, key, place), _("“%(name)s” is there twice", name=slug))
            seen.add(slug)
    for slug in sorted(set(tool["on"]) & set(tool["off"])):
        problems.add((*path, "off"), _("“%(name)s” is in on and in off", name=slug))
    for slug in sorted(set(tool["approved"]) - set(tool["on"])):
        problems.add(
            (*path, "approved"), _("“%(name)s” is approved but does not want the tool", name=slug)
        )
    _check_levels(problems, path, tool)
    levels: list[Settings] = []
    if tool["settings"] or tool["lock"]:
        levels.append(Settings("brand", "", tool["settings"], tuple(tool["lock"])))
    for place, one in enumerate(tool["overrides"]):
        kind: Any = "region" if "region" in one else "store"
        at = (*path, "overrides", place, kind)
        _known(problems, at, kind, one[kind], slugs)
        if any((level.level, level.slug) == (kind, one[kind]) for level in levels):
            problems.add(at, _("“%(name)s” is there twice", name=one[kind]))
        levels.append(Settings(kind, one[kind], one["settings"], tuple(one["lock"])))
    return Tool(
        name=name,
        policy=tool.get("policy"),
        regions=tool.get("regions", {}),
        on=tuple(tool["on"]),
        off=tuple(tool["off"]),
        approved=tuple(tool["approved"]),
        settings=tuple(levels),
        since=tool.get("since"),
    )


def _check_levels(problems: Problems, path: Path_, tool: dict[str, Any]) -> None:
    """A region may only narrow what head office allows."""
    above = lattice.Level(tool.get("policy", lattice.UNSAID))
    for slug, level in tool.get("regions", {}).items():
        if not lattice.narrows(lattice.Level(level), above):
            problems.add(
                (*path, "regions", slug),
                _("“%(level)s” would widen head office's “%(above)s”", level=level, above=above),
            )
