"""A stranger's downgrade that hangs, raises, prints or ends the process harms nobody, and is told."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_migrations import archive, runner
from highstreet_migrations.removal import RemovalFailed
from highstreet_tenants.errors import Conflict, NotFound, Unavailable
from highstreet_tenants.scopes import SYSTEM

BROKEN = {
    "raises": ("raise RuntimeError('half way')", "RuntimeError: half way"),
    "exits": ("raise SystemExit(3)", "SystemExit: 3"),
    "interrupts": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "vanishes": ("os._exit(0)", "its process ended without a word (code 0)"),
    "crashes": ("os.kill(os.getpid(), 11)", "its process ended without a word (code -11)"),
    "hangs": ("while True: pass", "it took longer than 2 s and was stopped"),
    "leaves a program behind": (
        "import subprocess; subprocess.Popen(['sleep', '600']); os._exit(4)",
        "its process ended without a word (code 4)",
    ),
    "asks": ("input('Really? ')", "EOFError"),
}
#: An error; of the others the process ends alike, whatever database it worked on.
ON_BOTH = {"raises"}
PRINTS = "print('{\"answer\": 1}'); os.write(1, b'{\"theirs\": false}\\n')"


def tables(url: str, name: str) -> set[str]:
    """The tool's tables, and its history's."""
    engine = runner.owner_engine(url)
    try:
        with engine.connect() as connection:
            return {t for t in sa.inspect(connection).get_table_names() if t.startswith(name)}
    finally:
        engine.dispose()


@pytest.mark.parametrize("how", BROKEN)
def test_a_downgrade_that_fails_leaves_the_tool_as_it_was(
    how: str, shelf: Any, open_up: Any, urls: Any, tmp_path: Path
) -> None:
    if urls[0].startswith("postgresql") and how not in ON_BOTH:
        pytest.skip("how its process ends is the same on either database")
    body, says = BROKEN[how]
    shelf("bad", back=body)
    house = open_up(migration_seconds=600)
    house.migrate()
    house = open_up(migration_seconds=2)
    before = tables(urls[0], "bad")
    folder = tmp_path / "export"

    with pytest.raises(RemovalFailed) as error:
        house.take_out("bad", folder, drop=True)

    assert says in error.value.detail
    assert "bad was not uninstalled" in error.value.detail
    assert "as they were" in error.value.detail
    assert tables(urls[0], "bad") == before == {"bad_thing", "bad_alembic_version"}
    assert not folder.exists() and not archive.part_of(folder).exists()
    assert house.behind() == []
    # what it keeps can be had all the same, and others come and go
    house.take_out("bad", folder, drop=False)
    if how in ON_BOTH:
        house.take_out("points_club", tmp_path / "club", drop=True)
    # mended, it goes
    shelf.write("bad", "pass")
    open_up().take_out("bad", tmp_path / "again", drop=True)
    assert tables(urls[0], "bad") == set()


def test_what_a_downgrade_prints_is_no_word_of_ours(
    shelf: Any, open_up: Any, urls: Any, tmp_path: Path
) -> None:
    shelf("loud", back=PRINTS)
    house = open_up()
    house.migrate()
    contents, _ = house.take_out("loud", tmp_path / "export", drop=True)
    assert contents.tool == "loud"
    assert tables(urls[0], "loud") == set()


def test_an_upgrade_that_fails_at_the_return_brings_nothing_back(
    shelf: Any, open_up: Any, urls: Any, tmp_path: Path
) -> None:
    shelf("bad")
    house = open_up(migration_seconds=600)
    house.migrate()
    house.take_out("bad", tmp_path / "export", drop=True)
    for how, (body, says) in BROKEN.items():
        shelf.write("bad", body)
        house = open_up(migration_seconds=2)
        with pytest.raises(RemovalFailed) as error:
            house.bring_back("bad", tmp_path / "export", SYSTEM)
        assert says in error.value.detail, how
        assert "bad was not brought back" in error.value.detail
        assert tables(urls[0], "bad") == set()
    shelf.write("bad", "pass")
    open_up().bring_back("bad", tmp_path / "export", SYSTEM)
    assert tables(urls[0], "bad") == {"bad_thing", "bad_alembic_version"}


def test_a_tool_that_is_gone_is_not_gone_twice(shelf: Any, open_up: Any, tmp_path: Path) -> None:
    shelf("good")
    house = open_up()
    house.migrate()
    _contents, earlier = house.take_out("good", tmp_path / "export", drop=True)
    assert not earlier
    assert house.look_at_tables() and "good" in house.host.unready
    _contents, earlier = house.take_out("good", tmp_path / "export", drop=True)
    assert earlier
    with pytest.raises(Conflict, match="has no tables here"):
        house.take_out("good", tmp_path / "elsewhere", drop=True)
    with pytest.raises(NotFound):
        house.take_out("stranger", tmp_path / "elsewhere", drop=True)


def test_the_only_copy_of_rows_is_not_written_over(
    house: Any, town: Any, urls: Any, tmp_path: Path
) -> None:
    """Killed before the export had its name, and then the tables were made anew."""
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
    folder = tmp_path / "club"
    contents, _ = house.take_out("points_club", folder, drop=True)
    part = archive.part_of(folder)
    folder.rename(part)
    house.migrate()
    with pytest.raises(Conflict, match="in no table any more"):
        house.take_out("points_club", folder, drop=True)
    house.bring_back("points_club", part, SYSTEM)
    again, earlier = house.take_out("points_club", folder, drop=True)
    assert again.rows() == contents.rows() and not earlier
    assert not part.exists()


def test_tables_in_use_are_said_to_be(house: Any, town: Any, urls: Any, tmp_path: Path) -> None:
    if not urls[0].startswith("postgresql"):
        pytest.skip("SQLite waits for whoever writes, by its own time")
    with town.at(house) as s:
        town.buy(s, town.join(s, "Ann"))
        with pytest.raises(Unavailable, match="Stop the servers"):
            house.take_out("points_club", tmp_path / "club", drop=True)
