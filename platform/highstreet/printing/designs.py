"""A design as it is printed: its kind, size and words, and each piece's part filled in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct, field

from highstreet import templating
from highstreet.i18n import gettext as _
from highstreet.printing import codes, kinds, typesetting
from highstreet.printing.kinds import BLEED, KINDS, SLUG, Box, Side
from highstreet.printing.pieces import Finding, Piece
from highstreet_tenants.errors import HighstreetError, Invalid


class Design(Struct, frozen=True):
    """All that is the same on every piece.

    areas: name → text with merge fields, or the digest of a picture. pictures: digest → file.
    accent, on_accent: "#rrggbb". marks: print crop marks. window: of a letter's envelope.
    """

    kind: str
    size: str
    areas: Mapping[str, str]
    title: str = ""
    language: str = "en"
    accent: str = "#1f5f4a"
    on_accent: str = "#ffffff"
    marks: bool = False
    window: str = ""
    pictures: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Of all that shows (SHA-256, hex): two designs with the same print the same."""
        return hashlib.sha256(msgspec.json.encode(_told(self), order="deterministic")).hexdigest()

    @property
    def sides(self) -> tuple[Side, ...]:
        """Where everything stands."""
        return _sides(self.kind, self.size, self.window)

    def pages_each(self) -> int:
        """Pages of one piece."""
        return len(self.sides)

    def data(self, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """What the typesetter reads."""
        form = KINDS[self.kind].formats[self.size]
        language, _dash, region = self.language.replace("_", "-").partition("-")
        return {
            "title": self.title,
            "width": form.width,
            "height": form.height,
            "bleed": BLEED,
            "slug": SLUG,
            "marks": self.marks,
            "accent": self.accent,
            "on_accent": self.on_accent,
            "lang": language if language.isalpha() and len(language) < 4 else "en",
            "region": _region(region),
            "fonts": typesetting.FONTS,
            "pictures": {name: _file(name, data) for name, data in self.pictures.items()},
            "sides": [
                {
                    "boxes": [_box(one) for one in side.boxes],
                    "lines": [msgspec.structs.asdict(one) for one in side.lines],
                }
                for side in self.sides
            ],
            "rows": list(rows),
        }

    def lay_pictures(self, press: typesetting.Press) -> None:
        """Put its pictures where the typesetter finds them."""
        for name, data in self.pictures.items():
            press.lay(_file(name, data), data)


def checked(design: Design) -> Design:
    """The design, if it can be printed at all. Raises Invalid naming "kind", "size", "window"."""
    kind = KINDS.get(design.kind)
    if kind is None:
        raise _wrong("kind", _("Use one of: %(known)s.", known=", ".join(KINDS)))
    if design.size not in kind.formats:
        raise _wrong("size", _("Use one of: %(known)s.", known=", ".join(kind.formats)))
    if design.window not in (kind.windows or ("",)):
        raise _wrong("window", _("Use one of: %(known)s.", known=", ".join(kind.windows)))
    return design


def fields_of(design: Design) -> set[str]:
    """Merge fields that its texts ask for."""
    found: set[str] = set()
    for name, text in _texts(design):
        if name != "picture":
            found |= templating.fields_of(text)
    return found


def fill(
    design: Design, number: int, piece: Piece, fonts: tuple[str, ...] = ()
) -> tuple[dict[str, Any], list[Finding]]:
    """What of the piece is printed, by area, and what is wrong with it but for its length."""
    row: dict[str, Any] = {"n": number}
    wrong: list[Finding] = []
    for name, text in _texts(design):
        if KINDS[design.kind].areas[name].holds == "picture":
            row[name] = text
            continue
        try:
            row[name] = said = _said(text, piece.values)
        except templating.MissingField as error:
            wrong.append(Finding(piece.key, "missing_field", name, error.name))
            row[name] = said = templating.render(text, piece.values)
        except Invalid as error:
            wrong.append(Finding(piece.key, "text", name, error.detail))
            continue
        wrong += _letters(piece.key, name, said, fonts)
    if piece.code_text:
        row["code_text"] = piece.code_text
        wrong += _letters(piece.key, "code_text", piece.code_text, fonts)
    code = piece.code or row.pop("code", "")
    if code:
        try:
            row["code"] = codes.qr(code)
        except HighstreetError as error:
            row.pop("code", None)
            wrong.append(Finding(piece.key, "text", "code", error.detail))
    if KINDS[design.kind].per_person:
        lines = "\n".join(" ".join(line.split()) for line in piece.address if line.strip())
        row["address"] = lines
        if not lines:
            wrong.append(Finding(piece.key, "no_address", "address", ""))
        wrong += _letters(piece.key, "address", lines, fonts)
    return row, wrong


def _said(text: str, values: Mapping[str, Any]) -> str:
    if "{{" not in text and "{%" not in text:
        return text
    return templating.render(text, values, strict=True)


def _letters(key: str, area: str, text: str, fonts: tuple[str, ...]) -> list[Finding]:
    lacking = typesetting.unprintable(text, fonts)
    return [Finding(key, "missing_letter", area, " ".join(sorted(lacking)))] if lacking else []


def _texts(design: Design) -> list[tuple[str, str]]:
    return [(name, design.areas.get(name, "")) for name in KINDS[design.kind].areas
            if design.areas.get(name)]  # fmt: skip


@lru_cache(maxsize=64)
def _sides(kind: str, size: str, window: str) -> tuple[Side, ...]:
    found = KINDS[kind]
    return found.layout(found.formats[size], window)


def _box(one: Box) -> dict[str, Any]:
    # A picture over the edge fills its place; one that stands free, such as a mark, is shown whole.
    fit = "cover" if one.x < 0 else "contain"
    return {**msgspec.structs.asdict(one), "fit": fit}


def _file(name: str, data: bytes) -> str:
    kind = "png" if data[:4] == b"\x89PNG" else "jpg" if data[:2] == b"\xff\xd8" else "svg"
    return f"{name}.{kind}"


def _region(text: str) -> str | None:
    region = text.rpartition("-")[2].upper()
    return region if len(region) == 2 and region.isalpha() else None


def _told(design: Design) -> dict[str, Any]:
    told = msgspec.structs.asdict(design)
    return {**told, "pictures": sorted(design.pictures)}


def _wrong(name: str, words: str) -> Invalid:
    return Invalid(words, fields={name: [words]})


__all__ = ["Design", "checked", "fields_of", "fill", "kinds"]
