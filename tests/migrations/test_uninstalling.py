"""A tool goes with all its rows in files, the core lives on, and it comes back as if never away."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.audits import service as audits
from highstreet.customers import leaving
from highstreet.customers import service as customers
from highstreet.host import state
from highstreet.house import House
from highstreet_migrations import archive, leftovers, runner
from highstreet_tenants import rls
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.scopes import SYSTEM

from .conftest import NAME, Town, balance, rows


def agrees(house: House, town: Town) -> bool:
    """Whether `highstreet audit` finds nothing."""
    with town.office(house) as s:
        return all(not part.audited.differences for part in audits.audit(s))


def test_what_goes_comes_back_equal(
    house: House, town: Town, urls: Any, bare: Any, tmp_path: Path
) -> None:
    with town.at(house) as s:
        ann = town.join(s, "Ann")
        refs = [town.buy(s, ann) for _ in range(3)]
        town.bring_back(s, refs[1])
    with town.at(house, 1) as s:
        town.buy(s, town.join(s, "王小明"))
    before = rows(urls[0], house)
    folder = tmp_path / "club"

    gone, earlier = house.take_out(NAME, folder, drop=True)
    assert not earlier

    assert gone.rows() == {table: len(found) for table, found in before.items()}
    assert sum(gone.rows().values()) > 10
    left = sa.inspect(house.engine).get_table_names()
    assert [table for table in left if table.startswith(NAME)] == []
    assert {Path(one.path).parts[0] for one in gone.files} == {"corner"}

    core = bare()
    assert core.behind() == [] and core.migrate() == []
    with town.at(core) as s:  # the core does not miss it
        town.buy(s, town.join(s, "Bo"))
        with pytest.raises(NotFound):
            state.explain(s, NAME)

    contents, caught_up = house.bring_back(NAME, folder, SYSTEM)

    assert contents.rows() == gone.rows()
    assert rows(urls[0], house) == before
    assert caught_up == {}
    assert house.behind() == []
    with runner.owner_engine(urls[0]).connect() as connection:
        assert runner.differences(connection, house.histories[1], house.histories) == []
        assert rls.unprotected(connection) == []
    assert agrees(house, town)
    with town.at(house) as s:
        town.buy(s, ann)
    assert balance(house, town, ann) == 30


def test_obligations_of_the_time_between_are_done(
    house: House, town: Town, bare: Any, tmp_path: Path
) -> None:
    with town.at(house) as s:
        ann, bea, bob, cyd, dee = (town.join(s, n) for n in ("Ann", "Bea", "Bob", "Cyd", "Dee"))
        ref = town.buy(s, ann)
        for one in (ann, bea, bob, bob, cyd, dee):
            town.buy(s, one)
    house.take_out(NAME, tmp_path / "club", drop=True)
    core = bare()
    with town.at(core) as s:
        town.bring_back(s, ref)
    with town.office(core) as s:
        customers.merge(s, bea, bob)
        customers.merge(s, dee, cyd)
        leaving.erase(s, dee, reason="asked for it")

    _contents, caught_up = house.bring_back(NAME, tmp_path / "club", SYSTEM)

    assert (caught_up["done"], caught_up["failed"]) == (4, 0)
    assert balance(house, town, ann) == 10
    assert balance(house, town, bea) == 30
    assert not balance(house, town, bob)
    assert not any(balance(house, town, one) for one in (dee, cyd))
    assert agrees(house, town)


def test_a_damaged_export_brings_nothing_back(house: House, town: Town, tmp_path: Path) -> None:
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
    folder = tmp_path / "club"
    contents, _ = house.take_out(NAME, folder, drop=True)
    path = folder / contents.files[0].path
    whole = path.read_bytes()
    lines = gzip.decompress(whole).replace(b"10", b"99")
    path.write_bytes(gzip.compress(lines))
    with pytest.raises(Invalid, match="is not as it was written"):
        house.bring_back(NAME, folder, SYSTEM)
    path.unlink()
    with pytest.raises(Invalid, match="is missing from the export"):
        house.bring_back(NAME, folder, SYSTEM)
    assert NAME in house.behind()
    path.write_bytes(whole)
    house.bring_back(NAME, folder, SYSTEM)
    assert agrees(house, town)


def test_rows_that_are_there_are_not_mixed_with_others(
    house: House, town: Town, urls: Any, tmp_path: Path
) -> None:
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
    house.take_out(NAME, tmp_path / "copy", drop=False)
    with town.at(house) as s:
        town.buy(s, town.join(s, "Bea"))
    before = rows(urls[0], house)
    with pytest.raises(Conflict, match="rows already"):
        house.bring_back(NAME, tmp_path / "copy", SYSTEM)
    assert rows(urls[0], house) == before


def test_an_export_of_another_installation_is_refused_whole(
    house: House, town: Town, tmp_path: Path
) -> None:
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
    folder = tmp_path / "club"
    contents, _ = house.take_out(NAME, folder, drop=True)
    account = next(one for one in contents.files if one.table == "points_club_account")
    lines = [
        json.loads(line)
        for line in gzip.decompress((folder / account.path).read_bytes()).splitlines()
    ]
    for line in lines:
        line["customer_id"] = "01998000-0000-7000-8000-000000000000"
    (folder / account.path).write_bytes(
        gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode())
    )
    said = json.loads((folder / archive.MANIFEST).read_text())
    for one in said["files"]:
        if one["path"] == account.path:
            one["sha256"] = archive._digest(folder / account.path)
    (folder / archive.MANIFEST).write_text(json.dumps(said))
    with pytest.raises(Conflict, match="no longer has"):
        house.bring_back(NAME, folder, SYSTEM)
    left = sa.inspect(house.engine).get_table_names()
    assert [table for table in left if table.startswith(NAME)] == []


def test_a_folder_that_is_there_is_not_written_over(
    house: House, town: Town, tmp_path: Path
) -> None:
    (tmp_path / "club").mkdir()
    with pytest.raises(Conflict, match="there already"):
        house.take_out(NAME, tmp_path / "club", drop=True)
    assert NAME not in house.behind()


def test_what_a_tool_leaves_is_named(
    house: House, town: Town, urls: Any, bare: Any, tmp_path: Path
) -> None:
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
    assert leftovers.look(urls[0], house.histories, [NAME, "direct_mail", "magazine"]) == []
    core = bare()
    (orphan,) = leftovers.look(urls[0], core.histories, ["direct_mail", "magazine"])
    assert orphan.tool == NAME
    assert orphan.tables["points_club_entry"] == 1
    assert orphan.remembered["core_plugin_policy"] == 1
    assert core.migrate() == []  # and its tables are in nobody's way
    house.take_out(NAME, tmp_path / "club", drop=True)
    (orphan,) = leftovers.look(urls[0], core.histories, ["direct_mail", "magazine"])
    assert orphan.tables == {}
    assert orphan.remembered["core_plugin_setting"] >= 1


def test_every_kind_of_value_is_the_same_afterwards(urls: Any, tmp_path: Path) -> None:
    """NULL and JSON's null, microseconds, bytes, what spreadsheets and terminals choke on."""
    from decimal import Decimal

    from highstreet_tenants.base import UTCDateTime

    table = sa.Table(
        "odd_thing",
        sa.MetaData(),
        sa.Column("brand_id", sa.Uuid(), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", UTCDateTime()),
        sa.Column("day", sa.Date()),
        sa.Column("on", sa.Boolean()),
        sa.Column("many", sa.BigInteger()),
        sa.Column("part", sa.Float()),
        sa.Column("words", sa.Text()),
        sa.Column("raw", sa.LargeBinary()),
        sa.Column("data", sa.JSON()),
        sa.Column("none", sa.JSON(none_as_null=True)),
    )
    columns = {column.name: archive.kind_of(column) for column in table.columns}
    brand = UUID("01998000-0000-7000-8000-000000000001")
    given = [
        {
            "brand_id": brand,
            "id": UUID(int=number),
            "at": datetime(2026, 3, 29, 1, 30, 0, number, UTC),
            "day": datetime(2024, 2, 29).date(),
            "on": number % 2 == 0,
            "many": 2**62 + number,
            "part": 0.1 + number,
            "words": 'a\n"b"\t\u2028\u0001 😀 王 =1+1 ' + "x" * number,
            "raw": bytes(range(256)),
            "data": None if number == 1 else {"k": [1, 2.5, None, "ü"], "big": 2**60},
            "none": None,
        }
        for number in range(3)
    ]
    engine = runner.owner_engine(urls[0])
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), given)
        contents = archive.Contents(
            "odd", "1", "1", "odd_1", datetime(2026, 1, 1, tzinfo=UTC), {"odd_thing": columns}
        )
        with archive.Writing(tmp_path / "odd", contents) as writing:
            found = connection.execute(archive.stored("odd_thing", columns)).mappings()
            writing.add("odd_thing", "corner", None, found)
        archive.finish(tmp_path / "odd")
        before = connection.execute(sa.select(table).order_by(table.c.id)).all()
        null = connection.execute(
            sa.select(table.c.data.is_(None), table.c.none.is_(None)).order_by(table.c.id)
        ).all()
        connection.execute(table.delete())
        read = archive.contents_of(tmp_path / "odd")
        connection.execute(
            sa.insert(archive.light("odd_thing", columns)),
            list(archive.rows_in(tmp_path / "odd", read, "odd_thing")),
        )
        assert connection.execute(sa.select(table).order_by(table.c.id)).all() == before
        assert (
            connection.execute(
                sa.select(table.c.data.is_(None), table.c.none.is_(None)).order_by(table.c.id)
            ).all()
            == null
        )
    engine.dispose()
    with pytest.raises(Invalid, match="can't be exported"):
        archive.kind_of(sa.Column("wide", sa.ARRAY(sa.Integer)))
    assert Decimal(archive.KINDS["decimal"].write(Decimal("1.10"))) == Decimal("1.10")
