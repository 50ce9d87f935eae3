"""How a tool and its state look on a page; the host says what holds and why."""

from msgspec import Struct, field

from highstreet.host.registry import Host, Loaded
from highstreet.host.state import Effective
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.web.icons import tool_icon

#: State → the sign it is drawn with (macros/ui.html `state`).
SIGNS = {
    "required": "required",
    "on": "on",
    "off": "off",
    "waiting": "waiting",
    "refused": "forbidden",
    "forbidden": "forbidden",
    "held": "waiting",
    "paused": "paused",
    "unavailable": "wrong",
}
#: State → (symbol, colour) in the map of tools: only what waits for somebody has colour.
MARKS = {
    "required": ("s-required", ""),
    "on": ("s-on", ""),
    "off": ("s-off", "hs-mute"),
    "waiting": ("s-waiting", "hs-warn"),
    "refused": ("s-forbidden", "hs-mute"),
    "forbidden": ("s-forbidden", "hs-mute"),
    "held": ("s-waiting", "hs-warn"),
    "paused": ("s-paused", "hs-warn"),
    "unavailable": ("s-warn", "hs-bad"),
}


class Deed(Struct, frozen=True):
    """A button: what it says, where it goes, whether it acts (POST), how it looks."""

    words: str
    href: str
    post: bool = False
    look: str = "btn-quiet"


class ToolFace(Struct):
    """A tool as a list shows it."""

    name: str
    title: str
    maker: str
    about: str
    icon: str
    state: str = "off"
    sign: str = "off"
    word: str = ""
    reason: str = ""
    facts: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)


def words(state: str, effective: Effective | None = None) -> str:
    """The state in a word or two; with what is known of it, who made it so."""
    if effective is not None and state in ("required", "forbidden"):
        return _by(state, effective)
    return {
        "required": _("Required"),
        "on": _("On"),
        "off": _("Off"),
        "waiting": _("Waiting for approval"),
        "refused": _("Refused"),
        "forbidden": _("Forbidden"),
        "held": _("Waits for agreement"),
        "paused": _("Paused"),
        "unavailable": _("Not ready"),
    }[state]


def _by(state: str, effective: Effective) -> str:
    if effective.ruling.regional:
        return (
            _("Required by %(region)s", region=effective.by)
            if state == "required"
            else _("Forbidden by %(region)s", region=effective.by)
        )
    return _("Required by head office") if state == "required" else _("Forbidden by head office")


def face(host: Host, name: str, effective: Effective | None = None) -> ToolFace:
    """A tool as pages show it; with `effective`, its state in a place."""
    manifest = host.manifest(name)
    loaded = host.plugins.get(name)
    found = ToolFace(
        name,
        manifest.titled(language()) if manifest else name,
        _maker(loaded),
        manifest.summed_up(language()) if manifest else "",
        tool_icon(loaded.plugin.nav[0].icon if loaded and loaded.plugin.nav else "plug"),
    )
    if effective is not None:
        found.state = effective.state
        found.sign = SIGNS[effective.state]
        found.word = words(effective.state, effective)
        found.reason = effective.reason
    return found


def _maker(loaded: Loaded | None) -> str:
    """Who made a tool that did not come with Highstreet, and its version."""
    if loaded is None or loaded.distribution.split(" ")[0] == "highstreet":
        return ""
    version = _("version %(number)s", number=loaded.manifest.version)
    author = loaded.manifest.author
    return f"{author}, {version}" if author else version


def summary(faces: list[ToolFace]) -> str:
    """ "3 on · 1 off · 1 waiting": how many tools are in each state, those that run first."""
    counted = (
        (("required", "on"), _("%(n)s on")),
        (("off",), _("%(n)s off")),
        (("waiting",), _("%(n)s waiting")),
        (("held",), _("%(n)s waiting for agreement")),
        (("paused",), _("%(n)s paused")),
        (("refused", "forbidden"), _("%(n)s forbidden")),
        (("unavailable",), _("%(n)s not ready")),
    )
    found = ((sum(one.state in states for one in faces), text) for states, text in counted)
    return " · ".join(text.replace("%(n)s", str(count)) for count, text in found if count)
