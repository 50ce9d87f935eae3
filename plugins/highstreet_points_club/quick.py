"""The till's way to award: in one statement on PostgreSQL, in three on SQLite.

It knows the ledger's commonest case only: points are added, and nothing else happens. Every other
account it leaves alone; whoever asks goes through the ledger then.
"""

from typing import Any

from highstreet.sdk import Ctx, Statement, new_id, own
from highstreet_points_club import rules
from highstreet_points_club.due import Due

_VALUES = (
    ":id, acc.store_id, acc.id, acc.seq + 1, 'earn', CAST(:points AS bigint), :at_store_id,"
    " :purchase_id, CAST(:amount_minor AS bigint), :rule_id, :occurred_at, :business_date,"
    " :recorded_at, :actor_kind, :actor_id"
)
_ENTRY = (
    "INSERT INTO points_club_entry (brand_id, id, store_id, account_id, seq, kind, points,"
    " at_store_id, purchase_id, amount_minor, rule_id, occurred_at, business_date, recorded_at,"
    " actor_kind, actor_id)"
)
# Nor one that may have lost points because this very visit was not known yet.
_HERE = (
    "AND (acc.idle_at IS NULL OR acc.idle_at > :occurred_at)"
    " AND ({stays} IS NULL OR acc.last_at IS NULL OR acc.last_at <= :occurred_at)"
)
_PG_HERE = _HERE.format(stays="CAST(:idle_at AS timestamptz)")
_LITE_HERE = _HERE.format(stays=":idle_at")
_ONCE = "ON CONFLICT (brand_id, purchase_id) WHERE kind = 'earn' DO NOTHING"

# What campaigns gave of the points, where any did.
_GAIN = (
    "INSERT INTO points_club_gain (brand_id, id, store_id, entry_id, campaign_id, at_store_id,"
    " points)"
)
_PG_GAINS = f"""), g AS (
  {_GAIN} SELECT :brand_id, v.id, acc.store_id, e.id, v.campaign_id, :at_store_id, v.points
  FROM acc, e, unnest(CAST(:gain_ids AS uuid[]), CAST(:campaigns AS uuid[]),
    CAST(:gains AS bigint[])) AS v(id, campaign_id, points)
"""

# PostgreSQL: everything in one statement. Locking the account first makes its `seq` the latest;
# lot and sums follow only from an entry that went in, so a replay leaves no trace. An account in
# debt is left to the slow way, which pays the debt, and so is one whose member stayed away until
# points ended. No row: there is no account yet.
_AWARD_SQL = f"""
WITH acc AS (
  SELECT a.id, a.store_id, a.seq, a.debt, a.balance, a.idle_at, a.last_at
  FROM points_club_account AS a WHERE a.customer_id = :customer_id AND {own("a")} FOR NO KEY UPDATE
), e AS (
  {_ENTRY} SELECT :brand_id, {_VALUES} FROM acc WHERE acc.debt = 0 {_PG_HERE} {_ONCE}
  RETURNING id, account_id
), l AS (
  INSERT INTO points_club_lot (brand_id, id, store_id, account_id, points, remaining, at_store_id,
    earned_at, activates_at, expires_at, idle)
  SELECT :brand_id, e.id, acc.store_id, acc.id, CAST(:points AS bigint), CAST(:points AS bigint),
    :at_store_id, :occurred_at, CAST(:activates_at AS timestamptz),
    CAST(:expires_at AS timestamptz), CAST(:idle_at AS timestamptz) IS NOT NULL FROM acc, e
), u AS (
  UPDATE points_club_account AS a SET balance = a.balance + CAST(:points AS bigint),
    seq = a.seq + 1, last_at = GREATEST(a.last_at, LEAST(:occurred_at, :recorded_at)),
    idle_at = CASE WHEN CAST(:idle_at AS timestamptz) IS NOT NULL
      THEN GREATEST(a.idle_at, CAST(:idle_at AS timestamptz)) END
  FROM e WHERE a.id = e.account_id AND {own("a")} RETURNING a.balance
"""
_AWARD_END = ") SELECT acc.balance, acc.debt, u.balance FROM acc LEFT JOIN u ON true"
_AWARD, _AWARD_GAINS = (
    Statement("SELECT 1", postgresql=f"{_AWARD_SQL}{more}{_AWARD_END}", returns="row")
    for more in ("", _PG_GAINS)
)
# SQLite: one writer at a time, so three plain statements are as safe.
_LITE_ENTRY = Statement(
    f"{_ENTRY} SELECT :brand_id, {_VALUES} FROM points_club_account AS acc"
    f" WHERE acc.customer_id = :customer_id AND acc.debt = 0 {_LITE_HERE} AND {own('acc')} {_ONCE}"
    " RETURNING account_id",
    returns="value",
)
_LITE_LOT = Statement(
    "INSERT INTO points_club_lot (brand_id, id, store_id, account_id, points, remaining,"
    " at_store_id, earned_at, activates_at, expires_at, idle) VALUES (:brand_id, :id,"
    " :owner_store_id, :account_id, :points, :points, :at_store_id, :occurred_at, :activates_at,"
    " :expires_at, :idle_at IS NOT NULL)",
    returns="none",
)
_LITE_GAIN = Statement(
    f"{_GAIN} VALUES (:brand_id, :id, :owner_store_id, :entry_id, :campaign_id, :at_store_id,"
    " :points)",
    returns="none",
)
_LITE_ACCOUNT = Statement(
    "UPDATE points_club_account AS a SET balance = a.balance + :points, seq = a.seq + 1,"
    " last_at = MAX(COALESCE(a.last_at, ''), MIN(:occurred_at, :recorded_at)),"
    " idle_at = MAX(COALESCE(a.idle_at, ''), :idle_at)"  # NULL without a new one
    f" WHERE a.id = :account_id AND {own('a')} RETURNING balance",
    returns="value",
)
FOUND = Statement(
    "SELECT a.balance, a.debt FROM points_club_account AS a"
    f" WHERE a.customer_id = :customer_id AND {own('a')}",
    returns="row",
)


