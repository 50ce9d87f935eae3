"""Icons of the sprite (templates/_sprite.html); a test compares."""

#: What a tool may name for itself (`NavEntry.icon`), without the "i-".
TOOL_ICONS = frozenset({"book", "card", "mail", "night", "plug", "truck", "gift", "star", "chat"})


def tool_icon(name: str) -> str:
    """The symbol for a tool's icon; the plug for a name that the sprite lacks."""
    return f"i-{name}" if name in TOOL_ICONS else "i-plug"


#: Classes of the stylesheet that a tool's pages may use, and for what; these stay.
TOOL_CLASSES = {
    "hs-panel": "a part of a page in its frame; the macro `panel` gives it a heading",
    "hs-stack": "parts below each other, evenly apart",
    "hs-split": "a wide column and a narrow one (`aside`); one below the other on a phone",
    "hs-split-even": "with `hs-split`: two of one width",
    "hs-head": "a heading with a line of words beside it; the macro `head`",
    "hs-rows": "a list (`ul`): words on the left, a number or button on the right of each line",
    "hs-rows-tight": "with `hs-rows`: short lines",
    "hs-table": "a table, within `hs-scroll`; the macro `table`. Numbers: `num` on their cells",
    "hs-scroll": "what may be wider than a phone, and is scrolled sideways",
    "hs-figures": "three to six figures (`dl`); the macro `figures`",
    "hs-actions": "buttons beside each other",
    "hs-2nd": "words of second rank",
    "hs-mute": "words that hardly matter any more, as what was taken back",
    "hs-big": "the one number that matters",
    "hs-error": "what is wrong with a field; the macro `field` writes it",
    "hs-narrow": "a form of few fields",
    "btn btn-primary": "the one deed of a page",
    "btn btn-quiet": "any other deed; with `btn-sm` in lines of a list",
    "btn btn-link": "a way elsewhere that looks like a link",
}
