"""A brand may pick any colour; its pages stay readable."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from highstreet.web import accent
from highstreet_tenants.errors import Invalid

COLOURS = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")
STYLESHEET = Path(accent.__file__).parent / "static" / "highstreet.css"


@given(COLOURS, st.sampled_from([accent.LIGHT, accent.DARK]))
@example("#ffffff", accent.LIGHT)
@example("#000000", accent.DARK)
@example("#ffff00", accent.LIGHT)
@example("#777777", accent.LIGHT)
@example("#ff0000", accent.DARK)
def test_every_pair_of_words_and_ground_reads(colour: str, theme: accent.Theme) -> None:
    it = accent.work_out(colour, theme)
    for ground in (theme.paper, theme.surface, it.soft):
        assert accent.contrast(it.text, ground) >= accent.WORDS
    for ground in (theme.paper, theme.surface):
        assert accent.contrast(it.accent, ground) >= accent.SHAPES
        assert accent.contrast(it.strong, ground) >= accent.SHAPES
    assert accent.contrast(it.on, it.accent) >= accent.WORDS
    assert accent.contrast(it.on, it.strong) >= accent.WORDS
    for words in (theme.ink, theme.ink_2):
        assert accent.contrast(words, it.soft) >= accent.WORDS


def test_a_colour_that_reads_is_kept_as_it_is() -> None:
    assert accent.work_out("#0b5c69", accent.LIGHT).accent == "#0b5c69"


@pytest.mark.parametrize("text", ["", "teal", "#fff", "#12345g", "#0b5c69; }", "#0b5c69\n"])
def test_what_is_no_colour_never_reaches_a_stylesheet(text: str) -> None:
    with pytest.raises(Invalid):
        accent.stylesheet(text)


def test_the_stylesheet_sets_the_five_values_for_each_theme_and_no_other() -> None:
    names = re.findall(r"(--hs-[a-z-]+):", accent.stylesheet("#c8102e"))
    assert names == 2 * [
        "--hs-accent",
        "--hs-accent-strong",
        "--hs-accent-soft",
        "--hs-accent-text",
        "--hs-on-accent",
    ]


@pytest.mark.parametrize("theme", [accent.LIGHT, accent.DARK])
def test_the_grounds_are_those_of_the_stylesheet(theme: accent.Theme) -> None:
    css = STYLESHEET.read_text(encoding="utf-8")
    start = css.index(f'[data-bs-theme="{theme.name}"]')
    block = css[start : css.index("}", start)]
    for name, value in (
        ("paper", theme.paper),
        ("surface", theme.surface),
        ("ink", theme.ink),
        ("ink-2", theme.ink_2),
    ):
        assert f"--hs-{name}: {value};" in block
