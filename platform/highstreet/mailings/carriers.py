"""Who takes pieces out of the house, by channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.mailings.facts import MailingFact, PieceFact
from highstreet_tenants.sessions import ScopedSession


class Carrier(Protocol):
    """Takes what passed the gate, in the transaction that writes it down as sent."""

    #: Pieces that one job hands over.
    chunk: int
    #: Whether quiet hours hold for it.
    disturbs: bool

    def pin(self, s: ScopedSession, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """The content as it is kept once people are selected: with all that may not change any
        more. Raises as `check`."""

    def check(self, s: ScopedSession, content: Mapping[str, Any]) -> str:
        """The digest of what is sent. Raises Invalid, NotFound for what can't be sent."""

    def hand_over(
        self, s: ScopedSession, mailing: MailingFact, pieces: Sequence[PieceFact]
    ) -> Mapping[Any, str]:
        """Take them; gives the reason for each (by the piece's id) that could not be taken. What it
        does outside of the database belongs into a job, for the transaction may be undone."""

    def holds(self, s: ScopedSession, mailing: MailingFact) -> bool:
        """Whether any of it lies with the carrier and has not left the house: then the mailing
        still runs, and the carrier sees to it that `releasing.settle` is called in the end."""

    def call_back(
        self, s: ScopedSession, mailing: MailingFact, *, for_good: bool
    ) -> Sequence[UUID]:
        """Give back what has not left the house: ids of pieces. for_good: nothing of it is to
        leave any more."""


_carriers: dict[str, Carrier] = {}


def register(channel: str, carrier: Carrier) -> None:
    """Let a room carry a channel. Registering again replaces."""
    _carriers[channel] = carrier


def of(channel: str) -> Carrier:
    """Who carries a channel. Raises Invalid where nobody does."""
    try:
        return _carriers[channel]
    except KeyError:
        raise bad("channel", _("Nothing can be sent by this channel here.")) from None


def channels() -> list[str]:
    """The channels that somebody carries here."""
    return sorted(_carriers)
