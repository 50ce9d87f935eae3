"""One key for one door, however its address is typed.

Few rules, all of them here and in docs/addresses.md. What they do not know stays distinct: two
letters to one door are better than one letter for two.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping

from highstreet.customers.keys import name_key

_ENGLISH = frozenset("AU NZ GB IE US CA ZA SG HK IN IM JE GG MT".split())
_GERMAN = frozenset("DE AT CH LI".split())
_FRENCH = frozenset("FR BE LU CH MC CA".split())
#: Where "2/15" is unit 2 of number 15. In Scotland, Austria, Vietnam it is something else.
_SLASHED = frozenset(("AU", "NZ"))
#: Where a postal code is a street or less, so that the town need not be the same.
_FINE = frozenset("GB NL SG IE JP IM JE GG".split())
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"

_BOX = re.compile(
    r"(?<!\w)(?:p\.?\s*o\.?\s*box|p\.?\s*o\.?\s*b\.?|post\s*office\s*box|postfach|boite\s*postale"
    r"|b\.\s*p\.?)[\s.:#]*(?:no\.?\s*|nr\.?\s*)?(\d[\d ]*)"
)
_NUMBER = r"\d{1,5}[a-z]?"
_SLASH = re.compile(rf"^(?:(?:unit|u|flat|apartment|apt)\.?\s*)?({_NUMBER})\s*/\s*(?={_NUMBER}\b)")
# A unit among other words: "Unit 2", "Flat B", "Apt. 2", "# 2", "U2".
_UNIT = re.compile(
    r"(?:(?<!\w)(?:unit|flat|apartment|apt)\.?\s*#?\s*(\d{1,5}[a-z]?|[a-z]\d{0,4})(?!\w)"
    r"|(?<!\w)u\.?\s*(\d{1,5}[a-z]?)(?!\w)|#\s*(\d{1,5}[a-z]?)(?!\w))"
)
_ENGLISH_WORDS: Mapping[str, str] = {
    "st": "street", "str": "street", "rd": "road", "ave": "avenue", "av": "avenue",
    "dr": "drive", "ln": "lane", "ct": "court", "pl": "place", "cres": "crescent",
    "cr": "crescent", "hwy": "highway", "pde": "parade", "tce": "terrace", "ter": "terrace",
    "sq": "square", "blvd": "boulevard", "bvd": "boulevard", "pkwy": "parkway", "cl": "close",
    "gr": "grove", "gdns": "gardens",
}  # fmt: skip
_FRENCH_WORDS: Mapping[str, str] = {
    "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "boul": "boulevard",
    "pl": "place", "imp": "impasse", "all": "allee", "rte": "route", "ch": "chemin",
}  # fmt: skip


def delivery_point(
    country: str,
    street: Iterable[str],
    *,
    postal_code: str = "",
    city: str = "",
    dependent_locality: str = "",
    area: str = "",
) -> str:
    """The key of a door: 32 hexadecimal digits, the same for the same place in the same country."""
    code = re.sub(r"\W", "", postal_code).casefold()
    if country == "US":
        code = code[:5]  # the four digits behind them are a side of a street
    where = "" if code and country in _FINE else town_key(area, city, dependent_locality)
    text = "\n".join((country, code, street_key(country, street), where))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def town_key(*parts: str) -> str:
    """Towns in one form: case, accents and marks off, St for Saint."""
    words = name_key(" ".join(parts)).split()
    return " ".join("saint" if word == "st" else word for word in words)


def street_key(country: str, street: Iterable[str]) -> str:
    """A street and number in one form."""
    folded = unicodedata.normalize("NFKC", ", ".join(street)).casefold()
    if country in _FRENCH:
        folded = folded.replace("î", "i")
    if box := _BOX.search(folded):
        return "pobox " + box[1].replace(" ", "").lstrip("0")
    unit = ""
    if country in _ENGLISH:
        unit, folded = _unit(country, folded)
    words: list[str] = []
    for segment in folded.split(","):
        words += _words(country, segment)
    text = " ".join(words)
    # Blanks mean nothing beside letters that are written without them.
    text = re.sub(rf"(?<=[{_CJK}]) | (?=[{_CJK}])", "", text)
    return f"u{unit} {text}" if unit else text


def _unit(country: str, folded: str) -> tuple[str, str]:
    """The unit, and the text without it."""
    if country in _SLASHED and (found := _SLASH.match(folded.lstrip())):
        return found[1].lstrip("0"), folded.lstrip()[found.end() :]
    found = _UNIT.search(folded)
    if found is None:
        return "", folded
    unit = next(group for group in found.groups() if group).lstrip("0")
    return unit, f"{folded[: found.start()]} {folded[found.end() :]}"


def _words(country: str, segment: str) -> list[str]:
    if country == "JP":
        segment = re.sub("丁目|番地|番|号|の(?=\\d)", " ", segment)
    elif country in ("TW", "HK", "CN"):
        segment = segment.replace("號", "号")
    words = name_key(segment).split()
    if len(words) > 1 and words[0] in ("no", "nr") and words[1][0].isdigit():
        del words[0]
    if country in _ENGLISH:
        # "St" before a name is a saint, behind one a street.
        words = [
            _ENGLISH_WORDS.get(word, word)
            if place and words[place - 1].isalpha()
            else ("saint" if word == "st" else word)
            for place, word in enumerate(words)
        ]
    if country in _GERMAN:
        words = _german(words)
    if country in _FRENCH:
        words = [_FRENCH_WORDS.get(word, word) for word in words]
    return words


def _german(words: list[str]) -> list[str]:
    """Haupt Str. 15 a, Hauptstr. 15a, Hauptstraße 15A."""
    found: list[str] = []
    for word in words:
        if word == "nr":
            continue
        if word == "str" or (word.endswith("str") and len(word) > 4):
            word += "asse"
        before = found[-1] if found else ""
        of_name = word == "strasse" and before.isalpha()
        of_number = len(word) == 1 and word.isalpha() and before.isdigit()
        if of_name or of_number:
            found[-1] += word
        else:
            found.append(word)
    return found
