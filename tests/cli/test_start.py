"""The help page costs next to nothing, every command has one, and errors are one clear line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from conftest import REQUIRED
from highstreet.cli import COMMANDS, cli, reference

from .conftest import Call

PROBE = """
import resource, sys
from highstreet.cli import main
try:
    main(["--help"])
except SystemExit:
    used = resource.getrusage(resource.RUSAGE_SELF)
    heavy = sorted(
        {"flask", "sqlalchemy", "marshmallow", "rich", "babel", "redis"} & set(sys.modules)
    )
    print(used.ru_utime + used.ru_stime, heavy, file=sys.stderr)
"""


def test_the_help_page_is_quick_and_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    seconds, heavy = done.stderr.split(" ", 1)
    assert float(seconds) < 0.5
    assert heavy.strip() == "[]"
    for name, (_place, summary) in COMMANDS.items():
        assert name in done.stdout
        assert summary in " ".join(done.stdout.split())


def walk(command: click.Command, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    found = [names]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            found += walk(inner, (*names, name))
    return found


@pytest.mark.parametrize("names", walk(cli, ()), ids=" ".join)
def test_every_command_explains_itself(call: Call, names: tuple[str, ...]) -> None:
    done = call(*names, "--help")
    assert done.code == 0
    assert "Usage: highstreet" in done.out


def test_the_reference_names_every_command() -> None:
    text = reference.pages()["cli.md"]
    for names in walk(cli, ("highstreet",)):
        assert f" {' '.join(names)}\n" in text


def test_the_reference_in_the_docs_is_up_to_date() -> None:
    path = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
    assert path.read_text(encoding="utf-8") == reference.pages()["cli.md"], "run: make docs"


def test_an_unknown_command_is_told(call: Call) -> None:
    done = call("dance")
    assert done.code == 2
    assert "No such command 'dance'" in done.err


def test_errors_are_one_line_without_a_traceback(call: Call) -> None:
    done = call("brands", "show", "nobody")
    assert done.code == 2
    assert done.err == "Error: There is no brand “nobody”; there are: —.\n"


def test_errors_for_machines_are_json(call: Call) -> None:
    import json

    done = call("brands", "show", "nobody", "--json")
    assert done.out == ""
    assert json.loads(done.err)["error"]["type"] == "not-found"


def test_with_debug_the_traceback_is_shown(instance: Path) -> None:
    from highstreet.cli import main
    from highstreet_tenants.errors import NotFound

    with pytest.raises(NotFound):
        main(["--debug", "--instance", str(instance), "brands", "show", "nobody"])


def test_a_database_that_is_away_is_told(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    done = call("brands", "list")
    assert done.code == 2
    assert "The database is out of reach" in done.err
    assert "Traceback" not in done.err


def test_tables_that_are_behind_are_the_operators_to_migrate(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    database = tmp_path / "old.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE something (x)")
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", f"sqlite:///{database}")
    done = call("brands", "list")
    assert done.code == 2
    assert "highstreet migrate" in done.err
    assert call("migrate", "--json").json["moved"]
    assert call("brands", "list", "--json").json == []


def test_the_module_is_the_installed_command() -> None:
    script = Path(sys.executable).with_name("highstreet")
    if not script.exists() and not REQUIRED:
        pytest.skip("the package is not installed here")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Highstreet")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "postgres", "database_url: postgresql://USER@HOST/DATABASE"),
        ("DATABASE_URL", "mysql://x/y", "database_url: postgresql://USER@HOST/DATABASE"),
        ("OWNER_DATABASE_URL", "nonsense", "owner_database_url: postgresql://"),
        ("REDIS_URL", "127.0.0.1", "redis_url: Write it like redis://"),
        ("INSTANCE", "/dev/null/here", "HIGHSTREET_INSTANCE"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str,
    value: str,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    from highstreet.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"HIGHSTREET_{name}", value)
    for command in (["brands", "list"], ["migrate"], ["check"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
        assert said in capsys.readouterr().err


def test_a_file_that_is_no_database_is_told(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page.html").write_text("<p>not a database</p>" * 40, encoding="utf-8")
    monkeypatch.setenv("HIGHSTREET_DATABASE_URL", f"sqlite:///{tmp_path / 'page.html'}")
    for command in (("brands", "list"), ("migrate",)):
        done = call(*command)
        assert done.code == 2
        assert done.err == "Error: The database is out of reach: file is not a database\n"


def test_a_host_that_is_nowhere_is_told(call: Call) -> None:
    done = call("run", "--no-runner", "--host", "300.1.1.1", "--port", "0")
    assert done.code == 2
    assert "300.1.1.1" in done.err


def test_the_folder_of_the_database_is_its_owners(call: Call, instance: Path) -> None:
    from highstreet import config

    made = Path(config.load({"instance": str(instance / "deep" / "here")})["instance"])
    assert made.stat().st_mode & 0o077 == 0


def test_check_names_a_misspelt_variable_and_a_key_that_can_be_guessed(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call("check").code == 0
    monkeypatch.setenv("HIGHSTREET_SECRTE_KEY", "x" * 40)
    monkeypatch.setenv("HIGHSTREET_SECRET_KEY", "hunter2")
    done = call("check")
    assert done.code == 1
    assert "nobody reads HIGHSTREET_SECRTE_KEY" in done.out
    assert "FAIL the secret key is long enough" in done.out


def test_reading_does_not_wait_for_a_writer(call: Call, instance: Path) -> None:
    import sqlite3
    from time import monotonic

    call("brands", "list")
    writer = sqlite3.connect(instance / "highstreet.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # an import, say
    began = monotonic()
    for command in (("brands", "list"), ("jobs", "list"), ("users", "list"), ("check",)):
        assert call(*command).code == 0
    assert monotonic() - began < 15, "SQLite's writers are waited for 20 s each"
    writer.execute("ROLLBACK")
    writer.close()


def test_a_database_that_is_busy_is_told(
    call: Call, instance: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    call("brands", "list")
    monkeypatch.setattr(
        "highstreet_tenants.engines.SQLITE_PRAGMAS", ("busy_timeout=50", "foreign_keys=ON")
    )
    writer = sqlite3.connect(instance / "highstreet.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    done = call("users", "create", "ann@example.org", "--name", "Ann")
    assert done.code == 2
    assert done.err == "Error: The database is busy (database is locked). Try again in a moment.\n"
    writer.execute("ROLLBACK")
    writer.close()
