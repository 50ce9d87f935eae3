"""The page of the sdk: `ctx` with its rooms, all that a tool may import, and what verbs give."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

import msgspec

from highstreet import sdk
from highstreet.kit import town
from highstreet.sdk import context, ground, requests
from highstreet_tenants.errors import HighstreetError


def page() -> Iterator[str]:
    """Lines of Markdown."""
    rooms = context.rooms()
    yield "# The sdk"
    yield ""
    yield "Written by `make docs` out of the code; do not edit. [Writing a tool](../plugins.md)"
    yield "shows these at work; here stand their arguments and what they give. Points and amounts"
    yield "are whole numbers (amounts in minor units), moments aware datetimes in UTC."
    yield ""
    yield "## ctx"
    yield ""
    yield inspect.getdoc(context.Ctx) or ""
    for kind in (ground.Ground, context.Ctx):
        yield from _members(kind, "ctx", leave_out=rooms)
    for name, room in rooms.items():
        yield ""
        yield f"## ctx.{name}"
        yield ""
        yield inspect.getdoc(room) or ""
        yield from _members(room, f"ctx.{name}")
    named = {name: getattr(sdk, name) for name in sdk.__all__}
    yield ""
    yield "## What verbs give"
    yield ""
    yield "These come out of the verbs above; a tool reads them and need not import them."
    for name, one in _given(set(map(id, named.values()))):
        yield from _value(name, one)
    yield ""
    yield "## Names to import"
    for name, one in named.items():
        yield from _name(name, one)
    yield ""
    yield "## What tests get"
    yield ""
    yield "From `highstreet.kit.town`, by the fixture `town` ([the kit](../plugins.md#the-kit))."
    for one in (town.Town, town.Shop, town.Office, town.Till):
        yield from _value(one.__name__, one)


def _name(name: str, one: Any) -> Iterator[str]:
    if name == "current":  # a proxy: it can't be looked at without a request
        yield from _value(name, requests.Current)
    elif name == "hookimpl":
        yield from _headed(name)
        yield from _entry("@hookimpl", "Marks the functions of `Plugin.hooks` (pluggy's marker).")
    elif isinstance(one, ModuleType):
        yield from _module(name, one)
    elif isinstance(one, type) and issubclass(one, HighstreetError):
        yield from _headed(name)
        yield from _entry(f"{name}({_arguments(one.__init__)})", inspect.getdoc(one))
    elif isinstance(one, type):
        yield from _value(name, one)
    else:
        yield from _headed(name)
        yield from _function(name, one)


def _headed(name: str) -> Iterator[str]:
    yield ""
    yield f"### {name}"


def _value(name: str, one: type) -> Iterator[str]:
    """A class: its fields, if it is a value, and what it can do."""
    yield from _headed(name)
    yield ""
    yield inspect.getdoc(one) or ""
    fields = list(_fields(one))
    if fields:
        yield ""
        yield "```python"
        yield from fields
        yield "```"
    if one.__module__.startswith("highstreet") and one not in (
        context.Ctx,
        *context.rooms().values(),
    ):
        yield from _members(one, name)


def _fields(one: type) -> Iterator[str]:
    if _is_named_tuple(one):
        usual = getattr(one, "_field_defaults")  # noqa: B009 - of a NamedTuple alone
        for name, kind in one.__annotations__.items():
            yield f"{name}: {_bare(kind)}" + (
                f" = {_default(usual[name])}" if name in usual else ""
            )
        return
    if not issubclass(one, msgspec.Struct):
        return
    names, defaults = one.__struct_fields__, one.__struct_defaults__
    lacking = len(names) - len(defaults)
    for name, default in zip(names, (msgspec.NODEFAULT,) * lacking + defaults, strict=True):
        said = f"{name}: {_bare(_annotation(one, name))}"
        # A factory's type is not among what msgspec exports.
        if factory := getattr(default, "factory", None):
            said += f" = {factory.__name__}()"
        elif default is not msgspec.NODEFAULT:
            said += f" = {_default(default)}"
        yield said


def _is_named_tuple(one: type) -> bool:
    return issubclass(one, tuple) and hasattr(one, "_field_defaults")


def _annotation(one: type, name: str) -> object:
    return next(
        kind.__annotations__[name]
        for kind in one.__mro__
        if name in vars(kind).get("__annotations__", {})
    )


def _default(value: object) -> str:
    return getattr(value, "__name__", repr(value)) if callable(value) else repr(value)


def _members(one: type, where: str, leave_out: Any = ()) -> Iterator[str]:
    """A class's public methods and properties, in the order of the code."""
    for name, member in vars(one).items():
        if name.startswith("_") or name in leave_out:
            continue
        if isinstance(member, property):
            gives = _bare(inspect.signature(member.fget).return_annotation)  # type: ignore[arg-type]
            yield from _entry(f"{where}.{name}: {gives}", inspect.getdoc(member))
        elif isinstance(member, FunctionType | classmethod | staticmethod):
            yield from _function(f"{where}.{name}", getattr(one, name), drop_self=True)


