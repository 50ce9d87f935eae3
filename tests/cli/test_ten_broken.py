"""An installation with ten broken tools: it starts, says of each what is wrong, and serves."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOTS = [
    str(Path(__file__).parents[2] / name)
    for name in ("platform", "tenants", "plugins", "migrations", "tests")
]
PLUGIN = "from highstreet.sdk import Plugin\n"
MODEL = (
    PLUGIN
    + "import sqlalchemy as sa\nfrom highstreet.sdk import Base, StoreOwned\n"
    + "from sqlalchemy.orm import Mapped, mapped_column\n"
    + "class Row(StoreOwned, Base):\n    __tablename__ = 'ten_slow_row'\n"
    + "    text: Mapped[str]\n"
    + "plugin = Plugin('ten_slow', migrations='ten_slow_package.migrations')\n"
)
HANGS = (
    "import time\nrevision = 'ten_slow_0001'\ndown_revision = None\n"
    "def upgrade():\n    while True: pass\ndef downgrade(): pass\n"
)
#: name: (reason, what the message must say, source, more of plugin.toml, entry point's value)
TEN: dict[str, tuple[str, str, str | bytes, str, str]] = {
    "ten_old": (
        "version",
        "It needs highstreet<0.0.1",
        PLUGIN,
        'requires = "highstreet<0.0.1"',
        "",
    ),
    "ten_lost": ("entry-point", "must name a package", PLUGIN, "", ":plugin"),
    "ten_utf16": ("manifest", "save it as UTF-8", b"", "", ""),
    "ten_needy": ("missing-dependency", "no_such_tool", PLUGIN, 'depends = ["no_such_tool"]', ""),
    "ten_raises": ("import-error", "ZeroDivisionError", "1 / 0", "", ""),
    "ten_exits": ("import-error", "SystemExit: 3", "import sys\nsys.exit(3)", "", ""),
    "ten_stops": ("import-error", "KeyboardInterrupt", "raise KeyboardInterrupt", "", ""),
    "ten_prints": ("no-plugin", "no attribute `plugin`", 'print(\'{"not": "json"}\')', "", ""),
    "ten_filters": (
        "contribution",
        "template filters of every page",
        "from highstreet.sdk import Plugin, screens\npage = screens('ten_filters')\n"
        "page.app_template_filter('upper')(str)\nplugin = Plugin('ten_filters', screens=[page])\n",
        "",
        "",
    ),
    "ten_slow": ("unready", "it took longer than 3 s and was stopped", MODEL, "", ""),
}


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation that has them all, each in a distribution of its own."""
    site = tmp_path_factory.mktemp("site")
    for name, (_reason, _says, source, more, value) in TEN.items():
        package = site / f"{name}_package"
        (package / "migrations").mkdir(parents=True)
        (package / "migrations" / "__init__.py").write_text("")
        lines = {
            "name": f'name = "{name}"',
            "title": f'title = "{name}"',
            "summary": 'summary = "A broken tool."',
            "version": 'version = "1.0"',
            "requires": 'requires = "highstreet>=0.1,<1"',
        }
        lines |= {more.split(" = ")[0]: more} if more else {}
        text = "\n".join(lines.values())
        raw = text.encode("utf-16" if source == b"" else "utf-8")
        (package / "plugin.toml").write_bytes(raw)
        (package / "__init__.py").write_bytes(
            source if isinstance(source, bytes) else source.encode()
        )
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        target = value or f"{name}_package"
        (info / "entry_points.txt").write_text(f"[highstreet.plugins]\n{name} = {target}\n")
    (site / "ten_slow_package" / "migrations" / "first.py").write_text(HANGS)
    folder = tmp_path_factory.mktemp("instance")
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("HIGHSTREET_")},
        "PYTHONPATH": os.pathsep.join([str(site), *ROOTS]),
        "HIGHSTREET_INSTANCE": str(folder),
        "HIGHSTREET_MIGRATION_SECONDS": "3",
        "HIGHSTREET_SECRET_KEY": "x" * 40,
    }


