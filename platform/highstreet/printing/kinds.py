"""What can be printed: for each kind its sizes, its sides, and where everything stands on them.

Lengths are millimetres from the upper left corner of the trimmed page; what runs off the page goes
`BLEED` beyond it.
"""

from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct

from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l

BLEED = 3.0
#: Beyond the bleed, for crop marks.
SLUG = 7.0
Holds = Literal["text", "picture", "code", "code_text", "address", "panel"]


class Box(Struct, frozen=True):
    """A rectangle of a page and what it holds. area: name of what fills it; "panel" needs none.

    size: points. colour: "ink", "faint", "accent" or "on_accent".
    """

    area: str
    holds: Holds
    x: float
    y: float
    w: float
    h: float
    size: float = 10
    bold: bool = False
    align: str = "left"
    valign: str = "top"
    colour: str = "ink"


class Line(Struct, frozen=True):
    """A thin line: a fold mark, or what parts an address from a message."""

    x: float
    y: float
    to_x: float
    to_y: float


class Side(Struct, frozen=True):
    """One side of a piece."""

    boxes: tuple[Box, ...]
    lines: tuple[Line, ...] = ()


class Format(Struct, frozen=True):
    """A size. width, height: mm, trimmed."""

    title: str | LazyText
    width: float
    height: float


class Area(Struct, frozen=True):
    """What head office, or a store that may, fills in. most: characters."""

    label: str | LazyText
    holds: Literal["text", "picture"] = "text"
    most: int = 400
    lines: int = 1


class Kind(Struct, frozen=True):
    """A kind of printed matter. per_person: it goes to somebody; others are for a store's walls."""

    title: str | LazyText
    formats: Mapping[str, Format]
    areas: Mapping[str, Area]
    layout: Callable[[Format, str], tuple[Side, ...]]
    per_person: bool = False
    windows: tuple[str, ...] = ()


HEADLINE = Area(_l("Headline"), most=120, lines=2)
TEXT = Area(_l("Text"), most=3000, lines=6)
SMALL = Area(_l("Small print"), most=600, lines=3)
PICTURE = Area(_l("Picture"), "picture")
SENDER = Area(_l("Sender, and where it goes back to"), most=160)
POSTAGE = Area(_l("Postage mark"), most=60, lines=3)
CODE = Area(_l("What the code leads to"), most=300)
CODE_TEXT = Area(_l("Text beside the code"), most=60)


def _postcard(format_: Format, _window: str) -> tuple[Side, ...]:
    """Front: picture above a panel. Back: message left, address right, as posts require it."""
    w, h = format_.width, format_.height
    half = round(w * 0.52, 1)
    picture = h * 0.66
    code = 20.0
    front = (
        Box("picture", "picture", -BLEED, -BLEED, w + 2 * BLEED, picture + BLEED),
        Box("", "panel", -BLEED, picture, w + 2 * BLEED, h - picture + BLEED),
        Box("headline", "text", 8, picture + 3, w - 16, h - picture - 6, 20, True, "left",
            "horizon", "on_accent"),
    )  # fmt: skip
    back = (
        Box("text", "text", 7, 8, half - 12, h - code - 30, 10),
        Box("code", "code", 7, h - code - 18, code, code),
        Box("code_text", "code_text", 9 + code, h - code - 18, half - code - 14, code, 9, True,
            "left", "horizon"),
        Box("small", "text", 7, h - 15, half - 12, 11, 6.5, False, "left", "bottom", "faint"),
        Box("sender", "text", half + 5, 8, w - half - 32, 14, 7, False, "left", "top", "faint"),
        Box("postage", "text", w - 25, 7, 19, 18, 8, False, "center", "horizon", "faint"),
        Box("address", "address", half + 6, h * 0.42, w - half - 12, h * 0.4, 10.5),
    )  # fmt: skip
    frame = (
        Line(half, 7, half, h - 7),
        Line(w - 26, 6, w - 6, 6), Line(w - 26, 26, w - 6, 26),
        Line(w - 26, 6, w - 26, 26), Line(w - 6, 6, w - 6, 26),
    )  # fmt: skip
    return Side(front), Side(back, frame)


def _letter(format_: Format, window: str) -> tuple[Side, ...]:
    """A letter whose address stands in an envelope's window; marks say where to fold."""
    w, h = format_.width, format_.height
    # DIN 5008, form B; the British DL window; and the American No. 10, both on the left; DL right.
    x, y, wide, high = {
        "din": (20.0, 45.0, 85.0, 45.0),
        "dl": (20.0, 50.0, 85.0, 35.0),
        "dl_right": (w - 105.0, 50.0, 85.0, 35.0),
        "us10": (20.0, 50.0, 95.0, 28.0),
    }[window]
    top = y + high + 12
    boxes = (
        Box("picture", "picture", 20, 12, 60, 24),
        Box("sender", "text", x, y, wide, 6, 7, False, "left", "bottom", "faint"),
        Box("address", "address", x, y + 7, wide, high - 7, 11),
        Box("headline", "text", 20, top, w - 40, 14, 15, True, "left", "horizon", "accent"),
        Box("text", "text", 20, top + 18, w - 40, h - top - 18 - 56, 11),
        Box("code", "code", 20, h - 52, 26, 26),
        Box("code_text", "code_text", 50, h - 52, w - 70, 26, 11, True, "left", "horizon"),
        Box("small", "text", 20, h - 22, w - 40, 14, 7.5, False, "left", "bottom", "faint"),
    )
    thirds = (105.0, 210.0) if h > 290 else (h / 3, 2 * h / 3)
    return (Side(boxes, tuple(Line(4, one, 9, one) for one in thirds)),)


