"""What was agreed to, and by whom: written here, compared in `snapshot`."""

from datetime import datetime
from typing import cast
from uuid import UUID

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.host import declared
from highstreet.host.models import PluginAgreement
from highstreet_tenants import clock
from highstreet_tenants.sessions import ScopedSession

_table = cast(sa.Table, PluginAgreement.__table__)


def put(
    s: ScopedSession,
    plugin: str,
    node: UUID,
    store_id: UUID | None,
    by: str,
    things: frozenset[str] | None = None,
) -> datetime:
    """Remember that somebody agrees to what a loaded tool declares, in a place or (a brand's or
    region's id) for all beneath it. Gives when they had agreed before, or now."""
    host = hosts.of(s)
    row = s.scalar(
        sa.select(PluginAgreement).where(
            PluginAgreement.plugin == plugin, PluginAgreement.node_id == node
        )
    )
    before = row.agreed_at if row is not None else clock.now()
    if row is None:
        row = PluginAgreement(
            brand_id=s.scope.brand_id, store_id=store_id, plugin=plugin, node_id=node
        )
        s.add(row)
    row.version = str(host.plugins[plugin].manifest.version)
    row.declared = sorted(declared.of(host, plugin) if things is None else things)
    row.agreed_by, row.agreed_at = by, clock.now()
    s.flush()
    return before


def newest(s: ScopedSession, plugin: str) -> list[PluginAgreement]:
    """Who agreed to a tool within reach, newest first."""
    return list(
        s.scalars(
            sa.select(PluginAgreement)
            .where(PluginAgreement.plugin == plugin)
            .order_by(PluginAgreement.agreed_at.desc(), PluginAgreement.id)
        )
    )
