"""How lists and snapshots take part when customers merge, are exported or erased."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.segments.models import Snapshot, SnapshotPerson
from highstreet_tenants.sessions import ScopedSession


class SegmentsPart:
    """People stay on a list under the id they were put there with; reading follows merges."""

    name = "segments"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """The lists and snapshots they are on, oldest first."""
        rows = s.execute(
            sa.select(Snapshot.name, Snapshot.used_for, Snapshot.taken_at)
            .join(
                SnapshotPerson,
                sa.and_(
                    SnapshotPerson.brand_id == Snapshot.brand_id,
                    SnapshotPerson.snapshot_id == Snapshot.id,
                ),
            )
            .where(SnapshotPerson.customer_id.in_(ids), *s.scope.owns(SnapshotPerson))
            .order_by(Snapshot.taken_at, Snapshot.id)
        )
        return [
            {"name": name, "used_for": used_for, "at": at.isoformat()}
            for name, used_for, at in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """Nothing: whoever was on a list is found through the record that they became."""
        return {}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Nothing: each record is on the lists that it was put on."""
        return {}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Take them off; how many people there were stays."""
        done = s.execute(sa.delete(SnapshotPerson).where(SnapshotPerson.customer_id.in_(ids)))
        return {"lists": int(getattr(done, "rowcount", 0))}
