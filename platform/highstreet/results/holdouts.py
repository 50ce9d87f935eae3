"""Holdouts: households that get nothing, so that a mailing's effect can be told from chance.

Who is held out is drawn by household (post reaches the house, and people in it talk), from a seed
that is kept: the same people for ever, and anybody can do it again (`highstreet_tenants.draws`).
A mailing has a holdout of its own; besides, the brand may hold out a share of households from
everything, for without it who is held out here is reached by the next mailing. An expert's share is
5 to 20 percent.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.results.aggregates import HELD_OUT
from highstreet.results.models import Holdout
from highstreet_tenants import draws
from highstreet_tenants.aggregates import run
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Forbidden
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

#: Half of all: who wants to hold out more wants to send to fewer.
MOST = draws.OF // 2


class HoldoutFact(Struct, frozen=True):
    """A holdout. used_for: "" for the brand's own, over everything, else such as "mailing:<id>".
    share: hundredths of a percent, 0 to 5,000. since, until: UTC."""

    id: UUID
    used_for: str
    seed: str
    share: int
    since: datetime
    until: datetime | None


def hold_out(s: ScopedSession, used_for: str, share: int) -> HoldoutFact:
    """Hold out a share of the households from a use, or from everything (""): from now on.

    The same share again keeps the seed and so the same households; another share of it holds out
    more or fewer of them, never others. Raises Invalid, and Forbidden for a store that would hold
    out from everything.
    """
    if isinstance(share, bool) or not isinstance(share, int) or not 0 <= share <= MOST:
        raise bad("share", _("Hold out from 0 to 50 percent."))
    if not used_for and s.store_id is not None:
        raise Forbidden(_("Head office decides who is held out from everything."))
    row = _row(s, used_for)
    if row is None:
        row = Holdout(
            brand_id=s.brand_id,
            id=new_id(),
            store_id=s.store_id,
            used_for=used_for,
            seed=secrets.token_hex(8),
            since=now(),
        )
        s.add(row)
    changed = row.share != share
    row.share, row.until = share, (None if share else now())
    s.flush()
    if not used_for and changed:
        record(s, "holdout.set", "holdout", row.id, details={"percent": share / 100})
    return _fact(row)


def loosens(s: ScopedSession, share: int) -> bool:
    """Whether households that are held out from everything would be contacted again by a share."""
    row = _row(s, "")
    return row is not None and share < row.share


def of_use(s: ScopedSession, used_for: str) -> HoldoutFact | None:
    """The holdout of a use, or the brand's own for ""; None where there never was one."""
    row = _row(s, used_for)
    return None if row is None else _fact(row)


def households(s: ScopedSession, holdout: HoldoutFact) -> int | None:
    """How many households a holdout holds out as things stand now, from an aggregate scope as from
    any other; None where they are too few people to be told of."""
    cells = run(s, HELD_OUT, seed=holdout.seed, share=holdout.share)
    return next((cell["households"] for cell in cells if cell["held"]), 0)


def held(holdout: HoldoutFact | None, unit: Any) -> sa.ColumnElement[bool]:
    """Whether a column of ids (the household's, or the customer's who has none) is held out."""
    if holdout is None or not holdout.share:
        return sa.literal_column("1") == sa.literal_column("0")
    return draws.Drawn(holdout.seed, unit) < holdout.share


def is_held(holdout: HoldoutFact | None, unit: UUID) -> bool:
    """The same of one id."""
    return holdout is not None and draws.draw(holdout.seed, unit) < holdout.share


def _row(s: ScopedSession, used_for: str) -> Holdout | None:
    return s.scalar(sa.select(Holdout).where(Holdout.used_for == used_for))


def _fact(row: Holdout) -> HoldoutFact:
    return HoldoutFact(row.id, row.used_for, row.seed, row.share, row.since, row.until)
