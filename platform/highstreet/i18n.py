"""Languages: every word that a person sees goes through here.

English is written in the code; other languages come from `translations/` beside this module and,
for a tool's own words, beside that tool. Outside of an application (a script, an import of a
module) messages stay English.
"""

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Protocol, cast

import flask_babel
from babel import Locale, localedata
from babel.numbers import get_currency_symbol
from flask import Flask, current_app, g, has_app_context, has_request_context, request

from highstreet_tenants.money import parse_minor

#: Language tag of a page → its own name, as a reader looks for it. Keys are Babel locale names.
LANGUAGES = {"en": "English", "zh_Hans": "中文"}
DEFAULT = "en"
LANGUAGE_COOKIE = "hs-language"
_ASKED = "highstreet.language"
TRANSLATIONS = Path(__file__).with_name("translations")


def init_app(app: Flask, directories: Iterable[str | Path] = ()) -> None:
    """Let `app` speak every language of LANGUAGES; `directories` hold the tools' catalogues."""
    # Flask-Babel takes all catalogues as one string, split at ";".
    # The last has the say: a tool's words never change those of the core or of its pages.
    places = ";".join(str(place) for place in (*directories, TRANSLATIONS))
    flask_babel.Babel(
        app,
        default_locale=DEFAULT,
        default_translation_directories=places,
        locale_selector=language,
    )


def language() -> str:
    """The reader's: set in `g.language`, chosen (cookie), asked for by the browser, or English."""
    if has_app_context():
        chosen: str | None = g.get("language")  # a user's own, or a job's that writes to somebody
        if chosen in LANGUAGES:
            return chosen
    if not has_request_context():
        return DEFAULT
    environ = request.environ
    asked: str | None = environ.get(_ASKED)
    if asked is None:
        asked = environ[_ASKED] = _asked()
    return asked


def _asked() -> str:
    """What the request asks for: worked out once, for a page says hundreds of words."""
    # A till sends neither header, and each takes 5 µs to read even so.
    environ = request.environ
    if "HTTP_COOKIE" in environ:
        chosen = request.cookies.get(LANGUAGE_COOKIE)
        if chosen in LANGUAGES:
            return chosen
    if "HTTP_ACCEPT_LANGUAGE" not in environ:
        return DEFAULT
    for tag, _quality in request.accept_languages:
        if tag.lower().startswith("zh"):
            return "zh_Hans"
        if tag.lower().startswith("en"):
            return "en"
    return DEFAULT


def html_lang() -> str:
    """The BCP 47 tag of the page, e.g. "zh-Hans"."""
    return language().replace("_", "-")


def format_locale(place: str | None = None) -> Locale:
    """How to write dates and numbers: in the reader's language, as is usual in the place.

    `place` is a brand's or store's locale such as "en_GB" or "de_DE". An English reader sees
    British dates in the one and "12,40 €" in the other; a Chinese reader Chinese ones.
    """
    return _written(language(), place) if place else _locale(language())


class Written(Protocol):
    """What says how dates and amounts are written: a store or a brand."""

    @property
    def locale(self) -> str:
        """Such as "en_GB"."""


def format_day(day: date, place: Written) -> str:
    """A day for people: "14 May 2026", in the reader's language, as is usual in the place (what
    `ctx.store()` gives, or `ctx.brand`)."""
    from babel.dates import format_skeleton

    return str(format_skeleton("yMMMMd", day, locale=format_locale(place.locale)))


@lru_cache(maxsize=512)
def _written(spoken: str, place: str) -> Locale:
    reader, local = _locale(spoken), _locale(place)
    if local.language == reader.language:
        return local
    there = f"{reader.language}_{local.territory}"
    if reader.language != DEFAULT or local.territory in (None, "US"):
        return reader
    # English as it is written in that country; where nobody says how, as in most of the world.
    return _locale(there if localedata.exists(there) else "en_001")


def parse_amount(text: str, currency: str, locale: Locale) -> int:
    """Minor units in an amount as people there type it ("12.40", "12,40", "£12"). Raises Invalid.

    locale: see `format_locale`.
    """
    symbols = locale.number_symbols.get("latn", {})
    decimal = symbols.get("decimal", ".")
    plain = text.strip().strip(get_currency_symbol(currency, locale=locale)).strip()
    if decimal == "," and "." in plain and "," not in plain:
        decimal = "."  # typed on a till's number block
    elif decimal == "." and "," in plain and "." not in plain and len(plain.split(",")[-1]) != 3:
        decimal = ","
    group = symbols.get("group", ",") if symbols.get("group", ",") != decimal else ""
    return parse_minor(plain, currency, decimal=decimal, thousands=group)


@lru_cache(maxsize=512)
def _locale(tag: str) -> Locale:
    return Locale.parse(tag.replace("-", "_"))


def _translates() -> bool:
    # The code speaks English itself, so an English reader costs no look into a catalogue.
    return language() != DEFAULT and has_app_context() and "babel" in current_app.extensions


def gettext(message: str, **values: object) -> str:
    """`message` in the reader's language, its `%(name)s` places filled from `values`."""
    if _translates():
        return cast(str, flask_babel.gettext(message, **values))
    return message % values if values else message


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """`singular` or `plural` as `num` (also a value of that name) and the language need it."""
    if _translates():
        return cast(str, flask_babel.ngettext(singular, plural, num, **values))
    return (singular if num == 1 else plural) % {"num": num, **values}


def pgettext(context: str, message: str, **values: object) -> str:
    """`message` in the sense of `context`, for words that have two."""
    if _translates():
        return cast(str, flask_babel.pgettext(context, message, **values))
    return message % values if values else message


class LazyText:
    """A message that is translated each time it is shown; for words named at import."""

    __slots__ = ("message", "values")

    def __init__(self, message: str, **values: object) -> None:
        self.message = message
        self.values = values

    def __str__(self) -> str:
        return gettext(self.message, **self.values)

    def __html__(self) -> str:
        """Escaped for a template."""
        from markupsafe import escape

        return str(escape(str(self)))

    def __repr__(self) -> str:
        return f"LazyText({self.message!r})"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(self.message)


def lazy_gettext(message: str, **values: object) -> LazyText:
    """Like gettext, but translated when shown."""
    return LazyText(message, **values)
