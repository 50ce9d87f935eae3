"""Writing what the ledger decided: rows of entries, lots, allocations, and the sums beside them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Actor, Ctx, ScopedSession, Statement, bulk, new_id, own
from highstreet_points_club import telling
from highstreet_points_club.accounts import Locked
from highstreet_points_club.ledger import AccountState, Allocation, Entry, Lot, Step
from highstreet_points_club.models import Allocation as AllocationRow
from highstreet_points_club.models import Entry as EntryRow
from highstreet_points_club.models import Gain as GainRow
from highstreet_points_club.models import Lot as LotRow
from highstreet_points_club.models import Reward as RewardRow

#: Below this many rows, single statements beat COPY through a temporary table.
_FEW = 40

_ENTRY_COLUMNS = (
    "id", "store_id", "account_id", "seq", "kind", "points", "at_store_id", "purchase_id",
    "amount_minor", "rule_id", "reverses_id", "idem_key", "occurred_at", "business_date",
    "recorded_at", "actor_kind", "actor_id",
)  # fmt: skip
_LOT_COLUMNS = (
    "id", "store_id", "account_id", "points", "remaining", "at_store_id", "earned_at",
    "activates_at", "expires_at", "idle",
)  # fmt: skip
_ALLOCATION_COLUMNS = ("id", "store_id", "entry_id", "lot_id", "points")
_GAIN_COLUMNS = ("id", "store_id", "entry_id", "campaign_id", "at_store_id", "points")
_REWARD_COLUMNS = (
    "id", "store_id", "account_id", "key", "name", "kind", "points", "value_minor", "currency",
    "automatic", "status", "issued_at", "issued_store_id", "ends_at", "closed_at",
    "redeemed_at", "redeemed_store_id", "purchase_id",
)  # fmt: skip


def _insert(table: str, columns: Sequence[str]) -> Statement:
    # `store_id` is a bind of the session's own; the owner of a row comes from its account.
    names = ", ".join(columns)
    binds = ", ".join(":owner_store_id" if one == "store_id" else f":{one}" for one in columns)
    return Statement(
        f"INSERT INTO {table} (brand_id, {names}) VALUES (:brand_id, {binds})",
        returns="none",
    )


_TABLES: dict[str, tuple[sa.Table, Statement]] = {
    row.__tablename__: (
        row.metadata.tables[row.__tablename__],
        _insert(row.__tablename__, columns),
    )
    for row, columns in (
        (EntryRow, _ENTRY_COLUMNS),
        (LotRow, _LOT_COLUMNS),
        (AllocationRow, _ALLOCATION_COLUMNS),
        (GainRow, _GAIN_COLUMNS),
        (RewardRow, _REWARD_COLUMNS),
    )
}
_ACCOUNT = Statement(
    "UPDATE points_club_account AS a SET balance = :balance, debt = :debt, seq = :seq,"
    f" last_at = :last_at, idle_at = :idle_at WHERE a.id = :id AND {own('a')}",
    returns="none",
)
_ACCOUNTS = Statement(
    "UPDATE points_club_account AS a SET balance = v.balance, debt = v.debt, seq = v.seq,"
    " last_at = v.last_at, idle_at = v.idle_at FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:balances AS bigint[]), CAST(:debts AS bigint[]), CAST(:seqs AS bigint[]),"
    " CAST(:lasts AS timestamptz[]), CAST(:idles AS timestamptz[]))"
    f" AS v(id, balance, debt, seq, last_at, idle_at) WHERE a.id = v.id AND {own('a')}",
    returns="none",
)
_LOT = Statement(
    f"UPDATE points_club_lot AS l SET remaining = :remaining WHERE l.id = :id AND {own('l')}",
    returns="none",
)
_LOTS = Statement(
    "UPDATE points_club_lot AS l SET remaining = v.remaining FROM unnest(CAST(:ids AS uuid[]),"
    " CAST(:remainings AS bigint[])) AS v(id, remaining)"
    f" WHERE l.id = v.id AND {own('l')}",
    returns="none",
)


_RELEASED = Statement(
    "UPDATE points_club_reward AS r SET status = 'released', closed_at = :closed_at"
    f" WHERE r.id = :id AND r.status = 'issued' AND {own('r')}",
    returns="none",
)


class Cause(NamedTuple):
    """Why an account moves, for the entries of kind `kind`; its other entries follow from that.

    store_id: where. zone: the clock of that store, which decides the business date. key: the same
    cause is never written twice in a brand. gains: what campaigns gave of the points, or what a
    return takes back of that: (campaign, points). at_store_id: the store of the purchase, if it is
    not `store_id`.
    """

    kind: str
    store_id: UUID | None
    zone: tzinfo
    actor: Actor
    recorded_at: datetime
    purchase_id: UUID | None = None
    amount_minor: int | None = None
    rule_id: UUID | None = None
    key: str | None = None
    gains: tuple[tuple[UUID, int], ...] = ()
    at_store_id: UUID | None = None


class Change(NamedTuple):
    """A step of one locked account with its cause."""

    account: Locked
    cause: Cause
    step: Step


def write(ctx: Ctx, changes: Sequence[Change]) -> None:
    """Write steps in their order: all rows set by set, sums once per account. Who listens is told.

    A reward whose points were released is marked so. The accounts are locked, and each account's
    steps follow one another.
    """
    s = ctx.s
    entries: list[dict[str, Any]] = []
    lots: dict[UUID, dict[str, Any]] = {}
    allocations: list[dict[str, Any]] = []
    after: dict[UUID, AccountState] = {}
    moved: set[UUID] = set()
    released: list[dict[str, Any]] = []
    gains: list[dict[str, Any]] = []
    for account, cause, step in changes:
        owner_id = account.owner_id
        account_id = step.state.id
        after[account_id] = step.state
        for entry in step.entries:
            entries.append(_entry(entry, owner_id, cause))
            if cause.gains and entry.kind == cause.kind:
                gains += _gains(entry, owner_id, cause)
            if entry.kind == "release":
                released.append({"id": entry.reverses_id, "closed_at": cause.recorded_at})
        for lot in step.lots:
            lots[lot.id] = _lot(lot, account_id, owner_id)
        for allocation in step.allocations:
            allocations.append(_allocation(allocation, owner_id))
            moved.add(allocation.lot_id)
    remaining = {lot.id: lot.remaining for state in after.values() for lot in state.lots}
    for lot_id, row in lots.items():
        row["remaining"] = remaining.get(lot_id, 0)
    put(s, "points_club_entry", entries)
    put(s, "points_club_lot", list(lots.values()))
    put(s, "points_club_allocation", allocations)
    put(s, "points_club_gain", gains)
    _update_lots(s, [(lot, remaining.get(lot, 0)) for lot in sorted(moved - lots.keys())])
    _update_accounts(s, list(after.values()))
    _RELEASED.many(s, released)
    telling.written(ctx, changes)


def put(s: ScopedSession, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of one of the plugin's tables."""
    place, statement = _TABLES[table]
    if len(rows) <= _FEW:
        statement.many(s, [dict(_owned(row)) for row in rows])
    else:
        bulk.insert(s, place, rows)


