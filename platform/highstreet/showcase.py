"""What a demonstration asks of tools."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from highstreet.host.spec import spec


class ShowcaseHooks:
    """Asked by ``highstreet demo``, when a brand's purchases are in."""

    @spec(kind="collect", writes=True, since="0.1", budget_ms=10_000.0)
    def demo_day(self, ctx: Any, buyers: Sequence[UUID]) -> None:
        """Do what members and staff of this place would have done with the tool today.

        Asked once at head office (`ctx.store_id` None) and then in each store where the tool is on,
        so that a demonstration shows more of it than what comes of purchases: rewards handed over,
        seats taken, notes written. `buyers`: ids of the customers who have bought here, whoever
        came last first; none at a head office that owns none. Never asked but in a demo.
        """
        raise NotImplementedError
