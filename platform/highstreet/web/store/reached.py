"""Whether a customer may be contacted, what stands against it, and what reached them, in words."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from highstreet.consent import contacts, gate, suppressions
from highstreet.consent.facts import EVERY, ContactFact, SuppressionFact
from highstreet.customers.listing import store_names
from highstreet.i18n import gettext as _
from highstreet.mailings import meant, telling
from highstreet.mailings.meant import Meant
from highstreet.mailings.telling import Chain
from highstreet.web import contact_words as ruled
from highstreet.web import formats
from highstreet.web.store.story import contact_words
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession

#: What the block asks about: of what else a mailing is, its own pages tell.
PURPOSE = "marketing"
#: Pieces of one person that a page shows.
MOST = 24
_MAILING = "mailing:"


def told(s: ScopedSession, customer_id: UUID) -> dict[str, Any]:
    """The block of a customer's page."""
    answers = gate.by_channel(s, customer_id, PURPOSE)
    return {
        "answers": [
            {
                "what": contact_words(PURPOSE, channel),
                "may": answer.allowed,
                "why": answer.reason,
            }
            for channel, answer in answers.items()
        ],
        "stops": [_stop(one) for one in suppressions.of_customer(s, customer_id)],
        "last": _last(s, contacts.latest(s, customer_id)),
        "reasons": reasons(),
    }


def reasons() -> list[tuple[str, str]]:
    """What people write down against contacting somebody; the rest is found by machines."""
    words = reason_words()
    return [(one, words[one]) for one in ("do_not_contact", "do_not_mail", "gone_away", "deceased")]


def reason_words() -> dict[str, str]:
    """Why somebody must not be contacted."""
    return {
        "deceased": _("Deceased"),
        "do_not_contact": _("Not to be contacted at all"),
        "do_not_mail": _("On a do-not-mail list"),
        "gone_away": _("Moved away, nobody knows where to"),
        "returned": _("Post came back"),
        "bounced": _("E-mail came back for good"),
        "complained": _("Complained about an e-mail"),
    }


def _stop(one: SuppressionFact) -> dict[str, Any]:
    sources = {
        "console": _("by staff"),
        "import": _("by a list"),
        "bounce": _("by a mail server"),
        "piece": _("by a piece that came back"),
        "unmerge": _("by a record that it was merged with"),
        "api": _("by a program"),
    }
    channel = _("every way") if one.channel == EVERY else ruled.channel_words(one.channel)
    since = _("since %(day)s", day=formats.day(one.at, year=True))
    until = _("until %(day)s", day=formats.day(one.until, year=True)) if one.until else ""
    return {
        "id": one.id,
        "what": reason_words().get(one.reason, one.reason),
        "more": formats.joined(channel, since, sources.get(one.source, one.source), until),
    }


def _last(s: ScopedSession, found: Iterable[ContactFact]) -> list[dict[str, Any]]:
    rows = list(found)
    ids = {one.used_for: _mailing_id(one.used_for) for one in rows}
    names = meant.names(s, [one for one in ids.values() if one])
    stores = store_names(s, (one.sender_id for one in rows))
    shown = []
    for one in rows:
        mailing = ids[one.used_for]
        what = names.get(mailing, "") if mailing else _("A message about their membership")
        sender = stores.get(one.sender_id, "") if one.sender_id else _("Head office")
        shown.append(
            {
                "what": contact_words(one.purpose, one.channel),
                "more": formats.joined(formats.moment(one.at), what, sender),
            }
        )
    return shown


def _mailing_id(used_for: str) -> UUID | None:
    return UUID(used_for.removeprefix(_MAILING)) if used_for.startswith(_MAILING) else None


def pieces(s: ScopedSession, customer_id: UUID, *, own: bool = False) -> list[dict[str, Any]]:
    """What was meant for somebody, each with its chain. own: as they read it themselves."""
    found = []
    for one in meant.listed(s, customer_id, MOST):
        try:
            chain = telling.why(s, one.piece)
        except NotFound:  # its sender's alone to tell
            continue
        state, words = _became(one, chain, own=own)
        found.append(
            {
                "mailing": one.mailing,
                "what": contact_words(one.purpose, one.channel),
                "at": one.at,
                "state": state,
                "words": words,
                "code": one.piece.code if one.piece.sent_at else "",
                "chain": [line for line in chain.lines() if line],
            }
        )
    return found


def _became(one: Meant, chain: Chain, *, own: bool) -> tuple[str, str]:
    """The state of a piece and its words."""
    if one.piece.state == "withheld":
        yours = own_reasons().get(one.piece.reason or "") if own else None
        return "off", _("Not sent: %(reason)s", reason=yours or chain.reason)
    return {
        "ready": ("waiting", _("About to go out")),
        "failed": ("wrong", _("It could not be sent")),
        "returned": ("wrong", _("It came back")),
    }.get(one.piece.state, ("done", _("Sent")))


def own_reasons() -> dict[str, str]:
    """Why somebody got nothing, said to them."""
    return {
        "opted_out": _("You had refused it."),
        "not_agreed": _("You had not agreed to it."),
        "do_not_contact": _("You are not to be contacted."),
        "do_not_mail": _("You are on a do-not-mail list."),
        "complained": _("You complained about an e-mail of ours."),
        "unreachable": _("We had no address to reach you at."),
        "gone_away": _("We were told that you moved away."),
        "returned": _("Post to your address had come back."),
        "bounced": _("Mail to your address had come back."),
        "unverified": _("We were not sure of your address."),
        "frequency": _("You had heard from us often enough of late."),
        "held_out_of_all": _("By lot your household gets nothing, so that we see what mail does."),
        "held_out": _("By lot your household got nothing this time."),
        "household": _("Somebody else of your household got it."),
    }
