"""A file of purchases goes in once, whole, whatever is wrong with some rows."""

import csv
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from highstreet.customers.models import Customer
from highstreet.imports import mapping as mappings
from highstreet.imports import marks
from highstreet.imports.errors import SUFFIX, errors_path
from highstreet.imports.models import CustomerRef, Import
from highstreet.imports.run import Report, run
from highstreet.purchases.models import Purchase
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.models import Store
from rooms_given import Floor

HEADER = "basket_id,household_id,store_id,occurred_at,lines,units,sales_value,retail_disc"
ROWS = (
    "1,900,101,2017-01-01T11:53:26,1,1,0.5,0.0",
    "2,900,102,2017-07-01T12:10:28,1,1,0.99,0.1",
    "3,1228,101,2017-01-01T12:26:30,1,1,1.43,0.15",
    "4,,101,2017-01-02T12:26:30,1,1,20.0,0",
)


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def take_in(floor: Floor, brand: SimpleNamespace, path: Path, **options: object) -> Report:
    return run(floor.database.tenancy, brand.row, "purchases", path, **options)  # type: ignore[arg-type]


def counts(floor: Floor, brand: SimpleNamespace) -> tuple[int, int, int]:
    """(purchases, sum of totals, customers)"""
    with floor.operator(brand, write=False) as s:
        purchases, total = s.execute(
            sa.select(sa.func.count(Purchase.id), sa.func.sum(Purchase.total_minor))
        ).one()
        customers = s.scalar(sa.select(sa.func.count(Customer.id)))
    return purchases, int(total or 0), customers or 0


def refused(path: Path) -> list[tuple[int, str]]:
    with path.with_name(path.name + SUFFIX).open(encoding="utf-8-sig", newline="") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def test_the_columns_of_the_complete_journey_need_no_mapping(floor: Floor, tmp_path: Path) -> None:
    report = take_in(floor, floor.club, write(tmp_path / "b.csv", *ROWS))
    assert (report.records, report.created, report.refused, report.customers) == (4, 4, 0, 2)
    assert counts(floor, floor.club) == (4, 2292, 2)
    with floor.operator(floor.club, write=False) as s:
        names = set(s.scalars(sa.select(Customer.name)))
        summer = s.scalars(sa.select(Purchase).where(Purchase.pos_ref == "2")).one()
    assert names == {"Member 900", "Member 1228"}
    assert summer.occurred_at.isoformat() == "2017-07-01T11:10:28+00:00"  # the store is in London


def test_where_stores_own_customers_each_store_gets_its_own(floor: Floor, tmp_path: Path) -> None:
    report = take_in(floor, floor.shops, write(tmp_path / "b.csv", *ROWS))
    assert report.customers == 3  # 900 shops in two stores
    with floor.till(floor.shops, 0, write=False) as s:
        assert len(list(s.scalars(sa.select(Customer)))) == 2
    assert counts(floor, floor.club) == (0, 0, 0)


