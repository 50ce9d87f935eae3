"""Accounts: opening them, and reading them under their lock into the ledger's states."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from highstreet.sdk import ScopedSession, Statement, bulk, new_id, own
from highstreet_points_club.ledger import AccountState, Hold, Lot
from highstreet_points_club.models import Account

_TYPES: dict[str, type] = {
    "id": UUID,
    "account_id": UUID,
    "customer_id": UUID,
    "owner_id": UUID,
    "lot_id": UUID,
    "at_store_id": UUID,
    "merged_into_id": UUID,
    "last_at": datetime,
    "idle_at": datetime,
    "idle": bool,
    "earned_at": datetime,
    "activates_at": datetime,
    "expires_at": datetime,
}
#: Up to so many accounts are opened row by row.
_FEW = 40
_COLUMNS = (
    "a.id, a.customer_id, a.store_id AS owner_id, a.balance, a.debt, a.seq, a.last_at, a.idle_at"
)


def _any(column: str, bind: str) -> dict[str, str]:
    """`column` is one of a list, in each database's own words."""
    return {"sqlite": f"{column} IN (SELECT value FROM json_each(:{bind}))",
            "postgresql": f"{column} = ANY(:{bind})"}  # fmt: skip


def _both(text: str, column: str, bind: str, *, after: str = "", lock: str = "") -> Statement:
    words = _any(column, bind)
    return Statement(
        text.format(any=words["sqlite"]) + after,
        postgresql=text.format(any=words["postgresql"]) + after + lock,
        types=_TYPES,
    )


# In the order of ids, so that two writers can't wait for each other. Rows that point at an account
# may be written meanwhile: its key does not change.
_LOCK = _both(
    f"SELECT {_COLUMNS} FROM points_club_account AS a WHERE {{any}} AND {own('a')}",
    "a.id",
    "ids",
    after=" ORDER BY a.id",
    lock=" FOR NO KEY UPDATE",
)
_LOCK_OF = _both(
    f"SELECT {_COLUMNS} FROM points_club_account AS a WHERE {{any}} AND {own('a')}",
    "a.customer_id",
    "customers",
    after=" ORDER BY a.id",
    lock=" FOR NO KEY UPDATE",
)
_LOOK = Statement(
    f"SELECT {_COLUMNS} FROM points_club_account AS a WHERE a.id = :id AND {own('a')}",
    returns="row",
    types=_TYPES,
)
_LOTS = _both(
    "SELECT l.account_id, l.id, l.points, l.remaining, l.earned_at, l.activates_at, l.expires_at,"
    " l.at_store_id, l.idle FROM points_club_lot AS l"
    f" WHERE {{any}} AND l.remaining <> 0 AND {own('l')}",
    "l.account_id",
    "ids",
    after=" ORDER BY l.id",
)
_LOTS_BY_ID = _both(
    "SELECT l.account_id, l.id, l.points, l.remaining, l.earned_at, l.activates_at, l.expires_at,"
    f" l.at_store_id, l.idle FROM points_club_lot AS l WHERE {{any}} AND {own('l')}",
    "l.id",
    "ids",
    after=" ORDER BY l.id",
)
_HELD = _both(
    "SELECT r.account_id, r.id, r.points, p.lot_id, p.points AS part"
    " FROM points_club_reward AS r"
    " JOIN points_club_allocation AS p ON p.brand_id = r.brand_id AND p.entry_id = r.id"
    f" WHERE {{any}} AND r.status = 'issued' AND {own('r')} AND {own('p')}",
    "r.account_id",
    "ids",
    after=" ORDER BY r.id, p.id",
)
_SPENT = Statement(
    "SELECT p.lot_id, p.points FROM points_club_allocation AS p"
    f" WHERE p.entry_id = :entry_id AND {own('p')} ORDER BY p.id",
    types=_TYPES,
)
_OPEN = Statement(
    "INSERT INTO points_club_account (brand_id, id, store_id, customer_id, balance, debt, seq,"
    " opened_at) VALUES (:brand_id, :id, :owner_store_id, :customer_id, 0, 0, 0, :opened_at)"
    " ON CONFLICT (brand_id, customer_id) DO NOTHING",
    returns="none",
)
_ROOT = Statement(
    f"SELECT a.id, a.merged_into_id FROM points_club_account AS a WHERE a.id = :id AND {own('a')}",
    returns="row",
    types=_TYPES,
)
_LINEAGE = _both(
    f"SELECT a.id, a.merged_into_id FROM points_club_account AS a WHERE {{any}} AND {own('a')}",
    "a.merged_into_id",
    "ids",
    after=" ORDER BY a.id",
)
_OF = Statement(
    f"SELECT a.id FROM points_club_account AS a WHERE a.customer_id = :customer_id AND {own('a')}",
    returns="value",
    types=_TYPES,
)


