"""A file of customers goes in once; who can't be told from others is refused."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from highstreet.customers import queries
from highstreet.customers.models import Customer
from highstreet.imports import mapping as mappings
from highstreet.imports.run import Report, run
from rooms_given import Floor

HEADER = "name,phone,email,card,member_id,store,birthday,joined,language"
ROWS = (
    "Ana Núñez,020 7946 0001,ana@example.org,00001111,7,101,1980-12-24,2016-05-01,es",
    "Bo Li,020 7946 0002,,00002222,8,102,,,zh-Hans",
    "Cy Young,,cy@example.org,,,101,,,",
)


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def take_in(floor: Floor, brand: SimpleNamespace, path: Path, **options: object) -> Report:
    return run(floor.database.tenancy, brand.row, "customers", path, **options)  # type: ignore[arg-type]


def people(floor: Floor, brand: SimpleNamespace) -> dict[str, Customer]:
    with floor.operator(brand, write=False) as s:
        return {row.name: row for row in s.scalars(sa.select(Customer))}


def test_members_are_taken_on_with_all_that_is_known(floor: Floor, tmp_path: Path) -> None:
    report = take_in(floor, floor.club, write(tmp_path / "m.csv", *ROWS))
    assert (report.created, report.known, report.refused) == (3, 0, 0)
    ana = people(floor, floor.club)["Ana Núñez"]
    assert (str(ana.birthday), ana.language) == ("1980-12-24", "es")
    assert ana.joined_at.isoformat() == "2016-05-01T11:00:00+00:00"
    with floor.till(floor.club, write=False) as s:
        assert queries.by_card(s, "0000 1111").id == ana.id
        assert queries.find(s, "020 7946 0001")[0].customer.id == ana.id
        assert queries.find(s, "nunez")[0].customer.id == ana.id


def test_the_same_file_twice_changes_nothing(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", *ROWS)
    take_in(floor, floor.club, path)
    again = take_in(floor, floor.club, path)
    assert (again.created, again.known) == (0, 3)
    assert len(people(floor, floor.club)) == 3


def test_each_store_keeps_its_own_where_the_brand_decided_so(floor: Floor, tmp_path: Path) -> None:
    take_in(floor, floor.shops, write(tmp_path / "m.csv", *ROWS))
    with floor.till(floor.shops, 1, write=False) as s:
        assert set(s.scalars(sa.select(Customer.name))) == {"Bo Li"}


def test_bad_rows_are_set_aside(floor: Floor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "m.csv",
        *ROWS,
        "Nameless Key,,,,,101,,,",
        "Bad Mail,,not-an-address,,,101,,,",
        "Bad Phone,12,,,,101,,,",
        "Born Tomorrow,,b@example.org,,,101,2090-01-01,,",
        "No Store,,c@example.org,,,999,,,",
        "=cmd(),,d@example.org,,,101,,,",
        "Card,,e@example.org,4111111111111111,,101,,,",
        "Twice,,cy@example.org,,,101,,,",
    )
    report = take_in(floor, floor.club, path)
    assert (report.created, report.refused) == (3, 8)


def test_purchases_find_imported_members_by_reference(floor: Floor, tmp_path: Path) -> None:
    take_in(floor, floor.club, write(tmp_path / "m.csv", *ROWS))
    bought = write(
        tmp_path / "b.csv",
        "1,7,101,2017-01-01T11:53:26,5.00",
        header="basket_id,household_id,store_id,occurred_at,sales_value",
    )
    report = run(floor.database.tenancy, floor.club.row, "purchases", bought)
    assert (report.created, report.customers) == (1, 0)


@pytest.mark.parametrize("eaten", ["1111", "00001111"])
def test_zeros_eaten_by_a_spreadsheet_come_back(floor: Floor, tmp_path: Path, eaten: str) -> None:
    path = write(tmp_path / "m.csv", f"Ana,,,{eaten},,101,,,")
    mapping = mappings.parse({"format": {"pad": {"card": 8}}}, "customers")
    take_in(floor, floor.club, path, mapping=mapping)
    with floor.till(floor.club, write=False) as s:
        assert queries.by_card(s, "00001111").name == "Ana"
