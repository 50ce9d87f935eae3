"""Applies a blueprint: what the file says and the brand lacks is made so, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from highstreet.blueprints import source as sources
from highstreet.blueprints.changes import Outcome
from highstreet.blueprints.document import Document, check
from highstreet.blueprints.source import Source
from highstreet.blueprints.tools import apply_tools
from highstreet.blueprints.tree import apply_people, apply_tree
from highstreet.host import state
from highstreet.host.registry import Host
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import Tenancy


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
    with tenancy.control() as s:
        brand_id = s.scalar(sa.select(Brand.id).where(Brand.slug == document.slug))
    if brand_id is not None:
        _work(tenancy, host, Scope.operator(brand_id, actor), document, source, outcome)
        return outcome
    # A scope needs its brand's row. So that row comes first, and goes again if the rest fails.
    scope = _found_brand(tenancy, document, actor)
    outcome.add("brand", document.slug)
    try:
        _work(tenancy, host, scope, document, source, outcome)
    except BaseException:
        _drop_brand(tenancy, scope)
        raise
    if dry_run:
        _drop_brand(tenancy, scope)
    return outcome


def _work(
    tenancy: Tenancy,
    host: Host,
    scope: Scope,
    document: Document,
    source: Source,
    outcome: Outcome,
) -> None:
    catalogue = Catalogue(host.permissions())
    try:
        with tenancy.session(scope, write=True) as s:
            brand = apply_tree(s, document, source, outcome)
            apply_people(s, brand, document, outcome, catalogue)
            state.touch(s)
            apply_tools(s, brand, document, source, outcome)
            if outcome.dry_run or not outcome.changes:
                raise _Undone
    except _Undone:
        pass


def _found_brand(tenancy: Tenancy, document: Document, actor: Actor) -> Scope:
    with tenancy.control(write=True) as s:
        brand = Brand(id=new_id(), **document.brand)
        s.add(brand)
        s.flush()
        return Scope.operator(brand.id, actor)


def _drop_brand(tenancy: Tenancy, scope: Scope) -> None:
    with tenancy.control(write=True) as s:
        s.execute(sa.delete(Brand).where(Brand.id == scope.brand_id))
