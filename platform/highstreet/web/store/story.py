"""A customer's story and consents in words for pages, without those that only programs use."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet.consent.facts import EVERY, ConsentState
from highstreet.i18n import gettext as _
from highstreet.timeline import queries as timeline
from highstreet.web import formats


def entry(one: timeline.Entry, names: dict[UUID | None, str]) -> dict[str, Any]:
    """An entry of the timeline as pages show it."""
    return {
        "title": entry_title(one.kind, one.title, one.data),
        "at": one.occurred_at,
        "where": names.get(one.store_id, "") if one.store_id else "",
        "value": "",
    }


def entry_title(kind: str, title: str, data: Mapping[str, Any]) -> str:
    """What happened: of a consent what was agreed to, without the words that only programs use."""
    if kind not in ("consent-given", "consent-withdrawn"):
        return title
    what = contact_words(str(data.get("purpose", "")), str(data.get("channel", "")))
    if kind == "consent-given":
        return _("Agreed: %(what)s", what=what)
    return _("Refused: %(what)s", what=what)


def contact_words(purpose: str, channel: str) -> str:
    """What somebody is contacted for, and how: "Offers by e-mail"."""
    channels = {
        "email": _("by e-mail"),
        "sms": _("by text message"),
        "phone": _("by phone"),
        "post": _("by post"),
        "push": _("on the phone’s screen"),
        EVERY: _("on every way"),
    }
    return f"{purpose_words(purpose)} {channels.get(channel, channel)}"


def purpose_words(purpose: str) -> str:
    """What somebody is contacted for: "Offers"; one of the brand's own as it stands."""
    known = {"marketing": _("Offers"), "magazine": _("Magazine"), EVERY: _("Everything")}
    return known.get(purpose, purpose)


def consent_words(state: ConsentState) -> dict[str, Any]:
    """A consent in words: for what and how, yes or no, since when."""
    return {
        "words": contact_words(state.purpose, state.channel),
        "given": state.status == "given",
        "how": _("since %(day)s", day=formats.day(state.at, year=True)),
    }