def call(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = "from highstreet.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-P", "-c", command, *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def migrated(env: dict[str, str]) -> dict[str, str]:
    """The same, with the tables of all that can have them."""
    done = call(env, "migrate", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {one.split(":")[0] for one in told["moved"]} == {
        "core",
        "direct_mail",
        "magazine",
        "points_club",
    }
    assert "it took longer than 3 s and was stopped" in told["failed"]["ten_slow"]
    assert "Traceback" not in done.stderr
    return env


@pytest.mark.slow
def test_each_is_named_with_its_reason_and_how_to_mend_it(migrated: dict[str, str]) -> None:
    done = call(migrated, "plugins", "list", "--json")
    assert done.returncode == 1
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["points_club"]["state"] == "loaded"
    assert {name: rows[name]["state"] for name in TEN} == {n: one[0] for n, one in TEN.items()}
    for name, (_reason, says, *_rest) in TEN.items():
        assert says in rows[name]["detail"], rows[name]
    assert "Traceback" not in done.stderr
    done = call(migrated, "plugins", "doctor", "--json")
    assert done.returncode == 1
    found = json.loads(done.stdout)["found"]
    assert {(one["tool"], one["what"]) for one in found} >= {(n, t[0]) for n, t in TEN.items()}
    assert all(one["mend"] for one in found)
    slow = next(one for one in found if one["tool"] == "ten_slow")
    assert slow["detail"] == "its migration failed: it took longer than 3 s and was stopped"
    told = call(migrated, "plugins", "doctor").stdout
    assert all(f"{one['tool']}: {one['what']}: {one['detail']}\n" in told for one in found)
    shown = json.loads(call(migrated, "plugins", "show", "ten_slow", "--json").stdout)
    assert shown["state"] == "unready"
    assert shown["migration_failed"] == "it took longer than 3 s and was stopped"
    assert "it took longer than 3 s" in call(migrated, "plugins", "show", "ten_slow").stdout
    shown = call(migrated, "plugins", "show", "ten_old", "--json")
    assert json.loads(shown.stdout)["state"] == "version"
    assert json.loads(shown.stdout)["hooks"] == []
    checked = json.loads(call(migrated, "check", "--json").stdout)
    assert not checked["fine"]
    safe = json.loads(call(migrated, "--safe-mode", "plugins", "list", "--json").stdout)
    assert {row["state"] for row in safe if row["name"] in ("points_club", "ten_exits")} == {
        "safe-mode"
    }


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--safe-mode"]])
def test_it_starts_and_serves(migrated: dict[str, str], more: list[str]) -> None:
    with serving(migrated, more) as (address, process):
        with urllib.request.urlopen(f"{address}/readyz", timeout=60) as answer:
            told = json.load(answer)
        assert told["status"] == "ok"
        assert told.get("left_out", []) == ([] if more else ["ten_slow"])
        with urllib.request.urlopen(f"{address}/signin", timeout=60) as answer:
            assert answer.status == 200
        assert process.poll() is None


class serving:  # noqa: N801 - reads as a verb
    """`highstreet run` on a free port; gives its address and the process."""

    def __init__(self, env: dict[str, str], more: list[str]) -> None:
        self.env, self.more = env, more

    def __enter__(self) -> tuple[str, subprocess.Popen[str]]:
        command = "from highstreet.cli import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", command, "run", "--port", "0", *self.more],
            env=self.env,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        lines = []
        for line in self._lines():
            lines.append(line)
            if "listens on " in line:
                address = line.split("listens on ")[1].split(" ")[0]
                self._until_jobs_run(address)
                return address, self.process
        raise AssertionError("".join(lines))

    def _lines(self) -> Iterator[str]:
        assert self.process.stderr is not None
        yield from self.process.stderr

    def _until_jobs_run(self, address: str) -> None:
        for _try in range(120):
            try:
                urllib.request.urlopen(f"{address}/readyz", timeout=60).close()
            except OSError:
                time.sleep(0.5)
            else:
                return

    def __exit__(self, *_what: object) -> None:
        self.process.terminate()
        self.process.wait(90)
        assert self.process.stderr is not None
        self.process.stderr.close()
