"""Stores join, leave and change what they may, until it begins with them."""

import pytest
import time_machine

from campaigning import BEFORE, double, launched, noon, office
from highstreet.campaigns import answering, drafting, queries
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor

from .conftest import Chain

OLA = Actor("user", None, "Ola Owner")


@pytest.mark.parametrize(
    ("participation", "silent", "joined", "left"),
    [("mandatory", "", "", None), ("opt_out", "", "", "out"), ("opt_in", "silent", "", "out")],
)
def test_who_takes_part(
    chain: Chain, participation: str, silent: str, joined: str, left: str | None
) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(tenancy, chain.shops, double(participation=participation))
        with chain.store(chain.shops, 0, OLA) as s:
            assert queries.heard(s, campaign_id, BEFORE).standing.why == silent
            answering.answer(s, campaign_id, True)
            assert queries.heard(s, campaign_id, BEFORE).standing.why == joined
            if left is None:
                with pytest.raises(Conflict, match="Head office requires it"):
                    answering.answer(s, campaign_id, False)
            else:
                answering.answer(s, campaign_id, False)
                standing = queries.heard(s, campaign_id, BEFORE).standing
                assert (standing.why, standing.reason) == (left, "Ola Owner said no on 28 April.")
        with office(tenancy, chain.shops) as s:
            found = queries.standings(s, queries.get(s, campaign_id), BEFORE)
            assert [one.why for one in found] == [left or "", silent]  # the other was not touched


def test_nothing_is_answered_once_it_has_begun_or_was_stopped(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(tenancy, chain.club, double(participation="opt_out"))
    with (
        time_machine.travel(noon(), tick=False),
        chain.store(chain.club) as s,
        pytest.raises(Conflict, match="It has begun"),
    ):
        answering.answer(s, campaign_id, False)
    with time_machine.travel(BEFORE, tick=False):
        with office(tenancy, chain.club) as s:
            drafting.stop(s, campaign_id)
        with chain.store(chain.club) as s, pytest.raises(Conflict, match="stopped it"):
            answering.answer(s, campaign_id, False)


def test_a_store_changes_what_it_may_within_its_bounds(chain: Chain) -> None:
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(
            chain.database.tenancy,
            chain.club,
            double(bounds={"percent": {"min": 150, "max": 300}}),
        )
        with chain.store(chain.club) as s:
            for own, words in (
                ({"percent": 301}, "from 150 to 300"),
                ({"percent": "200"}, "from 150 to 300"),
                ({"percent": True}, "from 150 to 300"),
                ({"min_minor": 5}, "does not let"),
            ):
                with pytest.raises(Invalid) as refused:
                    answering.change_terms(s, campaign_id, own)
                assert words in str(refused.value.fields)
            answering.change_terms(s, campaign_id, {"percent": 300})
            standing = queries.heard(s, campaign_id, BEFORE).standing
            assert (standing.terms["percent"], standing.own) == (300, {"percent": 300})
            answering.change_terms(s, campaign_id, {"percent": 200})  # as head office has it
            assert queries.heard(s, campaign_id, BEFORE).standing.own == {}


def test_head_office_and_strangers_do_not_answer(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(
            tenancy,
            chain.club,
            double(participation="opt_in", reach="stores", stores=[chain.club.stores[0].id]),
        )
        with office(tenancy, chain.club) as s, pytest.raises(Forbidden):
            answering.answer(s, campaign_id, True)
        for brand, number in ((chain.club, 1), (chain.shops, 0)):
            with chain.store(brand, number) as s, pytest.raises(NotFound):
                answering.answer(s, campaign_id, True)
        with chain.store(chain.club) as s, pytest.raises(NotFound):
            answering.answer(s, new_id(), True)
