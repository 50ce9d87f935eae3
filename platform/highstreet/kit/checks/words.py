"""What people read, in every language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from highstreet.i18n import DEFAULT, LANGUAGES
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check

KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "gettext", "_l", "lazy_gettext", "N_"), None),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"**/templates/**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
PLACES = re.compile(r"%\((\w+)\)[sd]")
COMPILE = "pybabel compile -d {folder} -l {locale}"


def _said(folder: Path) -> dict[str, str]:
    """Every message that the code says → where it does first."""
    found: dict[str, str] = {}
    for file, line, message, _comments, _context in extract_from_dir(
        folder, METHODS, OPTIONS, KEYWORDS
    ):
        text = message if isinstance(message, str) else (message or ("",))[0]
        if text:
            found.setdefault(text, f"{folder / file}:{line}")
    return found


def _written(path: Path, locale: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def _catalogues(bench: Bench) -> Iterator[tuple[str, Path]]:
    """(locale, where its messages.po is or should be) of every language but English."""
    folder = bench.subject.folder
    assert folder is not None
    for locale in LANGUAGES:
        if locale != DEFAULT:
            place = folder / (bench.tool.plugin.translations or "translations")
            yield locale, place / locale / "LC_MESSAGES" / "messages.po"


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def _texts(message: Message) -> list[str]:
    said = message.string
    return [said] if isinstance(said, str) else [str(one) for one in said or ()]


@check("words-translated", needs="tool")
def words_translated(bench: Bench) -> Iterator[Finding]:
    """Every word that people read is translated into every language that Highstreet speaks."""
    folder = bench.subject.folder
    assert folder is not None
    said = _said(folder)
    if said and not bench.tool.plugin.translations:
        yield Finding(
            f"It says {len(said)} things to people, and has no catalogue.",
            'Plugin(translations="translations"), and catalogues in translations/<locale>/'
            "LC_MESSAGES/messages.po (README of a new tool: “After a change of words”).",
            next(iter(said.values())),
        )
        return
    for locale, path in _catalogues(bench) if said else ():
        there = _written(path, locale) if path.is_file() else Catalog(locale)
        done = {_key(one) for one in there if one.id and all(_texts(one)) and not one.fuzzy}
        mend = COMPILE.format(folder=path.parents[2], locale=locale)
        for text in sorted(said.keys() - done):
            yield Finding(
                f"“{text}” is not translated into {LANGUAGES[locale]}.",
                f"Translate it in {path}, then: {mend}",
                said[text],
            )


@check("words-places", needs="tool")
def words_places(bench: Bench) -> Iterator[Finding]:
    """What is filled into a message stands in its translation, too."""
    for locale, path in _catalogues(bench):
        for one in _written(path, locale) if path.is_file() else ():
            if not one.id:
                continue
            wanted = set(PLACES.findall(_key(one)))
            for text in _texts(one):
                if isinstance(one.id, str) and text and set(PLACES.findall(text)) != wanted:
                    yield Finding(
                        f"“{_key(one)}” and its translation “{text}” have different places.",
                        "Keep every %(name)s as it is, in whatever order the language wants.",
                        f"{path}:{one.lineno}",
                    )


@check("words-compiled", needs="tool")
def words_compiled(bench: Bench) -> Iterator[Finding]:
    """The compiled catalogue (.mo), which people read, says what the written one (.po) does."""
    for locale, path in _catalogues(bench):
        if not path.is_file():
            continue
        mend = COMPILE.format(folder=path.parents[2], locale=locale)
        compiled = path.with_suffix(".mo")
        if not compiled.is_file():
            yield Finding(f"{path.name} in {locale} was not compiled.", mend, str(path))
            continue
        with compiled.open("rb") as file:
            kept = {_key(one): _texts(one) for one in read_mo(BytesIO(file.read())) if one.id}
        written = {
            _key(one): _texts(one)
            for one in _written(path, locale)
            if one.id and all(_texts(one)) and not one.fuzzy
        }
        for text in sorted(text for text in written if kept.get(text) != written[text]):
            yield Finding(f"“{text}” is not as compiled in {compiled.name}.", mend, str(path))
