"""Mailings: planned, selected, approved, released; where everybody went, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import url_for
from msgspec.structs import asdict

from highstreet.host.access import requires
from highstreet.mailings import drafting, queries, releasing, returns, telling
from highstreet.mailings.facts import LeaveOut, MailingFact, MailingIn, PieceFact
from highstreet.rest import cursors
from highstreet.rest import mailing_schemas as schemas
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet_tenants.sessions import ScopedSession

blueprint = Blueprint(
    "api-mailings", __name__, description="Mailings to segments, and what became of each piece."
)
_ONE = "/mailings/<uuid:mailing_id>"
_WHOLE = schemas.MailingWhole()
_NO_SEGMENT = "There is no such segment."
#: Pieces stand in no order of time: their cursor is a place, written as an id.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@blueprint.route("/mailings")
@blueprint.response(200, schemas.MailingList())
@requires("mailings.read")
def listing() -> dict[str, Any]:
    """List the mailings.

    The store's own, the newest first; plans that were thrown away are left out.
    """
    return {"items": [_json(one) for one in queries.listed(current.s)]}


@blueprint.route("/mailings", methods=["POST"])
@blueprint.etag
@blueprint.arguments(schemas.MailingIn())
@blueprint.response(201, _WHOLE, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.alt_response(404, description=_NO_SEGMENT)
@requires("mailings.manage")
def create(data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Plan a mailing.

    Nothing is sent: select people, look, approve, release.
    """
    mailing_id = drafting.draft(current.s, _asked(data))
    where = url_for("api-mailings.one", mailing_id=mailing_id)
    return _whole(current.s, mailing_id), 201, {"Location": where}


@blueprint.route(_ONE)
@blueprint.etag
@blueprint.response(200, _WHOLE)
@requires("mailings.read")
def one(mailing_id: UUID) -> dict[str, Any]:
    """One mailing, and where everybody went.

    The ETag is for a later change.
    """
    return _whole(current.s, mailing_id)