class Locked(NamedTuple):
    """An account whose row nobody else can write. owner_id: the store that owns it, if one does."""

    id: UUID
    customer_id: UUID | None
    owner_id: UUID | None
    balance: int
    debt: int
    seq: int
    last_at: datetime | None
    idle_at: datetime | None


def open_many(s: ScopedSession, owners: Iterable[tuple[UUID, UUID | None]], at: datetime) -> None:
    """Accounts for (customer, owning store); those that exist stay as they are."""
    wanted = list(owners)
    if len(wanted) <= _FEW:
        _OPEN.many(
            s,
            [
                {"id": new_id(), "customer_id": customer, "owner_store_id": owner, "opened_at": at}
                for customer, owner in wanted
            ],
        )
        return
    rows = [
        {
            "id": new_id(),
            "store_id": owner,
            "customer_id": customer,
            "balance": 0,
            "debt": 0,
            "seq": 0,
            "opened_at": at,
        }
        for customer, owner in wanted
    ]
    bulk.insert(s, Account.metadata.tables[Account.__tablename__], rows, ignore_conflicts=True)


def lock(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, Locked]:
    """Lock these accounts; gives them as they are now. Those out of reach are missing."""
    return {row[0]: Locked(*row) for row in _LOCK(s, ids=sorted(ids))}


def lock_of(s: ScopedSession, customers: Iterable[UUID]) -> dict[UUID, Locked]:
    """Lock the accounts of these customers; gives them by customer."""
    return {row[1]: Locked(*row) for row in _LOCK_OF(s, customers=sorted(customers))}


def look(s: ScopedSession, account_id: UUID) -> Locked:
    """An account within reach as it is, without a lock: for reading only."""
    return Locked(*_LOOK(s, id=account_id))


def states(s: ScopedSession, locked: Sequence[Locked]) -> dict[UUID, AccountState]:
    """The ledger's states of locked accounts: open lots, holds, and the lots that those need."""
    ids = [account.id for account in locked]
    lots: dict[UUID, dict[UUID, Lot]] = {one: {} for one in ids}
    for row in _LOTS(s, ids=ids):
        lots[row[0]][row[1]] = Lot(*row[1:])
    parts: dict[UUID, dict[UUID, tuple[int, list[tuple[UUID, int]]]]] = {one: {} for one in ids}
    needed = []
    for account_id, hold_id, points, lot_id, part in _HELD(s, ids=ids):
        parts[account_id].setdefault(hold_id, (points, []))[1].append((lot_id, part))
        if lot_id not in lots[account_id]:
            needed.append(lot_id)
    for row in _LOTS_BY_ID(s, ids=needed) if needed else ():
        lots[row[0]][row[1]] = Lot(*row[1:])
    return {
        one.id: AccountState(
            one.id,
            one.balance,
            one.seq,
            one.last_at,
            tuple(lots[one.id].values()),
            tuple(
                Hold(hold_id, points, tuple(taken))
                for hold_id, (points, taken) in parts[one.id].items()
            ),
            one.debt,
            one.idle_at,
        )
        for one in locked
    }


def with_spent(
    s: ScopedSession, state: AccountState, hold_id: UUID, points: int
) -> tuple[AccountState, Hold]:
    """The state together with the lots that entry `hold_id` took from, and what it took."""
    taken = tuple((row[0], row[1]) for row in _SPENT(s, entry_id=hold_id))
    known = {lot.id for lot in state.lots}
    missing = [lot_id for lot_id, _points in taken if lot_id not in known]
    more = tuple(Lot(*row[1:]) for row in _LOTS_BY_ID(s, ids=missing)) if missing else ()
    return replace(state, lots=(*state.lots, *more)), Hold(hold_id, points, taken)


def of_customer(s: ScopedSession, customer_id: UUID) -> UUID | None:
    """The customer's account, if there is one."""
    found: UUID | None = _OF(s, customer_id=customer_id)
    return found


def root(s: ScopedSession, account_id: UUID) -> UUID | None:
    """The account that holds these points now: another, if it was merged. None: out of reach."""
    row = _ROOT(s, id=account_id)
    while row is not None and row[1] is not None:
        row = _ROOT(s, id=row[1])
    return None if row is None else row[0]


def lineage(s: ScopedSession, account_id: UUID) -> list[UUID]:
    """The account and all that were merged into it; their entries are its history."""
    return list(lineages(s, [account_id]))


def lineages(s: ScopedSession, ids: Iterable[UUID]) -> dict[UUID, UUID]:
    """These accounts and all that were merged into them, each with the one of `ids` it is now."""
    found = {one: one for one in ids}
    latest = sorted(found)
    while latest:
        rows = [row for row in _LINEAGE(s, ids=latest) if row[0] not in found]
        found |= {account_id: found[into] for account_id, into in rows}
        latest = [row[0] for row in rows]
    return found
