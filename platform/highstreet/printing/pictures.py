"""Pictures for print: checked, and kept among the installation's files under their digests.

The files lie in `files/<brand>/` of the instance's folder, which no web server serves; a page shows
one only within a set page. SVG may run, and load what is elsewhere: only shapes are taken.
"""

import hashlib
import re
import struct
from collections.abc import Collection, Iterable
from io import BytesIO
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree

import sqlalchemy as sa
from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.printing import typesetting
from highstreet.printing.models import PrintPicture
from highstreet.printing.writing import whole
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

MOST_BYTES = 7 * 2**20
MOST_DOTS = 40_000_000
"""Beyond it a small file would take a gigabyte to unpack."""
_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = frozenset(
    "svg g path rect circle ellipse line polyline polygon defs linearGradient radialGradient stop"
    " title desc clipPath".split()
)
_HREF = re.compile(r"(^|\})href$")
_ADDRESS = re.compile(r"url\(\s*['\"]?(?!#)|javascript:|@import|data:", re.IGNORECASE)


class Picture(Struct, frozen=True):
    """A picture's facts. digest: SHA-256, hex; kind: "png", "jpg" or "svg"; width, height: dots,
    0 for SVG."""

    digest: str
    name: str
    kind: str
    width: int
    height: int
    size: int


def add(s: ScopedSession, files: Path, data: bytes, name: str) -> Picture:
    """Keep a picture, head office's or the store's own. files: the installation's folder for them.

    One that is there already is given as it is. Raises Invalid saying what is wrong with it.
    """
    found = look(data, name)
    place = _place(files, s.brand_id, found.digest)
    held = s.scalar(
        sa.select(PrintPicture).where(
            PrintPicture.digest == found.digest, PrintPicture.keeper == _keeper(s)
        )
    )
    if not place.exists():
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole(place) as out:
            out.write(data)
    if held is not None:
        return _fact(held)
    row = PrintPicture(
        brand_id=s.brand_id,
        store_id=s.store_id,
        keeper=_keeper(s),
        digest=found.digest,
        name=found.name,
        kind=found.kind,
        width=found.width,
        height=found.height,
        size=found.size,
        added_by=s.scope.actor.name[:120],
    )
    s.add(row)
    s.flush()
    record(s, "print.picture", "picture", row.id, row.name)
    return found


def listed(s: ScopedSession) -> list[Picture]:
    """The pictures that may be used here: head office's, and in a store its own."""
    query = sa.select(PrintPicture).order_by(PrintPicture.name, PrintPicture.id)
    if s.store_id is None:
        query = query.where(PrintPicture.store_id.is_(None))
    return list({one.digest: _fact(one) for one in s.scalars(query)}.values())


def read(s: ScopedSession, files: Path, digests: Iterable[str]) -> dict[str, bytes]:
    """Pictures by their digests. Raises NotFound for one that is not here, or whose file is gone
    or is not what it was."""
    wanted = set(digests)
    known = set(s.scalars(sa.select(PrintPicture.digest).where(PrintPicture.digest.in_(wanted))))
    found = {}
    for digest in wanted & known:
        try:
            data = _place(files, s.brand_id, digest).read_bytes()
        except OSError:
            break
        if hashlib.sha256(data).hexdigest() != digest:
            break
        found[digest] = data
    if wanted - set(found):
        raise NotFound(_("A picture is missing on this server. Add it again."))
    return found


def look(data: bytes, name: str = "") -> Picture:
    """What a picture is. Raises Invalid for what is none of these, too large, or broken."""
    if len(data) > MOST_BYTES:
        raise _bad(_("The picture is too large: at most %(most)s MB.", most=MOST_BYTES >> 20))
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        kind, size = "png", _size(data)
    elif data.startswith(b"\xff\xd8\xff"):
        kind, size = "jpg", _size(data)
    else:
        _check_svg(data)
        kind, size = "svg", (0, 0)
    if size[0] * size[1] > MOST_DOTS:
        raise _bad(_("The picture has too many dots: at most %(most)s million.",
                     most=MOST_DOTS // 10**6))  # fmt: skip
    if not typesetting.can_show(data):
        raise _unreadable()
    short = (name.replace("\\", "/").rpartition("/")[2].strip() or kind)[:80]
    return Picture(hashlib.sha256(data).hexdigest(), short, kind, *size, len(data))


def _size(data: bytes) -> tuple[int, int]:
    """Width and height in dots, told by the head of the file: nothing is unpacked."""
    import imagesize

    try:
        width, height = imagesize.get(BytesIO(data))
    except (ValueError, OSError, struct.error) as error:
        raise _unreadable() from error
    if width < 1 or height < 1:
        raise _unreadable()
    return width, height


def _unreadable() -> Invalid:
    return _bad(_("This picture can’t be read. Save it anew, as PNG or JPEG."))


def _check_svg(data: bytes) -> None:
    """Only shapes, nothing that runs, is loaded or grows. Raises Invalid."""
    kinds = _("Use a PNG, JPEG or SVG picture.")
    if b"\x00" in data or b"<svg" not in data:
        raise _bad(kinds)
    if b"<!" in data.replace(b"<!--", b""):
        raise _bad(_("This SVG declares things of its own (<!DOCTYPE …>). Save it as plain SVG."))
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise _bad(kinds) from error
    for element in root.iter():
        name = str(element.tag)
        if not name.startswith(_SVG) or name.removeprefix(_SVG) not in _SHAPES:
            if name.startswith("{http://www.w3.org/2000/svg}") or "}" not in name:
                raise _bad(_("This SVG holds “%(what)s”, which may load or run something. Turn it"
                             " into shapes.", what=name.rpartition("}")[2][:40]))  # fmt: skip
            raise _bad(_("This SVG holds things of a drawing program. Save it as plain SVG."))
        for attribute, value in element.attrib.items():
            local = attribute.rpartition("}")[2].lower()
            if local.startswith("on") or _ADDRESS.search(value) or (
                _HREF.search(attribute) and not value.startswith("#")
            ):  # fmt: skip
                raise _bad(_("This SVG loads or runs something. Save it as plain SVG."))


def _place(files: Path, brand_id: UUID, digest: str) -> Path:
    # Each brand has its own folder: a digest that is known elsewhere opens nothing here.
    return files / str(brand_id) / digest


def _keeper(s: ScopedSession) -> UUID:
    return s.store_id or s.brand_id


def _fact(row: PrintPicture) -> Picture:
    return Picture(row.digest, row.name, row.kind, row.width, row.height, row.size)


def _bad(words: str) -> Invalid:
    return Invalid(words, fields={"picture": [words]})


def digests(areas: dict[str, str], names: Collection[str]) -> set[str]:
    """The pictures among areas."""
    return {areas[name] for name in names if areas.get(name)}