@blueprint.route(_ONE, methods=["PUT"])
@blueprint.etag
@blueprint.arguments(schemas.MailingIn())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It was released, or a tool planned it.")
@requires("mailings.manage")
def change(data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Change a plan.

    Send the ETag you read as `If-Match`. What was selected and approved falls.
    """
    s = current.s
    queries.row(s, mailing_id, lock=True)  # or two changes with the same ETag would both pass
    blueprint.check_etag(_whole(s, mailing_id), _WHOLE)
    drafting.of_people(s, mailing_id)
    drafting.change(s, mailing_id, _asked(data))
    return _whole(s, mailing_id)


@blueprint.route(_ONE, methods=["DELETE"])
@blueprint.response(204)
@blueprint.alt_response(409, description="It was released.")
@requires("mailings.manage")
def discard(mailing_id: UUID) -> str:
    """Throw a plan away."""
    drafting.discard(current.s, mailing_id)
    return ""


@blueprint.route(f"{_ONE}/select", methods=["POST"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It is approved, or the rule asks a tool that is off.")
@requires("mailings.manage")
def select(_data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Select people.

    Each who is in the segment now gets a piece, which goes out or says why not. May be done again
    until it is approved.
    """
    drafting.select(current.s, mailing_id, may=current.may)
    return _whole(current.s, mailing_id)


@blueprint.route(f"{_ONE}/approve", methods=["POST"])
@blueprint.arguments(schemas.ApproveIn())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="Others were selected, or its content edited, since.")
@requires("mailings.approve")
def approve(data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Approve what was looked at.

    `manifest` is that of the people who were shown.
    """
    drafting.approve(current.s, mailing_id, data["manifest"])
    return _whole(current.s, mailing_id)


@blueprint.route(f"{_ONE}/release", methods=["POST"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It is not approved, or was edited since.")
@requires("mailings.approve")
def release(_data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Let it go out.

    Each person is asked about once more; jobs do it, in parts.
    """
    return _done(releasing.release, mailing_id)


@blueprint.route(f"{_ONE}/pause", methods=["POST"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It does not run.")
@requires("mailings.manage")
def pause(_data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Hand nothing more over until it is resumed."""
    return _done(releasing.pause, mailing_id)


@blueprint.route(f"{_ONE}/resume", methods=["POST"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It is not paused.")
@requires("mailings.approve")
def resume(_data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Go on where it was paused."""
    return _done(releasing.resume, mailing_id)


@blueprint.route(f"{_ONE}/stop", methods=["POST"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, _WHOLE)
@blueprint.alt_response(409, description="It is not approved, nor does it run, nor is it paused.")
@requires("mailings.approve")
def stop(_data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Stop it for good.

    What was sent stays sent.
    """
    return _done(releasing.stop, mailing_id)


@blueprint.route(f"{_ONE}/cost", methods=["PUT"])
@blueprint.arguments(schemas.CostIn())
@blueprint.response(200, _WHOLE)
@requires("mailings.manage")
def put_cost(data: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """Write its cost against it, at any time."""
    drafting.put_cost(current.s, mailing_id, data["cost_minor"])
    return _whole(current.s, mailing_id)


@blueprint.route(f"{_ONE}/pieces")
@blueprint.arguments(schemas.PieceQuery(), location="query")
@blueprint.response(200, schemas.PiecePage())
@requires("mailings.read")
def pieces(asked: dict[str, Any], mailing_id: UUID) -> dict[str, Any]:
    """List the pieces, in the order of the manifest.

    One for everybody who was selected, whether they get anything or not.
    """
    limit, place = asked["limit"], cursors.decode(asked["cursor"])
    after = min(place[2].int, 2**53) if place else -1
    s = current.s
    fact = queries.get(s, mailing_id)
    found = queries.pieces(s, mailing_id, after, limit + 1, state=asked["state"])
    return cursors.page(
        found,
        limit,
        lambda one: _piece(fact, one),
        lambda one: (_ALWAYS.date(), _ALWAYS, UUID(int=one.place)),
    )


@blueprint.route("/mailings/pieces/<code>")
@blueprint.response(200, schemas.ChainOut())
@requires("mailings.read")
def why(code: str) -> dict[str, Any]:
    """Why somebody got a piece, by its code.

    The chain back to the consent on file, as a member and a regulator may ask for it.
    """
    return _chain(current.s, queries.piece_by_code(current.s, code))


@blueprint.route("/mailings/pieces/<code>/returned", methods=["PUT"])
@blueprint.arguments(schemas.NothingToSay())
@blueprint.response(200, schemas.ChainOut())
@blueprint.alt_response(409, description="It was never sent, or not by post.")
@requires("mailings.manage")
def came_back(_data: dict[str, Any], code: str) -> dict[str, Any]:
    """Say that the post returned a piece.

    Its address is written to no more. Scanned twice it is the same.
    """
    return _chain(current.s, returns.came_back(current.s, code))


@blueprint.route("/mailings/pieces/<code>/returned", methods=["DELETE"])
@blueprint.response(204)
@blueprint.alt_response(409, description="It is not written down as returned.")
@requires("mailings.manage")
def not_back(code: str) -> str:
    """Say that it was another piece that the post returned."""
    returns.undo(current.s, code)
    return ""


def _done(verb: Callable[[ScopedSession, UUID], object], mailing_id: UUID) -> dict[str, Any]:
    verb(current.s, mailing_id)
    return _whole(current.s, mailing_id)


def _chain(s: ScopedSession, piece: PieceFact) -> dict[str, Any]:
    chain = telling.why(s, piece)
    return {
        **asdict(chain),
        "piece": _piece(queries.get(s, piece.mailing_id), piece),
        "mailing_id": piece.mailing_id,
        "audience": [words for _depth, words in chain.audience],
        "consent_at": chain.consent.at if chain.consent else None,
        "consent_wording": chain.consent.wording if chain.consent else None,
    }


def _asked(data: dict[str, Any]) -> MailingIn:
    last = data.pop("not_after")
    left_out = [LeaveOut(**one) for one in data.pop("leave_out")]
    moment = current.utc(last) if last else None
    return MailingIn(**data, leave_out=left_out, not_after=moment)


def _whole(s: ScopedSession, mailing_id: UUID) -> dict[str, Any]:
    return {
        **_json(queries.get(s, mailing_id)),
        "audience": [words for _depth, words in telling.audience(s, mailing_id)],
        "waterfall": queries.waterfall(s, mailing_id),
    }


def _json(fact: MailingFact) -> dict[str, Any]:
    left_out = [{**one, "words": queries.words_of(fact, one["reason"])} for one in fact.leave_out]
    return {**asdict(fact), "rule": fact.audience or None, "leave_out": left_out}


def _piece(fact: MailingFact, one: PieceFact) -> dict[str, Any]:
    return {
        **asdict(one),
        "words": queries.words_of(fact, one.reason) if one.reason else "",
        "lines": one.lines if current.may("customers.read") else None,
    }