def test_the_same_file_twice_changes_nothing(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", *ROWS)
    take_in(floor, floor.club, path)
    before = counts(floor, floor.club)
    again = take_in(floor, floor.club, path)
    assert (again.created, again.known, again.customers) == (0, 4, 0)
    assert counts(floor, floor.club) == before


def test_bad_rows_are_set_aside_and_the_rest_goes_in(floor: Floor, tmp_path: Path) -> None:
    path = write(
        tmp_path / "b.csv",
        *ROWS,
        "1,900,101,2017-01-01T11:53:26,1,1,0.5,0.0",
        "5,900,999,2017-01-01T11:53:26,1,1,0.5,0",
        "6,900,101,2017-01-01T11:53:26,1,1,-0.5,0",
        "7,900,101,2017-01-01T11:53:26,1,1,5000000,0",
        "8,900,101,2099-01-01T11:53:26,1,1,1,0",
        "=9,900,101,2017-01-01T11:53:26,1,1,1,0",
        "10,4111111111111111,101,2017-01-01T11:53:26,1,1,1,0",
        "11,900,101,yesterday,1,1,1,0",
        "12,900",
        "13,900,101,2017-01-01T11:53:26,1,1,1,0",
    )
    report = take_in(floor, floor.club, path)
    assert (report.created, report.refused) == (5, 9)
    reasons = dict(refused(path))
    assert list(reasons) == [6, 7, 8, 9, 10, 11, 12, 13, 14]
    for line, words in zip(
        reasons,
        (
            "stands in line 2",
            "no store",
            "negative",
            "beyond",
            "future",
            "formula",
            "payment card",
            "not a date",
            "of 8 columns",
        ),
        strict=True,
    ):
        assert words in reasons[line]
    raw = path.with_name(path.name + SUFFIX).read_text(encoding="utf-8-sig")
    assert "'=9" in raw
    assert "4111111111111111" not in raw
    assert counts(floor, floor.club)[0] == 5


def test_a_receipt_that_says_something_else_is_refused(floor: Floor, tmp_path: Path) -> None:
    take_in(floor, floor.club, write(tmp_path / "a.csv", *ROWS))
    path = write(tmp_path / "b.csv", "3,1228,101,2017-01-01T12:26:30,1,1,99.99,0.15")
    report = take_in(floor, floor.club, path)
    assert (report.created, report.known, report.refused) == (0, 0, 1)
    assert counts(floor, floor.club) == (4, 2292, 2)


def test_a_clean_run_takes_the_errors_of_an_earlier_one_away(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "1,900,999,2017-01-01T11:53:26,1,1,0.5,0")
    take_in(floor, floor.club, path)
    assert path.with_name("b.csv" + SUFFIX).exists()
    write(path, *ROWS)
    take_in(floor, floor.club, path)
    assert not path.with_name("b.csv" + SUFFIX).exists()


def test_a_dry_run_says_the_same_and_writes_nothing(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", *ROWS, "5,900,999,2017-01-01T11:53:26,1,1,0.5,0")
    dry = take_in(floor, floor.club, path, dry_run=True)
    assert (dry.created, dry.refused, dry.customers) == (4, 1, 2)
    assert counts(floor, floor.club) == (0, 0, 0)
    assert not path.with_name("b.csv" + SUFFIX).exists()
    with floor.operator(floor.club, write=False) as s:
        assert s.scalar(sa.select(Import.id)) is None
    assert take_in(floor, floor.club, path).created == 4


def test_a_strangers_file_goes_in_by_a_mapping(floor: Floor, tmp_path: Path) -> None:
    path = tmp_path / "kasse.csv"
    path.write_bytes(
        "Bon;Filiale;Datum;Zeit;Betrag;Karte;Name\r\n"
        "0001;1;02.01.2017;09:05;1.234,50;4711;Jürgen Groß\r\n"
        "0002;1;25.01.2017;17:30;7,00;;\r\n".encode("cp1252")
    )
    mapping = mappings.parse(
        {
            "columns": {
                "pos_ref": "Bon",
                "store": "Filiale",
                "date": "Datum",
                "time": "Zeit",
                "total": "Betrag",
                "card": "Karte",
                "name": "Name",
            },
            "format": {
                "date": "day-first",
                "decimal": ",",
                "thousands": ".",
                "zone": "Europe/Berlin",
                "pad": {"card": 8},
            },
            "stores": {"1": "101"},
        },
        "purchases",
    )
    report = take_in(floor, floor.club, path, mapping=mapping)
    assert (report.created, report.customers, report.encoding) == (2, 1, "cp1252")
    with floor.operator(floor.club, write=False) as s:
        first = s.scalars(sa.select(Purchase).where(Purchase.pos_ref == "0001")).one()
        member = s.scalars(sa.select(Customer)).one()
    assert first.total_minor == 123450
    assert first.occurred_at.isoformat() == "2017-01-02T08:05:00+00:00"
    assert member.name == "Jürgen Groß"
    with floor.till(floor.club, write=False) as s:
        from highstreet.customers import queries

        assert queries.by_card(s, "00004711").id == member.id


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"colums": {}}, "Unknown field.*mean “columns”"),
        ({"columns": {"totl": "x"}}, "no field of purchases.*mean “total”"),
        ({"columns": {"total": "sales_valu"}}, "no column “sales_valu”.*mean “sales_value”"),
        ({"format": {"date": "%d.%q.%Y"}}, "date must be one of"),
        ({"format": {"date": "%H:%M"}}, "date must be one of"),
        ({"format": {"date": "%"}}, "date must be one of"),
        ({"format": {"pad": {"total": 3}}}, r"format\.pad\.total: Must be one of: card"),
        ({"format": {"zone": "Berlin"}}, "not a time zone"),
        ({"file": {"delimiter": "\n"}}, r"file\.delimiter"),
        ({"file": {"header": 0}}, r"file\.header"),
        ({"stores": {"1": 101}}, r"stores\.1: Not a valid string"),
        ({"fields": {"age": "lines"}}, "belongs to customers"),
        ({"columns": {"card": "4111111111111111"}}, "payment card"),
        ({"columns": {"receipt": "Bon"}}, "no field of purchases"),
        ({"format": {"date": "sideways"}}, "date must be one of"),
        ({"format": {"decimal": ",", "thousands": ","}}, "must differ"),
        ({"columns": {"pos_ref": "Bon"}}, "no column “Bon”"),
    ],
)
def test_a_wrong_mapping_is_told(
    floor: Floor, tmp_path: Path, written: dict[str, object], words: str
) -> None:
    path = write(tmp_path / "b.csv", *ROWS)
    with pytest.raises(Invalid, match=words):
        take_in(floor, floor.club, path, mapping=mappings.parse(written, "purchases"))


