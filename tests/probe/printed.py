"""Print designs in the probe's world: head office's, with a picture; a store has its own words."""

import struct
import zlib
from pathlib import Path
from typing import Any

from highstreet.printing import pictures, queries, service
from highstreet.printing.service import TemplateIn

POSTER = TemplateIn("Probe", "window_poster", "a4", {"headline": "Probe"}, ("headline",))


def files(world: Any) -> Path:
    """Where the world's pictures lie."""
    return Path(world.house.config["instance"]) / "files"


def design(world: Any, s: Any, site: Any, firm: str) -> None:
    """Make them, as a head office."""
    digest = _picture(world, s, site, firm)
    given = TemplateIn(
        f"{firm} poster",
        "window_poster",
        "a4",
        {"headline": f"{firm} says", "text": f"{firm} means it", "picture": digest},
        ("headline", "picture"),
    )
    for approved in (True, False):
        made = service.draft(s, given)
        site.keep("design", made)
        if approved:
            site.keep("version", service.approve(s, made))


def fill(world: Any, s: Any, site: Any, firm: str) -> None:
    """Fill it in, as a store."""
    [made] = queries.listed(s)
    site.keep("design", made.id)
    site.keep("version", made.version_id)
    own = {"headline": f"{firm} says so", "picture": _picture(world, s, site, firm)}
    service.set_own(s, made.id, own)


def _picture(world: Any, s: Any, site: Any, firm: str) -> str:
    found = pictures.add(s, files(world), _dots(firm), f"{firm}.png")
    site.keep("picture", found.digest)
    return found.digest


def _dots(firm: str) -> bytes:
    """A picture (PNG, one dot high) that no other firm has."""
    dots = firm.encode()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", len(dots), 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" + dots)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
