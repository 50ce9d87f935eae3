"""docs/reference/bad-tools.md: each seeded bad tool with the message that its author gets.

`make bad-tools` runs them all and writes the page; each run of a seed holds its message to it.
"""

import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .seeds import DEEDS, FILES, Bad

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "bad-tools.md"
WRITE = bool(os.environ.get("HIGHSTREET_WRITE_BAD_TOOLS"))
HEAD = """\
# Bad tools, and what the kit says of them

Written by `make bad-tools` from what the kit printed; do not edit. Each is one good tool with one
thing changed, and `pytest --highstreet-plugin NAME` finds it by the one check that is for it. Tests
hold every message to this page, so what an author reads here is what an author gets: what is wrong,
where, and how to mend it. [All checks](checks.md) are listed by themselves. What is wrong with a
tool that is *installed* is told by `highstreet plugins doctor`; see
[Writing a tool](../plugins.md).
"""


def message(printed: str) -> str:
    """What the kit printed of a finding, without what differs from run to run."""
    lines = printed.strip("\n").splitlines()
    start = next(n for n, line in enumerate(lines) if line.lstrip().startswith("WRONG"))
    kept = []
    for line in lines[start:]:
        if not line.strip() or line.startswith(("-----", "_____", "tests/", "/")):
            break
        kept.append(line.rstrip())
    text = "\n".join(kept)
    for pattern, instead in (
        (r"/\S*?/source/", ""),
        (r"/\S*/(?=highstreet_good/)", ""),
        (r"/\S*/(?=(?:platform|tenants|plugins|migrations)/\S+\.py)", ""),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "…"),
        (r"\b[0-9a-f]{32}\b", "…"),
        (r"0x[0-9a-f]+", "0x…"),
        (r"\d+(?:\.\d+)? ?(ms|µs|s|seconds|milliseconds)\b", r"… \1"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*", "…"),
    ):
        text = re.sub(pattern, instead, text)
    return text


def heading(bad: Bad) -> str:
    """Where it stands on the page: no two have the same."""
    alike = [one for one in (*FILES, *DEEDS) if (one.check, one.file) == (bad.check, bad.file)]
    number = f" ({alike.index(bad) + 1})" if len(alike) > 1 else ""
    return f"### {bad.check}: {bad.file}{number}"


def section(bad: Bad, printed: str) -> str:
    """A bad tool on the page: what was changed, and the message."""
    return "\n".join([heading(bad), "", *_change(bad), "", "```text", message(printed), "```", ""])


def _change(bad: Bad) -> Iterator[str]:
    if bad.new is None:
        yield "The file is missing."
        return
    if bad.old and not bad.new.strip():
        yield "Taken out:"
    elif not bad.old:
        yield "Added:"
    else:
        yield "Changed:"
    yield ""
    yield "```diff"
    yield from (f"- {line}" for line in bad.old.strip("\n").splitlines())
    yield from (f"+ {line}" for line in bad.new.strip("\n").splitlines())
    yield "```"


def sections(page: str) -> dict[str, str]:
    """Heading → its section."""
    parts = re.split(r"^(?=### )", page, flags=re.M)[1:]
    return {part.splitlines()[0]: re.sub(r"\n## .*", "", part, flags=re.S) for part in parts}


def hold(bad: Bad, printed: str) -> None:
    """The page says of a bad tool what the kit has just said; or it is made to."""
    made = section(bad, printed)
    if WRITE:
        _put(heading(bad), made)
    found = sections(PAGE.read_text(encoding="utf-8")).get(heading(bad), "")
    assert found.strip() == made.strip(), "run: make bad-tools, and read what changed"


def _put(title: str, made: str) -> None:
    lock = Path(tempfile.gettempdir()) / "highstreet-bad-tools.lock"
    with lock.open("w") as held:  # tests run side by side
        fcntl.flock(held, fcntl.LOCK_EX)
        known = sections(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
        known[title] = made
        text = [HEAD]
        for words, seeds in (
            ("Found in its files, or when it is loaded", FILES),
            ("Found while it works", DEEDS),
        ):
            text += [f"## {words}", ""]
            text += [known[h].strip() + "\n" for h in map(heading, seeds) if h in known]
        PAGE.write_text("\n".join(text), encoding="utf-8")
