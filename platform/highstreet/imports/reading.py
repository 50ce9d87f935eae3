"""Reads CSV files as strangers make them: packed or not, any common encoding and delimiter.

A file is surveyed once from end to end (digest, encoding, delimiter, header); then its records are
streamed, so that memory does not depend on its size.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, cast

from charset_normalizer import from_bytes

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

SAMPLE_BYTES = 256 * 1024
SAMPLE_ROWS = 2_000
DELIMITERS = (",", ";", "\t", "|")

LONGEST_RECORD = 40
"""Lines that one record may span; more means a quotation mark that nobody closed."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look through the whole file found.

    ``size`` is the number of bytes on disk, ``sample`` up to :data:`SAMPLE_ROWS` first records.
    """

    path: Path
    sha256: str
    size: int
    packed: bool
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the number of its first line in the file, its fields, or why it is unreadable."""

    line: int
    fields: list[str]
    problem: str | None = None


def _unpack(raw: IO[bytes], packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw


def survey(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> Survey:
    """Look through a file; ``encoding`` and ``delimiter`` are believed when given.

    Raises Invalid for a file that is missing, empty, damaged, not text, or without a header.
    """
    try:
        return _survey(path, encoding, delimiter)
    except FileNotFoundError as error:
        raise Invalid(_("There is no file %(path)s.", path=path)) from error
    except OSError as error:  # gzip.BadGzipFile is one
        raise Invalid(
            _("%(path)s cannot be read: %(reason)s", path=path, reason=error.strerror or error)
        ) from error
    except (EOFError, zlib.error) as error:
        raise Invalid(
            _("%(path)s ends in the middle; copy it again from its source.", path=path)
        ) from error


def _survey(path: Path, encoding: str | None, delimiter: str | None) -> Survey:
    if path.is_dir():
        raise Invalid(_("%(path)s is a folder; give one file.", path=path))
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        digest = hashlib.sha256()
        sample, valid = b"", True
        utf8 = codecs.getincrementaldecoder("utf-8")()
        with _unpack(raw, packed) as plain:
            while block := plain.read(1 << 20):
                digest.update(block)
                if len(sample) < SAMPLE_BYTES:
                    sample += block[: SAMPLE_BYTES - len(sample)]
                if valid:
                    try:
                        utf8.decode(block)
                    except UnicodeDecodeError:
                        valid = False
            if valid:
                try:
                    utf8.decode(b"", final=True)
                except UnicodeDecodeError:
                    valid = False
    if not sample.strip():
        raise Invalid(_("%(path)s is empty.", path=path))
    known = encoding or guess_encoding(sample, valid_utf8=valid)
    try:
        codecs.lookup(known)
    except LookupError as error:
        raise Invalid(
            _("“%(name)s” is not an encoding. Use utf-8, utf-16, cp1252 …", name=known)
        ) from error
    text = _decode_sample(sample, known)
    separator = delimiter or guess_delimiter(text)
    if len(separator) != 1:
        raise Invalid(_("The delimiter must be one character, such as ; or \\t."))
    found = Survey(
        path=path,
        sha256=digest.hexdigest(),
        size=path.stat().st_size,
        packed=packed,
        encoding=known,
        delimiter=separator,
        header=(),
        sample=(),
    )
    with RecordStream(found) as stream:
        header = next(iter(stream), None)
        if header is None or header.problem:
            raise Invalid(_("%(path)s has no line of column names.", path=path))
        rows = tuple(
            tuple(record.fields) for record in islice(stream, SAMPLE_ROWS) if not record.problem
        )
    names = tuple(name.strip() for name in header.fields)
    _check_header(path, names)
    return Survey(
        path, found.sha256, found.size, packed, known, separator, header=names, sample=rows
    )


def _check_header(path: Path, names: tuple[str, ...]) -> None:
    named = [name for name in names if name]
    if not named:
        raise Invalid(_("%(path)s has no line of column names.", path=path))
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        raise Invalid(
            _(
                "%(path)s has two columns named %(names)s; rename one.",
                path=path,
                names=", ".join(twice),
            )
        )


def guess_encoding(sample: bytes, *, valid_utf8: bool) -> str:
    """The encoding of a file: by its mark, by its zero bytes, UTF-8 if all of it is, else likely.

    ``valid_utf8`` says whether the *whole* file decodes as UTF-8.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    even, odd = sample[0:4096:2].count(0), sample[1:4096:2].count(0)
    if max(even, odd) > min(len(sample), 4096) // 4:
        return "utf-16-le" if odd > even else "utf-16-be"
    if valid_utf8:
        return "utf-8"
    # Windows-1250 is not tried: on short files it is mistaken for western; name it in the mapping.
    best = from_bytes(sample, cp_isolation=["cp1252", "cp1251", "gb18030", "big5", "shift_jis"])
    match = best.best()
    # A few bytes are too little to tell by; western Windows is what spreadsheets save.
    return match.encoding if match and match.encoding != "ascii" else "cp1252"


def _decode_sample(sample: bytes, encoding: str) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError as error:
        raise Invalid(
            _("The file is not written in %(encoding)s; name its encoding.", encoding=encoding)
        ) from error


def guess_delimiter(text: str) -> str:
    """The delimiter that splits the first lines into the most columns, and equally many in each."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    if len(lines) > 1 and not text.endswith(("\n", "\r")):
        lines = lines[:-1]  # the sample may have cut it

    def worth(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        first = widths[0] if widths else 1
        return (first > 1) * sum(width == first for width in widths), first

    return max(DELIMITERS, key=worth)


class RecordStream:
    """Streams the records of a surveyed file, the header first; a context manager.

    ``position()`` is the number of bytes of the file already read, for a progress bar.
    """

    def __init__(self, found: Survey) -> None:
        self._survey = found
        self._raw: IO[bytes] | None = None
        self._text: TextIOWrapper | None = None

    def __enter__(self) -> RecordStream:
        self._raw = self._survey.path.open("rb")
        # What does not decode becomes U+FFFD, which the row check refuses with a reason.
        self._text = TextIOWrapper(
            _unpack(self._raw, self._survey.packed),
            encoding=self._survey.encoding,
            errors="replace",
            newline="",
        )
        return self

    def __exit__(self, *args: object) -> None:
        for stream in (self._text, self._raw):
            if stream is not None:
                stream.close()

    def position(self) -> int:
        """Bytes of the file on disk read so far."""
        return self._raw.tell() if self._raw is not None and not self._raw.closed else 0

    def __iter__(self) -> Iterator[Record]:
        if self._text is None:
            raise RuntimeError("open the stream with `with` first")
        lines = _Lines(self._text)
        delimiter = self._survey.delimiter
        start = 1
        while True:
            reader = csv.reader(lines, delimiter=delimiter)
            try:
                for fields in reader:
                    line, start = start, lines.taken + 1
                    lines.forget()
                    if fields:
                        yield Record(line, fields)
                return
            except (csv.Error, _Unclosed):
                # Give back all lines but the first and read on behind the bad one.
                line = start
                bad = lines.give_back()
                start = line + 1
                yield Record(
                    line,
                    [bad.rstrip("\r\n")],
                    _("a quotation mark in this line is never closed"),
                )


class _Unclosed(Exception):
    """One record spans more lines than any real one."""


class _Lines:
    """Feeds lines to the csv reader and can take back those of the record that went wrong."""

    def __init__(self, source: Iterator[str]) -> None:
        self._next: Callable[[], str] = source.__next__
        self._held: list[str] = []
        self._again: list[str] = []
        self.taken = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.pop()
        else:
            try:
                line = self._next()
            except StopIteration:
                # The csv reader would return an unclosed field as if all were well.
                if self._held:
                    raise _Unclosed from None
                raise
        self.taken += 1
        self._held.append(line)
        if len(self._held) > LONGEST_RECORD:
            raise _Unclosed
        return line

    def forget(self) -> None:
        """The record ended well."""
        self._held.clear()

    def give_back(self) -> str:
        """Return the first line of the record in hand; the rest is read again."""
        first, *rest = self._held
        self._again.extend(reversed(rest))
        self.taken -= len(rest)
        self._held.clear()
        return first
