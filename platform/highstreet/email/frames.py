"""Head office's frame around every message, in MJML: what stores may not change stands in it.

A frame is looked at tag by tag: it may lay out, colour, link and show pictures, and must say who
writes, from where, and how to stop it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

from highstreet.email.skeleton import Slot
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

#: Fields that a frame must hold, and those that it may.
NEEDED = ("content", "postal_address", "unsubscribe")
FIELDS = (*NEEDED, "brand", "store", "why", "lang", "unsubscribe_url")
MOST = 60_000
_FIELD = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
_LAYING_OUT = frozenset(
    "mjml mj-head mj-title mj-preview mj-attributes mj-all mj-class mj-body mj-wrapper mj-section"
    " mj-column mj-group mj-hero mj-text mj-image mj-button mj-divider mj-spacer mj-table mj-navbar"
    " mj-navbar-link mj-social mj-social-element".split()
)
_WORDS = frozenset("a b br em h1 h2 h3 i p small span strong table tbody td th tr u".split())
_LINKED = ("href", "src", "background-url", "background", "poster", "action")

_PLAIN = """\
<mjml>
  <mj-head>
    <mj-attributes>
      <mj-all font-family="Helvetica, Arial, 'Noto Sans CJK SC', 'PingFang SC', sans-serif" />
      <mj-text font-size="16px" line-height="1.5" color="#1b1f23" />
    </mj-attributes>
  </mj-head>
  <mj-body background-color="#f3f4f5">
    <mj-section background-color="@accent@" padding="14px 8px">
      <mj-column><mj-text font-size="18px" font-weight="700" color="@ink@">{{ brand }}</mj-text></mj-column>
    </mj-section>
    <mj-section background-color="#ffffff" padding="20px 8px">
      <mj-column><mj-text>{{ content }}</mj-text></mj-column>
    </mj-section>
    <mj-section padding="12px 8px">
      <mj-column>
        <mj-text font-size="13px" color="#4b5157">{{ why }}<br />{{ postal_address }}<br />{{ unsubscribe }}</mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""  # noqa: E501 - MJML, as a person would write it


def plain(accent: str | None) -> str:
    """The frame of a brand that has made none: its name on its colour."""
    colour = accent if accent and re.fullmatch(r"#[0-9a-fA-F]{6}", accent) else "#1f3d36"
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    # Relative luminance (WCAG 2.2): dark letters on a light colour, and the other way round.
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    ink = "#1b1f23" if light > 0.179 else "#ffffff"
    return _PLAIN.replace("@accent@", colour).replace("@ink@", ink)


def compiled(source: str) -> str:
    """The HTML of a frame, its {{ fields }} as they were. Raises Invalid, saying what is wrong."""
    _check(source)
    import mjml  # not before a frame is made: a start does without

    try:
        # No fonts of its own choice: they would be fetched from elsewhere by each reader.
        made = mjml.mjml2html(source, fonts={})
    except ValueError as error:
        raise _bad(_("This is no MJML: %(why)s.", why=error)) from error
    html = str(made)
    return html.replace('lang="und"', 'lang="{{ lang }}"').replace("\r\n", "\n")


def parts(html: str) -> list[str | Slot]:
    """A compiled frame as pieces and slots."""
    found: list[str | Slot] = []
    for number, piece in enumerate(_FIELD.split(html)):
        if number % 2:
            found.append(Slot(piece))
        elif piece:
            found.append(piece)
    return found


def _check(source: str) -> None:
    if len(source) > MOST:
        raise _bad(_("The frame is too long: 60,000 characters at most."))
    fields = _FIELD.findall(source)
    if missing := [name for name in NEEDED if name not in fields]:
        wanted = ", ".join(f"{{{{ {name} }}}}" for name in missing)
        raise _bad(_("The frame must hold %(fields)s.", fields=wanted))
    if unknown := sorted(set(fields) - set(FIELDS)):
        raise _bad(_("The frame has no field %(fields)s.", fields=", ".join(unknown)))
    if fields.count("content") > 1:
        raise _bad(_("What a message says stands in one place: {{ content }} once."))
    if re.search(r"\{%|<!--|<!\[|<\?", source):
        raise _bad(_("The frame may hold {{ fields }}, but no conditions and no comments."))
    reader = _Reader()
    reader.feed(source)
    reader.close()


class _Reader(HTMLParser):
    """Looks at each tag of a frame. Raises Invalid at the first that may not be there."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One tag with its attributes."""
        if tag not in _LAYING_OUT and tag not in _WORDS:
            raise _bad(_("The frame may not hold <%(tag)s>.", tag=tag[:40]))
        for name, value in attrs:
            _attribute(tag, name, value or "")


def _attribute(tag: str, name: str, value: str) -> None:
    if name in _LINKED:
        whole = _FIELD.fullmatch(value.strip())
        ours = whole is not None and whole[1] == "unsubscribe_url"
        if not ours and not re.fullmatch(r"(https://|mailto:|tel:)[^\s{}<>\"]+", value.strip()):
            raise _bad(_("A link or picture of the frame needs an address with https://."))
    elif name.startswith("on") or re.search(r"url\s*\(|expression|@import|[{}<>\\]", value, re.I):
        raise _bad(
            _("The frame may not hold %(what)s.", what=f'<{tag[:40]} {name[:40]}="{value[:40]}">')
        )


def _bad(words: str) -> Invalid:
    return Invalid(words, fields={"source": [words]})
