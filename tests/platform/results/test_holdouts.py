"""Who is held out is drawn by chance that anybody can do again, alike on both databases."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from highstreet.customers import service as customers
from highstreet.customers.models import Customer
from highstreet.results import holdouts
from highstreet_tenants import draws
from highstreet_tenants.errors import Forbidden, Invalid
from rooms_given import Floor, floor

__all__ = ["floor"]


def test_the_same_number_comes_of_the_same_id_everywhere(floor: Floor) -> None:
    # By sha256sum of "seed" and the 32 digits: 57b38ae…, 91,961,518, of which the last four.
    known = UUID("0193e0a0-0000-7000-8000-00000000002a")
    assert draws.draw("seed", known) == 1518
    with floor.till(floor.club) as s:
        ids = [customers.enrol(s, name=f"C{number}").id for number in range(30)]
        query = sa.select(Customer.id, draws.Drawn("seed", Customer.id))
        assert dict(s.execute(query).all()) == {one: draws.draw("seed", one) for one in ids}
        none = s.scalar(sa.select(draws.Drawn("seed", sa.cast(sa.null(), sa.Uuid()))))
        assert none is None


def test_a_share_is_about_that_share_and_other_seeds_hold_out_others() -> None:
    ids = [uuid4() for _each in range(20_000)]
    one = {each for each in ids if draws.draw("a", each) < 1000}
    other = {each for each in ids if draws.draw("b", each) < 1000}
    assert 1800 < len(one) < 2200 and 1800 < len(other) < 2200
    assert 130 < len(one & other) < 270, "independent: a tenth of a tenth in both"


def test_a_larger_share_holds_out_the_same_and_more(floor: Floor) -> None:
    ids = [uuid4() for _each in range(500)]
    with floor.office(floor.club) as s:
        few = holdouts.hold_out(s, "", 500)
        held = {one for one in ids if holdouts.is_held(few, one)}
        more = holdouts.hold_out(s, "", 2000)
        assert more.seed == few.seed
        assert held < {one for one in ids if holdouts.is_held(more, one)}
        none = holdouts.hold_out(s, "", 0)
        assert not [one for one in ids if holdouts.is_held(none, one)] and none.until
        assert holdouts.hold_out(s, "mailing:x", 500).seed != few.seed
    with floor.till(floor.club) as s:
        assert holdouts.of_use(s, "") == none
        with pytest.raises(Forbidden):
            holdouts.hold_out(s, "", 500)
        for share in (-1, 5001, 1.5, True):
            with pytest.raises(Invalid):
                holdouts.hold_out(s, "mailing:y", share)  # type: ignore[arg-type]