def _owned(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    return (("owner_store_id" if key == "store_id" else key, value) for key, value in row.items())


def _entry(entry: Entry, owner_id: UUID | None, cause: Cause) -> dict[str, Any]:
    own_cause = entry.kind == cause.kind
    return {
        "id": entry.id,
        "store_id": owner_id,
        "account_id": entry.account_id,
        "seq": entry.seq,
        "kind": entry.kind,
        "points": entry.points,
        "at_store_id": cause.store_id,
        "purchase_id": cause.purchase_id if own_cause else None,
        "amount_minor": cause.amount_minor if own_cause else None,
        "rule_id": cause.rule_id if own_cause else None,
        "reverses_id": entry.reverses_id,
        "idem_key": cause.key if own_cause else None,
        "occurred_at": entry.at,
        "business_date": business_date(entry.at, cause.zone),
        "recorded_at": cause.recorded_at,
        "actor_kind": cause.actor.kind,
        "actor_id": cause.actor.id,
    }


def _gains(entry: Entry, owner_id: UUID | None, cause: Cause) -> Iterable[dict[str, Any]]:
    for campaign_id, points in cause.gains:
        yield {
            "id": new_id(),
            "store_id": owner_id,
            "entry_id": entry.id,
            "campaign_id": campaign_id,
            "at_store_id": cause.at_store_id or cause.store_id,
            "points": points,
        }


def _lot(lot: Lot, account_id: UUID, owner_id: UUID | None) -> dict[str, Any]:
    return {
        "id": lot.id,
        "store_id": owner_id,
        "account_id": account_id,
        "points": lot.points,
        "remaining": lot.remaining,
        "at_store_id": lot.store_id,
        "earned_at": lot.earned_at,
        "activates_at": lot.activates_at,
        "expires_at": lot.expires_at,
        "idle": lot.idle,
    }


def _allocation(allocation: Allocation, owner_id: UUID | None) -> dict[str, Any]:
    return {
        "id": allocation.id,
        "store_id": owner_id,
        "entry_id": allocation.entry_id,
        "lot_id": allocation.lot_id,
        "points": allocation.points,
    }


def _update_lots(s: ScopedSession, changed: Sequence[tuple[UUID, int]]) -> None:
    if len(changed) > _FEW and s.dialect == "postgresql":
        _LOTS(
            s,
            ids=[lot for lot, _points in changed],
            remainings=[points for _lot, points in changed],
        )
    else:
        _LOT.many(s, [{"id": lot, "remaining": points} for lot, points in changed])


def _update_accounts(s: ScopedSession, states: Sequence[AccountState]) -> None:
    if len(states) > _FEW and s.dialect == "postgresql":
        _ACCOUNTS(
            s,
            ids=[state.id for state in states],
            balances=[state.balance for state in states],
            debts=[state.debt for state in states],
            seqs=[state.seq for state in states],
            lasts=[state.last_at for state in states],
            idles=[state.idle_at for state in states],
        )
        return
    _ACCOUNT.many(
        s,
        [
            {
                "id": state.id,
                "balance": state.balance,
                "debt": state.debt,
                "seq": state.seq,
                "last_at": state.last_at,
                "idle_at": state.idle_at,
            }
            for state in states
        ],
    )


def business_date(at: datetime, zone: tzinfo) -> date:
    """The store's calendar day of a moment."""
    return at.astimezone(zone).date()
