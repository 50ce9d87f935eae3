"""Setting pages with typst, within bounds of memory, and knowing which letters it can set.

The typesetter draws an empty box for a letter that no font has and says nothing, except where it is
asked for PDF/A, which forbids such boxes (ISO 19005-2, 6.2.11.8). So all files are PDF/A-2b, which
prints as any other PDF does.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Collection, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Unavailable

if TYPE_CHECKING:
    import typst

FONTS = ("Noto Sans", "Roboto", "Liberation Sans", "DejaVu Sans", "Noto Sans CJK SC")
"""Tried in turn; after them any font that has the letter."""
#: typst forgets what it kept of a setting once this many others came after it.
_FORGETS_AFTER = 11
_NO_GLYPH = re.compile(r'the text [`]*("(?:[^"\\]|\\.)*")[`]* could not be displayed', re.DOTALL)
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class Unprintable(Unavailable):
    """No font of this server has a letter that is to be printed. `letters`: which."""

    type = "unprintable"

    def __init__(self, letters: Collection[str], key: str = "") -> None:
        shown = " ".join(sorted(letters)[:20])
        where = " " + _("It stands in piece %(key)s.", key=key) if key else ""
        super().__init__(
            _(
                "No font of this server has %(letters)s, so that an empty box would be printed. Ask"
                " whoever runs it to install one: the Noto fonts have nearly all (on Debian:"
                " fonts-noto-core and fonts-noto-cjk).",
                letters=shown,
            )
            + where
        )
        self.letters = frozenset(letters)


class Over(Struct, frozen=True):
    """What does not fit into its box. row: the piece's number; over: mm; wide: a word is too wide,
    otherwise there are too many lines."""

    row: int
    area: str
    over: float
    wide: bool


class Press:
    """A folder in which pages are set; pictures lie in it as files. Use it with `with`.

    template: "press.typ" or "labels.typ". fonts: folders with fonts beside the server's own.
    """

    def __init__(self, template: str, fonts: tuple[str, ...] = ()) -> None:
        self._template = _source(template)
        self._font_folders = fonts
        self._folder = tempfile.TemporaryDirectory(prefix="highstreet-print-")

    def __enter__(self) -> Press:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()
        self._forget()

    def lay(self, name: str, data: bytes) -> None:
        """Put a picture at hand."""
        (Path(self._folder.name) / name).write_bytes(data)

    def pdf(self, data: Mapping[str, Any]) -> bytes:
        """The pages as PDF/A-2b. Raises Unprintable."""
        try:
            return bytes(self._set(data, format="pdf", pdf_standards=["a-2b"], pdf_tags=False))
        finally:
            self._forget()

    def png(self, data: Mapping[str, Any], ppi: float = 110) -> list[bytes]:
        """The pages as pictures, without bleed."""
        made: Any = self._set(data, format="png", ppi=ppi)
        return [bytes(one) for one in made] if isinstance(made, list) else [bytes(made)]

    def overfull(self, data: Mapping[str, Any]) -> list[Over]:
        """What does not fit. Letters that no font has are no matter here."""
        import typst

        self._lay_data({**data, "checking": True})
        found = typst.query(
            self._template,  # type: ignore[type-var]  # its stub forgets bytes here
            "<over>",
            field="value",
            root=self._folder.name,
            font_paths=_fonts(self._font_folders),
        )
        self._forget()
        return [Over(**one) for one in json.loads(found)]

    def _lay_data(self, data: Mapping[str, Any]) -> None:
        import cbor2

        # Unlike JSON it holds bytes, such as a picture of a code.
        self.lay("data.cbor", cbor2.dumps(data))

    def _set(self, data: Mapping[str, Any], **how: Any) -> Any:
        import typst

        self._lay_data({**data, "checking": False})
        for attempt in (1, 2):
            try:
                return typst.compile(
                    self._template,
                    root=self._folder.name,
                    font_paths=_fonts(self._font_folders),
                    **how,
                )
            except typst.TypstError as error:
                letters = _letters_of(error)
                if not letters:
                    raise
                if attempt == 2:
                    raise Unprintable(letters) from error
            _fonts.cache_clear()  # somebody may have installed one meanwhile
        return None

    def _forget(self) -> None:
        """Make typst let go of what it keeps of the pages (2,500 of them take 50 MB)."""
        import typst

        for _turn in range(_FORGETS_AFTER):
            typst.compile(b" ", font_paths=_fonts(self._font_folders))


def unprintable(letters: Collection[str], fonts: tuple[str, ...] = ()) -> frozenset[str]:
    """Those of the letters that no font has. What was asked once is kept."""
    asked = frozenset(letters) - _printable.setdefault(fonts, set())
    if not asked:
        return frozenset()
    import typst

    text = "".join(f"#text({json.dumps(one, ensure_ascii=False)})\n" for one in _typst_safe(asked))
    lacking: frozenset[str] = frozenset()
    try:
        typst.compile(
            text.encode(), font_paths=_fonts(fonts), pdf_standards=["a-2b"], pdf_tags=False
        )
    except typst.TypstError as error:
        lacking = _letters_of(error) & asked
        if not lacking:
            raise
    _printable[fonts] |= asked - lacking
    return lacking


#: Letters known to be there, for each set of folders.
_printable: dict[tuple[str, ...], set[str]] = {}


def _typst_safe(letters: Collection[str]) -> list[str]:
    # Control signs print nothing, and typst reads no \u0000 as JSON writes it.
    return [one for one in sorted(letters) if one.isprintable()]


def _letters_of(error: typst.TypstError) -> frozenset[str]:
    """The letters that an error says no font has."""
    found = set()
    for quoted in _NO_GLYPH.findall(f"{error.message}\n{error.diagnostic}"):
        plain = _ESCAPE.sub(lambda match: f"\\U{int(match[1], 16):08x}", quoted)
        try:
            found |= set(ast.literal_eval(plain))
        except (SyntaxError, ValueError):
            found |= set(quoted.strip('"'))
    return frozenset(found)


@lru_cache(maxsize=4)
def _fonts(folders: tuple[str, ...]) -> typst.Fonts:
    # Kept, for looking through a server's fonts takes twenty times as long as setting a card.
    import typst

    return typst.Fonts(font_paths=[Path(one) for one in folders])


@lru_cache(maxsize=4)
def _source(name: str) -> bytes:
    return files("highstreet.printing").joinpath(name).read_bytes()


def can_show(picture: bytes) -> bool:
    """Whether a picture (PNG, JPEG, SVG) can be set."""
    import typst

    with tempfile.TemporaryDirectory(prefix="highstreet-print-") as folder:
        (Path(folder) / "picture").write_bytes(picture)
        source: Any = b'#image(read("/picture", encoding: none), width: 20mm)'
        try:
            typst.compile(source, root=folder, font_paths=_fonts(()))
        except typst.TypstError:
            return False
    return True
