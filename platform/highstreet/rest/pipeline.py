"""What every operation under /api goes through, the core's and the tools' alike.

key → permission → body → one transaction (tool on? idempotency key → the view → answer kept).
Whatever fails on the way becomes a problem, and the transaction leaves nothing.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from highstreet.host import access, state
from highstreet.i18n import LazyText
from highstreet.i18n import gettext as _
from highstreet.rest import auth, bodies, idempotency, problems
from highstreet.rest.current import behind
from highstreet_tenants import trouble
from highstreet_tenants.errors import Forbidden, HighstreetError
from highstreet_tenants.sessions import ScopedSession

log = logging.getLogger(__name__)

View = Callable[..., Any]
V = TypeVar("V", bound=View)

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_TRIES = 3
_READS = "rest_reads_only"
_ONCE = "rest_shown_once"


def reads_only(view: V) -> V:
    """Mark a POST that changes nothing: it needs no Idempotency-Key and gets a reading session."""
    setattr(view, _READS, True)
    return view


def shown_once(field: str, why: LazyText) -> Callable[[V], V]:
    """Mark a POST whose answer holds a secret in `field`: it is not kept for a repeated request,
    whose answer says null there, and `why` in the field `notice`."""

    def mark(view: V) -> V:
        setattr(view, _ONCE, (field, why))
        return view

    return mark


def is_reading(view: View | None, method: str) -> bool:
    """Whether the operation changes nothing."""
    return method in ("GET", "HEAD", "OPTIONS") or bool(getattr(view, _READS, False))


def needs_key(view: View | None, method: str) -> bool:
    """Whether the operation needs an Idempotency-Key: every POST that changes something."""
    return method == "POST" and not is_reading(view, method)


def operation(view: View, *, tool: str | None = None) -> View:
    """`view` with all that stands before and after it; `tool` is the plugin that it belongs to."""
    if access.why_public(view) is not None:
        return view
    permission = access.permission_of(view)

    @functools.wraps(view)
    def run(**arguments: Any) -> Any:
        return with_room(answered(arguments))

    def answered(arguments: dict[str, Any]) -> Response:
        try:
            auth.authenticate()
            _permit(permission)
            _check_address(arguments)
            asked = behind(request)
            if asked.method in WITH_BODY:
                g.body = bodies.read(asked)
            return _transact(view, arguments, tool)
        except HighstreetError as error:
            return problems.of_error(error)
        except HTTPException as error:
            return problems.of_http(error)

    return run


def with_room(response: Response) -> Response:
    """The answer, saying how many more requests the caller may make."""
    room = behind(g).get("room")
    if room is not None:
        add = response.headers.add
        for name, value in room.fields():
            add(name, value)
    return response


def _permit(permission: str | None) -> None:
    """Deny by default: a view that states no permission is refused too."""
    if permission is None or permission not in g.permissions:
        raise Forbidden(
            _(
                "This API key may not do that: it lacks “%(scope)s”. Make a key that has it in the"
                " store's console.",
                scope=permission or "?",
            )
        )


def _check_address(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        if type(value) is str:
            bodies.check_text(value, name)
    if request.query_string:
        for name, value in request.args.items(multi=True):
            bodies.check_text(name, "query")
            bodies.check_text(value, name)


def _transact(view: View, arguments: dict[str, Any], tool: str | None) -> Response:
    """The view in its transaction, tried again where another one was first (deadlock)."""
    for attempt in range(_TRIES):
        try:
            return _once(view, arguments, tool)
        except Exception as error:
            answer = problems.of_database(error)
            if answer is None:
                raise
            if attempt == _TRIES - 1 or not trouble.is_lost_race(error):
                return answer
    raise AssertionError("the loop returns or raises")


def _once(view: View, arguments: dict[str, Any], tool: str | None) -> Response:
    app, asked, mine = behind(current_app), behind(request), behind(g)
    reading = is_reading(view, asked.method)
    tenancy = app.extensions["highstreet"].tenancy
    with tenancy.session(mine.scope, write=not reading) as s:
        mine.session = s
        try:
            if not needs_key(view, asked.method):
                auth.confirm(s)
                _gate(s, tool)
                return app.make_response(view(**arguments))
            key = idempotency.key_of(asked)
            fingerprint = idempotency.fingerprint(asked, mine.get("body"))
            held = idempotency.claim(s, mine.key, key, fingerprint)
            if isinstance(held, Response):
                return held
            _gate(s, tool)
            response = app.make_response(view(**arguments))
            idempotency.keep(s, held, response, without=getattr(view, _ONCE, None))
            return response
        finally:
            mine.pop("session", None)


def _gate(s: ScopedSession, tool: str | None) -> None:
    """Raise ToolOff, with the reason, unless `tool` is on in the key's store.

    A store that closes ends its keys. One that was made at that very moment opens nothing either.
    """
    if not state.place(s).open:
        auth.refuse(g.key)
    if tool is not None:
        state.require(s, tool)
