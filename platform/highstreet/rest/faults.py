"""What marshmallow says of a wrong field: named by its path, in words that say what to send.

Its own messages are English, final, and tell a developer's library what it met. They are known here
by their text; what our own fields, and a tool's, say of themselves stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

from highstreet.i18n import gettext as _
from highstreet.i18n import lazy_gettext as _l
from highstreet.i18n import ngettext

_KNOWN = (
    (r"Missing data for required field\.", _l("This is missing. Send it.")),
    (r"Field may not be null\.", _l("This may not be null.")),
    (r"Unknown field\.", _l("There is no such field. Look up its name.")),
    (r"Invalid input type\.|Invalid type\.", _l("Send a JSON object here.")),
    (r"Not a valid mapping type\.", _l("Send a JSON object here.")),
    (r"Not a valid list\.", _l("Send a list here.")),
    (r"Not a valid string\.", _l("Send text here.")),
    (r"Not a valid integer\.", _l("Send a whole number here, without quotes.")),
    (r"Not a valid number\.", _l("Send a number here, without quotes.")),
    (r"Not a valid boolean\.", _l("Send true or false here.")),
    (r"Not a valid UUID\.", _l("This is no id. Send one as the API gave it.")),
    (r"Not a valid date\.", _l("This is not a date. Send it like 2026-05-14.")),
    (r"Must be one of: (?P<choices>.+)\.", _l("Send one of: %(choices)s.")),
    (
        r"Must be greater than or equal to (?P<low>\S+) and less than or equal to (?P<high>\S+)\.",
        _l("Send a number from %(low)s to %(high)s."),
    ),
    (r"Must be greater than or equal to (?P<low>\S+)\.", _l("Send at least %(low)s.")),
    (r"Must be less than or equal to (?P<high>\S+)\.", _l("Send at most %(high)s.")),
    (
        r"Longer than maximum length (?P<high>\d+)\.",
        _l("This is too long: at most %(high)s fit."),
    ),
    (r"Shorter than minimum length (?P<low>\d+)\.", _l("This is too short: at least %(low)s.")),
    (
        r"Length must be between (?P<low>\d+) and (?P<high>\d+)\.",
        _l("This is too short or too long: from %(low)s to %(high)s fit."),
    ),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _KNOWN)
_PLACES = frozenset({"json", "query", "querystring", "path", "headers", "form", "files"})
#: What is wrong with no field of the body, but with all of it.
BODY = "body"


def flatten(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as one level: {"lines.0.quantity": ["…"]}.

    webargs puts the place (json, query, …) on top; a reader needs only the field's name.
    """
    if not prefix and isinstance(messages, Mapping) and set(messages) <= _PLACES:
        flat: dict[str, list[str]] = {}
        for inner in messages.values():
            flat.update(flatten(inner, "."))
        return flat
    base = prefix.strip(".")
    if isinstance(messages, Mapping):
        flat = {}
        for key, inner in messages.items():
            name = base if key == "_schema" else f"{base}.{key}".strip(".")
            for field, texts in flatten(inner, f"{name}." if name else ".").items():
                flat.setdefault(field, []).extend(texts)
        return flat
    said = messages if isinstance(messages, list | tuple) else [messages]
    return {base or BODY: [_said(str(words)) for words in said]}


def detail(errors: Mapping[str, list[str]]) -> str:
    """What to do, in one line for a till's display: the first fault, and how many more."""
    field, (words, *_more) = next(iter(errors.items()))
    first = words if field == BODY else f"{field}: {words}"
    more = len(errors) - 1
    if not more:
        return first
    return " ".join(
        (
            first,
            ngettext(
                "“errors” names %(num)s more field.", "“errors” names %(num)s more fields.", more
            ),
        )
    )


def _said(message: str) -> str:
    for pattern, words in _PATTERNS:
        found = pattern.fullmatch(message)
        if found is not None:
            return _(words.message, **found.groupdict())
    return message
