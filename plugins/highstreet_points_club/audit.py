"""Every balance derived again from the ledger, set by set, and whatever differs.

Each check is one grouped query over everything within the session's reach, so an audit of a brand
reads each table a few times, however many members it has.
"""

from collections.abc import Iterator
from uuid import UUID

from msgspec import Struct

from highstreet.sdk import ScopedSession, Statement, own
from highstreet.sdk import lazy_gettext as _l

_TYPES: dict[str, type] = {"id": UUID}
_ACCOUNTS = Statement(
    f"SELECT COUNT(*) FROM points_club_account AS a WHERE {own('a')}", returns="value"
)
_MERGES = "('merge_in', 'merge_out', 'unmerge_in', 'unmerge_out')"


class Difference(Struct, frozen=True):
    """Something that does not add up. about: "account", "lot", "entry" or "reward"; what: words."""

    about: str
    id: UUID
    what: str
    expected: int
    found: int


def _check(about: str, what: object, sql: str) -> tuple[str, object, Statement]:
    return about, what, Statement(sql, types=_TYPES)


#: Each gives (id, expected, found) of the rows that are wrong.
_CHECKS = (
    _check(
        "account",
        _l("The balance is not the sum of the entries"),
        "SELECT a.id, COALESCE(x.points, 0), a.balance FROM points_club_account AS a LEFT JOIN"
        " (SELECT e.account_id, SUM(e.points) AS points FROM points_club_entry AS e"
        f"  WHERE {own('e')} GROUP BY e.account_id) AS x ON x.account_id = a.id"
        f" WHERE {own('a')} AND a.balance <> COALESCE(x.points, 0)",
    ),
    _check(
        "account",
        _l("The balance is not the sum of the lots"),
        "SELECT a.id, COALESCE(x.points, 0), a.balance FROM points_club_account AS a LEFT JOIN"
        " (SELECT l.account_id, SUM(l.remaining) AS points FROM points_club_lot AS l"
        f"  WHERE l.remaining <> 0 AND {own('l')} GROUP BY l.account_id) AS x"
        f" ON x.account_id = a.id WHERE {own('a')} AND a.balance <> COALESCE(x.points, 0)",
    ),
    _check(
        "account",
        _l("The debt is not what the debt lots hold"),
        "SELECT a.id, COALESCE(x.points, 0), a.debt FROM points_club_account AS a LEFT JOIN"
        " (SELECT l.account_id, -SUM(l.remaining) AS points FROM points_club_lot AS l"
        f"  WHERE l.remaining < 0 AND {own('l')} GROUP BY l.account_id) AS x"
        f" ON x.account_id = a.id WHERE {own('a')} AND a.debt <> COALESCE(x.points, 0)",
    ),
    _check(
        "account",
        _l("Points are open beside a debt"),
        "SELECT a.id, 0, SUM(l.remaining) FROM points_club_account AS a"
        " JOIN points_club_lot AS l ON l.brand_id = a.brand_id AND l.account_id = a.id"
        f" WHERE a.debt > 0 AND l.remaining > 0 AND {own('a')} AND {own('l')} GROUP BY a.id",
    ),
    _check(
        "account",
        _l("Entries are missing: their numbers have a gap"),
        "SELECT a.id, COALESCE(x.many, 0), a.seq FROM points_club_account AS a LEFT JOIN"
        " (SELECT e.account_id, COUNT(*) AS many, MAX(e.seq) AS last FROM points_club_entry AS e"
        f"  WHERE {own('e')} GROUP BY e.account_id) AS x ON x.account_id = a.id"
        f" WHERE {own('a')} AND (a.seq <> COALESCE(x.many, 0) OR a.seq <> COALESCE(x.last, 0))",
    ),
    _check(
        "lot",
        _l("What is left of a lot is not its points and its allocations"),
        "SELECT l.id, l.points + COALESCE(x.points, 0), l.remaining FROM points_club_lot AS l"
        " LEFT JOIN (SELECT p.lot_id, SUM(p.points) AS points FROM points_club_allocation AS p"
        f"  WHERE {own('p')} GROUP BY p.lot_id) AS x ON x.lot_id = l.id"
        f" WHERE {own('l')} AND l.remaining <> l.points + COALESCE(x.points, 0)",
    ),
    _check(
        "entry",
        _l("An entry's points are not its lot and its allocations"),
        "SELECT e.id, COALESCE(l.points, 0) + COALESCE(x.points, 0), e.points"
        " FROM points_club_entry AS e"
        " LEFT JOIN points_club_lot AS l ON l.brand_id = e.brand_id AND l.id = e.id"
        f" AND {own('l')} LEFT JOIN (SELECT p.entry_id, SUM(p.points) AS points"
        f"  FROM points_club_allocation AS p WHERE {own('p')} GROUP BY p.entry_id) AS x"
        f" ON x.entry_id = e.id WHERE {own('e')} AND e.kind NOT IN {_MERGES}"
        " AND e.points <> COALESCE(l.points, 0) + COALESCE(x.points, 0)",
    ),
    _check(
        "entry",
        _l("What a merge brought is not what left the other account"),
        "SELECT e.id, -COALESCE(o.points, 0), e.points FROM points_club_entry AS e"
        " LEFT JOIN points_club_entry AS o ON o.brand_id = e.brand_id AND o.id = e.reverses_id"
        f" AND o.kind IN ('merge_out', 'unmerge_out') AND {own('o')}"
        f" WHERE e.kind IN ('merge_in', 'unmerge_in') AND {own('e')}"
        " AND e.points <> -COALESCE(o.points, 0)",
    ),
    _check(
        "entry",
        _l("More was taken back than was earned"),
        "SELECT e.id, e.points, x.points FROM points_club_entry AS e JOIN"
        " (SELECT b.reverses_id, -SUM(b.points) AS points FROM points_club_entry AS b"
        f"  WHERE b.kind = 'reverse_earn' AND {own('b')} GROUP BY b.reverses_id) AS x"
        f" ON x.reverses_id = e.id WHERE {own('e')} AND x.points > e.points",
    ),
    _check(
        "entry",
        _l("Campaigns gave more of its points than there are"),
        "SELECT e.id, e.points, x.points FROM points_club_entry AS e JOIN"
        " (SELECT g.entry_id, SUM(g.points) AS points, MIN(g.points) AS least"
        f"  FROM points_club_gain AS g WHERE {own('g')} GROUP BY g.entry_id) AS x"
        f" ON x.entry_id = e.id WHERE {own('e')} AND (e.kind NOT IN ('earn', 'reverse_earn')"
        " OR e.kind = 'earn' AND (x.points > e.points OR x.least < 0)"
        " OR e.kind = 'reverse_earn' AND x.points < e.points)",
    ),
    _check(
        "entry",
        _l("More was taken back of what a campaign gave than it gave"),
        "SELECT x.id, 0, x.points FROM (SELECT CASE WHEN e.kind = 'earn' THEN e.id"
        " ELSE e.reverses_id END AS id, g.campaign_id, SUM(g.points) AS points"
        " FROM points_club_gain AS g JOIN points_club_entry AS e ON e.brand_id = g.brand_id"
        f" AND e.id = g.entry_id WHERE {own('g')} AND {own('e')} GROUP BY 1, 2) AS x"
        " WHERE x.points < 0",
    ),
    _check(
        "entry",
        _l("More came back than had lapsed"),
        "SELECT e.id, -e.points, x.points FROM points_club_entry AS e JOIN"
        " (SELECT b.reverses_id, SUM(b.points) AS points FROM points_club_entry AS b"
        f"  WHERE b.kind = 'revive' AND {own('b')} GROUP BY b.reverses_id) AS x"
        f" ON x.reverses_id = e.id WHERE {own('e')}"
        " AND (x.points > -e.points OR e.kind <> 'expire')",
    ),
    _check(
        "entry",
        _l("An entry does what its kind does not"),
        "SELECT e.id, 0, e.points FROM points_club_entry AS e"
        " LEFT JOIN points_club_entry AS r ON r.brand_id = e.brand_id AND r.id = e.reverses_id"
        f" AND {own('r')} WHERE {own('e')} AND CASE e.kind"
        " WHEN 'earn' THEN e.points <= 0 OR e.purchase_id IS NULL"
        " WHEN 'reverse_earn' THEN e.points > 0 OR COALESCE(r.kind, '') <> 'earn'"
        " WHEN 'release' THEN e.points <= 0 OR COALESCE(r.kind, '') <> 'hold'"
        " WHEN 'reverse_burn' THEN e.points <= 0 OR COALESCE(r.kind, '') NOT IN ('hold', 'burn')"
        " WHEN 'revive' THEN e.points <= 0 OR COALESCE(r.kind, '') <> 'expire'"
        " WHEN 'burn' THEN e.points >= 0 WHEN 'hold' THEN e.points >= 0"
        " WHEN 'expire' THEN e.points >= 0 WHEN 'adjust' THEN e.points = 0"
        " WHEN 'welcome' THEN e.points <= 0 WHEN 'birthday' THEN e.points <= 0"
        " WHEN 'opening' THEN e.points = 0 ELSE e.points <> e.points END",
    ),
    _check(
        "lot",
        _l("A lot is owed by another store than gave it"),
        "SELECT l.id, 0, l.points FROM points_club_lot AS l"
        " JOIN points_club_entry AS e ON e.brand_id = l.brand_id AND e.id = l.id"
        " LEFT JOIN points_club_entry AS r ON r.brand_id = e.brand_id AND r.id = e.reverses_id"
        f" AND e.kind = 'reverse_earn' AND {own('r')} WHERE {own('l')} AND {own('e')}"
        " AND COALESCE(CAST(l.at_store_id AS text), '') <> COALESCE(CAST("
        "CASE WHEN e.kind = 'reverse_earn' THEN r.at_store_id ELSE e.at_store_id END AS text), '')",
    ),
    _check(
        "reward",
        _l("A reward is another member's than the points it cost"),
        "SELECT w.id, 0, w.points FROM points_club_reward AS w"
        " JOIN points_club_entry AS e ON e.brand_id = w.brand_id AND e.id = w.id"
        " JOIN points_club_account AS a ON a.brand_id = e.brand_id AND a.id = e.account_id"
        f" WHERE {own('w')} AND {own('e')} AND {own('a')}"
        " AND w.account_id <> e.account_id AND a.merged_into_id IS NULL",
    ),
    _check(
        "reward",
        _l("A reward waits beside a debt"),
        "SELECT w.id, 0, w.points FROM points_club_reward AS w"
        " JOIN points_club_account AS a ON a.brand_id = w.brand_id AND a.id = w.account_id"
        f" WHERE w.status = 'issued' AND a.debt > 0 AND {own('w')} AND {own('a')}",
    ),
    _check(
        "entry",
        _l("Points were spent without a reward"),
        "SELECT e.id, 0, -e.points FROM points_club_entry AS e"
        " LEFT JOIN points_club_reward AS w ON w.brand_id = e.brand_id AND w.id = e.id"
        f" AND {own('w')} WHERE e.kind IN ('hold', 'burn') AND {own('e')} AND w.id IS NULL",
    ),
    _check(
        "reward",
        _l("A reward cost other points than were spent on it"),
        "SELECT w.id, -e.points, w.points FROM points_club_reward AS w"
        " JOIN points_club_entry AS e ON e.brand_id = w.brand_id AND e.id = w.id"
        f" WHERE {own('w')} AND {own('e')}"
        " AND (w.points <> -e.points OR e.kind NOT IN ('hold', 'burn'))",
    ),
    _check(
        "reward",
        _l("A reward's points went back more, or less, often than it was given back"),
        "SELECT w.id, CASE WHEN w.status IN ('released', 'returned') THEN w.points ELSE 0 END,"
        " COALESCE(x.points, 0) FROM points_club_reward AS w LEFT JOIN"
        " (SELECT b.reverses_id, SUM(b.points) AS points FROM points_club_entry AS b"
        f"  WHERE b.kind IN ('release', 'reverse_burn') AND {own('b')} GROUP BY b.reverses_id) AS x"
        f" ON x.reverses_id = w.id WHERE {own('w')} AND COALESCE(x.points, 0) <>"
        " CASE WHEN w.status IN ('released', 'returned') THEN w.points ELSE 0 END",
    ),
)


def audit(s: ScopedSession) -> tuple[int, list[Difference]]:
    """How many accounts are within the session's reach, and everything that does not add up."""
    return int(_ACCOUNTS(s)), list(_found(s))


def _found(s: ScopedSession) -> Iterator[Difference]:
    for about, what, statement in _CHECKS:
        for row_id, expected, found in statement(s):
            yield Difference(about, row_id, str(what), int(expected), int(found))
