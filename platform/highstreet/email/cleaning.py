"""HTML that a person typed, made harmless: text, links and pictures stay, all that acts goes."""

from __future__ import annotations

import re
import secrets
from html import escape, unescape

#: Fields that hold a link of ours, so an address may be made of one.
LINKS = frozenset({"card_url", "unsubscribe_url"})
TAGS = frozenset(
    "a b blockquote br em h1 h2 h3 hr i img li ol p small strong sub sup table tbody td th thead tr"
    " u ul".split()
)
ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES = frozenset({"https", "mailto", "tel"})
#: A field or a tag of a text with merge fields.
LIQUID = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_LITERAL = re.compile(r"""(["'])(.*?)\1""", re.DOTALL)
_FIELD = re.compile(r"\{\{-?\s*([a-z_]+)\s*-?\}\}")
_BREAKS = re.compile(r"<(?:br|hr)\s*/?>|</(?:p|h[1-3]|li|tr|blockquote|ul|ol|table)>", re.I)
_LINK = re.compile(r'<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', re.I | re.DOTALL)


def clean(html: str) -> str:
    """The HTML without scripts, styles, forms, handlers, frames, and without links but https,
    mailto and tel. Liquid stays as it is, outside of addresses; within one only after its host, or
    as one of LINKS alone."""
    import nh3  # not before somebody writes a mail: a start does without

    held: dict[str, str] = {}
    mark = f"hs{secrets.token_hex(6)}"

    def hide(found: re.Match[str]) -> str:
        name = f"{mark}x{len(held)}x"
        # A literal within Liquid is printed as it stands, so it is made harmless here.
        held[name] = _LITERAL.sub(_harmless, found[0])
        return name

    def allow(_tag: str, attribute: str, value: str) -> str | None:
        if attribute not in ("href", "src"):
            return value
        before, marked, _rest = value.partition(mark)
        if not marked:
            return value if re.match(r"(?:https://|mailto:|tel:)\S", value, re.I) else None
        if not before:
            field = _FIELD.fullmatch(held.get(value, ""))
            return value if attribute == "href" and field and field[1] in LINKS else None
        return value if re.match(r"https://[A-Za-z0-9.:-]+/", before) else None

    cleaned = nh3.clean(
        LIQUID.sub(hide, html),
        tags=set(TAGS),
        attributes={tag: set(names) for tag, names in ATTRIBUTES.items()},
        url_schemes=set(_SCHEMES),
        attribute_filter=allow,
        strip_comments=True,
    )
    return re.sub(rf"{mark}x\d+x", lambda found: held.get(found[0], ""), cleaned)


def _harmless(literal: re.Match[str]) -> str:
    return literal[1] + escape(unescape(literal[2])) + literal[1]


def as_text(html: str) -> str:
    """The same for readers of plain text: paragraphs as lines, a link's address behind it."""
    text = _LINK.sub(lambda found: f"{found[2]} ({found[1]})", " ".join(html.split()))
    text = re.sub(r"<[^>]*>", "", _BREAKS.sub("\n", text))
    lines = [line.strip() for line in unescape(text).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def as_html(text: str) -> str:
    """Plain text as paragraphs."""

    def escaped(part: str) -> str:
        held = list(LIQUID.finditer(part))
        pieces, at = [], 0
        for found in held:
            pieces += [escape(part[at : found.start()], quote=False), found[0]]
            at = found.end()
        return "".join([*pieces, escape(part[at:], quote=False)])

    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").strip())
    return "\n".join(f"<p>{escaped(one).replace(chr(10), '<br>')}</p>" for one in paragraphs if one)
