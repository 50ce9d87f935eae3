"""Segments: customers picked by rules, kept under a name, counted, listed, explained."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import url_for

from highstreet.host.access import requires
from highstreet.rest import cursors, pipeline
from highstreet.rest.blueprints import Blueprint
from highstreet.rest.current import current
from highstreet.rest.segment_schemas import (
    CountOut,
    PeoplePage,
    PeopleQuery,
    RuleIn,
    SegmentIn,
    SegmentList,
    SegmentOut,
    WhyOut,
)
from highstreet.segments import queries, rules, service
from highstreet.segments.facts import SegmentFact
from highstreet.segments.rules import InSegment

blueprint = Blueprint(
    "api-segments", __name__, description="Customers picked by rules: how many, who, and why."
)
_ONE = "/segments/<uuid:segment_id>"
_OUT = SegmentOut()
#: People stand in no order of time: their cursor is an id alone.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@blueprint.route("/segments")
@blueprint.response(200, SegmentList())
@requires("segments.read")
def listing() -> dict[str, Any]:
    """List the segments.

    The store's own and head office's, by name; those out of use are left out.
    """
    return {"items": [_json(one) for one in queries.listed(current.s)]}


@blueprint.route("/segments", methods=["POST"])
@blueprint.etag
@blueprint.arguments(SegmentIn())
@blueprint.response(201, _OUT, headers={"Location": {"schema": {"type": "string"}}})
@blueprint.alt_response(404, description="The rule asks for a segment that is not here.")
@blueprint.alt_response(409, description="The rule asks itself, or a tool that is off.")
@requires("segments.manage")
def create(data: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Make a segment."""
    kept = service.save(current.s, **_asked(data), may=current.may)
    where = url_for("api-segments.one", segment_id=kept.id)
    return _json(kept), 201, {"Location": where}


@blueprint.route("/segments/count", methods=["POST"])
@blueprint.arguments(RuleIn())
@blueprint.response(200, CountOut())
@blueprint.alt_response(404, description="The rule asks for a segment that is not here.")
@blueprint.alt_response(409, description="The rule asks a tool that is off.")
@requires("segments.read")
@pipeline.reads_only
def count_rule(data: dict[str, Any]) -> dict[str, Any]:
    """Count a rule.

    Nothing is kept, and no Idempotency-Key is needed.
    """
    rule = rules.load(data["rule"])
    return _counted(queries.counted(current.s, rule, may=current.may, sample=0))


@blueprint.route(_ONE)
@blueprint.etag
@blueprint.response(200, _OUT)
@requires("segments.read")
def one(segment_id: UUID) -> dict[str, Any]:
    """One segment.

    The ETag is for a later change.
    """
    return _json(queries.get(current.s, segment_id))


@blueprint.route(_ONE, methods=["PUT"])
@blueprint.etag
@blueprint.arguments(SegmentIn())
@blueprint.response(200, _OUT)
@blueprint.alt_response(409, description="The rule asks itself, or a tool that is off.")
@requires("segments.manage")
def change(data: dict[str, Any], segment_id: UUID) -> dict[str, Any]:
    """Change a segment.

    Send the ETag you read as `If-Match`. One that was out of use is in use again. Head office's
    can't be changed from a store.
    """
    s = current.s
    queries.lock(s, segment_id)  # or two changes with the same ETag would both pass
    blueprint.check_etag(_json(queries.get(s, segment_id)), _OUT)
    kept = service.save(s, **_asked(data), segment_id=segment_id, may=current.may)
    return _json(kept)


@blueprint.route(_ONE, methods=["DELETE"])
@blueprint.response(204)
@blueprint.alt_response(409, description="Another segment asks it.")
@requires("segments.manage")
def delete(segment_id: UUID) -> str:
    """Take a segment out of use.

    What it was used for stays; a change takes it back into use.
    """
    service.retire(current.s, segment_id)
    return ""


@blueprint.route(f"{_ONE}/count")
@blueprint.response(200, CountOut())
@blueprint.alt_response(409, description="The rule asks a tool that is off.")
@requires("segments.read")
def count(segment_id: UUID) -> dict[str, Any]:
    """Count a segment."""
    queries.get(current.s, segment_id)
    return _counted(queries.counted(current.s, InSegment(segment_id), may=current.may, sample=0))


@blueprint.route(f"{_ONE}/people")
@blueprint.arguments(PeopleQuery(), location="query")
@blueprint.response(200, PeoplePage())
@blueprint.alt_response(409, description="The rule asks a tool that is off.")
@requires("segments.read")
def people(asked: dict[str, Any], segment_id: UUID) -> dict[str, Any]:
    """List who is in a segment.

    As it is while you ask: a page holds whoever is in it then.
    """
    s, limit = current.s, asked["limit"]
    place = cursors.decode(asked["cursor"])
    after = place[2] if place else None
    found = queries.page(s, queries.get(s, segment_id), after, limit + 1, may=current.may)
    return cursors.page(found, limit, lambda one: one, lambda one: (_ALWAYS.date(), _ALWAYS, one))


@blueprint.route(f"{_ONE}/people/<uuid:customer_id>")
@blueprint.response(200, WhyOut())
@blueprint.alt_response(409, description="The rule asks a tool that is off.")
@requires("segments.read")
def why(segment_id: UUID, customer_id: UUID) -> dict[str, Any]:
    """Is somebody in it, and why?

    Each condition of the rule with whether it holds for the customer. A list has no conditions.
    """
    s = current.s
    segment = queries.get(s, segment_id)
    holds = queries.holds(s, InSegment(segment_id), customer_id, may=current.may)
    lines = (
        queries.why(s, segment.rule, customer_id, may=current.may)
        if segment.rule is not None
        else []
    )
    return {"holds": holds, "why": lines}


def _asked(data: dict[str, Any]) -> dict[str, Any]:
    return {"name": data["name"], "about": data["about"], "rule": rules.load(data["rule"])}


def _counted(found: Any) -> dict[str, Any]:
    return {"people": found.people, "of": found.of}


def _json(one: SegmentFact) -> dict[str, Any]:
    return {
        "id": one.id,
        "of": "office" if one.store_id is None else "store",
        "name": one.name,
        "about": one.about,
        "kind": "rule" if one.rule is not None else "list",
        "rule": rules.dump(one.rule) if one.rule is not None else None,
        "retired": one.retired,
        "changed_at": one.changed_at,
    }
