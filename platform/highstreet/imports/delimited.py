"""Reads delimited text: packed or not, in any common encoding, whatever ends its lines."""

from __future__ import annotations

import codecs
import csv
import gzip
import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, cast

from charset_normalizer import from_bytes

from highstreet.i18n import gettext as _
from highstreet.imports.survey import Hints, Record, Survey
from highstreet_tenants.errors import Invalid

SAMPLE_BYTES = 256 * 1024
DELIMITERS = (",", ";", "\t", "|")

LONGEST_LINE = 128 * 1024
"""Letters of one line; whatever is longer is no row of a table, and is never held in memory."""

LONGEST_RECORD = 40
"""Lines that one record may span; more means a quotation mark that nobody closed."""

_BLOCK = 1 << 20
_SEP = re.compile(r'"?sep=(.)"?\r?$', re.IGNORECASE | re.MULTILINE)
"""A first line by which spreadsheets tell each other the delimiter."""

_BEYOND = re.compile(rb"[\x80-\xff]+")
_KANA_AND_KANJI = re.compile("[\u3040-\u30ff\u3400-\u9fff]+")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with UTF-16's
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def _unpack(raw: IO[bytes], packed: bool) -> IO[bytes]:
    return cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw


def look_at(path: Path, hints: Hints, stamp: tuple[int, ...]) -> Survey:
    """The survey of a text file, header and sample left out. Raises Invalid."""
    digest, scan = sha256(), _Scan()
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with _unpack(raw, packed) as plain:
            while block := plain.read(_BLOCK):
                digest.update(block)
                scan.feed(block)
    if not scan.head.strip():
        raise Invalid(_("%(path)s is empty.", path=path))
    encoding = hints.encoding or scan.encoding()
    text = _decode(scan.head, encoding)
    told = _SEP.match(text.removeprefix("\ufeff"))
    skip = hints.header - 1 if hints.header else 1 if told else 0
    delimiter = hints.delimiter or (told[1] if told else guess_delimiter(text, skip))
    return Survey(
        path=path,
        sha256=digest.hexdigest(),
        size=path.stat().st_size,
        stamp=stamp,
        encoding=encoding,
        delimiter=delimiter,
        skip=skip,
        packed=packed,
        hints=hints,
    )


class _Scan:
    """What the bytes of a file say about its encoding, block by block.

    ``head`` is its beginning; ``telling`` begins with the first line that is not plain ASCII: a
    file may have a thousand such lines before the first name with an accent.
    """

    def __init__(self) -> None:
        self.head = b""
        self.telling = b""
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")
        self._good = self._bad = 0

    def feed(self, block: bytes) -> None:
        """The next block of the file."""
        if len(self.head) < SAMPLE_BYTES:
            self.head += block[: SAMPLE_BYTES - len(self.head)]
        if block.isascii():
            self._judge(self._utf8.decode(block[:4]))  # ends a letter that was cut in two
            return
        if not self.telling:
            first = next(place for place, byte in enumerate(block) if byte > 127)
            start = block.rfind(b"\n", 0, first) + 1
            self.telling = block[start : start + SAMPLE_BYTES]
        self._judge(self._utf8.decode(block))

    def _judge(self, text: str) -> None:
        bad = text.count("\ufffd")
        self._bad += bad
        if not text.isascii():
            self._good += len(text) - len(text.encode("ascii", "ignore")) - bad

    def encoding(self) -> str:
        """The encoding: by its mark, by its zero bytes, UTF-8 if nearly all of it is, else likely.

        In a file that is UTF-8 but for a few letters those are refused, row by row; read as
        anything else every other name in it would be spoilt.
        """
        self._judge(self._utf8.decode(b"", final=True))
        for mark, name in _BOMS:
            if self.head.startswith(mark):
                return name
        even, odd = self.head[0:4096:2].count(0), self.head[1:4096:2].count(0)
        if max(even, odd) > min(len(self.head), 4096) // 4:
            return "utf-16-le" if odd > even else "utf-16-be"
        if not self._bad or self._good > self._bad:
            return "utf-8"
        if _is_japanese(self.telling):
            return "shift_jis"
        # In western text the letters beyond ASCII stand alone, in others they make up the words: on
        # a few of them the guess is as good as a die.
        runs = _BEYOND.findall(self.telling)
        if sum(map(len, runs)) < 2 * len(runs):
            return "cp1252"
        # Windows-1250 is not tried: on short files it is mistaken for western; map it.
        best = from_bytes(
            self.telling, cp_isolation=["cp1252", "cp1251", "gb18030", "big5", "shift_jis"]
        )
        match = best.best()
        # A few bytes are too little to tell by; western Windows is what spreadsheets save.
        return match.encoding if match and match.encoding != "ascii" else "cp1252"


