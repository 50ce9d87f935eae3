"""What an issue cost, and what each store bears of it: by its members' copies, exactly."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Conflict, Ctx, Invalid, bulk, new_id
from highstreet.sdk import gettext as _
from highstreet_magazine import copies, counting, issues
from highstreet_magazine.models import Issue, Share
from highstreet_magazine.names import PRINT

_TABLE = cast(sa.Table, Share.__table__)
_Key = TypeVar("_Key", bound=Hashable)


def split(minor: int, weights: Mapping[_Key, int], order: Sequence[_Key]) -> dict[_Key, int]:
    """An amount cut by weights, to the minor unit: the largest remainders get one more, among alike
    who stands first in `order`. The parts add up to the amount; without any weight the last of
    `order` has it all."""
    total = sum(weights.values())
    if not total:
        return {order[-1]: minor} if order else {}
    parts = {key: minor * weights[key] // total for key in order}
    left = minor - sum(parts.values())
    by_rest = sorted(order, key=lambda key: -(minor * weights[key] % total))
    for key in by_rest[:left]:
        parts[key] += 1
    return parts


def put(ctx: Ctx, issue_id: UUID, minor: int) -> Issue:
    """Write down what an issue cost, minor units of the brand's currency: against its mailings by
    their copies, and to stores by their members' copies. Again, if it was wrong. Raises NotFound,
    Invalid, Conflict before it was released."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state not in ("released", "stopped") or row.released_at is None:
        raise Conflict(_("What it cost is written down once it has been released."))
    if not 0 <= minor < 2**53:
        words = _("An amount can't be below zero.")
        raise Invalid(words, fields={"cost": [words]})
    copies.trim(ctx, issue_id)
    row.cost_minor = minor
    _to_mailings(ctx, issue_id, minor)
    _to_stores(ctx, issue_id, minor)
    ctx.s.flush()
    ctx.record("magazine.cost", "issue", row.id, issues.named(ctx, row), details={"minor": minor})
    return row


def _to_mailings(ctx: Ctx, issue_id: UUID, minor: int) -> None:
    printed = [one for one in counting.parts(ctx, issue_id) if one.run.form == PRINT]
    order = [one.run.mailing_id for one in printed]
    parts = split(minor, {one.run.mailing_id: one.copies for one in printed}, order)
    for mailing_id in order:
        ctx.mailings.put_cost(mailing_id, parts.get(mailing_id, 0))


def _to_stores(ctx: Ctx, issue_id: UUID, minor: int) -> None:
    weights = counting.copies_by_store(ctx, issue_id)
    order: list[UUID | None] = [one.id for one in ctx.all_shops() if one.id in weights]
    weights.setdefault(None, 0)
    order.append(None)
    parts = split(minor, weights, order)
    ctx.s.execute(
        sa.delete(Share)
        .where(Share.issue_id == issue_id)
        .execution_options(synchronize_session=False)
    )
    bulk.insert(
        ctx.s,
        _TABLE,
        [
            {
                "id": new_id(),
                "store_id": store_id,
                "issue_id": issue_id,
                "copies": weights[store_id],
                "minor": parts.get(store_id, 0),
            }
            for store_id in order
            if store_id is not None or weights[None] or parts.get(None)
        ],
    )
