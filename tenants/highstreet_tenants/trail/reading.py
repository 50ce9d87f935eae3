"""Reading the trail: newest first, page by page, by who, what, to what and when.

Each question is answered by an index that ends in (at, id), and a page begins where the last one
ended, so it costs what a page costs however long the trail has become.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from highstreet_tenants.errors import Invalid
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.trail.recording import search_key
from highstreet_tenants.words import gettext as _

PAGE = 50


class Wanted(Struct, frozen=True):
    """What is looked for; what is None is not asked.

    object: the name of a thing as it was then, in whatever letters, or its id. since, until: aware
    moments, `until` left out. after: the cursor of the last entry seen.
    """

    actor_id: UUID | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: str | None = None


def page(
    s: ScopedSession, wanted: Wanted, *, limit: int = PAGE, store_id: UUID | None = None
) -> list[TrailEntry]:
    """The newest entries that fit, at most `limit`. In a store's session only its own; at head
    office the brand's, or those of one store. Raises Invalid for a cursor that is none.
    """
    query = sa.select(TrailEntry).order_by(TrailEntry.at.desc(), TrailEntry.id.desc())
    only = s.scope.store_id or store_id
    if only is not None:
        query = query.where(TrailEntry.store_id == only)
    return list(s.scalars(_narrowed(query, wanted).limit(limit)))


def everything(
    s: ScopedSession, wanted: Wanted, *, store_id: UUID | None = None, chunk: int = 1_000
) -> Iterator[TrailEntry]:
    """All entries that fit, newest first, without holding them all."""
    while found := page(s, wanted, limit=chunk, store_id=store_id):
        yield from found
        if len(found) < chunk:
            return
        wanted = replace(wanted, after=cursor(found[-1]))
        s.expunge_all()


def cursor(entry: TrailEntry) -> str:
    """Where the page after this entry begins."""
    return f"{entry.at.isoformat()}|{entry.id.hex}"


def _narrowed(query: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    if wanted.actor_id is not None:
        query = query.where(TrailEntry.actor_id == wanted.actor_id)
    if wanted.action:
        query = query.where(TrailEntry.action == wanted.action)
    if wanted.object:
        query = query.where(_is(wanted.object))
    if wanted.since is not None:
        query = query.where(TrailEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(TrailEntry.at < wanted.until)
    if wanted.after:
        at, entry_id = _read(wanted.after)
        query = query.where(sa.tuple_(TrailEntry.at, TrailEntry.id) < sa.tuple_(at, entry_id))
    return query


def _is(text: str) -> sa.ColumnElement[bool]:
    try:
        return TrailEntry.object_id == UUID(text.strip())
    except ValueError:
        return TrailEntry.object_key == search_key(text)


def _read(text: str) -> tuple[sa.BindParameter[datetime], sa.BindParameter[UUID]]:
    at, _bar, entry_id = text.partition("|")
    try:
        moment, found = datetime.fromisoformat(at), UUID(hex=entry_id)
        if moment.tzinfo is None:
            raise ValueError(text)
    except ValueError as error:
        raise Invalid(_("This is no place in the list. Begin at its top.")) from error
    return (
        sa.bindparam(None, moment, type_=TrailEntry.at.type),
        sa.bindparam(None, found, type_=TrailEntry.id.type),
    )
