"""Running the kit on a tool and reading what it says."""

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from . import bad_tools, good
from .seeds import IMPORTS, Bad
from .tools import run_pytest

#: No server answers there, and no browser is there: each fault is found on SQLite as well.
NOWHERE = {
    "HIGHSTREET_TEST_POSTGRES_URL": "postgresql+psycopg://x@127.0.0.1:1/x",
    "HIGHSTREET_CHROMIUM": "",
}


WHOLE = bool(os.environ.get("HIGHSTREET_TEST_WHOLE_KIT"))


class Said(NamedTuple):
    """What a run said. failed: ids of the checks that found something, with what they printed."""

    failed: dict[str, str]
    passed: int
    errors: int
    text: str


def judge(name: str, site: Path | None, folder: Path, *more: str, fails: bool, **env: str) -> Said:
    """The kit's verdict on a tool. more: arguments of pytest."""
    folder.mkdir(parents=True, exist_ok=True)
    text = run_pytest(
        *(name, "-o", "highstreet_batch=40", *more),
        cwd=folder,
        path=site,
        fails=fails,
        **(NOWHERE | env),
    )
    failed: dict[str, str] = {}
    for heading, body in re.findall(
        r"^_+ ([a-z]+-[a-z]+)\S*: [^\n]*? _+\n(.*?)(?=^_{3,} |^=+ )", text, re.S | re.M
    ):
        failed[heading] = failed.get(heading, "") + body
    counted = {word: int(many) for many, word in re.findall(r"(\d+) (passed|failed|error)", text)}
    assert counted.get("failed", 0) == len(re.findall(r"^FAILED ", text, re.M))
    return Said(failed, counted.get("passed", 0), counted.get("error", 0), text)


def make(bad: Bad, package: Path, folder: Path) -> Path:
    """Where the bad tool is installed."""
    source = folder / "source"
    shutil.copytree(package, source / package.name)
    broken = source / package.name
    for file, (old, new) in IMPORTS.items():
        good.edit(broken, file, old, new)
    made = "    ctx.s.add_all(made)\n"
    noted = "    ctx.s.flush()\n    NOTED.update(one.id for one in made)\n"
    good.edit(broken, "entries.py", made, made + noted)
    if bad.new is None:
        (broken / bad.file).unlink()
    else:
        good.edit(broken, bad.file, bad.old, bad.new)
    if bad.compiles and (broken / good.PO).is_file():
        good.compile_(broken)
    good.install(broken, folder / "site")
    return folder / "site"


def check(bad: Bad, package: Path, folder: Path) -> str:
    """The kit finds the fault, by the one check that is for it; gives what was printed.

    That no other check finds anything takes five times as long, and is asked where WHOLE is set.
    """
    only = () if WHOLE else ("-k", bad.check)
    said = judge(good.NAME, make(bad, package, folder), folder / "run", *only, fails=True)
    assert list(said.failed) == [bad.check], said.text[-6000:]
    printed = said.failed[bad.check]
    assert bad.words in printed, printed
    assert "MEND" in printed
    print(f"\n{bad.check}\n{printed.strip()}")
    bad_tools.hold(bad, printed)
    return printed
