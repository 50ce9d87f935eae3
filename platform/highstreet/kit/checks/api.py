"""Its operations for tills."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from werkzeug.routing import Rule

from highstreet.kit.bench import Bench, methods
from highstreet.kit.check import Finding, check

BODIES: tuple[Any, ...] = ({}, [], None, "x", 0, {"x": 1}, [{}])
VALUES: tuple[Any, ...] = (
    None,
    "",
    "x" * 2_000,
    -1,
    2**70,
    1.5,
    True,
    [],
    {},
    "\x00",
    "2026-02-30",
)


def _document(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.app.test_client().get("/api/openapi.json").get_json()
    return found


def _operation(bench: Bench, document: dict[str, Any], rule: Rule, method: str) -> Any:
    path = rule.rule
    for argument in rule.arguments:
        for kind in ("uuid:", "path:", "int:", "string:", "float:", ""):
            path = path.replace(f"<{kind}{argument}>", f"{{{argument}}}")
    return document["paths"].get(path, {}).get(method.lower())


@check("api-document", needs="tool")
def api_document(bench: Bench) -> Iterator[Finding]:
    """Every operation stands in the OpenAPI document, says what it does and what it answers."""
    document = _document(bench)
    for _face, rule in bench.routes("api"):
        for method in methods(rule):
            said = f"{method} {rule.rule}"
            where = bench.place_of_view(rule)
            operation = _operation(bench, document, rule, method)
            if operation is None:
                yield Finding(
                    f"{said} is not in the OpenAPI document.", "@operations.route(…)", where
                )
                continue
            if not operation.get("summary"):
                yield Finding(
                    f"{said} does not say what it does.",
                    "Give the view a docstring of one line.",
                    where,
                )
            good = [one for status, one in operation["responses"].items() if status[0] == "2"]
            if not any(one.get("content") for one in good) and "204" not in operation["responses"]:
                yield Finding(
                    f"{said} does not say what it answers.",
                    "@operations.response(200, ASchema) above @requires.",
                    where,
                )
            if method in ("POST", "PUT", "PATCH") and "requestBody" not in operation:
                yield Finding(
                    f"{said} does not say what it takes.",
                    "@operations.arguments(ASchema); an empty Schema for nothing.",
                    where,
                )


@check("api-garbage")
def api_garbage(bench: Bench) -> Iterator[Finding]:
    """Whatever a till sends is taken or refused as a problem, and never breaks anything."""
    document = _document(bench)
    shop = bench.lives and bench.town.shops[2]
    assert shop
    token = shop.till().token
    for _face, rule in bench.routes("api"):
        for method in methods(rule):
            values: dict[str, Any] = {}
            for argument in rule.arguments:
                ids = bench.ids_of(shop, argument)
                values |= {argument: ids[0]} if ids else {}
            operation = _operation(bench, document, rule, method) or {}
            for more in _garbage(operation, method, bench.asked()):
                headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
                answer = bench.open(
                    bench.app.test_client(), rule, method, values, headers=headers, **more
                )
                if isinstance(answer, Finding):
                    yield answer
                    break


def _garbage(operation: dict[str, Any], method: str, asked: list[str]) -> Iterator[dict[str, Any]]:
    if method == "GET":
        names = [p["name"] for p in operation.get("parameters", ()) if p.get("in") == "query"]
        for value in ("", "x", "-1", "1e99", "\x00"):
            yield {"query_string": dict.fromkeys([*names, *asked, "nonsense"], value)}
            yield {"query_string": dict.fromkeys(names, value)}
        return
    yield from ({"json": body} for body in BODIES)
    content = operation.get("requestBody", {}).get("content", {})
    body: dict[str, Any] = next(iter(content.values()), {})
    schema = body.get("schema", {})
    for name in schema.get("properties", {}):
        yield from ({"json": {name: value}} for value in VALUES)