def give(ctx: Ctx, due: Due) -> tuple[int, int, int | None] | None:
    """Add the points, if nothing else is to happen.

    Gives (balance before, debt, balance after); None for the last where nothing was written, None
    for all where there is no account.
    """
    s, purchase, programme = ctx.s, due.purchase, due.programme
    at, zone, actor = purchase.occurred_at, due.place.zone, s.scope.actor
    binds: dict[str, Any] = {
        "id": new_id(),
        "points": due.points,
        "at_store_id": purchase.store_id,
        "occurred_at": at,
        "activates_at": rules.active_from(programme, at, zone),
        "expires_at": rules.expires_at(programme, at, zone),
        "idle_at": rules.idle_at(programme, at, zone),
        "customer_id": due.customer_id,
        "purchase_id": purchase.id,
        "amount_minor": purchase.total_minor,
        "rule_id": programme.rule_id,
        "business_date": purchase.business_date,
        "recorded_at": ctx.now(),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
    }
    if s.dialect == "postgresql":
        statement = _AWARD
        if due.gains:
            statement = _AWARD_GAINS
            binds["gain_ids"] = [new_id() for _one in due.gains]
            binds["campaigns"] = [campaign for campaign, _points in due.gains]
            binds["gains"] = [points for _campaign, points in due.gains]
        row: tuple[int, int, int | None] | None = statement(s, **binds)
        return row
    account_id = _LITE_ENTRY(s, **binds)
    if account_id is None:
        found = FOUND(s, customer_id=due.customer_id)
        return None if found is None else (*found, None)
    owner_id = purchase.store_id if s.customers == "store" else None
    _LITE_LOT(s, **binds, owner_store_id=owner_id, account_id=account_id)
    if due.gains:
        _LITE_GAIN.many(
            s,
            [
                {
                    "id": new_id(),
                    "owner_store_id": owner_id,
                    "entry_id": binds["id"],
                    "campaign_id": campaign,
                    "at_store_id": purchase.store_id,
                    "points": points,
                }
                for campaign, points in due.gains
            ],
        )
    balance = _LITE_ACCOUNT(
        s,
        points=due.points,
        occurred_at=at,
        recorded_at=binds["recorded_at"],
        idle_at=binds["idle_at"],
        account_id=account_id,
    )
    return balance - due.points, 0, balance
