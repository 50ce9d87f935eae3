"""Every word that a person sees is in the catalogue, and says the same places in each language."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import highstreet_points_club

HERE = Path(highstreet_points_club.__file__).parent
CATALOGUE = HERE / "translations" / "zh_Hans" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "_l": None, "ngettext": (1, 2), "gettext": None}


def said() -> set[str]:
    found = set()
    for _file, _line, message, _comments, _context in extract_from_dir(
        str(HERE),
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        keywords=KEYWORDS,
    ):
        found.add(message[0] if isinstance(message, tuple) else message)
    return found - {""}


def test_the_chinese_catalogue_is_whole() -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans")
    known = {m.id[0] if isinstance(m.id, tuple) else m.id: m for m in catalogue if m.id}
    words = said()
    assert len(words) > 150
    assert words - known.keys() == set()
    assert known.keys() - words == set(), "no longer said"
    for name, message in known.items():
        text = message.string[0] if isinstance(message.string, tuple) else message.string
        assert text, name
        places = r"%\(\w+\)[sd]"
        assert sorted(re.findall(places, text)) == sorted(set(re.findall(places, name))), name


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with CATALOGUE.open("rb") as file, CATALOGUE.with_suffix(".mo").open("rb") as compiled:
        source, made = read_po(file, locale="zh_Hans"), read_mo(compiled)
    assert {_all(m.id): _all(m.string) for m in source if m.id} == {
        _all(m.id): _all(m.string) for m in made if m.id
    }


def _all(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)
