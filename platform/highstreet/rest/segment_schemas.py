"""How segments and their rules look on the wire."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec
from marshmallow import Schema, fields, validate

from highstreet.rest import cursors
from highstreet.rest.fields import Moment, Text
from highstreet.segments.rules import Rule

#: Names of the parts of a rule in the document, which has an "All" of nobody else's.
PREFIX = "Rule"
_ABOUT = """\
A condition, or conditions joined: `is` says which. `all` of nothing is everybody, `any` of nothing
nobody. Money is in minor units; days are whole numbers or "2026-11-26"; "between" takes two."""


class RuleField(fields.Field[Any]):
    """A rule, as `segments.rules` reads it; what is wrong with one is said by its reader."""


def rule_to_openapi(_converter: object, field: fields.Field[Any], **_given: Any) -> dict[str, Any]:
    """How a rule is published: as a component that refers to itself."""
    return {"$ref": f"#/components/schemas/{PREFIX}"} if isinstance(field, RuleField) else {}


def rule_schemas() -> dict[str, Any]:
    """The components: the rule, one of its parts by `is`, and the parts."""
    template = f"#/components/schemas/{PREFIX}{{name}}"
    (whole,), parts = msgspec.json.schema_components([Rule], ref_template=template)
    rule = {
        "description": _ABOUT,
        "oneOf": whole["anyOf"],
        "discriminator": whole["discriminator"],
        "example": {"is": "field", "name": "customer.purchases", "op": "at_least", "value": 2},
    }
    return {PREFIX: rule} | {f"{PREFIX}{name}": _told(one) for name, one in parts.items()}


def _told(part: dict[str, Any]) -> dict[str, Any]:
    """A part, whose inner rules are references to the whole."""
    for name, one in part["properties"].items():
        if "discriminator" in one:
            part["properties"][name] = {"$ref": f"#/components/schemas/{PREFIX}"}
        elif "discriminator" in one.get("items", {}):
            one["items"] = {"$ref": f"#/components/schemas/{PREFIX}"}
    part.pop("title", None)
    part["description"] = cleandoc(part["description"])
    if not part.get("required"):
        part["required"] = ["is"]
    return part


class SegmentIn(Schema):
    """A segment of the key's store."""

    name = Text(required=True, validate=validate.Length(1, 80))
    about = Text(load_default="", validate=validate.Length(max=400))
    rule = RuleField(required=True)


class RuleIn(Schema):
    """A rule that is asked and not kept."""

    rule = RuleField(required=True)


class SegmentOut(Schema):
    """A segment: a rule, or a list of people."""

    id = fields.UUID(required=True)
    of = fields.String(
        required=True,
        metadata={"enum": ["store", "office"], "description": "Whose it is; office: read only."},
    )
    name = fields.String(required=True)
    about = fields.String(required=True)
    kind = fields.String(required=True, metadata={"enum": ["rule", "list"]})
    rule = fields.Raw(
        required=True, allow_none=True, metadata={"description": "As `Rule`; null for a list."}
    )
    retired = fields.Boolean(required=True)
    changed_at = Moment(required=True)


class SegmentList(Schema):
    """Those of the store and of head office, by name."""

    items = fields.List(fields.Nested(SegmentOut), required=True)


class CountOut(Schema):
    """How many are in it now, of how many customers the store has."""

    people = fields.Integer(required=True)
    of = fields.Integer(required=True)


class PeoplePage(Schema):
    """Who is in it now, by id, in order of ids. Merged records stand under the one that is left."""

    items = fields.List(fields.UUID(), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class PeopleQuery(cursors.PageQuery):
    """Which page."""


class WhyLineOut(Schema):
    """A condition of the rule. depth: how far within others; reads: what is known, if anything."""

    depth = fields.Integer(required=True)
    words = fields.String(required=True, metadata={"description": "In the language asked for."})
    holds = fields.Boolean(required=True)
    reads = fields.String(required=True)


class WhyOut(Schema):
    """Whether a customer is in it, and why."""

    holds = fields.Boolean(required=True)
    why = fields.List(fields.Nested(WhyLineOut), required=True)
