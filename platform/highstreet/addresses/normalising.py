"""An address as typed becomes one in its country's form, or words that tell what to mend."""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from highstreet.addresses import countries, delivery, formatting
from highstreet.addresses.countries import Rules
from highstreet.addresses.facts import AddressIn, Normal, State
from highstreet.customers.keys import name_key
from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

#: Lines of a street, and of a whole place: with a name above it six fit an envelope's window
#: (DIN 5008).
MOST_STREET = 4
MOST_LINES = 5
_LENGTHS: Mapping[str, int] = {
    "recipient": 120,
    "dependent_locality": 80,
    "city": 80,
    "area": 80,
    "postal_code": 20,
    "sorting_code": 20,
}
_STREET_LENGTH = 100
_MOST_AREAS_NAMED = 12


def normalise(given: AddressIn) -> Normal:
    """The address in its country's form.

    Parts that the country's post does not write are left out (a county in Britain) or, where they
    are a town's, join the street. A town that the country's list does not know is taken, and the
    address "unverified". Raises Invalid, naming each part, for what breaks the country's rules.
    """
    parts = {
        part: " ".join(clean(getattr(given, part), part, most).split())
        for part, most in _LENGTHS.items()
    }
    street = _street(given.street)
    country = _country(given.country)
    found = countries.rules(country)
    errors: dict[str, list[str]] = {}
    sure = found.told
    _make_room(found, parts, street)
    if not street:
        errors["street"] = [_("Give the street and number, or the post box.")]
    own = countries.is_own_script(" ".join(street))
    _shift_town(found, parts)
    area_key = _area(found, parts, own, errors)
    if area_key:
        found = countries.rules(country, area_key)
        sure &= _town(found, parts, area_key, own)
    for part in ("city", "dependent_locality", "sorting_code"):
        if part in found.required and not parts[part]:
            said = countries.label(found, part)
            errors[part] = [_("%(label)s is missing. It is needed here.", label=said)]
    _code(found, parts, errors)
    lines = formatting.lines_of(found, {**parts, "street": "\n".join(street)})
    if not errors and len(lines) > MOST_LINES:
        errors["street"] = [
            _(
                "This address takes %(lines)s lines and an envelope's window holds %(most)s beneath"
                " the name. Join some of them with a comma.",
                lines=len(lines),
                most=MOST_LINES,
            )
        ]
    if errors:
        raise Invalid(next(iter(errors.values()))[0], fields=errors)
    state: State = "good" if sure else "unverified"
    return Normal(
        country,
        street=tuple(street),
        lines=lines,
        delivery_point=delivery.delivery_point(
            country,
            street,
            postal_code=parts["postal_code"],
            city=parts["city"],
            dependent_locality=parts["dependent_locality"],
            area=area_key or parts["area"],
        ),
        state=state,
        **parts,
    )


def _street(given: tuple[str, ...] | str) -> list[str]:
    """The lines that say something. Raises Invalid."""
    texts = given if isinstance(given, tuple | list) else (given,)
    lines: list[str] = []
    for text in texts:
        said = clean(text, "street", 1000, lines=True)
        lines += [" ".join(line.split()) for line in said.split("\n")]
    lines = [line for line in lines if line]
    if len(lines) > MOST_STREET:
        raise bad(
            "street",
            _(
                "The street has %(lines)s lines, and at most %(most)s fit. Join some of them with a"
                " comma; town, postal code and country have places of their own.",
                lines=len(lines),
                most=MOST_STREET,
            ),
        )
    for line in lines:
        clean(line, "street", _STREET_LENGTH)
    return lines


def _country(given: str) -> str:
    code = clean(given, "country", 40).upper()
    code = {"UK": "GB", "EL": "GR"}.get(code, code)
    if not code:
        raise bad("country", _("Choose the country."))
    if code not in countries.countries():
        raise bad(
            "country",
            _("There is no country “%(code)s”. Use its two letters, such as GB.", code=code[:20]),
        )
    return code


def _make_room(found: Rules, parts: dict[str, str], street: list[str]) -> None:
    """Take out what the country's post does not write; a town joins the street, for it says where.

    In Japan the town begins the street, elsewhere it ends it.
    """
    # A state city's name stands in its country's or area's: Singapore, Dubai.
    said = {name_key(one) for one in (found.name, parts["area"])}
    said |= {name_key(one) for one in countries.names_of(found, "area", parts["area"])}
    said |= {name_key(re.sub("%.", "", line)) for line in found.order}
    own = countries.is_own_script(" ".join(street))
    for part in ("city", "dependent_locality"):
        text = parts[part]
        if not text or part in found.allowed:
            continue
        parts[part] = ""
        if name_key(text) in said or not street:
            continue
        if own and found.order != found.latin_order:
            if not street[0].startswith(text):
                street[0] = text + street[0]
        elif name_key(text) not in {name_key(line) for line in street}:
            street.append(text)
    for part in ("area", "sorting_code"):
        if part not in found.allowed:
            parts[part] = ""


