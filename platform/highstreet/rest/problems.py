"""Problem details (RFC 9457): every error under /api says what happened and what to do next.

`type` is a stable address, `/problems/<slug>`, where a page explains the problem to whoever wrote
the till. Nothing in here depends on which operation failed.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask import Response, current_app, request
from marshmallow import Schema, fields
from msgspec import Struct
from werkzeug.exceptions import HTTPException

from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.rest import faults
from highstreet_tenants import trouble
from highstreet_tenants.errors import HighstreetError, TooMany, Unauthenticated, Unavailable

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
PREFIX = "/problems/"


class Kind(Struct, frozen=True):
    """One problem type: its HTTP status, its title, and a paragraph for its page."""

    status: int
    title: LazyText
    about: LazyText


KINDS: Mapping[str, Kind] = {
    "malformed": Kind(
        400,
        _l("The body is not JSON"),
        _l("Send one JSON object in UTF-8. NaN, Infinity and trailing commas are not JSON."),
    ),
    "idempotency-key-missing": Kind(
        400,
        _l("An Idempotency-Key is needed"),
        _l(
            "Every POST that changes something needs an Idempotency-Key header: any text of your"
            " own, new for each thing you do and the same when you try it again. A request that is"
            " repeated with its key is done once, and answered with the first answer."
        ),
    ),
    "bad-request": Kind(
        400,
        _l("The request cannot be read"),
        _l("The request breaks the rules of HTTP. Check its headers and its address."),
    ),
    "unauthenticated": Kind(
        401,
        _l("Who are you?"),
        _l(
            "Send the store's API key as “Authorization: Bearer hs_…”. A key is made in the store's"
            " console and shown once; a revoked key no longer works."
        ),
    ),
    "forbidden": Kind(
        403,
        _l("This key may not do that"),
        _l("The key is known, but lacks the permission. Make a key that has it in the console."),
    ),
    "not-found": Kind(
        404,
        _l("Not found"),
        _l("There is no such thing in this store, or the address is wrong."),
    ),
    "tool-off": Kind(
        404,
        _l("The tool is off in this store"),
        _l("The store's owner switches tools on and off in the console; the detail says why."),
    ),
    "method-not-allowed": Kind(
        405,
        _l("Not that way"),
        _l("The address exists, but not for this method. The Allow header names those it takes."),
    ),
    "conflict": Kind(
        409,
        _l("It contradicts what is recorded"),
        _l(
            "What you send differs from what is already there: another purchase with the same"
            " number, a card that is somebody else's. Read what is there before you try again."
        ),
    ),
    "idempotency-key-in-flight": Kind(
        409,
        _l("The first request is still at work"),
        _l("Wait as long as Retry-After says and send the same request with the same key again."),
    ),
    "precondition-failed": Kind(
        412,
        _l("Somebody else changed it"),
        _l("It was changed after you read it. Read it again, then send your change with its ETag."),
    ),
    "too-large": Kind(
        413,
        _l("The body is too large"),
        _l("Send one thing at a time. Use “highstreet import” for whole files."),
    ),
    "media-type": Kind(
        415,
        _l("The body must be JSON"),
        _l("Send “Content-Type: application/json”."),
    ),
    "invalid": Kind(
        422,
        _l("Something in it is not right"),
        _l("“errors” names each field and what is wrong with it. Mend those and send it again."),
    ),
    "idempotency-key-reused": Kind(
        422,
        _l("The key belongs to another request"),
        _l("An Idempotency-Key stands for one request. Make a new key for a new request."),
    ),
    "precondition-required": Kind(
        428,
        _l("Say which version you change"),
        _l(
            "Send the ETag that you got when you read it as “If-Match”, so that nobody's change is"
            " overwritten unseen."
        ),
    ),
    "too-many": Kind(
        429,
        _l("Too many tries"),
        _l("Wait as long as Retry-After says."),
    ),
    "rate-exceeded": Kind(
        429,
        _l("Too many requests in a minute"),
        _l(
            "Each API key may make so many requests a minute, and so may all callers without a good"
            " key at one address. Wait as long as Retry-After says, then go on; nothing of this"
            " request was kept. RateLimit-Policy names the limit, which the operator sets."
        ),
    ),
    "error": Kind(
        500,
        _l("Our mistake"),
        _l(
            "Nothing of your request was kept. Send it again with the same Idempotency-Key; if it"
            " fails again, tell whoever runs this installation when it happened."
        ),
    ),
    "unavailable": Kind(
        503,
        _l("Busy or down"),
        _l("Nothing of your request was kept. Send it again, with the same Idempotency-Key."),
    ),
}
"""Every problem this API answers with; its keys are the slugs and never change."""

_BY_STATUS = {
    400: "bad-request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    412: "precondition-failed",
    413: "too-large",
    415: "media-type",
    422: "invalid",
    428: "precondition-required",
    429: "too-many",
    503: "unavailable",
}
_FALLBACK = Kind(500, _l("It did not work"), _l("See the detail."))


def kind_of(slug: str) -> Kind | None:
    """The problem type by its slug, also one that a room or a tool has refined; None if unknown.

    A refinement ("card-blocked") reads like the error it refines ("conflict"): its own words stand
    in the detail.
    """
    if slug in KINDS:
        return KINDS[slug]
    for refined in _refinements(HighstreetError):
        if refined.__dict__.get("type") == slug:
            for parent in refined.__mro__[1:]:
                known = KINDS.get(parent.__dict__.get("type", ""))
                if known is not None:
                    return Kind(refined.status, known.title, known.about)
    return None


def _refinements(error: type[HighstreetError]) -> Iterator[type[HighstreetError]]:
    for refined in error.__subclasses__():
        yield refined
        yield from _refinements(refined)


class Problem(Schema):
    """Problem details of RFC 9457."""

    type = fields.String(required=True, metadata={"format": "uri-reference"})
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True, metadata={"description": "What to do next."})
    errors = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        metadata={"description": "What is wrong with each field; “lines.0.quantity” is in a list."},
    )


def problem(
    slug: str,
    status: int,
    detail: str,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer for one problem."""
    kind = kind_of(slug) or _FALLBACK
    body: dict[str, Any] = {
        "type": PREFIX + slug,
        "title": str(kind.title),
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = {field: list(messages) for field, messages in errors.items()}
    response = current_app.response_class(
        current_app.json.dumps(body), status=status, content_type=MEDIA_TYPE
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers.extend(headers or {})
    return response


def of_error(error: HighstreetError) -> Response:
    """The answer for an error of ours; one that is our own mistake tells nothing of its inside."""
    if error.status >= 500 and not isinstance(error, Unavailable):
        return of_defect(error)
    headers: dict[str, str] = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="highstreet"'
    wait = getattr(error, "retry_after", None)
    if wait is None and (error.type == "idempotency-key-in-flight" or error.status == 503):
        wait = 1
    elif wait is None and isinstance(error, TooMany):
        wait = 60
    if wait is not None:
        headers["Retry-After"] = str(int(wait))
    headers |= getattr(error, "headers", {})
    return problem(error.type, error.status, error.detail, errors=error.fields, headers=headers)


def of_http(error: HTTPException) -> Response:
    """The answer for an error that Werkzeug, flask-smorest or webargs raised."""
    status = error.code or 500
    if status == 304:
        return Response(status=304)
    if status >= 500 and status != 503:
        return problem("error", 500, str(KINDS["error"].about))
    slug = _BY_STATUS.get(status, "error")
    data = getattr(error, "data", None) or {}
    headers = dict(data.get("headers") or {})
    for name, value in error.get_headers():
        if name in ("Allow", "Retry-After", "WWW-Authenticate"):
            headers.setdefault(name, value)
    if status == 401:
        headers.setdefault("WWW-Authenticate", 'Bearer realm="highstreet"')
    messages = data.get("messages") or data.get("errors")
    errors = faults.flatten(messages) if messages else None
    detail = data.get("message") or (faults.detail(errors) if errors else None)
    if not detail:
        detail = str(KINDS[slug].about) if slug in KINDS else error.description
    return problem(slug, status, detail or "", errors=errors, headers=headers)


def of_database(error: Exception) -> Response | None:
    """The answer where the database was busy or gone, or gave a statement up; None for a defect."""
    if trouble.timed_out(error):
        log.error("%s %s took too long: %s", request.method, request.path, trouble.said(error))
        detail = _(
            "The database had worked on it for longer than it may, so it was given up. Nothing was"
            " changed. Ask for less, or try again later."
        )
        return problem("unavailable", 503, detail, headers={"Retry-After": "60"})
    if not trouble.passes(error):
        return None
    log.warning("the database was busy or away: %s", error)
    detail = _("The database is busy. Send the same request again in a moment.")
    return problem("unavailable", 503, detail, headers={"Retry-After": "1"})


def of_defect(error: Exception) -> Response:
    """The answer for a defect: nothing of the inside. The log has the rest."""
    answer = of_database(error)
    if answer is not None:
        return answer
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem("error", 500, str(KINDS["error"].about))
