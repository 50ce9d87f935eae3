"""Designs and pieces for the tests of printing."""

import io
import struct
import zlib
from typing import Any

from highstreet.printing.designs import Design, checked
from highstreet.printing.kinds import KINDS
from highstreet.printing.pieces import Piece

#: A letter of a script that no font of a usual server has.
HIEROGLYPH = "\U000133ff"

ENGLISH = {
    "headline": "Double points week",
    "text": "Dear {{ customer.name }},\nyou have {{ points_club.points | default: 0 }} points.",
    "picture": "pic",
    "code": "https://club.example/r/{{ code }}",
    "code_text": "Scan me, or say {{ code }}",
    "small": "One per person. Brand Ltd, 1 High Street, London.",
    "sender": "Brand Ltd · 1 High Street · London",
    "postage": "P.P.",
    "price": "£3.49",
}
CHINESE = ENGLISH | {
    "headline": "会员双倍积分周",
    "text": "{{ customer.name }}，您好：\n您现有 {{ points_club.points | default: 0 }} 积分。",
    "code_text": "扫码，或报 {{ code }}",
    "small": "每人限一次。",
    "price": "¥35.00",
}


def png(width: int = 60, height: int = 40) -> bytes:
    """A picture."""
    rows = b"".join(b"\0" + bytes((200, 120, 40)) * width for _row in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def design(kind: str = "postcard", texts: Any = ENGLISH, **changes: Any) -> Design:
    """A design of a kind in its first size."""
    made = KINDS[kind]
    given: dict[str, Any] = {
        "kind": kind,
        "size": next(iter(made.formats)),
        "areas": {name: texts[name] for name in made.areas},
        "window": made.windows[0] if made.windows else "",
        "pictures": {"pic": png()},
    }
    return checked(Design(**{**given, **changes}))


def piece(number: int = 1, name: str = "Ann Example", **changes: Any) -> Piece:
    """Somebody's piece."""
    given: dict[str, Any] = {
        "key": str(number),
        "address": (name, "12 Long Street", "London", "W1A 1AA"),
        "values": {"customer.name": name, "points_club.points": 12, "code": f"K7PX{number:04d}"},
    }
    return Piece(**{**given, **changes})


def codes_in(page: bytes) -> list[str]:
    """What the codes on a page (PNG) say."""
    import zxingcpp
    from PIL import Image

    return [one.text for one in zxingcpp.read_barcodes(Image.open(io.BytesIO(page)).convert("L"))]
