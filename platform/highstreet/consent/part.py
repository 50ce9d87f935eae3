"""How consent takes part when customers merge, are exported or erased."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.consent.models import ConsentEvent, ConsentEvidence, Wording
from highstreet.consent.queries import Key, latest
from highstreet.customers import queries as customers
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession


class ConsentPart:
    """Events stay under the id they were written with; reading follows merges."""

    name = "consent"

    def export(self, s: ScopedSession, ids: list[UUID]) -> list[dict[str, Any]]:
        """Every event with its wording and evidence, oldest first."""
        rows = s.execute(
            sa.select(ConsentEvent, Wording.version, Wording.text, ConsentEvidence.evidence)
            .outerjoin(
                Wording,
                sa.and_(
                    Wording.brand_id == ConsentEvent.brand_id,
                    Wording.id == ConsentEvent.wording_id,
                ),
            )
            .outerjoin(
                ConsentEvidence,
                sa.and_(
                    ConsentEvidence.brand_id == ConsentEvent.brand_id,
                    ConsentEvidence.event_id == ConsentEvent.id,
                ),
            )
            .where(ConsentEvent.customer_id.in_(ids))
            .order_by(ConsentEvent.at, ConsentEvent.id)
        )
        return [
            {
                "purpose": event.purpose,
                "channel": event.channel,
                "controller": str(event.owner_id) if event.owner_id else "brand",
                "status": event.status,
                "method": event.method,
                "at": event.at.isoformat(),
                "wording_version": version,
                "wording": text,
                "evidence": evidence,
            }
            for event, version, text, evidence in rows
        ]

    def merge(self, s: ScopedSession, keep_id: UUID, gone_id: UUID) -> dict[str, Any]:
        """The stricter of the two wins: where either refuses, the merged customer refuses.

        Where only one of them was ever asked, that answer stands: it is the same person's.
        """
        one = latest(s, customers.lineage(s, keep_id))
        other = latest(s, customers.lineage(s, gone_id))
        refusals = {
            key
            for key in one.keys() & other.keys()
            if {one[key].status, other[key].status} == {"given", "withdrawn"}
        }
        # A wider refusal on one side is stricter than a yes on the other, whenever it was said.
        for refusing, agreeing in ((one, other), (other, one)):
            refusals |= {
                key
                for key, wide in refusing.items()
                if wide.status == "withdrawn"
                and "*" in (key.purpose, key.channel)
                and any(said.status == "given" for said in agreeing.values())
            }
        at = now()
        written = [
            _refusal(s, keep_id, key, "merge", at=at, recorded_at=at)
            for key in sorted(refusals, key=str)
        ]
        s.add_all(written)
        s.flush()
        return {"written": [str(event.id) for event in written]}

    def unmerge(self, s: ScopedSession, kept: list[UUID], back: list[UUID]) -> dict[str, int]:
        """Nobody may be contacted more than before: what the one record refuses, both refuse.

        Nobody can tell afterwards which of two people said no, so every refusal that holds at this
        moment is written down for whichever of them has not said it, as of when it was said. What
        was agreed to stays with the record under which it was said, and is nobody else's any more.
        """
        at = now()
        joint = latest(s, [*kept, *back])
        written = []
        for ids in (kept, back):
            own = latest(s, ids)
            written += [
                _refusal(s, ids[0], key, "unmerge", at=said.at, recorded_at=at)
                for key, said in sorted(joint.items(), key=str)
                if said.status == "withdrawn" and own.get(key) != said
            ]
        s.add_all(written)
        s.flush()
        return {"refusals": len(written)}

    def erase(self, s: ScopedSession, ids: list[UUID]) -> dict[str, int]:
        """Delete the evidence; the events stay, on a stub that names nobody."""
        result = s.execute(sa.delete(ConsentEvidence).where(ConsentEvidence.customer_id.in_(ids)))
        return {"evidence": int(getattr(result, "rowcount", 0))}


def _refusal(
    s: ScopedSession,
    customer_id: UUID,
    key: Key,
    method: str,
    *,
    at: datetime,
    recorded_at: datetime,
) -> ConsentEvent:
    """An event by which a customer refuses what `key` says."""
    actor = s.scope.actor
    return ConsentEvent(
        brand_id=s.brand_id,
        id=new_id(),
        store_id=customers.record(s, customer_id).store_id,
        customer_id=customer_id,
        purpose=key.purpose,
        channel=key.channel,
        owner_id=key.owner_id,
        status="withdrawn",
        method=method,
        actor_kind=actor.kind,
        actor_id=actor.id,
        at=at,
        recorded_at=recorded_at,
    )