def _is_japanese(data: bytes) -> bool:
    """Whether bytes are Shift-JIS: it decodes, and its signs stand beside one another.

    Its second bytes are often ASCII, so that they do not look like words; and nearly any byte of
    western text makes a sign in it, but then one by itself.
    """
    whole = data[: data.rfind(b"\n") + 1] or data
    try:
        text = whole.decode("shift_jis")
    except UnicodeDecodeError:
        return False
    signs = len(text) - len(text.encode("ascii", "ignore"))
    return sum(len(run) for run in _KANA_AND_KANJI.findall(text) if len(run) > 1) > 0.8 * signs


def _decode(sample: bytes, encoding: str) -> str:
    try:
        if not codecs.lookup(encoding)._is_text_encoding:
            raise LookupError(encoding)
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except LookupError as error:
        raise Invalid(
            _("“%(name)s” is not an encoding. Use utf-8, utf-16, cp1252 …", name=encoding)
        ) from error
    except UnicodeError as error:
        if encoding in ("utf-8", "utf-8-sig"):
            return sample.decode(encoding, "replace")  # the rows with those letters are refused
        raise Invalid(
            _("The file is not written in %(encoding)s; name its encoding.", encoding=encoding)
        ) from error


def guess_delimiter(text: str, skip: int = 0) -> str:
    """The delimiter that splits the first lines, those to ``skip`` left out, into the most columns,
    and equally many in each."""
    lines = [line[:10_000] for line in text.splitlines()[skip : skip + 50] if line.strip()]
    if len(lines) > 1 and not text.endswith(("\n", "\r")):
        lines = lines[:-1]  # the sample may have cut it

    def worth(delimiter: str) -> tuple[int, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:  # a quotation mark is never closed: whoever reads the rows will say so
            return 0, 0
        first = widths[0] if widths else 1
        return (first > 1) * sum(width == first for width in widths), first

    return max(DELIMITERS, key=worth)


class TextRecords:
    """The records of a surveyed text file, the header first; a context manager."""

    def __init__(self, found: Survey) -> None:
        self._survey = found
        self._raw: IO[bytes] | None = None
        self._text: TextIOWrapper | None = None

    def __enter__(self) -> TextRecords:
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
        source, skip = _bounded(self._text), self._survey.skip
        first = next(source, "").removeprefix("\ufeff")  # there, if a mapping says just "utf-8"
        source = chain([first], source) if first else source
        for _line in range(skip):
            next(source, None)
        lines = _Lines(source, taken=skip)
        delimiter = self._survey.delimiter
        start = 1 + skip
        while True:
            reader = csv.reader(lines, delimiter=delimiter)
            try:
                for fields in reader:
                    line, start = start, lines.taken + 1
                    lines.forget()
                    if any(fields):  # or the line is blank, or nothing but delimiters
                        yield Record(line, fields)
                return
            except (csv.Error, _Unclosed):
                # Give back all lines but the first and read on behind the bad one.
                line = start
                bad = lines.give_back()
                start = line + 1
                yield Record(line, [bad.rstrip("\r\n")], _problem(bad))


def _problem(line: str) -> str:
    if len(line) >= LONGEST_LINE:
        return _(
            "the line is longer than %(longest)s letters, and only its beginning is here; is "
            "something wrong with its end?",
            longest=LONGEST_LINE,
        )
    return _("a quotation mark in this line is never closed")


def _bounded(text: TextIOWrapper) -> Iterator[str]:
    """The lines of a file; of one that is longer than LONGEST_LINE only the beginning."""
    read = text.readline
    while line := read(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
            while (rest := read(_BLOCK)) and not rest.endswith(("\n", "\r")):
                pass
        yield line


class _Unclosed(Exception):
    """One record spans more lines than any real one, or more letters."""


class _Lines:
    """Feeds lines to the csv reader and can take back those of the record that went wrong."""

    def __init__(self, source: Iterator[str], *, taken: int = 0) -> None:
        self._next: Callable[[], str] = source.__next__
        self._held: list[str] = []
        self._again: list[str] = []
        self.taken = taken

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
        if len(self._held) > LONGEST_RECORD or len(line) >= LONGEST_LINE:
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


__all__ = ["LONGEST_LINE", "TextRecords", "guess_delimiter", "look_at"]
