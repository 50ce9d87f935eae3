"""``highstreet campaigns``: the whole life of one, by an operator and by machines."""

from datetime import date, timedelta
from pathlib import Path

from highstreet_tenants import clock

from .conftest import Call

BRAND = """
[brand]
slug = "larkfield"
name = "Larkfield"
currency = "EUR"
locale = "en-IE"
zone = "Europe/Dublin"
customers = "brand"

[[regions]]
slug = "coast"
name = "Coast"

[[owners]]
slug = "one"
name = "One"
legal_name = "One Ltd"

[[stores]]
slug = "harbour-road"
code = "101"
name = "Harbour Road"
region = "coast"
owner = "one"

[[stores]]
slug = "mill-lane"
code = "102"
name = "Mill Lane"
owner = "one"

[tools.points_club]
policy = "required"
"""


def campaign(first: date, more: str = "") -> str:
    """A file as head office writes it."""
    return f"""
name = "Double points week"
action = "points_club.multiply"
first_day = {first}
last_day = {first + timedelta(days=6)}
participation = "mandatory"
terms = {{ percent = 200 }}
{more}
"""


def test_the_whole_life_of_a_campaign(call: Call, tmp_path: Path) -> None:
    blueprint, file = tmp_path / "brand.toml", tmp_path / "week.toml"
    blueprint.write_text(BRAND, encoding="utf-8")
    assert call("brands", "apply", blueprint, debug=True).code == 0
    today = clock.business_date(clock.now(), "Europe/Dublin")
    on = ("--brand", "larkfield")
    file.write_text(campaign(today, "regions = ['nowhere']\nreward = 3"), encoding="utf-8")
    wrong = call("campaigns", "draft", file, *on)
    assert wrong.code == 2 and "no key “reward”" in wrong.err
    file.write_text(campaign(today, "regions = ['nowhere']"), encoding="utf-8")
    assert "none of these: nowhere" in call("campaigns", "draft", file, *on).err
    file.write_text(campaign(today, "regions = ['coast']"), encoding="utf-8")
    drafted = call("campaigns", "draft", file, *on, "--json", debug=True)
    assert drafted.json["number"] == 1
    (dry,) = call("campaigns", "preview", 1, *on, "--json").json
    assert (dry["store"], dry["takes_part"], dry["terms"]["percent"]) == ("harbour-road", True, 200)
    assert "Only what is approved" in call("campaigns", "launch", 1, *on).err
    assert call("campaigns", "approve", 1, *on).code == 0
    assert call("campaigns", "launch", 1, *on, debug=True).code == 0
    shown = call("campaigns", "show", 1, *on, "--json").json
    assert shown["state"] == "running"
    taken = ["campaign.drafted", "campaign.approved", "campaign.launched"]
    assert [step["step"] for step in shown["steps"]] == taken
    assert [one["store"] for one in shown["stores"]] == ["harbour-road"]
    assert call("campaigns", "counts", 1, *on, "--json").json == []
    assert call("campaigns", "stop", 1, *on, "--reason", "Enough", "--json").code == 0
    (listed,) = call("campaigns", "list", *on, "--json").json
    assert listed["state"] == "stopped"
    assert (
        "There is no campaign 9 in this brand; there are: 1."
        in call("campaigns", "show", 9, *on).err
    )
