"""A job from the form to its results, by those who may, on the pages of a store and an office."""

from __future__ import annotations

import re
from typing import Any

import pytest

from highstreet.kit.town import Town
from highstreet_direct_mail import posting

from .conftest import reach

FORM = {"name": "Autumn", "not_seen": "", "postcodes": "ls1, LS2", "offer": "Tea", "holdout": "0"}


@pytest.mark.parametrize("slug", ["quarry", "harbour"])
def test_a_job_from_its_form_to_its_files(town: Town, slug: str) -> None:
    office = town.brands[slug]
    shop = office.shops[0]
    place: Any = shop if slug == "quarry" else office
    place.set({"piece_minor": 85, "fixed_minor": 1_000})
    for number in range(3):
        reach(shop, f"Ann Q{number}", f"{number} High Street")
    reach(shop, "No Word", "9 High Street", yes=False)
    reach(shop, "No Door")
    page, base = place.browser(), place.tool_page
    counted = page.post(f"{base}jobs", data=FORM | {"do": "count"})
    assert counted.status_code == 200 and "4 of 5 customers" in counted.text
    wrong = page.post(f"{base}jobs", data=FORM | {"not_seen": "soon", "departments": "Tea"})
    assert wrong.status_code == 422 and "from 1 to 3,650" in wrong.text
    job = page.post(f"{base}jobs", data=FORM).location
    assert job.startswith(f"{base}jobs/")
    page.post(f"{job}/select")
    shown = page.get(job).text
    assert "Approve for £12.55" in shown  # 3 pieces and the fixed costs
    manifest = re.search(r'name="manifest" value="(\w+)"', shown)
    assert manifest is not None
    # Others are selected meanwhile: what was looked at is not what would go out.
    reach(shop, "Bo Late", "7 High Street")
    page.post(f"{job}/select")
    old = page.post(f"{job}/approve", data={"manifest": manifest[1]}, follow_redirects=True)
    assert "Others were selected meanwhile" in old.text
    fresh = re.search(r'name="manifest" value="(\w+)"', page.get(job).text)
    assert fresh is not None
    if slug == "quarry":  # a manager plans; the owner approves
        manager = shop.browser("store_manager")
        assert "Approve for" not in manager.get(job).text
        refused = manager.post(f"{job}/approve", data={"manifest": fresh[1]})
        assert refused.status_code == 403
    for deed, data in (("approve", {"manifest": fresh[1]}), ("release", {})):
        assert page.post(f"{job}/{deed}", data=data).status_code == 303
    early = page.post(f"{job}/addresses.csv", follow_redirects=True)
    assert "Nothing of it went out yet" in early.text
    assert "Paused" in page.post(f"{job}/steer", data={"deed": "pause"}, follow_redirects=True).text
    page.post(f"{job}/steer", data={"deed": "resume"})
    town.run_jobs()
    done = page.get(job).text
    assert "Answers by code" in done and "Buyers by household" in done and "£13.40" in done
    rows = page.post(f"{job}/addresses.csv").text.splitlines()
    assert len(rows) == 5 and "Ann Q" in rows[1] and "LS1 4DY" in rows[1]
    labels = page.post(f"{job}/labels.pdf", data={"sheet": "L7160", "start": "2"})
    assert labels.data.startswith(b"%PDF")
    page.post(f"{job}/cost", data={"cost": "20.00"})
    assert "£20.00" in page.get(job).text
    with place.ctx() as ctx:
        assert [one.mailing.status for one in posting.listed(ctx)] == ["finished"]
    if slug == "quarry":
        other = office.shops[1]
        theirs = job.replace(shop.address, other.address)
        assert other.browser().get(theirs).status_code == 404
        assert office.browser().get(f"{office.tool_page}").status_code == 200


def test_head_office_sees_answers_in_sums_alone(town: Town) -> None:
    from highstreet_direct_mail import answers

    from .conftest import codes, send

    office = town.brands["quarry"]
    many, few = office.shops
    for shop, people in ((many, 6), (few, 2)):
        for number in range(people):
            reach(shop, f"Ann Q{number}", f"{number} High Street")
        with shop.ctx(write=True) as ctx:
            for code in codes(ctx, send(ctx)).values():
                answers.redeem(ctx, code)
    shown = office.browser("head_office_marketing").get(office.tool_page).text
    assert "Answers by code, store by store" in shown and "Ann Q" not in shown
    assert "<b>2</b>" not in shown and shown.count("<b>–</b>") == 2  # or 6 told by subtracting
