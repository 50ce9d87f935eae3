"""Payment cards stay out: a number that looks like one is refused everywhere (PCI DSS)."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from highstreet_tenants.errors import Invalid
from highstreet_tenants.words import gettext as _

# Digits, blanks and dashes: a stretch in which a card may stand. The plain class is what is quick.
_DIGITS = re.compile(r"\d+")
_RUN = re.compile(r"\d[\d \-]{11,}\d")
# How cards are printed: in fours, American Express and Diners in 4-6-5 and 4-6-4.
_PRINTED = {(4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4)}
# First digits and lengths of the schemes (ISO/IEC 7812, and their own tables): Visa; Mastercard;
# American Express; Diners; JCB; Mir; Maestro, Discover, UnionPay, RuPay. So a receipt number of
# fifteen digits is held against those alone that have fifteen, and a shop's own card (633504…) may
# have sixteen.
_SCHEMES = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}"
    r"|3(?:0[0-5]|09|[689]\d)\d{11,16}"
    r"|35(?:2[89]|[3-8]\d)\d{12,15}"
    r"|220[0-4]\d{12,15}"
    r"|(?=\d{16,19}$)(?:5[06-8]|6(?:0(?:11|69|7|8[0-5])|2|304|390|4[4-9]|5|7)|8[12])\d+"
)
# Separators that receipt numbers have, too: only where they part a number as a card's is printed.
_PARTED = re.compile(r"(?<!\d)\d{4}([._/])(?:\d{4}\1\d{4}\1\d{4}|\d{6}\1\d{4,5})(?!\d)")
# Our own ids and digests: every thousandth of them holds such a number by chance.
_ID = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64})(?![0-9a-z])",
    re.IGNORECASE,
)


def looks_like_payment_card(text: str, *, as_code: bool = False) -> bool:
    """Whether `text` holds a scheme's number of 13–19 digits with a right Luhn digit.

    UUIDs and digests in it do not count, nor telephone numbers that begin with “+”. Digits and
    blanks of other scripts do, full width too. `as_code`: a till's own number, such as
    “431-15-08-2026-06503”; its groups of digits count only where they are those of a card.
    """
    text = _plain(text)
    if not _RUN.search(text) and not _PARTED.search(text):
        return False
    return any(True for _place in _places(_ID.sub("#", text), as_code=as_code))


def mask_payment_cards(text: str) -> str:
    """`text` with only the last four digits of each number in it that looks like a payment card."""
    if not looks_like_payment_card(text):
        return text
    for start, end in sorted(set(_places(_plain(text))), reverse=True):
        text = f"{text[:start]}•••• {text[end - 4 : end]}{text[end:]}"
    return text


def _plain(text: str) -> str:
    """The text with every digit, blank and dash as ASCII has it, each at its old place."""
    return text if text.isascii() else "".join(map(_plain_one, text))


def _plain_one(letter: str) -> str:
    if letter.isascii():
        return letter
    digit = unicodedata.decimal(letter, None)
    if digit is not None:
        return str(digit)
    return {"Zs": " ", "Cf": " ", "Pd": "-"}.get(unicodedata.category(letter), letter)


def _places(text: str, *, as_code: bool = False) -> Iterator[tuple[int, int]]:
    """Where such numbers begin and end; of those that overlap, the first and longest."""
    for parted in _PARTED.finditer(text):
        digits = re.sub(r"\D", "", parted[0])
        if _is_valid(digits):
            yield parted.span()
    for run in _RUN.finditer(text):
        groups = [match.span() for match in _DIGITS.finditer(text, *run.span())]
        if _is_phone(text, groups):
            continue
        first = 0
        while first < len(groups):
            ends = range(min(len(groups), first + 19), first, -1)
            end = next((n for n in ends if _is_card(text, groups, first, n, as_code)), None)
            if end is None:
                first += 1
            else:
                yield groups[first][0], groups[end - 1][1]
                first = end


def _is_phone(text: str, groups: Sequence[tuple[int, int]]) -> bool:
    """Whether they are a telephone number in full (ITU-T E.164), as one in ten would be a card.

    It may have 15 digits, but nobody has so long a number, and American Express has.
    """
    begins = groups[0][0]
    return text[begins - 1 : begins] == "+" and sum(stop - start for start, stop in groups) <= 14


def _is_card(
    text: str, groups: Sequence[tuple[int, int]], first: int, end: int, as_code: bool
) -> bool:
    """Whether these groups of digits are one card: all that stand there, one, or as printed."""
    some = groups[first:end]
    sizes = tuple(stop - start for start, stop in some)
    printed = sizes in _PRINTED
    if not 13 <= sum(sizes) <= 19 or not (
        len(some) == 1 or printed or (len(some) == len(groups) and not as_code)
    ):
        return False
    # People leave one blank or dash between them; where it looks like a card, more do not matter.
    if any(start - before > (3 if printed else 1) for (_a, before), (start, _b) in pairwise(some)):
        return False
    return _is_valid("".join(text[start:stop] for start, stop in some))


def _is_valid(digits: str) -> bool:
    """Whether a scheme's first digits and the right last one make these a card's."""
    from stdnum import luhn  # not before a number is that long: a start does without

    return bool(_SCHEMES.fullmatch(digits)) and luhn.is_valid(digits)


def refuse_payment_cards(value: object, field: str = "", *, as_code: bool = False) -> None:
    """Raise Invalid, naming the field, if a payment-card-like number stands anywhere in `value`.

    `as_code`: see `looks_like_payment_card`; for a text.
    """
    if isinstance(value, str):
        if len(value) >= 13 and looks_like_payment_card(value, as_code=as_code):
            words = _("This looks like a payment card number. Never enter those here.")
            raise Invalid(words, fields={field: [words]} if field else None)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_payment_cards(key, field)
            refuse_payment_cards(inner, f"{field}.{key}" if field else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            refuse_payment_cards(inner, f"{field}.{number}" if field else str(number))
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 10**12:
        refuse_payment_cards(str(value), field)
