"""Who bought after a mailing, counted by hand: households that got it, and those held out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.mailings import counting, drafting, matching, queries, releasing
from highstreet.mailings.models import Mailing, Piece
from highstreet.purchases import returns
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import LineIn, PurchaseIn, ReturnIn
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid
from mailings_given import member, plan
from rooms_given import Floor

SENT = now().replace(microsecond=123_456) - timedelta(days=30)
MOMENT = timedelta(seconds=1)


def buy(s: Any, who: UUID, ref: str, minor: int, after: timedelta) -> None:
    lines = (LineIn(1, "P1", "Oil", 1, minor),)
    given = PurchaseIn(s.store_id, ref, SENT + after, minor, "GBP", who, lines)
    purchases.record(s, given)


def test_a_household_answers_if_anybody_of_it_buys_in_time(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        ann = member(s, "Ann Lee", "1 High Street")
        bo = member(s, "Bo Lee", "1 High Street")  # gets nothing of its own
        cy = member(s, "Cy Shaw", "2 High Street")
        di = member(s, "Di Moss", "3 High Street")
        ed = member(s, "Ed Fox", "4 High Street")
        fay = member(s, "Fay Ito", "5 High Street")
    with floor.office(floor.club) as s:
        mailing = plan(s)
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        assert [one.pieces for one in counting.by_postcode(s, mailing)] == [5]
        assert matching.match_back(s, mailing, 7).got.units == 0
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
        row = s.get(Mailing, (s.brand_id, mailing))
        row.released_at = SENT
        s.execute(sa.update(Piece).where(Piece.mailing_id == mailing).values(sent_at=SENT))
        for who in (ed, fay):  # as a holdout would have it
            s.execute(
                sa.update(Piece)
                .where(Piece.customer_id == who)
                .values(state="withheld", reason="held_out", unit=None, sent_at=None)
            )
    with floor.till(floor.club) as s:
        buy(s, bo, "1", 500, timedelta(days=1))
        buy(s, ann, "2", 300, timedelta(days=7))  # to the very moment
        buy(s, cy, "3", 900, timedelta(days=7) + MOMENT)  # too late
        buy(s, cy, "4", 900, -MOMENT)  # before
        buy(s, di, "5", 700, timedelta(days=2))
        buy(s, di, "6", 600, timedelta(days=2))
        returns.record_return(s, ReturnIn(s.store_id, "r1", "5", SENT + timedelta(days=3)))
        buy(s, ed, "7", 1_000, timedelta(days=3))
    with floor.office(floor.club) as s:
        told = matching.match_back(s, mailing, 7)
        assert told.got == matching.Matched(3, 2, 3, 500 + 300 + 600)
        assert told.held == matching.Matched(2, 1, 1, 1_000)
        assert told.lift == pytest.approx((2 / 3) / (1 / 2) - 1)
        assert queries.waterfall(s, mailing).sent == 3
        with pytest.raises(Invalid):
            matching.match_back(s, mailing, 0)
