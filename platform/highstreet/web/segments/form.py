"""The form by which a segment is made or changed. Each button sends the whole form, so that it
works without scripts: adding and removing conditions gives the page again with what was typed.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request
from msgspec import Struct, field

from highstreet.i18n import gettext as _
from highstreet.segments import queries, questions, rules, service
from highstreet.segments.compiling import Compiler
from highstreet.segments.ready import READY
from highstreet.segments.rules import Rule
from highstreet.web.current import current
from highstreet.web.segments import drafts
from highstreet.web.segments.drafts import Draft, Group
from highstreet.web.segments.pages import ONE, both, count, here, names, segments
from highstreet.web.segments.reading import Reader
from highstreet.web.segments.showing import Shower
from highstreet_tenants.errors import Conflict, Forbidden, HighstreetError, Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

__all__ = ["segments"]


class Answer(Struct):
    """What is shown beside the form: errors by input, a count, and where to write next."""

    errors: dict[str, list[str]] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    lines: list[tuple[int, str]] = field(default_factory=list)
    focus: str = ""

    def refuse(self, error: HighstreetError, otherwise: str) -> None:
        """Take an error to the inputs that it names."""
        for name, said in (error.fields or {otherwise: [error.detail]}).items():
            at = name if name in ("name", "about") else otherwise
            self.errors.setdefault(at, []).extend(said)


@both("/new", "new", "GET", store="segments.manage")
def new(brand: str, store: str | None = None) -> str:
    """An empty form, or that of a ready-made segment or of another one."""
    with current.session() as s:
        return _page(s, _begun(s), Answer())


def _begun(s: ScopedSession) -> Draft:
    ready, source = request.args.get("ready", ""), request.args.get("of", "")
    if ready in READY:
        one = READY[ready]
        return drafts.of(one.rule, name=str(one.name), about=str(one.about))
    try:
        fact = queries.get(s, UUID(source)) if source else None
    except (ValueError, NotFound):
        fact = None
    if fact is not None and fact.rule is not None:
        return drafts.of(fact.rule, name=_("%(name)s (ours)", name=fact.name), about=fact.about)
    draft = drafts.of(rules.All())
    draft.groups = [Group()]
    return draft


@both("/new", "create", "POST", store="segments.manage")
def create(brand: str, store: str | None = None) -> Any:
    """A button of the form of a new one."""
    return _pressed(None)


@both(f"{ONE}/edit", "edit", "GET", store="segments.manage")
def edit(brand: str, segment_id: UUID, store: str | None = None) -> str:
    """The form of one."""
    with current.session() as s:
        fact = queries.get(s, segment_id)
        if fact.rule is None:
            raise Conflict(_("A list of people has no rule. Make a new segment."))
        return _page(
            s, drafts.of(fact.rule, name=fact.name, about=fact.about), Answer(), segment_id
        )


@both(f"{ONE}/edit", "change", "POST", store="segments.manage")
def change(brand: str, segment_id: UUID, store: str | None = None) -> Any:
    """A button of the form of one."""
    return _pressed(segment_id)


def _pressed(segment_id: UUID | None) -> Any:
    draft, pressed = drafts.posted(request.form), request.form.get("do", "count")
    answer = Answer()
    with current.session() as s:
        if segment_id is not None:
            queries.get(s, segment_id)
        if pressed not in ("count", "save"):
            return _page(s, _rearranged(s, draft, pressed, answer), answer, segment_id)
        rule = _rule(s, draft, answer, segment_id)
        if rule is None or pressed == "count":
            if rule is not None:
                draft = drafts.of(rule, name=draft.name, about=draft.about)
                answer.found = count(s, rule)
                answer.lines = queries.in_words(s, rule)
                answer.focus = "found"
            return _page(s, draft, answer, segment_id), 422 if answer.errors else 200
    try:
        with current.session(write=True) as s:
            kept = service.save(
                s,
                name=draft.name,
                about=draft.about,
                rule=rule,
                segment_id=segment_id,
                may=current.may,
            )
    except (Invalid, Conflict, Forbidden) as error:
        answer.refuse(error, "json" if not draft.plain else "rule")
        with current.session() as s:
            return _page(s, draft, answer, segment_id), error.status
    flash(_("Saved."), "good")
    return redirect(here("one", segment_id=kept.id), 303)


def _rule(s: ScopedSession, draft: Draft, answer: Answer, segment_id: UUID | None) -> Rule | None:
    """The rule that the form means; None with what is wrong."""
    rewritten = draft.rewritten
    try:
        if rewritten:
            rule: Rule | None = rules.load(json.loads(draft.text))
        else:
            known = questions.known(s, s.store_id, may=current.may)
            reader = Reader(s, known, current.place.currency)
            rule = reader.rule(draft)
            answer.errors |= reader.errors
        if rule is not None:
            compiler = Compiler(s, may=current.may)
            if segment_id is not None:
                compiler.within(segment_id)
            compiler.people(rule)
        return rule
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0)
        answer.errors["json"] = [_("This is not JSON: character %(number)s.", number=at + 1)]
    except HighstreetError as error:
        answer.refuse(error, "json" if rewritten else "rule")
    return None


def _rearranged(s: ScopedSession, draft: Draft, pressed: str, answer: Answer) -> Draft:
    """The form with a condition or a group more or less."""
    deed, _dash, where = pressed.partition("-")
    if deed == "group":
        draft.groups.append(Group("any"))
        answer.focus = f"g{len(draft.groups) - 1}"
    elif deed == "add" and (group := _at(draft.groups, where)) is not None:
        known = questions.known(s, s.store_id, may=current.may)
        what = request.form.get(f"g{where}-what", "")
        if what:
            row = Shower(s, known, current.place.currency).begin(what)
            group.rows.append(row)
            answer.focus = f"g{where}-r{len(group.rows) - 1}"
        else:
            answer.errors[f"g{where}-what"] = [_("Choose what it is about.")]
    elif deed == "remove":
        first, _dash, second = where.partition("-")
        group = _at(draft.groups, first)
        if group is not None and _at(group.rows, second) is not None:
            del group.rows[int(second)]
            answer.focus = f"g{first}-what"
    elif deed == "drop" and _at(draft.groups, where) is not None:
        del draft.groups[int(where)]
        answer.focus = "group"
    return draft


def _at(there: list[Any], number: str) -> Any:
    return there[int(number)] if number.isdigit() and int(number) < len(there) else None


def _page(s: ScopedSession, draft: Draft, answer: Answer, segment_id: UUID | None = None) -> str:
    known = questions.known(s, s.store_id, may=current.may)
    shown = Shower(s, known, current.place.currency, segment_id).page(draft)
    if not draft.plain and not answer.lines and not answer.errors:
        answer.lines = queries.in_words(s, rules.load(json.loads(draft.text)))
    back = here("one", segment_id=segment_id) if segment_id else here("all")
    return render_template(
        "segments/form.html",
        **shown,
        answer=answer,
        errors=answer.errors,
        labels=_labels(shown),
        segment_id=segment_id,
        back_href=back,
        **names(),
    )


def _labels(shown: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Names of inputs → (id, words), for the list of what is wrong."""
    labels = {
        "name": ("name", _("Name of the segment")),
        "about": ("about", _("What it is for")),
        "json": ("json", _("The rule as text")),
        "rule": ("rule", _("The rule")),
    }
    for group in shown["groups"]:
        labels[f"{group['id']}-what"] = (f"{group['id']}-what", _("New condition"))
        for row in group["rows"]:
            for name in ("", *_INPUTS):
                at = f"{row['id']}-{name}" if name else row["id"]
                labels[at] = (at, row["title"])
    return labels


_INPUTS = (
    *("op", "value", "to", "departments", "products", "stores", "days", "first", "last"),
    *("times", "amount", "purpose", "channel", "segment"),
)
