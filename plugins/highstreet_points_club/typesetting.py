"""Setting a PDF, and knowing beforehand that every letter of it can be set.

The typesetter draws an empty box for a letter that no font has, and says nothing. It does say so
where it is asked for PDF/A, which forbids such boxes (ISO 19005-2, 6.2.11.8); PDF/A prints as any
other PDF does.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from highstreet.sdk import Finding, Unavailable, format_locale
from highstreet.sdk import gettext as _

if TYPE_CHECKING:
    import typst

#: Letters of scripts that members' names are written in, by ISO 15924.
_SCRIPTS = {
    "Latn": "Ł", "Grek": "Ω", "Cyrl": "Ж", "Hans": "张", "Hant": "張", "Jpan": "ゆ", "Kore": "한",
    "Arab": "ن", "Hebr": "ש", "Thai": "ก", "Deva": "क", "Beng": "ক", "Taml": "க", "Geor": "გ",
    "Armn": "Ա",
}  # fmt: skip
_NO_GLYPH = re.compile(r'the text [`"]*(.*?)[`"]* could not be displayed', re.DOTALL)


class Unprintable(Unavailable):
    """No font of this server has a letter that is to be printed."""

    type = "unprintable"


def pdf(template: bytes, data: Mapping[str, Any]) -> bytes:
    """The template filled with `data`, which it reads as JSON from its input "data".

    Raises Unprintable, naming the first letter that no font has.
    """
    missing = None
    for _try in range(2):
        try:
            return _compile(template, data)
        except RuntimeError as error:  # typst's own are
            missing = _NO_GLYPH.search(str(error))
            if missing is None:
                raise
        _fonts.cache_clear()  # somebody may have installed one meanwhile
    assert missing is not None, "or it would have been raised"
    raise Unprintable(
        _(
            "No font of this server has “%(letter)s”, so that an empty box would be printed. Ask"
            " whoever runs it to install one: the Noto fonts have nearly all (on Debian:"
            " fonts-noto-core and fonts-noto-cjk).",
            letter=missing[1],
        )
    )


def can_set(text: str) -> bool:
    """Whether some font of this server has every letter of a text."""
    try:
        _compile(b"#sys.inputs.data", text)
    except RuntimeError:
        return False
    return True


def fonts() -> Iterator[Finding]:
    """For `highstreet check`: the scripts that names can't be printed in. A remark, for not every
    shop needs them all."""
    names = format_locale().scripts
    lacking = [names.get(code, code) for code, letter in _SCRIPTS.items() if not can_set(letter)]
    yield Finding(
        _("names can be printed on club cards"),
        fine=True,
        note=_(
            "but not in these scripts: %(scripts)s. The Noto fonts have them (on Debian:"
            " fonts-noto-core and fonts-noto-cjk)",
            scripts=", ".join(lacking),
        )
        if lacking
        else "",
    )


def _compile(template: bytes, data: Mapping[str, Any] | str) -> bytes:
    import typst

    return bytes(
        typst.compile(
            template,
            sys_inputs={"data": data if isinstance(data, str) else json.dumps(data)},
            font_paths=_fonts(),
            pdf_standards=["a-2b"],
        )
    )


@lru_cache(maxsize=1)
def _fonts() -> "typst.Fonts":
    # Kept, for looking through a server's fonts takes twenty times as long as setting a card.
    import typst

    return typst.Fonts()