def _card(format_: Format, _window: str) -> tuple[Side, ...]:
    w, h = format_.width, format_.height
    return (
        Side((
            Box("", "panel", -BLEED, -BLEED, w + 2 * BLEED, 20 + BLEED),
            Box("picture", "picture", w - 26, 4, 20, 12),
            Box("headline", "text", 6, 4, w - 36, 12, 13, True, "left", "horizon", "on_accent"),
            Box("text", "text", 6, 23, w - 36, 10, 8.5),
            Box("small", "text", 6, h - 10, w - 36, 6, 6, False, "left", "bottom", "faint"),
            Box("code", "code", w - 28, 25, 22, 22),
            Box("code_text", "code_text", 6, 34, w - 36, 8, 11, True, "left", "horizon"),
        )),
    )  # fmt: skip


def _poster(format_: Format, _window: str) -> tuple[Side, ...]:
    w, h = format_.width, format_.height
    k = w / 210  # set for A4; larger ones grow with it
    code = 42 * k
    return (
        Side((
            Box("picture", "picture", -BLEED, -BLEED, w + 2 * BLEED, h * 0.5 + BLEED),
            Box("", "panel", -BLEED, h * 0.5, w + 2 * BLEED, h * 0.2),
            Box("headline", "text", 14 * k, h * 0.5 + 4 * k, w - 28 * k, h * 0.2 - 8 * k, 44 * k,
                True, "center", "horizon", "on_accent"),
            Box("text", "text", 14 * k, h * 0.7 + 8 * k, w - 36 * k - code, h * 0.3 - 34 * k,
                20 * k),
            Box("code", "code", w - 14 * k - code, h * 0.7 + 8 * k, code, code),
            Box("code_text", "code_text", w - 20 * k - code, h * 0.7 + 10 * k + code,
                code + 12 * k, 10 * k, 11 * k, True, "center"),
            Box("small", "text", 14 * k, h - 18 * k, w - 28 * k, 12 * k, 8 * k, False, "left",
                "bottom", "faint"),
        )),
    )  # fmt: skip


def _shelf(format_: Format, _window: str) -> tuple[Side, ...]:
    w, h = format_.width, format_.height
    k = h / 74
    code = 20 * k
    return (
        Side((
            Box("", "panel", -BLEED, -BLEED, w + 2 * BLEED, 20 * k + BLEED),
            Box("headline", "text", 6, 2 * k, w - 12, 16 * k, 17 * k, True, "left", "horizon",
                "on_accent"),
            Box("price", "text", 6, 24 * k, w - 18 - code, 20 * k, 32 * k, True, "left", "horizon",
                "accent"),
            Box("text", "text", 6, 46 * k, w - 12, 15 * k, 9.5 * k),
            Box("code", "code", w - 6 - code, 24 * k, code, code),
            Box("small", "text", 6, h - 11 * k, w - 12, 8 * k, 6.5 * k, False, "left", "bottom",
                "faint"),
        )),
    )  # fmt: skip


KINDS: Mapping[str, Kind] = {
    "postcard": Kind(
        _l("Postcard"),
        {
            "a6": Format(_l("A6, 148 × 105 mm"), 148, 105),
            "us6x4": Format(_l("6 × 4 in"), 152.4, 101.6),
            "us6x9": Format(_l("9 × 6 in"), 228.6, 152.4),
            "long": Format(_l("Long, 210 × 105 mm"), 210, 105),
        },
        {"headline": HEADLINE, "text": TEXT, "picture": PICTURE, "code": CODE,
         "code_text": CODE_TEXT, "small": SMALL, "sender": SENDER, "postage": POSTAGE},
        _postcard,
        True,
    ),
    "letter": Kind(
        _l("Letter"),
        {"a4": Format(_l("A4"), 210, 297), "us": Format(_l("US Letter"), 215.9, 279.4)},
        {"headline": HEADLINE, "text": TEXT, "picture": PICTURE, "code": CODE,
         "code_text": CODE_TEXT, "small": SMALL, "sender": SENDER},
        _letter,
        True,
        ("din", "dl", "dl_right", "us10"),
    ),
    "club_card": Kind(
        _l("Club card"),
        {"id1": Format(_l("Bank card size, 85.6 × 54 mm"), 85.6, 53.98)},
        {"headline": HEADLINE, "text": Area(_l("Text"), most=80, lines=2), "picture": PICTURE,
         "code": CODE, "code_text": CODE_TEXT, "small": SMALL},
        _card,
    ),
    "window_poster": Kind(
        _l("Window poster"),
        {"a4": Format(_l("A4"), 210, 297), "a3": Format(_l("A3"), 297, 420),
         "tabloid": Format(_l("Tabloid, 11 × 17 in"), 279.4, 431.8)},
        {"headline": HEADLINE, "text": TEXT, "picture": PICTURE, "code": CODE,
         "code_text": CODE_TEXT, "small": SMALL},
        _poster,
    ),
    "shelf_card": Kind(
        _l("Shelf card"),
        {"a7": Format(_l("A7, 105 × 74 mm"), 105, 74), "a6": Format(_l("A6, 148 × 105 mm"), 148,
                                                                     105)},
        {"headline": HEADLINE, "price": Area(_l("Price"), most=20), "text": TEXT, "code": CODE,
         "small": SMALL},
        _shelf,
    ),
}  # fmt: skip
"""By name. Texts of areas may hold merge fields; "code" becomes a QR code."""

WINDOWS: Mapping[str, str | LazyText] = {
    "din": _l("left, DIN 5008"),
    "dl": _l("left, DL"),
    "dl_right": _l("right, DL"),
    "us10": _l("left, No. 10"),
}
"""Where an envelope's window is."""
