"""Made-up members live in their stores' towns, and every address holds its country's rules."""

from highstreet.addresses.normalising import normalise
from highstreet.demo.homes import lives, together

STORE = {"street": "1 Mill", "city": "Marlow", "state": "IL", "postcode": "60411", "country": "US"}


def test_every_address_is_good_and_the_same_in_every_run() -> None:
    found = [lives("torque-and-co", str(n), n, STORE) for n in range(600)]
    assert found == [lives("torque-and-co", str(n), n, STORE) for n in range(600)]
    known = [normalise(one) for one in found if one is not None]
    assert {one.state for one in known} == {"good"}
    assert 400 < len(known) < 550
    assert {one.country for one in known} == {"US", "CN", "IL"}
    assert max(len(one.lines) for one in known) == 5
    assert {one.city for one in known if one.country == "US"} == {"Marlow"}


def test_some_live_together() -> None:
    assert 60 < sum(together("torque-and-co", str(n)) for n in range(600)) < 180
