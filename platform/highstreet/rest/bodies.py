"""Reading a JSON body: once, with a reason for each thing that tills and attackers get wrong.

Python's reader lets NaN, doubled keys, numbers of any length, NUL and lone surrogates through;
PostgreSQL, JavaScript and the next reader do not. Refused here, they never reach a room.
"""

import codecs
import json
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from highstreet.i18n import gettext as _
from highstreet.rest.errors import Compressed, Malformed, TooLarge, WrongMediaType
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import Invalid

MAX_BYTES = 256 * 1024
"""A basket of 1,000 lines has about 110 KiB."""
MAX_DEPTH = 16
MAX_INTEGER = 2**63 - 1
_TYPES = ("application/json", "application/merge-patch+json")
_CHARSETS = ("utf-8", "utf8", "us-ascii")


class _Doubled(ValueError):
    """A key stands twice in one object."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _value in pairs:
            if key in seen:
                raise _Doubled(key)
            seen.add(key)
    return made


def _constant(name: str) -> NoReturn:
    raise ValueError(name)


def _integer(digits: str) -> int:
    # Python refuses to read more than 4,300 digits and is slow before that; 20 are too many here.
    return int(digits) if len(digits) <= 20 else MAX_INTEGER + 1


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer)


def read(request: Request) -> Any:
    """The request's body as JSON.

    Raises WrongMediaType (415; compressed ones too), TooLarge (413, over MAX_BYTES), Malformed
    (400, not JSON) or Invalid (422, with the field named: NUL, lone surrogates, doubled keys,
    numbers beyond 64 bits, nesting beyond MAX_DEPTH, payment-card-like numbers).
    """
    if request.mimetype not in _TYPES:
        raise WrongMediaType(_("Send the body as JSON, with “Content-Type: application/json”."))
    if request.mimetype_params.get("charset", "utf-8").lower() not in _CHARSETS:
        raise WrongMediaType(_("JSON is UTF-8. Send it so, and leave the charset out."))
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").strip().lower() != "identity":
        raise Compressed(_("Send the body as it is: compressed ones are not read here."))
    request.max_content_length = MAX_BYTES
    try:
        raw = request.get_data()
    except RequestEntityTooLarge as error:
        raise TooLarge(
            _("The body may have %(size)s KiB at most.", size=MAX_BYTES // 1024)
        ) from error
    except ClientDisconnected as error:
        raise Malformed(_("The body ended early. Send the request again.")) from error
    return parse(raw)


def parse(raw: bytes) -> Any:
    """`raw` as JSON, checked as `read` says."""
    try:
        # Windows puts a mark before its UTF-8; a reader may pass over it (RFC 8259 §8.1).
        value = _DECODER.decode(raw.removeprefix(codecs.BOM_UTF8).decode())
    except _Doubled as error:
        name = _printable(str(error))
        words = _("The key stands twice in one object; which of the two is meant?")
        raise Invalid(words, fields={name: [words]}) from error
    except UnicodeDecodeError as error:
        raise Malformed(_("The body is not UTF-8. Send JSON in UTF-8.")) from error
    except RecursionError as error:
        raise _too_deep("body") from error
    except ValueError as error:
        where = getattr(error, "pos", None)
        if where is None:
            words = _("%(name)s is not JSON. Send a number, or null.", name=error)
        elif not raw.strip():
            words = _("The body is empty. Send one JSON object.")
        else:
            words = _(
                "The body is not JSON: it cannot be read at character %(number)s.", number=where + 1
            )
        raise Malformed(words) from error
    wrong: dict[str, list[str]] = {}
    _walk(value, "", 0, wrong)
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)
    return value


def check_text(text: str, field: str) -> None:
    """Refuse NUL, lone surrogates and payment-card-like numbers in a query or path value.

    Raises Invalid, naming `field`.
    """
    wrong: dict[str, list[str]] = {}
    _walk(text, field, 0, wrong)
    if wrong:
        raise Invalid(next(iter(wrong.values()))[0], fields=wrong)


def _too_deep(path: str) -> Invalid:
    words = _("The body is nested too deeply. See the API's documentation for its shape.")
    return Invalid(words, fields={path or "body": [words]})


def _walk(value: Any, path: str, depth: int, wrong: dict[str, list[str]]) -> None:
    kind = type(value)
    if kind is str:
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                _blame(wrong, path, _("Half a character (a lone surrogate) stands here."))
                return
        if "\x00" in value:
            _blame(wrong, path, _("A NUL character stands here. Leave it out."))
        elif len(value) >= 13 and _card_like(value):
            _blame(wrong, path, _card_words())
    elif kind is int:
        if not -MAX_INTEGER - 1 <= value <= MAX_INTEGER:
            _blame(wrong, path, _("The number is beyond 64 bits."))
        elif value >= 10**14 and _card_like(str(value)):
            _blame(wrong, path, _card_words())
    elif kind is float:
        if value in (float("inf"), float("-inf")):
            _blame(wrong, path, _("The number is too large."))
        elif 1e14 <= value < 1e19 and _card_like(str(int(value))):
            _blame(wrong, path, _card_words())
    elif kind is dict:
        if depth >= MAX_DEPTH:
            raise _too_deep(path)
        for key, inner in value.items():
            name = f"{path}.{key}" if path else key
            _walk(key, name, depth, wrong)
            _walk(inner, name, depth + 1, wrong)
    elif kind is list:
        if depth >= MAX_DEPTH:
            raise _too_deep(path)
        for number, inner in enumerate(value):
            _walk(inner, f"{path}.{number}" if path else str(number), depth + 1, wrong)


def _card_like(text: str) -> bool:
    # Barcodes (EAN-13, GTIN-14) begin like old payment cards, and one in ten has a right Luhn
    # digit. So bare digits count from 15 on, and groups of digits where they are those of a card:
    # a receipt may be “4-20260525-0883”. Where a room expects words, it refuses those too.
    return not (len(text) < 15 and text.isdigit()) and looks_like_payment_card(text, as_code=True)


def _card_words() -> str:
    return _("This looks like a payment card number. Never send those here.")


def _blame(wrong: dict[str, list[str]], path: str, words: str) -> None:
    wrong.setdefault(_printable(path) or "body", []).append(words)


def _printable(text: str) -> str:
    """A key as it may stand in an answer: no NUL, half characters, card numbers; not endless."""
    clean = text.encode("utf-8", "replace").decode().replace("\x00", "?")[:100]
    return "?" if looks_like_payment_card(clean) else clean
