"""Publications of the brand and their editions: head office's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Conflict, Ctx, Invalid, NotFound, new_id
from highstreet.sdk import gettext as _
from highstreet_magazine.models import Edition, Issue, Publication
from highstreet_magazine.names import FORMS, MOST_PUBLICATIONS, field

#: Editions of a publication, the usual one among them.
_MOST = 30
_PURPOSE = re.compile(r"[a-z][a-z0-9.-]{0,39}")


def listed(ctx: Ctx) -> Sequence[Publication]:
    """All of the brand, in the order of their numbers."""
    return ctx.s.scalars(sa.select(Publication).order_by(Publication.number)).all()


def get(ctx: Ctx, publication_id: UUID) -> Publication:
    """One of them. Raises NotFound."""
    found = ctx.s.scalar(sa.select(Publication).where(Publication.id == publication_id))
    if found is None:
        raise NotFound(_("There is no such publication."))
    return found


def numbered(ctx: Ctx, number: int) -> Publication:
    """The one with a number. Raises NotFound."""
    found = ctx.s.scalar(sa.select(Publication).where(Publication.number == number))
    if found is None:
        raise NotFound(_("There is no such publication."))
    return found


def create(ctx: Ctx, name: str, purpose: str, default_form: str) -> Publication:
    """Begin one, with the edition that is usual. default_form: what those get of whom nothing is
    written down. Raises Invalid, Conflict where there are enough of them."""
    ctx.take_turn("publications")
    there = listed(ctx)
    if len(there) >= MOST_PUBLICATIONS:
        raise Conflict(_("A brand has %(most)s publications at most.", most=MOST_PUBLICATIONS))
    number = next(n for n in range(1, MOST_PUBLICATIONS + 1) if n not in {p.number for p in there})
    row = Publication(brand_id=ctx.scope.brand_id, id=new_id(), number=number)
    _fill(row, name, purpose, default_form)
    ctx.s.add(row)
    ctx.s.flush()
    ctx.s.add(
        Edition(
            brand_id=ctx.scope.brand_id,
            publication_id=row.id,
            position=0,
            name=_("Usual edition"),
            usual=True,
        )
    )
    ctx.s.flush()
    ctx.record("magazine.publication", "publication", row.id, row.name)
    return row


def change(ctx: Ctx, publication_id: UUID, name: str, purpose: str, default_form: str) -> None:
    """Call it otherwise, or let others get it by themselves. Raises NotFound, Invalid."""
    row = get(ctx, publication_id)
    _fill(row, name, purpose, default_form)
    ctx.s.flush()
    ctx.record("magazine.publication", "publication", row.id, row.name)


def editions(ctx: Ctx, publication_id: UUID) -> Sequence[Edition]:
    """In the order in which they are asked; the usual one is the last."""
    return ctx.s.scalars(
        sa.select(Edition)
        .where(Edition.publication_id == publication_id)
        .order_by(Edition.usual, Edition.position)
    ).all()


def add_edition(
    ctx: Ctx,
    publication_id: UUID,
    name: str,
    *,
    stores: Iterable[str] = (),
    regions: Iterable[str] = (),
    language: str = "",
) -> Edition:
    """Add one that is asked after all others but the usual one. stores, regions: ids as text.
    Raises NotFound, Invalid."""
    ctx.take_turn("publications")
    publication = get(ctx, publication_id)
    there = editions(ctx, publication_id)
    if len(there) >= _MOST:
        raise Conflict(_("There are enough editions: %(most)s at most.", most=_MOST))
    known = {str(one.id) for one in ctx.all_shops()}, {str(one) for one in ctx.regions()}
    chosen = [one for one in stores if one in known[0]]
    areas = [one for one in regions if one in known[1]]
    tongue = _text(language, "language", 20, needed=False)
    if not (chosen or areas or tongue):
        words = _("Say whom it is for: stores, a region or a language.")
        raise Invalid(words, fields={"stores": [words]})
    row = Edition(
        brand_id=ctx.scope.brand_id,
        id=new_id(),
        publication_id=publication.id,
        position=1 + max(one.position for one in there),
        name=_text(name, "name", 60),
        stores=chosen,
        regions=areas,
        language=tongue,
    )
    ctx.s.add(row)
    ctx.s.flush()
    ctx.record("magazine.edition", "publication", publication.id, row.name)
    return row


def drop_edition(ctx: Ctx, edition_id: UUID) -> Edition:
    """Have it no more from the next issue on. Raises NotFound, Conflict for the usual one."""
    row = ctx.s.scalar(sa.select(Edition).where(Edition.id == edition_id))
    if row is None:
        raise NotFound(_("There is no such edition."))
    if row.usual:
        raise Conflict(_("The usual edition is for all others, and stays."))
    ctx.s.delete(row)
    ctx.s.flush()
    ctx.record("magazine.edition", "publication", row.publication_id, row.name)
    return row


def form_is(publication: Publication, form: str) -> dict[str, Any]:
    """Whoever gets a publication in a form, as a rule of segments."""
    name = field("form", publication.number)
    said = {"is": "field", "name": name, "op": "is", "value": form}
    if publication.default_form != form:
        return said
    return {"is": "any", "of": [said, {"is": "field", "name": name, "op": "empty"}]}


def fits(ctx: Ctx, one: Edition, all_of_them: Sequence[Edition]) -> dict[str, Any]:
    """Whoever gets an edition, as a rule of segments: none of those before it fits them."""
    rules = []
    for each in all_of_them:
        if each.id == one.id:
            break
        rules.append({"is": "not", "of": _own(ctx, each)})
    return {"is": "all", "of": rules if one.usual else [*rules, _own(ctx, one)]}


def in_words(ctx: Ctx, one: Edition, stores: Mapping[str, str], regions: Mapping[str, str]) -> str:
    """Whom it is for, for people to read."""
    if one.usual:
        return _("everybody whom no other edition fits")
    places = [regions.get(each, "") for each in one.regions]
    places += [stores.get(each, "") for each in one.stores]
    words = [_(", ").join(each for each in places if each)]
    if one.language:
        words.append(_("language: %(code)s", code=one.language))
    return " · ".join(each for each in words if each)


def last_number(ctx: Ctx, publication_id: UUID) -> int:
    """The number of its latest issue; 0 without one."""
    return (
        ctx.s.scalar(
            sa.select(sa.func.max(Issue.number)).where(Issue.publication_id == publication_id)
        )
        or 0
    )


def _own(ctx: Ctx, one: Edition) -> dict[str, Any]:
    stores = set(one.stores)
    if one.regions:
        stores |= {
            str(shop.id) for shop in ctx.all_shops() if str(shop.region_id or "") in one.regions
        }
    rules: list[dict[str, Any]] = []
    if one.stores or one.regions:
        rules.append(
            {"is": "field", "name": "customer.home_store", "op": "one_of", "value": sorted(stores)}
            if stores
            else {"is": "any", "of": []}
        )
    if one.language:
        rules.append(
            {"is": "field", "name": "customer.language", "op": "begins", "value": one.language}
        )
    return {"is": "all", "of": rules}


def _fill(row: Publication, name: str, purpose: str, default_form: str) -> None:
    row.name = _text(name, "name", 60)
    row.purpose = _text(purpose, "purpose", 40).lower()
    if not _PURPOSE.fullmatch(row.purpose):
        words = _("Use small letters, digits, dots and dashes, such as club-magazine.")
        raise Invalid(words, fields={"purpose": [words]})
    if default_form not in FORMS:
        words = _("Say “print”, “email” or “none”.")
        raise Invalid(words, fields={"default_form": [words]})
    row.default_form = default_form


def _text(text: str, name: str, most: int, *, needed: bool = True) -> str:
    """A line as it is kept. Raises Invalid."""
    line = " ".join(text.split())
    if needed and not line:
        words = _("Fill this in.")
        raise Invalid(words, fields={name: [words]})
    if len(line) > most:
        words = _("Use %(most)s letters at most.", most=most)
        raise Invalid(words, fields={name: [words]})
    return line
