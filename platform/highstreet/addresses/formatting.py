"""How an address is printed: its lines in the country's own order."""

import re
from collections.abc import Mapping

from highstreet.addresses import countries
from highstreet.addresses.countries import Rules
from highstreet.addresses.facts import AddressFact

_CODE = re.compile("%([ACDSXZ])")
_PARTS = {
    "A": "street",
    "C": "city",
    "D": "dependent_locality",
    "S": "area",
    "X": "sorting_code",
    "Z": "postal_code",
}
# A prefix of the post's own stands with its code or not at all: HR-10000, 〒150-0043.
_NO_CODE = re.compile(r"[^\s%]*%Z")


def lines_of(found: Rules, parts: Mapping[str, str], name: str = "") -> tuple[str, ...]:
    """The lines of an address, with `name` where the country has it, in capitals where its post
    wants them; empty parts leave nothing behind. A street's lines are parted by line feeds."""
    order = found.order if countries.is_own_script(parts["street"]) else found.latin_order
    lines: list[str] = []
    for line in order:
        if line == "%N":
            lines += [name]
        elif line != "%O":
            lines += _filled(found, line, parts).split("\n")
    return tuple(line for line in lines if line)


def _filled(found: Rules, line: str, parts: Mapping[str, str]) -> str:
    if not parts["postal_code"]:
        line = _NO_CODE.sub("", line)

    def fill(code: re.Match[str]) -> str:
        part = _PARTS[code[1]]
        value = parts[part]
        return value.upper() if part in found.capitals else value

    text = _CODE.sub(fill, line)
    if not all(parts[_PARTS[code]] for code in _CODE.findall(line)):
        # What stood between two parts of which one is missing goes with it: "Boston, 02101".
        text = re.sub(r",\s*(?=[,\d]|$)|^[\s,-]+", " ", text)
    return "\n".join(" ".join(one.split()) for one in text.split("\n"))


def envelope(address: AddressFact, name: str, *, home: str | None = None) -> tuple[str, ...]:
    """All lines for an envelope: `name` (or the address's own recipient) where the country has it,
    and the country's name in capitals, last, where the letter leaves `home` (ISO 3166 alpha-2)."""
    parts = {
        "street": "\n".join(address.street),
        "city": address.city,
        "dependent_locality": address.dependent_locality,
        "area": address.area,
        "sorting_code": address.sorting_code,
        "postal_code": address.postal_code,
    }
    found = countries.rules(address.country)
    abroad = home is not None and home.upper() != address.country
    return (
        *lines_of(found, parts, address.recipient or name),
        *((found.name,) if abroad and found.name else ()),
    )
