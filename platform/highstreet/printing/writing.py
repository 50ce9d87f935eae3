"""Files for a printer: PDFs in chunks, each whole or not there, and a list with their digests.

Whoever was interrupted calls again with the same design and the same pieces: chunks that are there
already are not set again.
"""

import csv
import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.printing.designs import Design, fill
from highstreet.printing.pieces import Piece
from highstreet.printing.preflight import chunked
from highstreet.printing.typesetting import Press, Unprintable
from highstreet.spreadsheet import MARK, cells
from highstreet_tenants.errors import Unavailable

CHUNK = 1_000
"""Pieces in one file: so many with two sides are set in less than 300 MB of memory."""
LIST = "files.json"


class PrintFile(Struct, frozen=True):
    """One file. name: in the folder; sha256: of its bytes, hex; pieces, pages: how many; first,
    last: keys of its pieces; of: digest of what it was made from."""

    name: str
    sha256: str
    bytes: int
    pieces: int
    pages: int
    first: str
    last: str
    of: str


class DiskFull(Unavailable):
    """The folder takes nothing more; no half file was left in it."""

    type = "disk-full"


def write(
    design: Design,
    pieces: Iterable[Piece],
    folder: Path,
    *,
    name: str = "pieces",
    chunk: int = CHUNK,
    fonts: tuple[str, ...] = (),
    progress: Callable[[int], None] = lambda _done: None,
) -> list[PrintFile]:
    """Write `name-0001.pdf` and so on into the folder, with the list `files.json`; gives them.

    progress: is told how many pieces are done. Raises Unprintable naming letters, DiskFull.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = {one.name: one for one in listed(folder)}
    made: list[PrintFile] = []
    digest = design.digest
    with Press("press.typ", fonts) as press:
        design.lay_pictures(press)
        for first, some in chunked(pieces, chunk):
            file = f"{name}-{len(made) + 1:04d}.pdf"
            of = _digest(digest, some)
            there = held.get(file)
            if there is not None and there.of == of and _is_whole(folder, there):
                made.append(there)
            else:
                made.append(_chunk(press, design, some, folder / file, of, fonts))
                with whole(folder / LIST) as out:
                    out.write(msgspec.json.format(msgspec.json.encode(made)))
            progress(first + len(some))
    with whole(folder / LIST) as out:
        out.write(msgspec.json.format(msgspec.json.encode(made)))
    return made


def listed(folder: Path) -> list[PrintFile]:
    """The files that a folder's list names; none without a list that can be read."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=list[PrintFile])
    except (OSError, msgspec.MsgspecError):
        return []


def write_addresses(
    pieces: Iterable[Piece], path: Path, *, lines: int = 6, values: Iterable[str] = ()
) -> int:
    """A CSV file for a mail house, one piece a row; gives how many. It is written as it is read, so
    130,000 take no memory; formulas are defused. values: names of fields that it has, too.

    Raises DiskFull.
    """
    names = list(values)
    header = [
        "key",
        *(f"line_{number + 1}" for number in range(lines)),
        "code",
        "code_text",
        *names,
    ]
    count = 0
    with whole(path) as out:
        out.write(MARK.encode())
        sheet = csv.writer(_Text(out), lineterminator="\r\n")
        sheet.writerow(header)
        for piece in pieces:
            # What is beyond the last column joins the last line: nothing of an address is lost.
            address = [*piece.address[: lines - 1], ", ".join(piece.address[lines - 1 :])]
            address += [""] * (lines - len(address))
            row = [piece.key, *address, piece.code, piece.code_text]
            sheet.writerow(cells([*row, *(piece.values.get(name) for name in names)]))
            count += 1
    return count


@contextmanager
def whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name once all of it is on the disk. Raises DiskFull."""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _told(error, path) from error
    try:
        with os.fdopen(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, path)
    except OSError as error:
        Path(temporary).unlink(missing_ok=True)
        raise _told(error, path) from error
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _chunk(
    press: Press, design: Design, some: list[Piece], path: Path, of: str, fonts: tuple[str, ...]
) -> PrintFile:
    rows = [fill(design, number, piece, fonts)[0] for number, piece in enumerate(some)]
    try:
        data = press.pdf(design.data(rows))
    except Unprintable as error:
        raise _where(error, some) from error
    with whole(path) as out:
        out.write(data)
    pages = len(some) * design.pages_each()
    sha = hashlib.sha256(data).hexdigest()
    return PrintFile(path.name, sha, len(data), len(some), pages, some[0].key, some[-1].key, of)


def _where(error: Unprintable, some: list[Piece]) -> Unprintable:
    """The same, with the piece in whose address or values the letter first stands."""
    for piece in some:
        text = "".join((*piece.address, *map(str, piece.values.values()), piece.code_text))
        if error.letters & set(text):
            return Unprintable(error.letters, piece.key)
    return error


def _digest(design: str, some: list[Piece]) -> str:
    digest = hashlib.sha256(design.encode())
    encoder = msgspec.json.Encoder(order="deterministic", enc_hook=str)
    for piece in some:
        digest.update(encoder.encode(piece))
    return digest.hexdigest()


def _is_whole(folder: Path, file: PrintFile) -> bool:
    try:
        with (folder / file.name).open("rb") as there:
            return hashlib.file_digest(there, "sha256").hexdigest() == file.sha256
    except OSError:
        return False


def _told(error: OSError, path: Path) -> Unavailable:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull(
            _(
                "The disk is full: %(file)s was not written. Make room, then go on: files that are"
                " whole are kept.",
                file=path.name,
            )
        )
    return Unavailable(
        _("%(file)s can't be written: %(why)s.", file=path.name, why=error.strerror or error)
    )


class _Text:
    """Text into a file of bytes, for csv."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out

    def write(self, text: str) -> int:
        return self._out.write(text.encode("utf-8"))
