"""Designs, their versions, and what is printed where: a version with a store's own words in it."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from highstreet.host import facts
from highstreet.i18n import gettext as _
from highstreet.printing import pictures
from highstreet.printing.designs import Design
from highstreet.printing.kinds import KINDS
from highstreet.printing.models import PrintFilling, PrintTemplate, PrintVersion
from highstreet.printing.pieces import Piece
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.sessions import ScopedSession

ACCENT = "#1f5f4a"
"""Of a brand that has chosen none."""


def listed(s: ScopedSession) -> list[PrintTemplate]:
    """The designs that are in use, newest first; in a store, those that were approved."""
    query = sa.select(PrintTemplate).where(PrintTemplate.status != "retired")
    if s.store_id is not None:
        query = query.where(PrintTemplate.version_id.is_not(None))
    return list(s.scalars(query.order_by(PrintTemplate.number.desc())))


def get(s: ScopedSession, design_id: UUID) -> PrintTemplate:
    """A design. Raises NotFound; in a store also for one that was not approved."""
    found = s.get(PrintTemplate, (s.brand_id, design_id))
    if found is None or (s.store_id is not None and found.version_id is None):
        raise NotFound(_("There is no such design."))
    return found


def current(s: ScopedSession, design_id: UUID) -> PrintVersion:
    """What of a design is printed now. Raises NotFound: never approved, or out of use."""
    found = get(s, design_id)
    if found.version_id is None or found.status == "retired":
        raise NotFound(_("There is no such design."))
    return version(s, found.version_id)


def version(s: ScopedSession, version_id: UUID) -> PrintVersion:
    """A version, also of a design that is out of use. Raises NotFound."""
    found = s.get(PrintVersion, (s.brand_id, version_id))
    if found is None:
        raise NotFound(_("There is no such design."))
    return found


def own(s: ScopedSession, design_id: UUID) -> dict[str, str]:
    """What this store has filled in of a design; nothing in head office."""
    if s.store_id is None:
        return {}
    query = sa.select(PrintFilling.areas).where(PrintFilling.template_id == design_id)
    found: dict[str, str] | None = s.scalar(query)
    return dict(found or {})


def content_of(s: ScopedSession, row: PrintTemplate) -> dict[str, Any]:
    """A draft as a version keeps it."""
    accent = s.scalar(sa.select(Brand.accent).where(Brand.id == s.brand_id)) or ACCENT
    return {
        "title": row.name,
        "kind": row.kind,
        "size": row.size,
        "window": row.window,
        "marks": row.marks,
        "language": row.language,
        "areas": dict(row.areas),
        "store_areas": list(row.store_areas),
        "accent": accent,
        "on_accent": _on(accent),
    }


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of a version's content, hex."""
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()


def design(
    s: ScopedSession, files: Path, content: dict[str, Any], own: dict[str, str] | None = None
) -> Design:
    """What is printed of a version's (or a draft's) content. own: areas that a store filled in;
    those that it may no longer change are left out. Raises NotFound where a picture is gone."""
    areas: dict[str, str] = dict(content["areas"])
    may = set(content["store_areas"])
    areas |= {name: text for name, text in (own or {}).items() if name in may}
    kind = KINDS[content["kind"]]
    wanted = {areas[name] for name, one in kind.areas.items()
              if one.holds == "picture" and areas.get(name)}  # fmt: skip
    given = {name: content[name] for name in (
        "kind", "size", "title", "language", "accent", "on_accent", "marks", "window"
    )}  # fmt: skip
    return Design(areas=areas, pictures=pictures.read(s, files, wanted), **given)


def sample(s: ScopedSession) -> Piece:
    """A piece for nobody: what a proof in the console shows, and what hangs in a window.

    Fields about people have made-up values; the place's own are its own.
    """
    brand = facts.brand(s)
    store = s.get(Store, (s.brand_id, s.store_id)) if s.store_id is not None else None
    lines = [str(one) for one in (store.address if store else {}).values() if isinstance(one, str)]
    return Piece(
        "sample",
        (_("Alex Example"), _("12 Example Street"), _("Sampletown")),
        {
            "customer.name": _("Alex Example"),
            "brand.name": brand.name,
            "store.name": store.name if store else brand.name,
            "store.address": ", ".join(lines),
            "points_club.balance": 120,
        },
    )


def _on(accent: str) -> str:
    """White or ink, whichever is read better on a colour (WCAG 2.2, relative luminance)."""
    parts = [int(accent[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    light = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.055 else "#1b1f23"
