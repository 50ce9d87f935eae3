"""`highstreet plugins new`: a whole tool, small and working, to be changed into one's own.

What is written is a distribution that installs, with tests that pass; `tests/kit/test_scaffold.py`
does with it what its author will.
"""

from __future__ import annotations

import json
import keyword
import shutil
import tempfile
from collections.abc import Mapping
from importlib import resources
from importlib.metadata import entry_points
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, StrictUndefined
from packaging.version import Version

import highstreet
from highstreet.host.manifest import faults_of_name
from highstreet.host.registry import GROUP
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict, Invalid

SUMMARY = "Shows whom to thank for a large purchase."

#: Characters that mean something in a page, a message or a file of settings.
_NOT_IN_TITLES = frozenset('"\\<>{}%«»')

#: Template → what comes of it.
FILES: Mapping[str, str] = {
    "README.md": "README.md",
    "LICENSE": "LICENSE",
    "gitignore": ".gitignore",
    "babel.cfg": "babel.cfg",
    "pyproject.toml": "pyproject.toml",
    "tool/__init__.py": "{package}/__init__.py",
    "tool/py.typed": "{package}/py.typed",
    "tool/plugin.toml": "{package}/plugin.toml",
    "tool/models.py": "{package}/models.py",
    "tool/settings.py": "{package}/settings.py",
    "tool/entries.py": "{package}/entries.py",
    "tool/hooks.py": "{package}/hooks.py",
    "tool/screens.py": "{package}/screens.py",
    "tool/api.py": "{package}/api.py",
    "tool/migrations/__init__.py": "{package}/migrations/__init__.py",
    "tool/migrations/first.py": "{package}/migrations/{name}_0001_entries.py",
    "tool/templates/waiting.html": "{package}/templates/{name}/waiting.html",
    "tool/translations/messages.po": ("{package}/translations/zh_Hans/LC_MESSAGES/messages.po"),
    "tests/test_tool.py": "tests/test_tool.py",
}


def write(name: str, into: Path, *, title: str = "", title_zh: str = "") -> Path:
    """Write a new tool into a folder of its own below `into`; gives that folder.

    title: English, made of the name if empty; title_zh: Simplified Chinese, the English one if
    empty. Raises Invalid for a name or title that can't be, Conflict for one that is taken and for
    a folder that is there. What fails leaves nothing behind.
    """
    check_name(name)
    title = title.strip() or name.replace("_", " ").capitalize()
    title_zh = title_zh.strip() or title
    for given, field in ((title, "title"), (title_zh, "title_zh")):
        _check_title(given, field)
    distribution = f"highstreet-{name.replace('_', '-')}"
    target = into / distribution
    if target.exists() or target.is_symlink():
        raise Conflict(
            _(
                "%(folder)s is there already, and nothing in it was touched. Choose another name,"
                " or another folder with --into.",
                folder=str(target),
            )
        )
    package = package_of(name)
    version = Version(highstreet.__version__)
    words = {
        "name": name,
        "package": package,
        "distribution": distribution,
        "title": title,
        "title_zh": title_zh,
        "summary": SUMMARY,
        "version": f"{version.major}.{version.minor}",
        "next": str(version.major + 1),
    }
    try:
        into.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{distribution}-", dir=into))
    except OSError as error:
        raise Invalid(
            _("%(folder)s can't be written to: %(why)s", folder=str(into), why=error.strerror),
            fields={"into": [str(error.strerror)]},
        ) from error
    try:
        for source, place in FILES.items():
            _render(source, work / place.format_map(words), words)
        work.chmod(0o755)
        work.rename(target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return target


def package_of(name: str) -> str:
    """The Python package of a tool that this module writes."""
    return f"highstreet_{name}"


def check_name(name: str) -> None:
    """Raise Invalid for a name that no tool may have, Conflict for one that is taken here."""
    wrong = faults_of_name(name)
    if keyword.iskeyword(name):
        wrong.append(_("Python keeps this word for itself"))
    if wrong:
        raise Invalid(
            _("“%(name)s” can't be a tool’s name: %(why)s.", name=name, why="; ".join(wrong)),
            fields={"name": wrong},
        )
    if name in {point.name for point in entry_points(group=GROUP)}:
        raise Conflict(_("A tool called “%(name)s” is installed here already.", name=name))
    if find_spec(package_of(name)) is not None:
        raise Conflict(
            _(
                "There is a package %(package)s here already, and a tool “%(name)s” would be called"
                " the same. Choose another name.",
                package=package_of(name),
                name=name,
            )
        )


def _check_title(title: str, field: str) -> None:
    if len(title) > 60 or not title.isprintable() or not _NOT_IN_TITLES.isdisjoint(title):
        why = _(
            "A title is one line of at most 60 characters, without %(marks)s.",
            marks=" ".join(sorted(_NOT_IN_TITLES)),
        )
        raise Invalid(why, fields={field: [why]})


def _render(source: str, target: Path, words: Mapping[str, str]) -> None:
    text = _jinja().from_string(_blank(source)).render(words)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    if target.suffix == ".po":
        with target.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(BytesIO(text.encode()), locale="zh_Hans"))


def _blank(source: str) -> str:
    path = resources.files("highstreet.kit").joinpath("blank", f"{source}.jinja")
    return path.read_text(encoding="utf-8")


def _jinja() -> Environment:
    """Marks of its own, for the pages that are written bear Jinja's."""
    jinja = Environment(
        block_start_string="«%",
        block_end_string="%»",
        variable_start_string="«",
        variable_end_string="»",
        comment_start_string="«#",
        comment_end_string="#»",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,
    )
    # A text in quotes reads alike in Python, TOML, gettext's files and within a page's expression.
    jinja.filters["quoted"] = lambda text: json.dumps(text, ensure_ascii=False)
    return jinja