def _shift_town(found: Rules, parts: dict[str, str]) -> None:
    """Beijing's towns are its districts: 北京市, 北京市, 朝阳区 is area and city."""
    town = parts["city"]
    if town and parts["dependent_locality"] and name_key(town) == name_key(parts["area"]):
        parts["city"], parts["dependent_locality"] = parts["dependent_locality"], ""


def _area(
    found: Rules, parts: dict[str, str], own: bool, errors: dict[str, list[str]]
) -> str | None:
    """The area's key, where the country has a list; what it is called is put in its place."""
    said = countries.label(found, "area")
    if not parts["area"]:
        if "area" in found.required:
            errors["area"] = [_("%(label)s is missing. It is needed here.", label=said)]
        return None
    if not found.choices["area"]:
        return None
    chosen = found.choice("area", parts["area"])
    if chosen is None:
        keys = list(dict.fromkeys(key for key, _name in found.choices["area"]))
        more = " …" if len(keys) > _MOST_AREAS_NAMED else ""
        errors["area"] = [
            _(
                "“%(area)s” is none of the country's areas. They are: %(known)s.",
                area=parts["area"],
                known=", ".join(keys[:_MOST_AREAS_NAMED]) + more,
            )
        ]
        return None
    key, names = chosen
    parts["area"] = _spelt(names, own)
    return key


def _town(found: Rules, parts: dict[str, str], area: str, own: bool) -> bool:
    """Whether the country's lists know the town and its part; those known are spelt as there."""
    if not found.choices["city"] or not parts["city"]:
        return True
    chosen = found.choice("city", parts["city"])
    if chosen is None:
        return False
    city, names = chosen
    parts["city"] = _spelt(names, own)
    deeper = countries.rules(found.country, area, city)
    if not deeper.choices["dependent_locality"] or not parts["dependent_locality"]:
        return True
    within = deeper.choice("dependent_locality", parts["dependent_locality"])
    if within is None:
        return False
    parts["dependent_locality"] = _spelt(within[1], own)
    return True


def _spelt(names: tuple[str, ...], own: bool) -> str:
    """The name in the letters that the street is written in, else the first."""
    return next((name for name in names if countries.is_own_script(name) == own), names[0])


def _code(found: Rules, parts: dict[str, str], errors: dict[str, list[str]]) -> None:
    """Put the postal code into the country's form, or say what is wrong with it."""
    said = countries.label(found, "postal_code")
    example = found.code_examples[0] if found.code_examples else ""
    if "postal_code" not in found.allowed:
        parts["postal_code"] = ""
        return
    if not parts["postal_code"]:
        if "postal_code" in found.required:
            errors["postal_code"] = [
                _("%(label)s is missing. It looks like %(example)s.", label=said, example=example)
                if example
                else _("%(label)s is missing. It is needed here.", label=said)
            ]
        return
    code = code_form(found, parts["postal_code"])
    parts["postal_code"] = code
    if found.codes and not found.codes[0].fullmatch(code):
        errors["postal_code"] = [
            _(
                "“%(code)s” is not how this is written there. It looks like %(example)s.",
                code=code,
                example=example,
            )
        ]
    elif any(not rule.match(code) for rule in found.codes[1:]) and "area" not in errors:
        errors["postal_code"] = [
            _(
                "“%(code)s” does not lie in %(area)s. Mend the one or the other.",
                code=code,
                area=parts["area"],
            )
        ]


def code_form(found: Rules, written: str) -> str:
    """A postal code in capitals, its parts parted as the country's examples are."""
    code = unicodedata.normalize("NFKC", written).upper().replace("〒", "").strip()
    for prefix in (found.code_prefix, f"{found.country}-", f"{found.country[0]}-"):
        if prefix and code.startswith(prefix) and _matches(found, code[len(prefix) :].strip()):
            code = code[len(prefix) :].strip()
    bare = re.sub(r"[\s\-‐-―]", "", code)
    examples = found.code_examples + countries.rules(found.country).code_examples
    forms = [_parted(bare, *shape) for shape in _shapes(examples)]
    for form in (*(one for one in forms if one), code, bare):
        if _matches(found, form):
            return form
    return code


@lru_cache(maxsize=4096)
def _shapes(examples: tuple[str, ...]) -> tuple[tuple[str, int, int], ...]:
    """(what parts a code, how many signs stand behind it, how long the code is without it)."""
    shapes = []
    for example in examples:
        mark = next((one for one in example if one in " -"), "")
        behind = len(example) - example.index(mark) - 1 if mark else 0
        # A dash has its place in codes of one length: a US ZIP+4, not any five digits.
        length = 0 if mark == " " else len(example) - len(mark)
        shapes.append((mark, behind, length))
    return tuple(dict.fromkeys(shapes))


def _parted(bare: str, mark: str, behind: int, length: int) -> str:
    """`bare` parted as a shape is, counted from its end; empty where it can't be."""
    if length and len(bare) != length:
        return ""
    if not mark:
        return bare
    return f"{bare[:-behind]}{mark}{bare[-behind:]}" if len(bare) > behind else ""


def _matches(found: Rules, code: str) -> bool:
    return not found.codes or found.codes[0].fullmatch(code) is not None
