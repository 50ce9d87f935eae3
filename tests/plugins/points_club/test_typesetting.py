"""A letter that no font has is told before anything is printed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typst

from highstreet_points_club import cards, typesetting

from .conftest import Shop


class Fonts:
    """What `typesetting` keeps of this server's fonts; `install` is known once it looks again."""

    def __init__(self) -> None:
        self.kept = self.there = typst.Fonts(include_system_fonts=False)
        self.looked = 0

    def __call__(self) -> Any:
        return self.kept

    def cache_clear(self) -> None:
        self.looked += 1
        self.kept = self.there

    def install(self) -> None:
        self.there = typst.Fonts()


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fonts]:
    """A server with no fonts but the typesetter's own."""
    fonts = Fonts()
    monkeypatch.setattr(typesetting, "_fonts", fonts)
    yield fonts


def test_a_name_that_no_font_has_is_not_printed_as_boxes(shop: Shop, bare: Fonts) -> None:
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        people = [shop.member(s, name).id for name in ("Łukasz Żółć", "李小龙 Lee")]
        for who in people:
            cards.issue(ctx, who)
        assert cards.printable(ctx, people[:1]).startswith(b"%PDF-")
        with pytest.raises(typesetting.Unprintable, match=r"“李”.*fonts-noto-cjk"):
            cards.printable(ctx, people)
        assert bare.looked == 2, "it looks again, for somebody may have installed one"
        bare.install()
        assert cards.printable(ctx, people).startswith(b"%PDF-")


def test_the_check_names_scripts_in_the_readers_words(bare: Fonts) -> None:
    (found,) = typesetting.fonts()
    assert found.fine
    assert "Japanese" in found.note
    assert "Greek" not in found.note
    bare.install()
    bare.cache_clear()
    (found,) = typesetting.fonts()
    assert "Japanese" not in found.note
