"""A rule as its form has it: groups of rows. What nests deeper has no form, and is text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from werkzeug.datastructures import MultiDict

from highstreet.segments.rules import (
    All,
    Bought,
    Consented,
    Field,
    InSegment,
    Not,
    OneOf,
    People,
    Rule,
    dump,
)
from highstreet.web.forms import MOST

HOWS = ("all", "any", "none", "not_all")
_GROUP = re.compile(r"g(\d{1,3})")
_ROW = re.compile(r"g(\d{1,3})-r(\d{1,3})")
#: What a form may hold; a rule has no more conditions.
_MOST_ROWS = 200
#: Values typed into one row.
_MOST_VALUES = 50


class Row(Struct):
    """One condition. what: "field:<name>", "bought", "consent", "segment" or "people"; values: what
    was typed, by input; node: the condition that the row was made from."""

    what: str
    values: dict[str, list[str]] = field(default_factory=dict)
    node: Rule | None = None

    def one(self, name: str) -> str:
        """The first value of an input, without blanks around it."""
        return next(iter(self.all(name)), "")

    def all(self, name: str) -> list[str]:
        """All values of an input that are there."""
        return [one.strip()[:MOST] for one in self.values.get(name, ()) if one.strip()]


class Group(Struct):
    """Rows, of which all, at least one, none, or not all hold at once."""

    how: str = "all"
    rows: list[Row] = field(default_factory=list)


class Draft(Struct):
    """A form. text: the rule as JSON, as it was typed; seen: of the text that the page showed;
    plain: the rule fits the form, else the text is all there is."""

    name: str = ""
    about: str = ""
    groups: list[Group] = field(default_factory=list)
    text: str = ""
    seen: str = ""
    plain: bool = True

    @property
    def rewritten(self) -> bool:
        """Whether the text is what counts: it was changed, or the rule fits no form."""
        return not self.plain or seen(self.text) != self.seen


def seen(text: str) -> str:
    """Stands for a text as the page showed it."""
    return hashlib.sha256(text.replace("\r\n", "\n").strip().encode()).hexdigest()[:16]


def written(rule: Rule) -> str:
    """The rule as JSON for people."""
    return json.dumps(dump(rule), ensure_ascii=False, indent=2)


def posted(form: MultiDict[str, str]) -> Draft:
    """What somebody sent."""
    groups: dict[int, Group] = {}
    rows: dict[tuple[int, int], Row] = {}
    for name in form:
        if found := _GROUP.fullmatch(name):
            how = form[name]
            groups[int(found[1])] = Group(how if how in HOWS else "all")
        elif (found := _ROW.fullmatch(name)) and len(rows) < _MOST_ROWS:
            prefix = f"{name}-"
            values = {
                key[len(prefix) :]: form.getlist(key)[:_MOST_VALUES]
                for key in form
                if key.startswith(prefix)
            }
            rows[int(found[1]), int(found[2])] = Row(form[name], values)
    for (group, _number), row in sorted(rows.items()):
        if group in groups:
            groups[group].rows.append(row)
    return Draft(
        name=form.get("name", "").strip()[:MOST],
        about=form.get("about", "").strip()[:MOST],
        groups=[groups[number] for number in sorted(groups)],
        text=form.get("json", "")[: 16 * MOST],
        seen=form.get("seen", ""),
        plain=form.get("shape", "form") == "form",
    )


def of(rule: Rule, *, name: str = "", about: str = "") -> Draft:
    """The form of a rule."""
    text = written(rule)
    groups = shaped(rule)
    return Draft(name, about, groups or [], text, seen(text), groups is not None)


def shaped(rule: Rule) -> list[Group] | None:
    """A rule as groups of rows; None where it nests deeper than a form can show."""
    if (group := _group(rule)) is not None:
        return [group]
    if not isinstance(rule, All):
        return None
    first = Group("all", [_row(one) for one in rule.of if _is_row(one)])
    others: list[Group] = []
    for one in rule.of:
        if _is_row(one):
            continue
        if (group := _group(one)) is None:
            return None
        others.append(group)
    return [first, *others] if first.rows else others


def _group(rule: Rule) -> Group | None:
    inner = rule.of if isinstance(rule, Not) else rule
    negative = isinstance(rule, Not)
    if _is_row(inner):
        return Group("none" if negative else "all", [_row(inner)])
    if isinstance(inner, All | OneOf) and all(_is_row(one) for one in inner.of):
        if not inner.of and (negative or isinstance(inner, OneOf)):
            return None
        kind = {(All, False): "all", (OneOf, False): "any", (OneOf, True): "none"}
        return Group(kind.get((type(inner), negative), "not_all"), [_row(one) for one in inner.of])
    return None


def _is_row(rule: Rule) -> bool:
    return not isinstance(rule, All | OneOf | Not)


def _row(rule: Rule) -> Row:
    return Row(what_of(rule), node=rule)


def what_of(rule: Rule) -> str:
    """What a row of a condition is about."""
    if isinstance(rule, Field):
        return f"field:{rule.name}"
    return _WHAT[type(rule)]


_WHAT: Mapping[type, str] = {
    Bought: "bought",
    Consented: "consent",
    InSegment: "segment",
    People: "people",
}


def joined(groups: Sequence[tuple[str, Sequence[Rule]]]) -> Rule:
    """Groups of conditions as one rule; a group without any says nothing."""
    plain: list[Rule] = []
    others: list[Rule] = []
    for how, nodes in groups:
        if not nodes:
            continue
        alone = nodes[0] if len(nodes) == 1 else None
        if how == "all":
            plain.extend(nodes)
        elif how == "any":
            others.append(OneOf(tuple(nodes)))
        else:
            inner: Any = All(tuple(nodes)) if how == "not_all" else OneOf(tuple(nodes))
            others.append(Not(alone if alone is not None else inner))
    if not plain and len(others) == 1:
        return others[0]
    return All((*plain, *others))
