"""Jobs and standing orders in the words that people read."""

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_percent

from highstreet.sdk import LazyText, format_locale, ngettext
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l

#: Status of a mailing → sign and words.
STATUS: Mapping[str, tuple[str, LazyText]] = {
    "draft": ("off", _l("Planned")),
    "selected": ("waiting", _l("Waits for approval")),
    "approved": ("on", _l("Approved")),
    "running": ("on", _l("Going out")),
    "paused": ("paused", _l("Paused")),
    "finished": ("done", _l("Sent")),
    "stopped": ("forbidden", _l("Stopped")),
    "discarded": ("off", _l("Thrown away")),
}
KINDS: Mapping[str, LazyText] = {
    "not_seen": _l("Not seen for so many days"),
    "second_visit": _l("Second visit, within so many days after it"),
    "birthday": _l("Birthday within so many days"),
}
_OUTCOMES: Mapping[str, LazyText] = {
    "": _l("Has not run yet"),
    "sent": _l("Sent"),
    "empty": _l("Nobody was due"),
    "busy": _l("Skipped: the last mailing still runs"),
    "full": _l("Skipped: the month’s pieces are used up"),
    "failed": _l("Could not be sent. Is the design still in use?"),
}
#: Names and values of the export, for the page on which a member reads what is held.
HELD = (
    *(_l("Scans"), _l("Kind"), _l("Mailing"), _l("Code"), _l("Day"), _l("At"), _l("Store id")),
    *(_l("Purchase id"), _l("Undone at"), _l("Came from"), _l("Answered"), _l("Returned")),
)


def kind(name: str, days: int) -> str:
    """Who is due by a standing order."""
    if name == "birthday":
        return ngettext("Birthday today", "Birthday within %(num)d days", days)
    if name == "second_visit":
        return ngettext("Second visit today", "Second visit within %(num)d days", days)
    return ngettext("Not seen for a day", "Not seen for %(num)d days", days)


def outcome(name: str) -> str:
    """What came of the last run of a standing order."""
    return str(_OUTCOMES.get(name, _OUTCOMES[""]))


def share(part: int, of: int) -> str:
    """A part of a whole as a percentage, with one decimal; a dash for nothing of nothing."""
    if not of:
        return "–"
    return str(
        format_percent(part / of, "#,##0.0 %", locale=format_locale(), decimal_quantization=True)
    )


def lift(value: float | None) -> str:
    """How much more bought than among those who were held out."""
    if value is None:
        return _("can’t be told")
    shown = format_percent(value, "+#,##0 %;-#,##0 %", locale=format_locale())
    return str(shown).replace("-", "−")


def design(chosen: str, designs: Any) -> str:
    """The name of a print design, by its id as text."""
    for one in designs:
        if str(one[0]) == chosen:
            return str(one[1])
    return _("A list for the mail house") if not chosen else _("A design that is out of use")
