"""Made-up members can reach nobody real."""

from highstreet.customers import keys
from highstreet.demo.people import joins, person, shows_card


def test_the_same_household_is_the_same_person() -> None:
    assert person("torque-and-co", "900", 3) == person("torque-and-co", "900", 3)
    assert person("torque-and-co", "900", 3) != person("crust-and-crumb", "900", 3)


def test_phones_and_mails_are_of_the_ranges_kept_free_for_fiction() -> None:
    made = [person("torque-and-co", str(n), n) for n in range(600)]
    for one in made:
        assert one.phone is None or " 555 01" in one.phone
        assert one.email is None or one.email.endswith("@example.org")
    phones = [one.phone for one in made if one.phone]
    assert len(set(phones)) == len(phones)


def test_their_keys_are_ones_that_a_till_takes() -> None:
    made = [person("torque-and-co", str(n), n) for n in range(600)]
    for one in made:
        assert keys.card_key(one.card) == one.card
        assert one.phone is None or keys.phone_key(one.phone, "US").startswith("+1")
        assert one.email is None or keys.email_key(one.email)
    assert len({one.card for one in made}) == 600


def test_who_comes_often_and_buys_much_is_more_likely_to_join() -> None:
    def share(visits: int, mean_minor: int) -> float:
        return sum(joins("torque-and-co", str(n), visits, mean_minor) for n in range(1_000)) / 1_000

    assert 0.2 < share(1, 0) < share(1, 4_000) < share(20, 4_000) < 1
    assert joins("torque-and-co", "900", 3, 2_000) == joins("torque-and-co", "900", 3, 2_000)


def test_few_look_for_their_card_for_a_small_purchase() -> None:
    def share(total_minor: int) -> float:
        return sum(shows_card("torque-and-co", str(n), total_minor) for n in range(1_000)) / 1_000

    assert 0.6 < share(500) < share(5_000) < 1
