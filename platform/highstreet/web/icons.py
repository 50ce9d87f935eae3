"""Icons of the sprite (templates/_sprite.html); a test compares."""

#: What a tool may name for itself (`NavEntry.icon`), without the "i-".
TOOL_ICONS = frozenset({"book", "card", "mail", "night", "plug", "truck", "gift", "star", "chat"})


def tool_icon(name: str) -> str:
    """The symbol for a tool's icon; the plug for a name that the sprite lacks."""
    return f"i-{name}" if name in TOOL_ICONS else "i-plug"
