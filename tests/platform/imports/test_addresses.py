"""A file of customers brings their addresses; a wrong one is set aside with words."""

from pathlib import Path
from types import SimpleNamespace

import sqlalchemy as sa

from highstreet.addresses import queries, service
from highstreet.addresses.facts import AddressFact, AddressIn
from highstreet.customers.models import Customer
from highstreet.imports import mapping as mappings
from highstreet.imports.run import Report, run
from rooms_given import Floor

HEADER = "name,card,store,street,address_2,city,postcode,country"


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def take_in(floor: Floor, brand: SimpleNamespace, path: Path, **options: object) -> Report:
    return run(floor.database.tenancy, brand.row, "customers", path, **options)  # type: ignore[arg-type]


def lives(floor: Floor, brand: SimpleNamespace) -> dict[str, AddressFact]:
    with floor.operator(brand, write=False) as s:
        names = {row.id: row.name for row in s.scalars(sa.select(Customer))}
        return {names[id_]: fact for id_, fact in queries.of_many(s, names).items()}


def test_addresses_come_with_the_customers(floor: Floor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.csv",
        "Ana Lee,1001,101,15 High St,Flat 2,Leeds,ls14dy,",
        "Ben Lee,1002,101,Flat 2,15 High Street,LEEDS,LS1 4DY,GB",
        "Cy Young,1003,101,,,Leeds,,",
        "Wang Wei,1004,101,中山路12号,,南京市,210008,CN",
    )
    named = mappings.parse({"defaults": {"area": "江苏省"}}, "customers")
    report = take_in(floor, floor.club, path, mapping=named)
    assert (report.created, report.refused) == (4, 0)
    found = lives(floor, floor.club)
    assert set(found) == {"Ana Lee", "Ben Lee", "Wang Wei"}
    assert found["Ana Lee"].lines == ("15 High St", "Flat 2", "LEEDS", "LS1 4DY")
    assert found["Ana Lee"].household_id == found["Ben Lee"].household_id
    assert found["Wang Wei"].lines[1] == "江苏省南京市"
    assert found["Ana Lee"].source == "import"


def test_a_wrong_address_is_set_aside_with_words(floor: Floor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.csv",
        "Ana Lee,1001,101,15 High St,,Leeds,LS1 4DY,GB",
        "Bad Code,1002,101,15 High St,,Leeds,LS1,GB",
        "No Town,1003,101,15 High St,,,LS1 4DY,GB",
        "No Land,1004,101,15 High St,,Leeds,LS1 4DY,Narnia",
    )
    report = take_in(floor, floor.club, path)
    assert (report.created, report.refused) == (1, 3)
    told = (tmp_path / "m.csv.errors.csv").read_text(encoding="utf-8")
    for words in ("EC1Y 8SY", "Town or city", "NARNIA"):
        assert words in told
    assert set(lives(floor, floor.club)) == {"Ana Lee"}


def test_who_is_there_keeps_the_address_they_have_or_had(floor: Floor, tmp_path: Path) -> None:
    rows = (
        "Ana Lee,1001,101,15 High St,,Leeds,LS1 4DY,GB",
        "Ben Shaw,1002,101,,,,,",
        "Cy Young,1003,101,9 Park Row,,Leeds,LS1 5HD,GB",
    )
    take_in(floor, floor.club, write(tmp_path / "one.csv", *rows))
    with floor.operator(floor.club) as s:
        ids = {row.name: row.id for row in s.scalars(sa.select(Customer))}
        service.put(s, ids["Ana Lee"], AddressIn("GB", "1 Mill Lane", "Leeds", "LS2 7AA"))
        service.moved(s, ids["Cy Young"])
    second = (rows[0], "Ben Shaw,1002,101,2 Wharf St,,Leeds,LS2 7EQ,GB", rows[2])
    again = take_in(floor, floor.club, write(tmp_path / "two.csv", *second))
    assert (again.created, again.known) == (0, 3)
    found = lives(floor, floor.club)
    assert {name: fact.street[0] for name, fact in found.items()} == {
        "Ana Lee": "1 Mill Lane",
        "Ben Shaw": "2 Wharf St",
    }


def test_where_stores_own_customers_the_same_door_is_two_households(
    floor: Floor, tmp_path: Path
) -> None:
    path = write(
        tmp_path / "m.csv",
        "Ana Lee,1001,101,15 High St,,Leeds,LS1 4DY,GB",
        "Ben Lee,1002,102,15 High St,,Leeds,LS1 4DY,GB",
    )
    assert take_in(floor, floor.shops, path).created == 2
    found = lives(floor, floor.shops)
    assert found["Ana Lee"].household_id != found["Ben Lee"].household_id
    assert found["Ana Lee"].delivery_point == found["Ben Lee"].delivery_point