def test_missing_columns_are_told_with_those_there_are(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", "1,2", header="alpha,beta")
    with pytest.raises(Invalid, match="pos_ref, store, total") as raised:
        take_in(floor, floor.club, path)
    assert "alpha, beta" in raised.value.detail


def test_unknown_stores_are_opened_when_asked_for(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", *ROWS, "5,900,31782,2017-01-01T11:53:26,1,1,0.5,0")
    report = take_in(floor, floor.club, path, create_stores=True)
    assert (report.stores_opened, report.created, report.refused) == (1, 5, 0)


def test_a_stopped_run_goes_on_where_it_was(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{n},{n % 7},101,2017-01-01T11:53:26,1,1,{n},0" for n in range(1, 31)]
    rows[4] = "5,5,999,2017-01-01T11:53:26,1,1,5,0"
    rows[24] = "25,5,999,2017-01-01T11:53:26,1,1,5,0"
    path = write(tmp_path / "b.csv", *rows)
    kept = marks.keep
    calls: list[int] = []

    def dies_in_the_third_chunk(s: object, mark: Import) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt  # before the commit, after the errors file was written
        kept(s, mark)  # type: ignore[arg-type]

    monkeypatch.setattr(marks, "keep", dies_in_the_third_chunk)
    with pytest.raises(KeyboardInterrupt):
        take_in(floor, floor.club, path, chunk=10)
    assert counts(floor, floor.club)[0] == 19
    monkeypatch.setattr(marks, "keep", kept)
    report = take_in(floor, floor.club, path, chunk=10)
    assert report.resumed_at == 20
    assert (report.records, report.created, report.refused, report.customers) == (30, 28, 2, 7)
    assert [line for line, _reason in refused(path)] == [6, 26]
    assert counts(floor, floor.club) == (
        28,
        sum(n for n in range(1, 31) if n not in (5, 25)) * 100,
        7,
    )


def test_two_runs_of_one_file_at_once_are_kept_apart(floor: Floor, tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", *ROWS)
    with marks.alone(path), pytest.raises(Conflict, match="another process"):
        take_in(floor, floor.club, path)


def test_an_erased_customer_does_not_come_back_by_an_old_file(floor: Floor, tmp_path: Path) -> None:
    from highstreet.customers import service

    take_in(floor, floor.club, write(tmp_path / "a.csv", *ROWS))
    with floor.operator(floor.club) as s:
        gone = s.scalars(sa.select(Customer).where(Customer.name == "Member 900")).one().id
        service.erase(s, gone, "asked for")
        assert "900" not in set(s.scalars(sa.select(CustomerRef.ref)))
    path = write(tmp_path / "b.csv", "9,900,101,2017-03-01T11:53:26,1,1,3,0")
    report = take_in(floor, floor.club, path)
    assert (report.created, report.customers) == (1, 0)
    with floor.operator(floor.club, write=False) as s:
        late = s.scalars(sa.select(Purchase).where(Purchase.pos_ref == "9")).one()
    assert late.customer_id is None


def test_after_a_merge_files_find_the_one_who_stayed(floor: Floor, tmp_path: Path) -> None:
    from highstreet.customers import service

    take_in(floor, floor.club, write(tmp_path / "a.csv", *ROWS))
    with floor.operator(floor.club) as s:
        keep = s.scalars(sa.select(Customer).where(Customer.name == "Member 900")).one().id
        gone = s.scalars(sa.select(Customer).where(Customer.name == "Member 1228")).one().id
        service.merge(s, keep, gone)
    take_in(
        floor,
        floor.club,
        write(tmp_path / "b.csv", "9,1228,101,2017-03-01T11:53:26,1,1,3,0"),
    )
    with floor.operator(floor.club, write=False) as s:
        late = s.scalars(sa.select(Purchase).where(Purchase.pos_ref == "9")).one()
    assert late.customer_id == keep


def test_the_part_in_an_export_names_the_references(floor: Floor, tmp_path: Path) -> None:
    from highstreet.customers import service

    take_in(floor, floor.club, write(tmp_path / "a.csv", *ROWS))
    with floor.operator(floor.club) as s:
        member = s.scalars(sa.select(Customer).where(Customer.name == "Member 900")).one().id
        held = service.export(s, member)
    assert [one["ref"] for one in held["imports"]] == ["900"]


def test_store_numbers_whose_zeros_a_spreadsheet_ate_are_understood(
    floor: Floor, tmp_path: Path
) -> None:
    with floor.operator(floor.club) as s:
        for store in s.scalars(sa.select(Store)):
            store.code = f"00{store.code}"
        s.flush()
    report = take_in(floor, floor.club, write(tmp_path / "b.csv", *ROWS))
    assert (report.created, report.refused) == (4, 0)


def test_where_nobody_may_write_the_errors_go_to_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from highstreet.imports import errors

    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(errors.os, "access", lambda path, mode: False)
    assert errors.errors_path(tmp_path / "b.csv") == here / "b.csv.errors.csv"


def test_the_errors_of_standard_input_go_beside_the_file_that_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "b.csv", *ROWS)
    with path.open("rb") as file:
        assert errors_path(Path(f"/dev/fd/{file.fileno()}")) == tmp_path / "b.csv.errors.csv"
