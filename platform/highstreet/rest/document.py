"""The OpenAPI document: what flask-smorest gathers, completed by what `pipeline` adds everywhere.

Every status that the pipeline can answer with is named on every operation it can happen to, so
that whoever writes a till, or a fuzzer, finds none that is not documented.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import flask_babel
from flask import Flask, Response, current_app, request
from flask_smorest.spec.plugins import FlaskPlugin

from highstreet.host import access
from highstreet.rest import idempotency, pipeline, problems, told
from highstreet.rest.segment_schemas import rule_schemas

if TYPE_CHECKING:
    from highstreet.rest.api import Api

ABOUT = """\
The till's side of Highstreet. Each API key belongs to one store; what it reads and writes is that
store's.

**Sign in** with `Authorization: Bearer <key>`. A key is made in the store's console, holds scopes
and is shown once. Each operation names the scope that it needs.

**Idempotency-Key** is required on every POST that changes something: any text of your own, new for
each thing you do and the same when you try it again. A repeated request is done once and answered
with the first answer and `Idempotent-Replay: true`, for 24 hours. The same key with another request
is refused (422); while the first is at work the answer is 409. A request that failed leaves
nothing, so mend it and send it again with the same key.

**Money** is a whole number of the currency's smallest unit (`1250` is $12.50, and ¥1,250).
**Times** are RFC 3339; without an offset they are the store's own wall time (in the hour that
repeats in autumn the first pass). Answers are in UTC.

**Errors** are `application/problem+json` (RFC 9457). `type` is stable and leads to a page that
explains it; `detail` says what to do; `errors` names each field. Anything that looks like a payment
card number is refused wherever it stands: never send those.

**Pages** have `items` and `next_cursor`; send it as `?cursor=` for the next.

