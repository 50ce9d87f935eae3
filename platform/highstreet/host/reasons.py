"""Why a tool is on or off, in the reader's words and dates."""

from datetime import datetime

from babel.dates import format_skeleton

from highstreet.host.lattice import Ruling
from highstreet.i18n import format_locale, ngettext
from highstreet.i18n import gettext as _
from highstreet_tenants import clock


def on_day(at: datetime, zone: str, locale: str | None = None) -> str:
    """A day as people say it: "3 May", with the year where it is not this one."""
    tz = clock.zone(zone)
    day, today = at.astimezone(tz), clock.now().astimezone(tz)
    skeleton = "MMMMd" if day.year == today.year else "yMMMMd"
    return format_skeleton(skeleton, day, tzinfo=tz, locale=format_locale(locale))


def reason(ruling: Ruling, *, zone: str = "UTC", locale: str | None = None) -> str:
    """One or two sentences. zone and locale: the store's, for the day it happened on."""
    day = on_day(ruling.at, zone, locale) if ruling.at is not None else ""
    text = _sentence(ruling, day)
    if ruling.note and ruling.code in ("forbidden", "refused", "required", "approved"):
        return _("%(what)s: “%(note)s”", what=text.rstrip(".。"), note=ruling.note)
    return text


def _sentence(ruling: Ruling, day: str) -> str:
    who = ruling.by
    if ruling.code in _ABOVE:
        return _above(ruling, day)
    match ruling.code:
        case "chosen":
            return _("Switched on by %(who)s on %(day)s.", who=who, day=day)
        case "declined":
            return _("Switched off by %(who)s on %(day)s.", who=who, day=day)
        case "waiting":
            return _("%(who)s asked for it on %(day)s; no answer yet.", who=who, day=day)
        case "approved":
            return _("Asked for, and approved by %(who)s on %(day)s.", who=who, day=day)
        case "refused":
            return _("Refused by %(who)s on %(day)s.", who=who, day=day)
        case "paused":
            faults = int(ruling.note or 0)
            return ngettext(
                "Paused after %(num)s fault on %(day)s.",
                "Paused after %(num)s faults on %(day)s.",
                faults,
                day=day,
            )
        case "paused_by_hand":
            return _("Paused by %(who)s on %(day)s.", who=who, day=day)
        case "declares_more":
            return _(
                "Version %(version)s declares more than was agreed to. It waits until somebody"
                " agrees.",
                version=ruling.note,
            )
        case "absent":
            return _("It is not ready for use: %(why)s", why=ruling.note)
        case "needs":
            return _("It needs %(tool)s, which is off here.", tool=ruling.note)
        case "needs_paused":
            return _("It needs %(tool)s, which stands still here.", tool=ruling.note)
        case "level":
            return _("It works elsewhere in the brand, not here.")
        case "in_use":
            return ngettext(
                "In use in %(num)s store.", "In use in %(num)s stores.", int(ruling.note or 0)
            )
        case _:
            raise AssertionError(f"no words for {ruling.code}")


_ABOVE = frozenset({"required", "forbidden", "from_the_start", "not_chosen", "ask_first"})


def _above(ruling: Ruling, day: str) -> str:
    """What head office or a region says; it may never have said anything."""
    code, region = ruling.code, ruling.by
    if code == "not_chosen":
        return _("Off. Each store may switch it on.")
    if code == "ask_first":
        if ruling.regional:
            return _("Off. %(region)s must approve it: ask for it.", region=region)
        return _("Off. Head office must approve it: ask for it.")
    if ruling.regional:
        match code:
            case "required":
                return _("Required by %(region)s since %(day)s.", region=region, day=day)
            case "forbidden":
                return _("Forbidden by %(region)s on %(day)s.", region=region, day=day)
        return _("On from the start in every %(region)s store.", region=region)
    match code:
        case "required":
            return _("Required by head office since %(day)s.", day=day)
        case "forbidden":
            return _("Forbidden by head office on %(day)s.", day=day)
    return _("On from the start in every store.")
