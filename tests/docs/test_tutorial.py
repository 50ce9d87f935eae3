"""The tutorial, done as it says: every file written, every command run, in its order."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
ROOTS = [str(ROOT / name) for name in ("platform", "tenants", "plugins", "migrations")]
OTHERS = ("cacheprovider", "xdist", "schemathesis", "hypothesispytest")
#: Nothing is fetched by a test: what pip would do is done below.
INSTALL = "pip install -e '.[test]'"


def steps() -> Iterator[tuple[str, str, list[str]]]:
    """("file", its path, its lines) and ("run", a command, what it must print)."""
    for token in MarkdownIt().parse(TUTORIAL.read_text("utf-8")):
        if token.type != "fence":
            continue
        if token.info == "console":
            for part in re.split(r"^\$ ", token.content, flags=re.M)[1:]:
                command, *printed = part.rstrip("\n").splitlines()
                yield "run", command, printed
        else:
            head, _gap, body = token.content.partition("\n\n")
            assert head.startswith(":caption: "), token.content[:80]
            yield "file", head.removeprefix(":caption: ").strip(), body.splitlines()


@pytest.mark.slow
def test_from_nothing_to_a_working_tool(tmp_path: Path) -> None:
    here, bin_ = tmp_path, Path(sys.executable).parent
    site = tmp_path / "site"
    env = {
        **os.environ,
        "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(site), *ROOTS]),
        # Plugins of our tests, not of an author's.
        "PYTEST_ADDOPTS": " ".join(f"-p no:{one}" for one in OTHERS),
        # One database is enough to see whether the tutorial holds.
        "HIGHSTREET_TEST_POSTGRES_URL": "postgresql+psycopg://x@127.0.0.1:1/x",
        "HIGHSTREET_CHROMIUM": "",
        "HIGHSTREET_SECRET_KEY": "for tests only",
    }
    files = commands = 0
    for kind, what, lines in steps():
        if kind == "file":
            (here / what).write_text("\n".join(lines) + "\n", "utf-8")
            files += 1
        elif what.startswith("cd "):
            here = here / what.removeprefix("cd ")
        elif what == INSTALL:
            _install(here, site)
        else:
            done = subprocess.run(
                what, shell=True, cwd=here, env=env, capture_output=True, text=True, timeout=300
            )
            said = done.stdout + done.stderr
            fails = any(line.startswith("WRONG") for line in lines)
            assert (done.returncode != 0) is fails, f"$ {what}\n{said[-3000:]}"
            for line in lines:
                assert line in said, f"$ {what}\nprints no “{line}”:\n{said[-3000:]}"
            commands += 1
    assert files >= 5 and commands >= 12


def _install(source: Path, site: Path) -> None:
    """What an editable installation comes to: its code where it is, its entry point known."""
    (package,) = source.glob("highstreet_*")
    name = package.name.removeprefix("highstreet_")
    info = site / f"{package.name}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (site / package.name).symlink_to(package)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package.name}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[highstreet.plugins]\n{name} = {package.name}\n")