**Rate limits** count per API key and minute (600 unless the operator says otherwise), and per
address for callers without a good key. `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10) tells
with each answer how many are left. Over the limit it is 429 with `Retry-After`; nothing was done.
"""

#: The documentation page replaces it by a new key at each try.
EXAMPLE_KEY = "new-for-each-thing-you-do"
log = logging.getLogger(__name__)
_lock = threading.Lock()
#: Header fields of draft-ietf-httpapi-ratelimit-headers-10; absent where there is no limit.
_LIMITS = {
    "RateLimit-Policy": ("How many requests (q) within how many seconds (w).", '"key";q=600;w=60'),
    "RateLimit": ("How many are left (r), and when it begins anew (t: seconds).", '"key";r=42;t=7'),
}
_ROOM = {name: {"$ref": f"#/components/headers/{name}"} for name in _LIMITS}


def respond(api: Api) -> Response:
    """The document, worked out once per process, with an ETag."""
    with _lock:
        kept = current_app.extensions.get("highstreet-openapi")
        if kept is None:
            # One document for all readers: its words must not depend on who asks first.
            with flask_babel.force_locale("en"):
                text = current_app.json.dumps(build(api), indent=1, sort_keys=False)
            kept = (text, hashlib.sha256(text.encode()).hexdigest()[:32])
            current_app.extensions["highstreet-openapi"] = kept
    text, tag = kept
    response = Response(text, mimetype="application/json")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response


def build(api: Api) -> dict[str, Any]:
    """The whole document. Call it once per `api`."""
    app = api._app
    api.begin_document()
    untold = {blueprint.name for blueprint, tool in api.mounted if not _told(api, blueprint, tool)}
    document: dict[str, Any] = api.spec.to_dict()
    document["info"]["description"] = ABOUT
    document["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    document["servers"] = [{"url": "/"}]
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key of one store."}
    }
    tools = {blueprint.name: tool for blueprint, tool in api.mounted}
    seen: set[str] = set()
    for path, method, endpoint, view in _operations(app, tools):
        blueprint = endpoint.split(".", 1)[0]
        if blueprint in untold:
            document["paths"].pop(path, None)
            continue
        operation = document["paths"][path][method.lower()]
        tool = tools[blueprint]
        seen |= _complete(operation, path, method, endpoint, view, tool)
    components.setdefault("headers", {}).update(
        {
            name: {"schema": {"type": "string"}, "description": about, "example": example}
            for name, (about, example) in _LIMITS.items()
        }
    )
    responses = components.setdefault("responses", {})
    for name in sorted(seen):
        responses[name] = _response(HTTPStatus[name])
    components.setdefault("schemas", {}).setdefault("Problem", _problem_schema(api))
    components["schemas"] |= rule_schemas()
    document["webhooks"] = told.webhooks(api, app.extensions["highstreet"].host)
    api.spec.tag(
        {"name": "events", "description": "What is told to others’ programmes by webhook."}
    )
    document["tags"] = api.spec.to_dict()["tags"]
    return document


def _told(api: Api, blueprint: Any, tool: str | None) -> bool:
    """Gather what a blueprint says of its operations. A tool's that can't be told is left out: its
    operations work, and the document of all others stands."""
    try:
        blueprint.register_views_in_doc(
            api, api._app, api.spec, name=blueprint.name, parameters=None
        )
    except Exception:
        if tool is None:
            raise
        log.exception("the operations of the tool %s can't be documented", tool)
        return False
    api.spec.tag({"name": tag_of(blueprint.name), "description": blueprint.description})
    return True


def tag_of(blueprint: str) -> str:
    """What an operation is filed under: the room, or the tool."""
    return blueprint.removeprefix("api-").removesuffix("-api")


def _operations(app: Flask, tools: Mapping[str, str | None]) -> Iterator[tuple[str, str, str, Any]]:
    """(path, method, endpoint, view) of everything mounted."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.split(".", 1)[0] in tools:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                view = app.view_functions[rule.endpoint]
                yield FlaskPlugin.flaskpath2openapi(rule.rule), method, rule.endpoint, view


def _complete(
    operation: dict[str, Any], path: str, method: str, endpoint: str, view: Any, tool: str | None
) -> set[str]:
    """Add what the pipeline does for one operation; gives the names of its problem answers."""
    blueprint, _dot, view_name = endpoint.partition(".")
    operation["operationId"] = f"{tag_of(blueprint)}.{view_name}"
    operation["tags"] = [tag_of(blueprint)]
    parameters = operation.setdefault("parameters", [])
    statuses: set[int] = set()
    if access.why_public(view) is None:
        statuses |= {401, 403, 429, 503}
        operation["security"] = [{"key": []}]
        needed = f"Needs the key scope `{access.permission_of(view)}`."
        about = operation.get("description", "")
        operation["description"] = f"{about}\n\n{needed}".strip()
    if method in pipeline.WITH_BODY:
        statuses |= {400, 413, 415, 422}
    if parameters or "{" in path:
        statuses.add(422)
    if "{" in path or tool is not None:
        statuses.add(404)
    if pipeline.needs_key(view, method):
        statuses |= {400, 409, 422}
        parameters.append(
            {
                "in": "header",
                "name": idempotency.HEADER,
                "required": True,
                "schema": {"type": "string", "pattern": f"^{idempotency.PATTERN}$"},
                "example": EXAMPLE_KEY,
                "description": "Any text of your own: new for each thing, the same for a retry.",
            }
        )
    answers = operation.setdefault("responses", {})
    statuses |= {int(s) for s in answers if s.isdigit() and int(s) >= 400}
    for status in statuses:
        answers[str(status)] = {"$ref": f"#/components/responses/{HTTPStatus(status).name}"}
    for status, answer in answers.items():
        number = int(status) if status.isdigit() else 0  # "default": whatever is not named
        if number < 400 and "security" in operation:
            answer.setdefault("headers", {}).update(_ROOM)
        if number < 300 and pipeline.needs_key(view, method):
            answer.setdefault("headers", {})[idempotency.REPLAY_HEADER] = {
                "schema": {"type": "string", "const": "true"},
                "description": "The answer was given before; nothing was done again.",
            }
    operation["responses"] = dict(sorted(answers.items()))
    return {HTTPStatus(status).name for status in statuses}


def _response(status: HTTPStatus) -> dict[str, Any]:
    kinds = [(slug, kind) for slug, kind in problems.KINDS.items() if kind.status == status]
    words = "\n".join(f"- `{problems.PREFIX}{slug}`: {kind.title}" for slug, kind in kinds)
    answer: dict[str, Any] = {
        "description": words or status.phrase,
        "content": {
            problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    }
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": {"type": "string"}, "required": True}}
    answer.setdefault("headers", {}).update(_ROOM)
    return answer


def _problem_schema(api: Api) -> dict[str, Any]:
    schema: dict[str, Any] = api.ma_plugin.converter.schema2jsonschema(problems.Problem())
    return schema
