"""What head office designs and approves, and what stores fill in of it; each step in the trail.

What was approved is a version that nothing changes: a mailing, and every store, prints a version.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import templating
from highstreet.host import facts, state
from highstreet.i18n import gettext as _
from highstreet.printing import queries
from highstreet.printing.designs import Design, checked
from highstreet.printing.kinds import KINDS
from highstreet.printing.models import PrintFilling, PrintPicture, PrintTemplate, PrintVersion
from highstreet_tenants import clock
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record


class TemplateIn(Struct, frozen=True):
    """A design as head office writes it. areas: name → text with merge fields, or the digest of a
    picture that was added. store_areas: which of them stores may fill in otherwise."""

    name: str
    kind: str
    size: str
    areas: Mapping[str, str]
    store_areas: Sequence[str] = ()
    window: str = ""
    marks: bool = False
    language: str = ""


def draft(s: ScopedSession, given: TemplateIn) -> UUID:
    """Write a new design down; gives its id. Raises Invalid naming fields, Forbidden (a store)."""
    _head_office(s)
    state.one_at_a_time(s)
    values = _checked(s, given)
    number = 1 + (s.scalar(sa.select(sa.func.max(PrintTemplate.number))) or 0)
    row = PrintTemplate(
        brand_id=s.brand_id,
        id=new_id(),
        number=number,
        changed_by=_by(s),
        changed_at=clock.now(),
        **values,
    )
    s.add(row)
    s.flush()
    record(s, "print.drafted", "print", row.id, row.name)
    return row.id


def change(s: ScopedSession, design_id: UUID, given: TemplateIn) -> None:
    """Write a design anew. Stores go on printing what was approved, until this is. Its kind stays.

    Raises Invalid, NotFound, Conflict for one that is out of use.
    """
    row = _locked(s, design_id)
    if given.kind != row.kind:
        words = _("A design stays what it is. Make another.")
        raise Invalid(words, fields={"kind": [words]})
    for name, value in _checked(s, given).items():
        setattr(row, name, value)
    row.status, row.changed_by, row.changed_at = "draft", _by(s), clock.now()
    record(s, "print.changed", "print", row.id, row.name)
    s.flush()


def approve(s: ScopedSession, design_id: UUID, *, seen: datetime | None = None) -> UUID:
    """Make the draft what is printed from now on; gives the version's id.

    seen: its `changed_at` as the approver read it. Raises Conflict for what is no draft, or was
    changed since.
    """
    row = _locked(s, design_id)
    if row.status != "draft":
        raise Conflict(_("Only a draft can be approved."))
    if seen is not None and seen != row.changed_at:
        raise Conflict(_("It was changed meanwhile by %(who)s. Read it again, then approve it.",
                         who=row.changed_by))  # fmt: skip
    content = queries.content_of(s, row)
    last = s.scalar(
        sa.select(sa.func.max(PrintVersion.number)).where(PrintVersion.template_id == row.id)
    )
    version = PrintVersion(
        brand_id=s.brand_id,
        id=new_id(),
        template_id=row.id,
        number=1 + (last or 0),
        digest=queries.digest(content),
        content=content,
        approved_by=_by(s),
        approved_at=clock.now(),
    )
    s.add(version)
    row.status, row.version_id = "approved", version.id
    record(s, "print.approved", "print", row.id, row.name, details={"version": version.number})
    s.flush()
    return version.id


def retire(s: ScopedSession, design_id: UUID) -> None:
    """Take a design out of use: no store prints it any more; versions stay for what used them."""
    row = _locked(s, design_id)
    row.status, row.changed_by, row.changed_at = "retired", _by(s), clock.now()
    record(s, "print.retired", "print", row.id, row.name)
    s.flush()


def set_own(s: ScopedSession, design_id: UUID, own: Mapping[str, str]) -> None:
    """What this store fills in instead of head office's words: all of it at once, by area; an area
    that is left out, or the same as head office's, is head office's again.

    Raises Invalid for an area that stores may not change or a text that can't be, NotFound.
    """
    if s.store_id is None:
        raise Forbidden(_("Only a store fills in its own words."))
    state.one_at_a_time(s)
    version = queries.current(s, design_id)
    content = version.content
    locked = sorted(set(own) - set(content["store_areas"]))
    if locked:
        words = _("Head office does not let stores change this.")
        raise Invalid(words, fields={f"areas.{name}": [words] for name in locked})
    whole = _areas(s, content["kind"], {**content["areas"], **own})
    kept = {name: whole.get(name, "") for name in own}
    kept = {name: text for name, text in kept.items() if text != content["areas"].get(name, "")}
    row = s.scalar(sa.select(PrintFilling).where(PrintFilling.template_id == design_id))
    if row is None:
        row = PrintFilling(brand_id=s.brand_id, store_id=s.store_id, template_id=design_id,
                           areas=kept, changed_by=_by(s))  # fmt: skip
        s.add(row)
    else:
        row.areas, row.changed_by, row.changed_at = kept, _by(s), clock.now()
    record(s, "print.own", "print", design_id, str(content["title"]))
    s.flush()


def _checked(s: ScopedSession, given: TemplateIn) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    name = given.name.strip()
    if not name or len(name) > 80:
        errors["name"] = [_("Give a name of at most %(most)s characters.", most=80)]
    refuse_payment_cards(name, "name")
    try:
        checked(Design(given.kind, given.size, {}, window=given.window))
    except Invalid as error:
        raise Invalid(error.detail, fields={**errors, **error.fields}) from error
    areas: dict[str, str] = {}
    try:
        areas = _areas(s, given.kind, given.areas)
    except Invalid as error:
        errors |= error.fields
    strange = sorted(set(given.store_areas) - set(KINDS[given.kind].areas))
    if strange:
        errors["store_areas"] = [_("There is no such area: %(names)s.", names=", ".join(strange))]
    if errors:
        raise Invalid(_("The design can’t be so. Nothing was saved."), fields=errors)
    return {
        "name": name,
        "kind": given.kind,
        "size": given.size,
        "window": given.window,
        "marks": given.marks,
        "language": given.language or facts.brand(s).locale,
        "areas": areas,
        "store_areas": [one for one in KINDS[given.kind].areas if one in given.store_areas],
    }


def _areas(s: ScopedSession, kind: str, given: Mapping[str, str]) -> dict[str, str]:
    """Areas that hold something. Raises Invalid naming "areas.…"."""
    there = KINDS[kind].areas
    errors: dict[str, list[str]] = {
        f"areas.{name}": [_("There is no such area: %(names)s.", names=name)]
        for name in set(given) - set(there)
    }
    found: dict[str, str] = {}
    for name, area in there.items():
        text = given.get(name, "").replace("\r\n", "\n").strip()
        if not text:
            continue
        wrong: list[str] = []
        if area.holds == "picture":
            known = s.scalar(sa.select(PrintPicture.id).where(PrintPicture.digest == text).limit(1))
            if known is None:
                wrong = [_("There is no such picture. Add it first.")]
        elif len(text) > area.most or "\x00" in text:
            wrong = [_("Use at most %(most)s characters.", most=area.most)]
        else:
            wrong = templating.check(text)
            try:
                refuse_payment_cards(text, name)
            except Invalid as error:
                wrong.append(error.detail)
        if wrong:
            errors[f"areas.{name}"] = wrong
        found[name] = text
    if errors:
        raise Invalid(_("The design can’t be so. Nothing was saved."), fields=errors)
    return found


def _locked(s: ScopedSession, design_id: UUID) -> PrintTemplate:
    """The design, while nobody else changes any of this brand's."""
    _head_office(s)
    state.one_at_a_time(s)
    found = s.get(PrintTemplate, (s.brand_id, design_id), populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such design."))
    if found.status == "retired":
        raise Conflict(_("It is out of use. Make a new one."))
    return found


def _head_office(s: ScopedSession) -> None:
    if s.store_id is not None:
        raise Forbidden(_("Designs are head office’s."))


def _by(s: ScopedSession) -> str:
    return s.scope.actor.name[:120]
