"""The Chinese catalogue: complete, true to its places, and compiled from what it says."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from highstreet import i18n

ROOT = Path(i18n.__file__).parents[2]
FILE = i18n.TRANSLATIONS / "zh_Hans" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "_l": None,
    "lazy_gettext": None,
    "N_": None,
}
PLACES = re.compile(r"%\((\w+)\)[sd]")


def key(message: Any) -> tuple[str | None, str]:
    """What a message is looked up by: its sense and its singular."""
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def text(message: Any) -> str:
    return message.string if isinstance(message.string, str) else message.string[0]


@pytest.fixture(scope="module")
def said() -> Catalog:
    """Every message that the code says now."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalog = Catalog()
    for root in ("platform", "tenants"):
        for _file, _line, message, _comments, context in extract_from_dir(
            ROOT / root, methods, options, KEYWORDS
        ):
            catalog.add(message, context=context)
    return catalog


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    with FILE.open("rb") as file:
        return read_po(file, locale="zh_Hans")


def test_every_message_is_translated(said: Catalog, chinese: Catalog) -> None:
    there = {key(one): one for one in chinese if one.id and text(one) and not one.fuzzy}
    missing = sorted(key(one)[1] for one in said if one.id and key(one) not in there)
    assert missing == [], "add them to the catalogue, then compile it (see babel.cfg)"


def test_nothing_is_translated_that_nobody_says(said: Catalog, chinese: Catalog) -> None:
    now = {key(one) for one in said if one.id}
    assert sorted(key(one)[1] for one in chinese if one.id and key(one) not in now) == []


def test_every_place_in_a_message_is_filled_in_chinese_too(chinese: Catalog) -> None:
    wrong = [
        key(one)[1]
        for one in chinese
        if one.id
        and not set(PLACES.findall(text(one)))
        <= set(PLACES.findall(one.id if isinstance(one.id, str) else "".join(one.id)))
    ]
    assert wrong == []
    lost = [
        key(one)[1]
        for one in chinese
        if one.id
        and isinstance(one.id, str)
        and set(PLACES.findall(one.id)) != set(PLACES.findall(text(one)))
    ]
    assert lost == []


def test_chinese_has_its_own_commas(chinese: Catalog) -> None:
    narrow = re.compile(r"[\u4e00-\u9fff”）][,;:?]|[,;:](?=[\u4e00-\u9fff“])")
    assert [text(one) for one in chinese if one.id and narrow.search(text(one))] == []


def test_the_compiled_catalogue_is_the_written_one(chinese: Catalog) -> None:
    again = BytesIO()
    write_mo(again, chinese)
    again.seek(0)
    kept = FILE.with_suffix(".mo")
    with kept.open("rb") as file:
        assert {key(m): m.string for m in read_mo(file)} == {
            key(m): m.string for m in read_mo(again)
        }


def test_a_page_is_chinese_from_top_to_bottom(front: Any, clerk: Any) -> None:
    """Of the words that a reader sees, only names and keys stay as they are."""
    till = f"{front.store(0)}/till/"
    clerk.post(till, "/choose/language/zh_Hans", {"next": till})
    page = clerk.get(till).text
    for words in ("收银台", "会员", "快捷键", "跳到正文"):
        assert words in page
    body = re.sub(
        r"<(script|style|svg).*?</\1>", "", page.split("<body")[1].split(">", 1)[1], flags=re.S
    )
    words = set(re.findall(r"[A-Za-z]{3,}", re.sub(r"<[^>]+>", " ", body)))
    assert words <= {"Harbour", "Clara", "English", "Esc", "Enter", "PIN"}


def test_no_message_hides_where_extractors_do_not_look() -> None:
    """Before Python 3.12 the inside of an f-string is one token: a message there is never found."""
    hidden = re.compile(r"""\bf(['"]).*\{(_|_l|gettext|ngettext|pgettext)\(""")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for root in ("platform", "tenants", "plugins")
        for path in sorted((ROOT / root).rglob("*.py"))
        if "cli" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if hidden.search(line)
    ]
    assert found == []
