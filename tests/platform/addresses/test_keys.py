"""One door has one key however it is typed, and a name's surname is always the same."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from highstreet.addresses.delivery import delivery_point
from highstreet.addresses.surnames import surname, surname_key

ONE = UUID(int=1)
OTHER = UUID(int=2)


@pytest.mark.parametrize(
    ("country", "forms"),
    [
        (
            "AU",
            ["2/15 High St", "15 High Street, U 2", "Unit 2, 15 HIGH ST.", "U2/15 High St",
             "15 U 2 High st", "U 2 15 High Street", "flat 2/15 High  Street", "02/15 high st"],
        ),
        ("AU", ["PO Box 12", "P.O. Box 12", "POB 12", "post office box 12", "The Shop, PO BOX 12"]),
        ("AU", ["15 St Kilda Rd", "15 Saint Kilda Road"]),
        ("GB", ["Flat B, 15 Church Ln", "flat b 15 church lane"]),
        ("US", ["1 Main St #2", "1 Main Street Apt 2", "1 Main St, Unit 2"]),
        ("DE", ["Haupt Str. 15 a", "Hauptstraße 15A", "Hauptstr. 15a", "HAUPTSTRASSE 15 A"]),
        ("DE", ["Postfach 12 34", "Postfach 1234"]),
        ("JP", ["道玄坂1丁目2番3号", "道玄坂1-2-3", "道玄坂１−２−３"]),
        ("CN", ["中山路 12號", "中山路12号"]),
        ("FR", ["12 bd Voltaire", "12, boulevard Voltaire"]),
        ("AU", ["RMB 123, Old Coach Rd", "RMB 123\nOld Coach Road"]),
    ],
)  # fmt: skip
def test_one_door_however_it_is_typed(country: str, forms: list[str]) -> None:
    keys = {delivery_point(country, form.split("\n"), postal_code="1234") for form in forms}
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("AU", "2/15 High St", "3/15 High St"),
        ("AU", "2/15 High St", "15 High St"),
        ("AU", "PO Box 12", "GPO Box 12"),
        ("AU", "PO Box 12", "12 Box St"),
        ("AU", "15 High St", "15 High Rd"),
        ("AU", "2-15 High St", "2/15 High St"),
        ("AT", "Hauptstraße 15/2", "Hauptstraße 2/15"),
        ("GB", "Shop 2, 15 High St", "Flat 2, 15 High St"),
        ("AU", "RMB 123", "RMB 124"),
    ],
)
def test_what_no_rule_knows_stays_apart(country: str, one: str, other: str) -> None:
    assert delivery_point(country, [one]) != delivery_point(country, [other])


def test_towns_count_where_a_postal_code_holds_several() -> None:
    def at(country: str, code: str, city: str) -> str:
        return delivery_point(country, ["1 High St"], postal_code=code, city=city)

    assert at("AU", "3550", "Bendigo") != at("AU", "3550", "Ironbark")
    assert at("AU", "3182", "St Kilda") == at("AU", "3182", "SAINT KILDA")
    assert at("GB", "LS1 4DY", "Leeds") == at("GB", "ls14dy", "LEEDS 1")
    assert at("US", "02101-1234", "Boston") == at("US", "02101", "Boston")
    assert at("GB", "LS1 4DY", "Leeds") != at("IE", "LS1 4DY", "Leeds")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Anna Lee", "lee"),
        ("ANNA LEE", "lee"),
        ("Jan van der Berg", "vanderberg"),
        ("van der Berg, Jan", "vanderberg"),
        ("Martin King Jr.", "king"),
        ("John Smith III", "smith"),
        ("John Smith, Jr", "smith"),
        ("Conor O’Brien", "obrien"),
        ("Conor O'Brien", "obrien"),
        ("Ana Smith-Jones", "smithjones"),
        ("Ana María Núñez", "nunez"),
        ("The Lee Family", "lee"),
        ("Di Smith", "smith"),
        ("Cher", "cher"),
        ("王小明", "王"),
        ("欧阳修", "欧阳"),
        ("山田 太郎", "山田"),
        ("김민수", "김"),
        ("יעל כהן", "כהן"),
        ("", ""),
        ("!!!", ""),
    ],
)
def test_the_surname_in_a_name(name: str, said: str) -> None:
    assert surname(name) == said


def test_in_japan_a_surname_has_two_characters() -> None:
    assert surname("山田太郎", "JP") == surname("山田花子", "JP") == "山田"
    assert surname("山本太郎", "JP") != surname("山田太郎", "JP")


def test_who_has_no_name_is_a_household_of_their_own() -> None:
    assert surname_key("", "GB", ONE) != surname_key("", "GB", OTHER)
    assert surname_key("Anna Lee", "GB", ONE) == surname_key("Ben Lee", "GB", OTHER)


@given(name=st.text(max_size=80), country=st.sampled_from(["GB", "CN", "JP"]))
def test_any_name_has_a_key(name: str, country: str) -> None:
    assert len(surname_key(name, country, ONE)) == 32
    assert surname_key(f"  {name} ", country, ONE) == surname_key(name, country, ONE)


@given(
    street=st.lists(st.text(max_size=60), max_size=4),
    country=st.sampled_from(["AU", "GB", "US", "DE", "FR", "JP", "CN", "BR"]),
)
def test_case_and_blanks_never_part_a_door(street: list[str], country: str) -> None:
    one = delivery_point(country, street)
    assert len(one) == 32
    assert one == delivery_point(country, [f" {line} " for line in street])
