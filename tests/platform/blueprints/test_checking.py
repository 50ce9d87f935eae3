"""Whatever is wrong with a blueprint is told at once, each with its line and key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from highstreet.blueprints import document, source
from highstreet_tenants.errors import Invalid

GOOD = """
[brand]
slug = "harbour-bakery"
name = "Harbour Bakery"
currency = "GBP"
locale = "en_GB"
zone = "Europe/London"
customers = "brand"

[[regions]]
slug = "coast"
name = "Coast"

[[owners]]
slug = "finch"
name = "Finch & Sons"

[[stores]]
slug = "quay"
code = "1"
name = "The Quay"
region = "coast"
owner = "finch"

[[users]]
email = "mo@bakery.example.org"
name = "Mo Finch"
roles = [{ role = "store_owner", owner = "finch" }]

[tools.points_club]
policy = "optional"
on = ["quay"]
"""

Write = Callable[..., Path]


def check(path: Path) -> document.Document:
    return document.check(source.read(path), {"points_club"})


def refused(path: Path) -> list[str]:
    with pytest.raises(Invalid) as raised:
        check(path)
    return raised.value.detail.splitlines()


def test_a_good_one_is_understood(write: Write) -> None:
    found = check(write(GOOD))
    assert found.slug == "harbour-bakery"
    assert found.stores["quay"]["zone"] == "Europe/London"  # the brand's
    assert found.owners["finch"]["legal_name"] == "Finch & Sons"
    assert [role.role for role in found.roles["mo@bakery.example.org"]] == ["store_owner"]


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        (
            'name = "Harbour Bakery"',
            'nam = "x"\nname = "y"',
            "brand.toml:4: brand.nam: unknown key",
        ),
        ('currency = "GBP"', 'currency = "GBX"', "brand.toml:5: brand.currency: “GBX” is not"),
        ('zone = "Europe/London"', 'zone = "Europe/Londn"', "brand.toml:7: brand.zone: “Europe/Lo"),
        ('locale = "en_GB"', 'locale = "xx_YY"', "brand.toml:6: brand.locale: “xx_YY” is not"),
        ('customers = "brand"', 'customers = "all"', "brand.toml:8: brand.customers: Must be"),
        ('region = "coast"', 'region = "cost"', "brand.toml:22: stores[1].region: there is no reg"),
        (
            'owner = "finch"\n',
            'owner = "fink"\n',
            "brand.toml:23: stores[1].owner: there is no own",
        ),
        ('role = "store_owner"', 'role = "king"', "roles[1].role: Must be one of"),
        ("[tools.points_club]", "[tools.pointsclub]", "tools.pointsclub: no tool of this name"),
        (
            'policy = "optional"',
            'policy = "maybe"',
            "brand.toml:31: tools.points_club.policy: Must",
        ),
        ('on = ["quay"]', 'on = ["key"]', "brand.toml:32: tools.points_club.on[1]: there is no st"),
        ('on = ["quay"]', 'on = ["quay"]\noff = ["quay"]', "is in on and in off"),
        ('on = ["quay"]', 'approved = ["quay"]', "approved but does not want"),
        ('policy = "optional"', 'policy = "forbidden"\nregions = { coast = "optional" }', "widen"),
        ('slug = "quay"', 'slug = "The Quay"', "small letters, digits and dashes"),
        ('code = "1"', 'code = "1"\nopened_on = "2015-06-01"', "without quotes"),
        ('name = "The Quay"', 'name = "4111 1111 1111 1111"', "payment card"),
        ('owner = "finch" }', 'store = "quay", owner = "finch" }', "is granted at one"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    write: Write, was: str, becomes: str, told: str
) -> None:
    path = write(GOOD.replace(was, becomes, 1))
    lines = refused(path)
    assert any(told in line for line in lines), lines


def test_everything_wrong_is_told_at_once(write: Write) -> None:
    text = GOOD.replace("GBP", "GBX").replace("en_GB", "xx").replace('policy = "optional"', "p = 1")
    assert len(refused(write(text))) == 3


def test_things_named_twice_are_told(write: Write) -> None:
    text = GOOD + '\n[[stores]]\nslug = "quay"\ncode = "1"\nname = "Again"\n'
    assert [line.split(": ")[1] for line in refused(write(text))] == [
        "stores[2].slug",
        "stores[2].code",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("[brand\n", "line 1"), ('a = "x\n', "line 1"), ("", "brand: Missing data")],
)
def test_what_is_no_toml_is_told(write: Write, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        check(write(text))


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no blueprint file"):
        check(tmp_path / "none.toml")


def test_text_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes('name = "Käse"'.encode("latin-1"))
    with pytest.raises(Invalid, match="UTF-8"):
        check(path)


def test_one_blueprint_extends_another(write: Write) -> None:
    write(GOOD, "base.toml")
    top = write(
        'extends = "base.toml"\n[brand]\nname = "Harbour Bakery North"\n'
        '[[stores]]\nslug = "quay"\nname = "North Quay"\n'
        '[[stores]]\nslug = "pier"\ncode = "2"\nname = "The Pier"\n'
    )
    found = check(top)
    assert found.brand["name"] == "Harbour Bakery North"
    assert found.brand["currency"] == "GBP"
    assert found.stores["quay"]["name"] == "North Quay"
    assert found.stores["quay"]["code"] == "1"
    assert list(found.stores) == ["quay", "pier"]


def test_errors_name_the_file_that_holds_the_line(write: Write) -> None:
    write(GOOD.replace("GBP", "GBX"), "base.toml")
    top = write('extends = "base.toml"\n[[stores]]\nslug = "quay"\nregion = "nowhere"\n')
    first, *_rest = refused(top)
    assert first.startswith("base.toml:5: brand.currency")
    write(GOOD, "base.toml")
    (only,) = refused(top)
    assert only.startswith("brand.toml:4: stores[1].region")


def test_blueprints_that_extend_each_other_in_a_circle_are_told(write: Write) -> None:
    write('extends = "b.toml"\n', "a.toml")
    write('extends = "c.toml"\n', "b.toml")
    path = write('extends = "a.toml"\n', "c.toml")
    with pytest.raises(Invalid, match=r"circle: c\.toml → a\.toml → b\.toml → c\.toml"):
        check(path)


@pytest.mark.parametrize("name", ["sandwich_chain", "car_parts_chain", "video_rental"])
def test_the_shipped_blueprints_are_good(name: str) -> None:
    import highstreet_tenants

    folder = Path(highstreet_tenants.__file__).parent / "cases"
    found = check(folder / f"{name}.toml")
    assert len(found.stores) == 12
    assert all(email.endswith(".example.org") for email in found.users)
