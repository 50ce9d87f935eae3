"""Applies a blueprint: what the file says and the brand lacks is made so, all or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from highstreet.blueprints import source as sources
from highstreet.blueprints.changes import Outcome
from highstreet.blueprints.document import Document, check
from highstreet.blueprints.tools import apply_tools
from highstreet.blueprints.tree import apply_people, apply_tree
from highstreet.host import state
from highstreet.host.registry import Host
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record


class _Undone(Exception):
    """Rolls a dry run back."""


def apply(
    tenancy: Tenancy,
    host: Host,
    path: Path,
    *,
    dry_run: bool = False,
    actor: Actor = SYSTEM,
    tools: Mapping[str, Mapping[str, Any]] | None = None,
) -> Outcome:
    """Make the brand as the blueprint ``path`` says, in one transaction, and say what changed.

    Applied again it changes nothing. What the blueprint does not mention stays. ``dry_run`` does
    the same and takes it back. ``tools``: tables of tools that count as the blueprint's where it
    does not mention them. Raises Invalid for a blueprint that is wrong, Conflict for one that
    contradicts what is recorded; then nothing is changed.
    """
    source = sources.read(path)
    if tools and isinstance(own := source.data.setdefault("tools", {}), dict):
        source.data["tools"] = {**tools, **own}
    document = check(source, host.plugins.keys())
    outcome = Outcome(document.slug, dry_run)
    catalogue = Catalogue(host.permissions())
    try:
        with _opened(tenancy, document, actor, outcome) as s:
            brand = apply_tree(s, document, source, outcome)
            apply_people(s, brand, document, outcome, catalogue)
            state.touch(s)
            apply_tools(s, brand, document, source, outcome)
            _record(s, brand, outcome)
            if outcome.dry_run or not outcome.changes:
                raise _Undone
    except _Undone:
        pass
    return outcome


def _record(s: ScopedSession, brand: Brand, outcome: Outcome) -> None:
    """Write down what became of the tree; of roles, policy and settings their own verbs do."""
    told = [one for one in outcome.changes if one.what in ("brand", "region", "owner", "store")]
    if any(one.what == "brand" and one.action == "add" for one in told):
        counts = {what: sum(one.what == what for one in told) for what in ("region", "store")}
        record(s, "brand.added", "brand", brand.id, brand.name, details=counts)
        return
    stores = {row.slug: row.id for row in s.execute(sa.select(Store.slug, Store.id))}
    for one in told:
        store_id = stores.get(one.name) if one.what == "store" else None
        action = f"{one.what}.{'added' if one.action == 'add' else 'changed'}"
        if one.details.get("status", ("", ""))[1] == "closed":
            action = "store.closed"
        record(s, action, one.what, store_id, one.name, store_id=store_id, details=one.details)


@contextmanager
def _opened(
    tenancy: Tenancy, document: Document, actor: Actor, outcome: Outcome
) -> Iterator[ScopedSession]:
    """A session of the brand, which is made in its transaction if it is not there."""
    with ExitStack() as stack:
        brand_id = _find(tenancy, document.slug)
        if brand_id is None:
            founding = tenancy.found(Scope.operator(new_id(), actor), document.brand)
            try:
                s = stack.enter_context(founding)
            except IntegrityError:
                brand_id = _find(tenancy, document.slug)
                if brand_id is None:
                    raise
            else:
                outcome.add("brand", document.slug)
        if brand_id is not None:  # perhaps because somebody else made it at this very moment
            s = stack.enter_context(tenancy.session(Scope.operator(brand_id, actor), write=True))
        yield s


def _find(tenancy: Tenancy, slug: str) -> UUID | None:
    with tenancy.control() as s:
        return s.scalar(sa.select(Brand.id).where(Brand.slug == slug))
