"""Bodies for the API, made from its own OpenAPI document."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.routing import Rule

from probe import arguments
from probe.world import Site

#: Names of properties from the outside in; "" is an item of a list.
Path = tuple[str, ...]
#: What says whom or what a body is about, also where it may be said in another way.
_KEY = ("name", "customer_id", "segment_id")


class Bodies:
    """What each operation takes."""

    def __init__(self, app: Flask) -> None:
        answer = app.test_client().get("/api/openapi.json")
        assert answer.status_code == 200, answer.text
        self._document = answer.get_json()

    def _schema(self, rule: Rule, method: str) -> dict[str, Any]:
        path = rule.rule
        for argument in rule.arguments:
            for spelt in (f"<uuid:{argument}>", f"<path:{argument}>", f"<{argument}>"):
                path = path.replace(spelt, f"{{{argument}}}")
        operation = self._document["paths"][path][method.lower()]
        content = operation.get("requestBody", {}).get("content", {})
        return self._whole(next(iter(content.values()), {}).get("schema", {}))

    def _whole(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The schema with its reference followed."""
        while "$ref" in schema:
            found: Any = self._document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def paths(self, rule: Rule, method: str) -> list[Path]:
        """Where the body has a property: names from the outside in; "" stands for an item."""
        return sorted(set(self._paths(self._schema(rule, method))))

    def _paths(
        self, schema: dict[str, Any], within: tuple[dict[str, Any], ...] = ()
    ) -> Iterator[Path]:
        """Of a schema that holds itself, as a rule does, the first time it is met."""
        if any(schema is one for one in within):
            return
        within = (*within, schema)
        for name, one in schema.get("properties", {}).items():
            yield (name,)
            yield from ((name, *rest) for rest in self._paths(self._whole(one), within))
        if "items" in schema:
            yield from (("", *rest) for rest in self._paths(self._whole(schema["items"]), within))
        for other in ("anyOf", "oneOf", "allOf"):
            for one in schema.get(other, ()):
                yield from self._paths(self._whole(one), within)

    def sound(self, rule: Rule, method: str, site: Site) -> dict[str, Any]:
        """A body that is likely to pass, naming what is the site's own."""
        schema = self._schema(rule, method)
        needed = schema.get("required", [])
        made = {
            name: self._value(name, self._whole(one), site)
            for name, one in schema.get("properties", {}).items()
            if name in needed or name in _KEY or name in arguments.SOUND
        }
        return made or {"name": "Probe"} if "name" in schema.get("properties", {}) else made

    def with_(self, body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
        """The body with another value."""
        changed: dict[str, Any] = _put(body, path, str(value))
        return changed

    def _value(self, name: str, schema: dict[str, Any], site: Site) -> Any:
        if name in arguments.SOUND:
            return arguments.SOUND[name]
        if name in ("pos_ref", "number"):
            return f"P{uuid4().int % 10**9}"
        if name == "purchase_pos_ref":
            return site.ids["pos_ref"][0]
        if name == "reward":
            return "lunch"
        for kind in arguments.OWNED.get(name, ()):
            found = arguments.known(kind, site)
            if found:
                return str(found[0].value)
        if "enum" in schema:
            return schema["enum"][0]
        if "example" in schema:
            return schema["example"]
        types = schema.get("type", "string")
        kind = types if isinstance(types, str) else next(t for t in types if t != "null")
        return {
            "integer": 100, "number": 1, "boolean": False, "array": [], "object": {},
        }.get(kind, "Probe")  # fmt: skip


def _put(body: Any, path: Path, value: Any) -> Any:
    """The body with a value at a path, whatever has to be made on the way."""
    if not path:
        return value
    first, *rest = path
    if first:
        there = body if isinstance(body, dict) else {}
        return {**there, first: _put(there.get(first), tuple(rest), value)}
    items = body if isinstance(body, list) and body else [None]
    return [_put(items[0], tuple(rest), value), *items[1:]]
