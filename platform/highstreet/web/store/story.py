"""A customer's story and consents in words for pages, without those that only programs use."""

from typing import Any
from uuid import UUID

from highstreet.consent.facts import EVERY, ConsentState
from highstreet.i18n import gettext as _
from highstreet.timeline import queries as timeline
from highstreet.web import formats


def entry(one: timeline.Entry, names: dict[UUID | None, str]) -> dict[str, Any]:
    """An entry of the timeline as pages show it."""
    return {
        "title": _consent_title(one) or one.title,
        "at": one.occurred_at,
        "where": names.get(one.store_id, "") if one.store_id else "",
        "value": "",
    }


def _consent_title(one: timeline.Entry) -> str:
    """What was agreed to or refused, without the words that only programs use; "" for others."""
    if one.kind not in ("consent-given", "consent-withdrawn"):
        return ""
    what = contact_words(str(one.data.get("purpose", "")), str(one.data.get("channel", "")))
    if one.kind == "consent-given":
        return _("Agreed: %(what)s", what=what)
    return _("Refused: %(what)s", what=what)


def contact_words(purpose: str, channel: str) -> str:
    """What somebody is contacted for, and how: "Offers by e-mail"."""
    purposes = {"marketing": _("Offers"), "magazine": _("Magazine"), EVERY: _("Everything")}
    channels = {
        "email": _("by e-mail"),
        "sms": _("by text message"),
        "phone": _("by phone"),
        "post": _("by post"),
        "push": _("on the phone’s screen"),
        EVERY: _("on every way"),
    }
    return f"{purposes.get(purpose, purpose)} {channels.get(channel, channel)}"


def consent_words(state: ConsentState) -> dict[str, Any]:
    """A consent in words: for what and how, yes or no, since when."""
    return {
        "words": contact_words(state.purpose, state.channel),
        "given": state.status == "given",
        "how": _("since %(day)s", day=formats.day(state.at, year=True)),
    }