def _function(name: str, function: Any, *, drop_self: bool = False) -> Iterator[str]:
    signature = inspect.signature(function)
    said = f"{name}({_arguments(function, drop_self=drop_self)})"
    gives = _bare(signature.return_annotation)
    if signature.return_annotation is not signature.empty and gives != "None":
        said += f" -> {gives}"
    yield from _entry(said, inspect.getdoc(function))


def _arguments(function: Any, *, drop_self: bool = False) -> str:
    given = list(inspect.signature(function).parameters.values())
    if given and given[0].name in ("self", "cls"):
        given = given[1:]
    plain = [one.replace(annotation=_Said(_bare(one.annotation))) for one in given]
    text = str(inspect.Signature(plain))
    return text[1:-1]


class _Said:
    """An annotation that is written as the text says."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _entry(said: str, doc: str | None) -> Iterator[str]:
    yield ""
    yield "```python"
    yield said
    yield "```"
    yield ""
    yield doc or ""


def _module(name: str, module: ModuleType) -> Iterator[str]:
    yield ""
    yield f"### {name}"
    yield ""
    yield inspect.getdoc(module) or ""
    for inner, one in vars(module).items():
        if inner.startswith("_") or getattr(one, "__module__", None) != module.__name__:
            continue
        if isinstance(one, FunctionType):
            yield from _function(f"{name}.{inner}", one)
        elif isinstance(one, type):
            yield from _entry(f"{name}.{inner}", inspect.getdoc(one))


def _bare(annotation: object) -> str:
    """A type as an author writes it: without the modules it comes from."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    bare = re.sub(r"\b(?:[A-Za-z_]+\.)+(?=[A-Za-z])", "", text)
    return bare.replace("NoneType", "None").strip("'")


def _given(known: set[int]) -> list[tuple[str, type]]:
    """The values that rooms' verbs give, and what these consist of, by name."""
    found: dict[str, type] = {}
    waiting: list[type] = [*context.rooms().values(), context.Ctx]
    while waiting:
        one = waiting.pop()
        for name in sorted(_names_in(one)):
            kind = _resolve(one.__module__, name)
            if name not in found and isinstance(kind, type) and _is_value(kind):
                waiting.append(kind)
                found[name] = kind
    return [(name, found[name]) for name in sorted(found) if id(found[name]) not in known]


def _is_value(kind: type) -> bool:
    return issubclass(kind, msgspec.Struct) or _is_named_tuple(kind)


def _names_in(one: type) -> set[str]:
    said: list[object] = [*vars(one).get("__annotations__", {}).values()]
    for name, member in vars(one).items():
        function = member.fget if isinstance(member, property) else member
        if isinstance(function, FunctionType) and not name.startswith("_"):
            said.append(function.__annotations__.get("return", ""))
    texts = (each if isinstance(each, str) else inspect.formatannotation(each) for each in said)
    return {name for text in texts for name in re.findall(r"\b[A-Z]\w+", text)}


def _resolve(module: str, name: str) -> object:
    """What a name in an annotation means, also where only a type checker imports it."""
    if hasattr(sys.modules[module], name):
        return getattr(sys.modules[module], name)
    place, original = _imported(module).get(name, (None, ""))
    return getattr(import_module(place), original, None) if place else None


@cache
def _imported(module: str) -> dict[str, tuple[str, str]]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
