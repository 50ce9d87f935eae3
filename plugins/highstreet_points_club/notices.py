"""E-mails to one member: points that are about to lapse, a reward that waits. Off unless set."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from highstreet.sdk import Ctx, Notice, Statement, own
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import rules
from highstreet_points_club.rules import NAME

if TYPE_CHECKING:
    from highstreet_points_club.accounts import Locked
    from highstreet_points_club.issuing import Issued

CHUNK = 500
"""Members per transaction."""
#: A reward that came longer ago is told of no more: a file brings years of purchases at once.
FRESH = timedelta(days=1)

LAPSING = Notice(
    f"{NAME}.lapsing",
    _l("Points are about to lapse"),
    _l("{{ points }} {{ unit }} lapse on {{ day }}"),
    _l(
        "Hello {{ name }},\n\n{{ points }} {{ unit }} of yours at {{ store }} lapse on {{ day }}."
        " Spend them before that day.\n"
    ),
    {"points": 120, "unit": "points", "day": "2026-12-31"},
)
WAITING = Notice(
    f"{NAME}.reward_waiting",
    _l("A reward waits"),
    _l("Your reward waits: {{ reward }}"),
    _l(
        "Hello {{ name }},\n\nyou have earned {{ reward }}. It waits for you at {{ store }}"
        "{% if until != '' %} until {{ until }}{% endif %}: show your card at the till.\n"
    ),
    {"reward": "Coffee", "until": "2026-12-31"},
)

# "<> 0" is what the indexes of open lots say; debts are no points that lapse.
_SOON = Statement(
    "SELECT a.id, a.customer_id, MIN(l.expires_at) AS first_at FROM points_club_lot AS l"
    " JOIN points_club_account AS a ON a.brand_id = l.brand_id AND a.id = l.account_id"
    " WHERE l.expires_at > :at AND l.expires_at <= :until AND l.at_store_id = :at_store"
    " AND l.remaining <> 0 AND l.remaining > 0 AND a.customer_id IS NOT NULL"
    " AND a.balance > 0 AND a.id > :behind"
    f" AND {own('l')} AND {own('a')} GROUP BY a.id, a.customer_id ORDER BY a.id LIMIT :most",
    types={"id": UUID, "customer_id": UUID, "first_at": datetime},
)
_THEN = Statement(
    "SELECT COALESCE(SUM(l.remaining), 0) FROM points_club_lot AS l"
    " WHERE l.account_id = :account_id AND l.remaining <> 0 AND l.remaining > 0"
    " AND l.expires_at > :at"
    f" AND l.expires_at <= :until AND {own('l')}",
    returns="value",
)


def lapsing(ctx: Ctx, behind: UUID | None = None) -> UUID | None:
    """Tell members whose points of this store lapse within the days that the settings say, once for
    each day on which some lapse. At most CHUNK at a time; gives the id behind which to go on."""
    days = int(ctx.settings()["lapse_notice_days"])
    if not days:
        return None
    at = ctx.now()
    rows = _SOON(
        ctx.s,
        at=at,
        until=at + timedelta(days=days),
        at_store=ctx.store_id,
        behind=behind or UUID(int=0),
        most=CHUNK,
    )
    zone, unit = rules.place(ctx).zone, str(ctx.settings()["unit_many"])
    for account_id, customer_id, first_at in rows:
        # The last moment at which they still count: what ends at midnight ends with the day before.
        day = (first_at - timedelta(seconds=1)).astimezone(zone).date().isoformat()
        points = int(_THEN(ctx.s, account_id=account_id, at=at, until=first_at))
        ctx.mail.notice(
            customer_id,
            LAPSING.name,
            {"points": points, "unit": unit, "day": day},
            key=day,
            not_after=first_at,
        )
    return rows[-1][0] if len(rows) == CHUNK else None


def waiting(ctx: Ctx, rewards: Iterable[tuple["Issued", "Locked", UUID | None]]) -> None:
    """Tell members of rewards that came by themselves just now, once each."""
    for reward, account, store_id in rewards:
        if reward.status != "issued" or not reward.automatic or account.customer_id is None:
            continue
        place = store_id or ctx.store_id
        if reward.issued_at < ctx.now() - FRESH or not ctx.settings(place)["reward_notice"]:
            continue
        zone = rules.place(ctx, place).zone
        until = "" if reward.ends_at is None else reward.ends_at.astimezone(zone).date().isoformat()
        ctx.mail.notice(
            account.customer_id,
            WAITING.name,
            {"reward": reward.name, "until": until},
            key=reward.id.hex,
        )


NOTICES = (LAPSING, WAITING)
