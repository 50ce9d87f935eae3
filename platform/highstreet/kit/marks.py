"""Unmistakable words and numbers: each names whose it is, so that a page that shows one tells on
itself.

An owner is a brand ("harbour") or a store ("harbour-1"). "firm" is what an owner keeps about
itself (labels, keys, staff), "folk" what it keeps about people; head office may read the one of a
store and not the other.
"""

import html
import re
from collections.abc import Iterable, Iterator
from itertools import count
from urllib.parse import unquote_plus

from msgspec import Struct

ROOTS = {
    "harbour": "ambrosel",
    "harbour-1": "bertilak",
    "harbour-2": "corvinax",
    "quarry": "dagobrim",
    "quarry-1": "eskilorn",
    "quarry-2": "fenwicor",
}
KINDS = ("firm", "folk")
_OWNERS = {root: owner for owner, root in ROOTS.items()}
_WORD = re.compile(rf"({'|'.join(_OWNERS)})({'|'.join(KINDS)})")
# Ten digits, the third to eighth of which name the owner: no date or price looks like it, and ids
# are left out of the search.
_NUMBERS = {owner: str(number) * 6 for number, owner in enumerate(ROOTS, start=4)}
_DIGITS = re.compile(rf"90({'|'.join(_NUMBERS.values())})\d{{2}}")
_ID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)
_GAPS = re.compile(r"(?<=\d)[ .()\-–\u202f\u00a0]{1,2}(?=\d)")
_DRAWING = re.compile(r'\s(?:d|points|viewBox)="[^"]*"')
_serials: dict[str, Iterator[int]] = {}


class Mark(Struct, frozen=True, order=True):
    """Whose secret it is, and of which kind."""

    owner: str
    kind: str

    @property
    def word(self) -> str:
        """How it is written in texts."""
        return f"{ROOTS[self.owner].title()}{self.kind}"

    def __str__(self) -> str:
        return f"{self.owner}'s {self.kind}"


def word(owner: str, kind: str) -> str:
    """A capitalised word to plant."""
    return Mark(owner, kind).word


def number(owner: str) -> str:
    """Ten digits to plant as (part of) a phone, card or receipt number; each time others."""
    serial = next(_serials.setdefault(owner, count(10)))
    assert serial < 100, "there are 90 numbers for each owner"
    return f"90{_NUMBERS[owner]}{serial}"


def begin() -> None:
    """A new house: numbers may come again."""
    _serials.clear()


def found(*texts: str, but: Iterable[str] = ()) -> set[Mark]:
    """Every mark in some texts. Numbers are found however they are spaced.

    but: what the probe wrote there itself (see `planted`).
    """
    marks = set()
    for given in texts:
        text = _plain(given)
        for own in sorted(but, key=len, reverse=True):
            text = text.replace(own, "")
        marks |= {Mark(_OWNERS[m[1]], m[2]) for m in _WORD.finditer(text)}
        for match in _DIGITS.finditer(text):
            owner = next(o for o, n in _NUMBERS.items() if n == match[1])
            marks.add(Mark(owner, "folk"))
    return marks


def planted(value: str) -> set[str]:
    """What to overlook from now on if this value was sent to be kept."""
    text = _plain(value)
    if not found(text):
        return set()
    return {text} | {match[0] for match in _DIGITS.finditer(text)}


def _plain(text: str) -> str:
    text = html.unescape(_DRAWING.sub("", _ID.sub("", text)))
    # An address may stand within an address, as where to go on to after the sign-in.
    return _GAPS.sub("", unquote_plus(unquote_plus(text))).lower()


def all_of(owners: Iterable[str], kinds: Iterable[str] = KINDS) -> frozenset[Mark]:
    """The marks of some owners."""
    kinds = tuple(kinds)
    return frozenset(Mark(owner, kind) for owner in owners for kind in kinds)


def brand_of(owner: str) -> str:
    """The brand of an owner's key."""
    return owner.partition("-")[0]
