"""Every field and key of a mapping is in the documentation, and what it shows is good."""

import csv
import gzip
import re
import tomllib
from datetime import date
from pathlib import Path
from textwrap import dedent

import pytest

from highstreet.customers import fields
from highstreet.customers.models import Customer
from highstreet.imports import mapping
from highstreet.imports.columns import COLUMNS
from highstreet.imports.mapping import DATE_ORDERS, MappingSchema, parse
from highstreet.imports.opening import Beside
from highstreet.imports.run import run
from highstreet.purchases.models import Purchase, PurchaseLine
from rooms_given import Floor

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "importing.md").read_text(encoding="utf-8")
EXAMPLES = [part.split("```")[0] for part in TEXT.split("```toml\n")[1:]]


def test_every_field_is_documented() -> None:
    for names in COLUMNS.values():
        for name in names:
            assert f"`{name}`" in TEXT, name


def test_every_key_is_documented() -> None:
    assert all(order in TEXT for order in DATE_ORDERS if order != "auto")
    for name, field in MappingSchema().fields.items():
        assert f"[{field.data_key or name}]" in TEXT or f"{name} = [" in TEXT, name
        for key in getattr(getattr(field, "schema", None), "fields", {}):
            assert f"\n{key} = " in TEXT, key


def test_the_documented_mappings_are_good() -> None:
    found = parse(tomllib.loads(EXAMPLES[0]), "purchases")
    assert found.pad == {"card": 13}
    assert isinstance(found, mapping.FileMapping)
    assert set(parse(tomllib.loads(EXAMPLES[1]), "customers").fields) == {"bread", "newsletter"}


def test_the_example_of_the_german_till_goes_in(floor: Floor, tmp_path: Path) -> None:
    shown = TEXT.split("For example, ")[1]
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", shown, re.MULTILINE)
    file, toml = (dedent(block).lstrip() for block in blocks[:2])
    path = tmp_path / "members.csv"
    path.write_text(file.replace(";7", ";101"), encoding="cp1252")
    report = run(
        floor.database.tenancy,
        floor.club.row,
        "customers",
        path,
        mapping=parse(tomllib.loads(toml), "customers"),
    )
    assert (report.created, report.refused, report.encoding) == (1, 0, "cp1252")
    with floor.operator(floor.club, write=False) as s:
        assert s.query(Customer.name, Customer.birthday).all() == [
            ("Jürgen Groß", date(1971, 4, 3)),
        ]


def packed(path: Path, text: str) -> Path:
    path.write_bytes(gzip.compress(text.encode()))
    return path


def test_the_complete_journey_goes_in_by_the_shipped_mappings(floor: Floor, tmp_path: Path) -> None:
    """In little: the files' first lines as they are published; they are too large for the tests."""
    with floor.operator(floor.club) as s:
        fields.define(s, key="age", label="Age", kind="text")
        fields.define(s, key="income", label="Income", kind="text")
        fields.define(
            s,
            key="household_size",
            label="Household",
            kind="choice",
            choices=["1", "2", "3", "4", "5+"],
        )
    households = tmp_path / "households.csv"
    households.write_text(
        "household_id,age,income,home_ownership,marital_status,household_size,household_comp,"
        "kids_count\n1,65+,35-49K,Homeowner,Married,2,2 Adults No Kids,0\n2,,,,,,,\n"
    )
    told = run(
        floor.database.tenancy,
        floor.club.row,
        "customers",
        households,
        mapping=mapping.load(DOCS / "mappings" / "complete_journey_households.toml", "customers"),
        create_stores=True,
    )
    assert (told.created, told.refused, told.stores_opened) == (2, 0, 1)
    assert told.columns["fields.income"] == "income"
    done = run(
        floor.database.tenancy,
        floor.club.row,
        "purchases",
        packed(
            tmp_path / "baskets.csv.gz",
            "basket_id,household_id,store_id,occurred_at,lines,units,sales_value,retail_disc,"
            "coupon_disc\n31198570044,1,330,2017-01-01T11:53:26,2,2,2.65,0.0,0.0\n",
        ),
        mapping=mapping.load(DOCS / "mappings" / "complete_journey.toml", "purchases"),
        beside=Beside(
            lines=packed(
                tmp_path / "lines.csv.gz",
                "basket_id,product_id,quantity,sales_value\n31198570044,819978,1,2.45\n"
                "31198570044,25671,1,0.2\n",
            ),
            products=packed(
                tmp_path / "products.csv.gz",
                "product_id,department,category,type,brand\n"
                "25671,GROCERY,FRZN ICE,ICE - CRUSHED/CUBED,National\n"
                "819978,PRODUCE,APPLES,APPLES GALA,National\n",
            ),
        ),
        create_stores=True,
    )
    assert (done.created, done.customers, done.refused, done.stores_opened) == (1, 0, 0, 1)
    with floor.operator(floor.club, write=False) as s:
        assert s.query(Purchase.total_minor).all() == [(265,)]
        assert [one.department for one in s.query(PurchaseLine).order_by(PurchaseLine.line_no)] == [
            "PRODUCE",
            "GROCERY",
        ]
        answers = {one.name: one.fields for one in s.query(Customer)}
    assert answers == {
        "Member 1": {"age": "65+", "income": "35-49K", "household_size": "2"},
        "Member 2": {},
    }


@pytest.mark.skipif(
    not (original := Path(__file__).parents[4] / "shared" / "data" / "complete_journey").exists(),
    reason="the original files are not on this machine",
)
def test_the_columns_are_still_those_of_the_original() -> None:
    for name, table in (("baskets.csv.gz", "columns"), ("lines.csv.gz", "lines")):
        written = tomllib.loads((DOCS / "mappings" / "complete_journey.toml").read_text())
        with gzip.open(original / name, "rt") as file:
            assert set(written[table].values()) <= set(next(csv.reader(file)))
