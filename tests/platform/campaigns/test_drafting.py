"""From draft to launch: who approved what, what can't be so, and what is void."""

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine

from campaigning import BEFORE, FIRST, HEAD, IMKE, double, launched, noon, office
from highstreet.campaigns import drafting, queries
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.ids import new_id

from .conftest import Chain


def test_each_step_is_written_down_with_who_took_it(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with time_machine.travel(BEFORE, tick=False):
        campaign_id = launched(tenancy, chain.club)
    with office(tenancy, chain.club) as s:
        campaign = queries.get(s, campaign_id)
        states = [queries.state_of(campaign, at) for at in (BEFORE, noon(), noon(7))]
        assert states == ["scheduled", "running", "finished"]
        with time_machine.travel(noon(), tick=False):
            drafting.stop(s, campaign_id, reason="Sold out")
        assert queries.state_of(campaign, noon()) == "stopped"
        taken = [(one.action, one.actor_name) for one in queries.steps(s, campaign_id)]
        assert sorted(taken) == [
            ("campaign.approved", HEAD.name),
            ("campaign.drafted", IMKE.name),
            ("campaign.launched", HEAD.name),
            ("campaign.stopped", HEAD.name),
        ]


def test_a_change_takes_the_approval_away(chain: Chain) -> None:
    with office(chain.database.tenancy, chain.club) as s, time_machine.travel(BEFORE, tick=False):
        campaign_id = drafting.draft(s, double())
        with pytest.raises(Conflict, match="Only what is approved"):
            drafting.launch(s, campaign_id)
        drafting.approve(s, campaign_id)
        drafting.change(s, campaign_id, double(terms={"percent": 300}))
        campaign = queries.get(s, campaign_id)
        assert (campaign.status, campaign.approved_by) == ("draft", None)
        with pytest.raises(Conflict, match="Only what is approved"):
            drafting.launch(s, campaign_id)


def test_what_was_changed_meanwhile_is_not_approved_unseen(chain: Chain) -> None:
    with office(chain.database.tenancy, chain.club, IMKE) as s:
        campaign_id = drafting.draft(s, double())
        seen = queries.get(s, campaign_id).changed_at
        drafting.change(s, campaign_id, double(terms={"percent": 900}))
        with pytest.raises(Conflict, match="changed meanwhile by Imke Marketing"):
            drafting.approve(s, campaign_id, seen=seen)
        drafting.approve(s, campaign_id, seen=queries.get(s, campaign_id).changed_at)


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"name": "  "}, "name", "needed"),
        ({"name": "x" * 81}, "name", "80 characters"),
        ({"last_day": FIRST - timedelta(days=1)}, "last_day", "before the first"),
        ({"last_day": FIRST + timedelta(days=400)}, "last_day", "a year at most"),
        ({"first_day": date(1, 1, 1), "last_day": date(1, 1, 2)}, "first_day", "2000 to 2200"),
        ({"participation": "perhaps"}, "participation", "mandatory"),
        ({"terms": {"percent": 100}}, "terms.percent", "from 101 to 1000"),
        ({"terms": {"per_cent": 200}}, "terms.per_cent", "no such setting"),
        ({"reach": "regions"}, "regions", "at least one"),
        ({"reach": "stores", "stores": [new_id()]}, "stores", "not in this brand"),
        ({"bounds": {"percent": {"min": 200}}}, "bounds.percent", "from which to which"),
        ({"bounds": {"percent": {"min": 300, "max": 200}}}, "bounds.percent", "smaller bound"),
        ({"bounds": {"percent": {"min": 210, "max": 300}}}, "bounds.percent", "Your own value"),
        ({"bounds": {"percent": {"min": 50, "max": 300}}}, "bounds.percent", "from 101 to 1000"),
        ({"bounds": {"title": {}}}, "bounds.title", "can't change this"),
    ],
)
def test_what_can_t_be_so_is_told_by_field(
    chain: Chain, given: dict[str, Any], field: str, words: str
) -> None:
    with office(chain.database.tenancy, chain.club) as s:
        with pytest.raises(Invalid) as refused:
            drafting.draft(s, double(**given))
        assert words in " ".join(refused.value.fields[field])
        assert queries.listed(s) == []


def test_a_store_and_another_brand_have_no_say(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with office(tenancy, chain.club) as s:
        campaign_id = drafting.draft(s, double())
    with chain.store(chain.club) as s:
        with pytest.raises(Forbidden):
            drafting.draft(s, double())
        with pytest.raises(Forbidden):
            drafting.approve(s, campaign_id)
        with pytest.raises(NotFound):
            queries.get(s, campaign_id)  # no store reads a draft
    with office(tenancy, chain.shops) as s, pytest.raises(NotFound):
        drafting.approve(s, campaign_id)


def test_only_what_was_never_launched_is_thrown_away(chain: Chain) -> None:
    tenancy = chain.database.tenancy
    with office(tenancy, chain.club) as s:
        spare = drafting.draft(s, double(reach="regions", regions=[chain.club.region_id]))
        drafting.discard(s, spare)
        assert queries.listed(s) == []
    with time_machine.travel(BEFORE, tick=False):
        kept = launched(tenancy, chain.club)
    with office(tenancy, chain.club) as s:
        with pytest.raises(Conflict, match="stays on record"):
            drafting.discard(s, kept)
        with pytest.raises(Conflict, match="can’t be changed"):
            drafting.change(s, kept, double())


def test_what_is_over_before_it_could_begin_is_not_launched(chain: Chain) -> None:
    with office(chain.database.tenancy, chain.club) as s:
        campaign_id = drafting.draft(s, double(participation="opt_in", last_day=FIRST))
        drafting.approve(s, campaign_id)
        # Stores may answer until the next midnight, and then the one day is over.
        with time_machine.travel(noon(), tick=False), pytest.raises(Conflict, match="be over"):
            drafting.launch(s, campaign_id)
        drafting.change(s, campaign_id, double(participation="mandatory", last_day=FIRST))
        drafting.approve(s, campaign_id)
        with time_machine.travel(noon(), tick=False):
            drafting.launch(s, campaign_id)
        assert queries.get(s, campaign_id).begins_at == noon()
