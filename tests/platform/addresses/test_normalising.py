"""An address is kept and printed as its country writes it, or the words say what to mend."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.addresses import countries
from highstreet.addresses.facts import AddressIn, Normal
from highstreet.addresses.normalising import normalise
from highstreet_tenants.errors import Invalid


def refused(one: AddressIn) -> dict[str, list[str]]:
    with pytest.raises(Invalid) as caught:
        normalise(one)
    return caught.value.fields


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (
            AddressIn("gb", "1 High St\nHorsforth", "Leeds", "ls14dy", "West Yorkshire"),
            ["1 High St", "Horsforth", "LEEDS", "LS1 4DY"],
        ),
        (
            AddressIn("AU", "2/15 High St", "Carlton", "3053", "Victoria"),
            ["2/15 High St", "CARLTON VIC 3053"],
        ),
        (
            AddressIn("US", "1 Main St", "Boston", "021011234", "Massachusetts"),
            ["1 Main St", "BOSTON, MA 02101-1234"],
        ),
        (AddressIn("DE", "Hauptstr. 1", "Berlin", "D-10115"), ["Hauptstr. 1", "10115 BERLIN"]),
        (AddressIn("IE", "1 Main St", "Dingle"), ["1 Main St", "DINGLE"]),
        (
            AddressIn("IE", "1 Main St", "Dingle", "v92x2t3", "Kerry"),
            ["1 Main St", "DINGLE", "Co. Kerry", "V92 X2T3"],
        ),
        (
            AddressIn("CN", "中山路12号", "南京", "210008", "江苏", "鼓楼区"),
            ["210008", "江苏省南京市鼓楼区", "中山路12号"],
        ),
        (
            AddressIn("CN", "建国路1号", "北京市", "100022", "北京市", "朝阳区"),
            ["100022", "北京市朝阳区", "建国路1号"],
        ),
        (
            AddressIn("CN", "12 Zhongshan Road", "Nanjing Shi", "210008", "Jiangsu Sheng"),
            ["12 Zhongshan Road", "Nanjing Shi", "JIANGSU SHENG, 210008"],
        ),
        (
            AddressIn("JP", "道玄坂1-2-3", "渋谷区", "１５０００４３", "東京"),
            ["〒150-0043", "東京都", "渋谷区道玄坂1-2-3"],
        ),
        (
            AddressIn("IL", "דרך יפו 1", "תל אביב", "6100000"),
            ["דרך יפו 1", "תל אביב 6100000"],
        ),
        (
            AddressIn("SG", "1 Orchard Rd", "Singapore", "238801"),
            ["1 Orchard Rd", "SINGAPORE 238801"],
        ),
        (AddressIn("HR", "Ilica 1", "Zagreb"), ["Ilica 1", "ZAGREB"]),
        (AddressIn("AU", "PO Box 12", "Yass", "2582", "NSW"), ["PO Box 12", "YASS NSW 2582"]),
        (
            AddressIn("AU", ("RMB 123", "Old Coach Road"), "Yass", "2582", "NSW"),
            ["RMB 123", "Old Coach Road", "YASS NSW 2582"],
        ),
    ],
)
def test_each_country_prints_its_own_order(written: AddressIn, lines: list[str]) -> None:
    found = normalise(written)
    assert list(found.lines) == lines
    assert found.state == "good"


def test_what_is_typed_stays_as_typed_in_the_parts() -> None:
    found = normalise(AddressIn("GB", "  1   High St ", "Leeds", "ls1 4dy"))
    assert (found.street, found.city, found.postal_code) == (("1 High St",), "Leeds", "LS1 4DY")


@pytest.mark.parametrize(
    ("written", "part", "words"),
    [
        (AddressIn("GB", "1 High St", "Leeds"), "postal_code", "EC1Y 8SY"),
        (AddressIn("US", "1 Main St", "Boston", "", "MA"), "postal_code", "ZIP code"),
        (AddressIn("DE", "Hauptstr. 1", "Berlin", "1011"), "postal_code", "26133"),
        (AddressIn("AU", "15 High St", "Carlton", "2000", "VIC"), "postal_code", "VIC"),
        (AddressIn("CN", "中山路12号", "南京市", "", "江苏省"), "postal_code", "266033"),
        (AddressIn("JP", "道玄坂1-2-3", "渋谷区", "", "東京都"), "postal_code", "Postal code"),
        (AddressIn("AU", "15 High St", "Carlton", "3053"), "area", "State"),
        (AddressIn("IE", "1 Main St", "Dingle", "", "Nowhere"), "area", "Co. Carlow"),
        (AddressIn("GB", "1 High St", "", "LS1 4DY"), "city", "Town or city"),
        (AddressIn("GB", " ", "Leeds", "LS1 4DY"), "street", "post box"),
        (AddressIn("", "1 High St", "Leeds", "LS1 4DY"), "country", "Choose"),
        (AddressIn("XX", "1 High St"), "country", "XX"),
        (AddressIn("GB", "1 High St\x00", "Leeds", "LS1 4DY"), "street", "printed"),
    ],
)
def test_words_say_which_part_to_mend(written: AddressIn, part: str, words: str) -> None:
    found = refused(written)
    assert list(found) == [part]
    assert words in found[part][0]


def test_six_lines_are_refused_and_five_fit() -> None:
    lines = ("Flat 2", "The Old Mill", "Mill Lane")
    assert len(normalise(AddressIn("GB", lines, "Leeds", "LS1 4DY")).lines) == 5
    found = refused(AddressIn("GB", (*lines, "Horsforth"), "Leeds", "LS1 4DY"))
    assert "takes 6 lines" in found["street"][0]
    found = refused(AddressIn("GB", "a\nb\nc\nd\ne\nf", "Leeds", "LS1 4DY"))
    assert "has 6 lines" in found["street"][0]


def test_a_town_that_no_list_knows_is_taken_but_not_sure() -> None:
    found = normalise(AddressIn("CN", "中山路12号", "昆山市", "215300", "江苏省"))
    assert (found.state, found.city) == ("unverified", "昆山市")
    assert normalise(AddressIn("AQ", "Base 1", "McMurdo")).state == "unverified"


def test_a_town_that_the_post_does_not_write_is_not_lost() -> None:
    """Libraries drop it: in Japan the ward would be gone."""
    found = normalise(AddressIn("JP", "渋谷区道玄坂1-2-3", "渋谷区", "150-0043", "東京都"))
    assert found.street == ("渋谷区道玄坂1-2-3",)
    found = normalise(AddressIn("GB", "1 High St", "Leeds", "LS1 4DY", dependent_locality="Adel"))
    assert found.lines[:2] == ("1 High St", "Adel")


def test_every_country_has_a_form_and_a_name() -> None:
    assert len(countries.countries()) > 200
    for code, name in countries.listed():
        asked = countries.form(code)
        assert name and {"street"} <= {one.part for one in asked}, code
        assert all(one.label for one in asked), code


def test_the_form_asks_for_what_the_country_needs_in_its_order() -> None:
    assert [(one.part, one.label, one.required) for one in countries.form("US")] == [
        ("street", "Street and number", True),
        ("city", "City", True),
        ("area", "State or territory", True),
        ("postal_code", "ZIP code", True),
    ]
    assert ("MA", "Massachusetts") in countries.form("US")[2].choices
    assert [one.part for one in countries.form("CN")][:2] == ["postal_code", "area"]
    assert ("江苏省", "江苏省 / Jiangsu Sheng") in countries.form("CN")[1].choices
    assert [one.label for one in countries.form("IE")][-1] == "Eircode"


TEXT = st.text(max_size=40)


@given(
    country=st.sampled_from(["GB", "US", "AU", "DE", "CN", "JP", "IE", "BR", "HK", "KR", "LU"]),
    street=st.text(min_size=1, max_size=60),
    city=TEXT,
    code=TEXT,
    area=st.sampled_from(["", "NSW", "MA", "江苏省", "東京都", "Kerry", "SP", "x"]),
    locality=TEXT,
)
def test_whatever_is_typed_is_refused_in_words_or_stays_what_it_is(
    country: str, street: str, city: str, code: str, area: str, locality: str
) -> None:
    try:
        found = normalise(AddressIn(country, street, city, code, area, locality))
    except Invalid as error:
        assert error.detail
        return
    assert 1 <= len(found.lines) <= 5
    assert all(line == line.strip() and line for line in found.lines)
    again = normalise(_typed(found))
    assert again == found


def _typed(found: Normal) -> AddressIn:
    return AddressIn(
        found.country,
        found.street,
        found.city,
        found.postal_code,
        found.area,
        found.dependent_locality,
        found.sorting_code,
        found.recipient,
    )
