"""The room by which a tool writes to many: its own mailings of one place, through the gate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from highstreet.i18n import gettext as _
from highstreet.sdk.ground import Room
from highstreet_tenants.errors import Conflict, NotFound

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from highstreet.mailings.addressed import Addressed
    from highstreet.mailings.counting import Postcode
    from highstreet.mailings.facts import MailingFact, MailingIn, PieceFact, Waterfall
    from highstreet.mailings.matching import MatchBack
    from highstreet.mailings.past import Past
    from highstreet.mailings.telling import Chain
    from highstreet.printing.pieces import Findings
    from highstreet.printing.writing import PrintFile
    from highstreet_tenants.sessions import ScopedSession


class Mailings(Room):
    """Needs `mailings`. The tool's own mailings of this place; those of others are not found.

    draft → select → approve → release; see docs/mailings.md. Everybody goes through the gate when
    people are selected and again when a piece goes out; a tool can't send past it.
    """

    __slots__ = ()

    def draft(self, given: MailingIn) -> UUID:
        """Plan a mailing; gives its id. Raises Invalid, NotFound, and Conflict where head office
        has no customers to write to."""
        from highstreet.mailings import drafting

        return drafting.draft(self._here(), replace(given, source=self._ctx.plugin))

    def change(self, mailing_id: UUID, given: MailingIn) -> None:
        """Change a plan; what was selected and approved falls. Raises NotFound, Invalid, Conflict
        once it has been released."""
        from highstreet.mailings import drafting

        self._own(mailing_id)
        drafting.change(self._ctx.s, mailing_id, replace(given, source=self._ctx.plugin))

    def select(self, mailing_id: UUID) -> MailingFact:
        """Work out whom it goes to and why others get nothing; again, if you like, until it is
        approved. Raises NotFound, Conflict, Invalid."""
        from highstreet.mailings import drafting

        self._own(mailing_id)
        return drafting.select(self._ctx.s, mailing_id)

    def approve(self, mailing_id: UUID, manifest: str) -> MailingFact:
        """Let it go out as it was looked at: `manifest` is that of the people who were shown.
        Raises NotFound, Conflict where others were selected or the content was edited since."""
        from highstreet.mailings import drafting

        self._own(mailing_id)
        return drafting.approve(self._ctx.s, mailing_id, manifest)

    def release(self, mailing_id: UUID) -> MailingFact:
        """Let an approved mailing go out, chunk by chunk in a job. Raises NotFound, Conflict."""
        from highstreet.mailings import releasing

        self._own(mailing_id)
        return releasing.release(self._ctx.s, mailing_id)

    def go_on(self, mailing_id: UUID) -> int:
        """Hand over the next chunk of a mailing that runs now, and not when its job comes by; gives
        how many pieces are left. Raises NotFound."""
        from highstreet.mailings import releasing

        self._own(mailing_id)
        return releasing.go_on(self._ctx.s, mailing_id)

    def pause(self, mailing_id: UUID) -> None:
        """Hand nothing more over until it is resumed. Raises NotFound, Conflict."""
        from highstreet.mailings import releasing

        self._own(mailing_id)
        releasing.pause(self._ctx.s, mailing_id)

    def resume(self, mailing_id: UUID) -> None:
        """Go on where it was paused. Raises NotFound, Conflict."""
        from highstreet.mailings import releasing

        self._own(mailing_id)
        releasing.resume(self._ctx.s, mailing_id)

    def stop(self, mailing_id: UUID) -> None:
        """Hand nothing over any more, for good. Raises NotFound, Conflict."""
        from highstreet.mailings import releasing

        self._own(mailing_id)
        releasing.stop(self._ctx.s, mailing_id)

    def discard(self, mailing_id: UUID) -> None:
        """Throw a plan away. Raises NotFound, Conflict once it has been released."""
        from highstreet.mailings import drafting

        self._own(mailing_id)
        drafting.discard(self._ctx.s, mailing_id)

    def put_cost(self, mailing_id: UUID, cost_minor: int | None) -> None:
        """Write what it cost against it, minor units of the place's currency. Raises NotFound,
        Invalid."""
        from highstreet.mailings import drafting

        self._own(mailing_id)
        drafting.put_cost(self._ctx.s, mailing_id, cost_minor)

    def take_over(
        self,
        name: str,
        purpose: str,
        channel: str,
        sent_at: datetime,
        customer_ids: Iterable[UUID],
    ) -> Past:
        """Write down who got a mailing that went out before, or by other means: by its name and its
        moment (aware), each once, however often it is told. Raises Invalid."""
        from highstreet.mailings import past

        s = self._here()
        given = past.PastIn(name, purpose, channel, sent_at, self._ctx.plugin)
        return past.take_over(s, given, customer_ids)

    def listed(self) -> list[MailingFact]:
        """The tool's mailings of this place, the newest first."""
        from highstreet.mailings import queries

        return queries.listed(self._here(), source=self._ctx.plugin)

    def get(self, mailing_id: UUID) -> MailingFact:
        """One of them. Raises NotFound."""
        return self._own(mailing_id)

    def waterfall(self, mailing_id: UUID) -> Waterfall:
        """Where everybody who was selected went, to the piece. Raises NotFound."""
        from highstreet.mailings import queries

        self._own(mailing_id)
        return queries.waterfall(self._ctx.s, mailing_id)

    def audience(self, mailing_id: UUID) -> list[tuple[int, str]]:
        """Whom it goes to, in words: (how far within others, words). Raises NotFound."""
        from highstreet.mailings import telling

        self._own(mailing_id)
        return telling.audience(self._ctx.s, mailing_id)

    def pieces(
        self, mailing_id: UUID, *, after: int = -1, most: int = 500, late: bool | None = None
    ) -> list[PieceFact]:
        """Its pieces in the order of the manifest, behind a place. late: only those that were
        withheld at the release, or only all others. Raises NotFound."""
        from highstreet.mailings import queries

        self._own(mailing_id)
        return queries.pieces(self._ctx.s, mailing_id, after, most, late=late)

    def addressed(self, mailing_id: UUID, *, after: int = -1, most: int = 2000) -> list[Addressed]:
        """Its pieces that go or went by post with names, addresses and postal codes, in the order
        of the manifest, behind a place. Raises NotFound."""
        from highstreet.mailings import addressed

        self._own(mailing_id)
        return addressed.addressed(self._ctx.s, mailing_id, after, most)

    def piece(self, code: str) -> PieceFact:
        """The piece that bears a code, as typed or scanned, of one of its mailings from here, or
        in a club from head office, whose pieces are answered in stores. Raises NotFound."""
        from highstreet.mailings import queries

        return queries.piece_by_code(self._here(), code, source=self._ctx.plugin)

    def of_customer(self, customer_id: UUID, *, most: int = 100) -> list[PieceFact]:
        """What of the tool's mailings from here, or in a club from head office, was meant for
        somebody (merges followed), the newest first. Raises NotFound."""
        from highstreet.mailings import queries

        return queries.of_customer(self._here(), customer_id, source=self._ctx.plugin, most=most)

    def why(self, code: str) -> Chain:
        """The chain behind a piece: mailing, audience in words, consent, sender. Raises
        NotFound."""
        from highstreet.mailings import telling

        return telling.why(self._ctx.s, self.piece(code))

    def came_back(self, code: str) -> PieceFact:
        """The post returned the piece that bears a code: nothing more goes to that address. Raises
        NotFound, Conflict for what was not sent, or not by post."""
        from highstreet.mailings import returns

        self.piece(code)
        return returns.came_back(self._ctx.s, code)

    def undo_came_back(self, code: str) -> PieceFact:
        """It was another one that came back. Raises NotFound, Conflict."""
        from highstreet.mailings import returns

        self.piece(code)
        return returns.undo(self._ctx.s, code)

    def rows(self, mailing_id: UUID, batch: int | None = None) -> Iterator[list[Any]]:
        """What the mail house gets: a row of headings, then one for each piece that was sent: code,
        name, address lines, batch. Raises NotFound."""
        from highstreet.mailings import post

        self._own(mailing_id)
        return post.rows(self._ctx.s, mailing_id, batch)

    def preflight(self, mailing_id: UUID) -> Findings:
        """What is to be mended before it is printed in its design, piece by piece; keys are codes.
        Raises NotFound, Conflict before people were selected, and where it has no design."""
        from highstreet.mailings import pressing

        self._own(mailing_id)
        return pressing.preflight(self._ctx.s, mailing_id)

    def proof(self, mailing_id: UUID) -> bytes:
        """A PDF of the pieces that are likeliest to go wrong: the longest name, the most lines.
        Raises as `preflight`, and Invalid where nobody gets one."""
        from highstreet.mailings import pressing

        self._own(mailing_id)
        return pressing.proof(self._ctx.s, mailing_id)

    def labels(self, mailing_id: UUID, sheet: str, *, start: int = 1) -> bytes:
        """A PDF of address labels. sheet: the number on the box; start: the first that is free.
        Raises NotFound, Invalid, Conflict before people were selected."""
        from highstreet.mailings import pressing

        self._own(mailing_id)
        return pressing.labels(self._ctx.s, mailing_id, sheet, start=start)

    def print_out(self, mailing_id: UUID) -> None:
        """Have a job write the print files of what was released, a thousand pieces in each; see
        `print_files`. Raises NotFound, Conflict."""
        from highstreet.mailings import pressing

        self._own(mailing_id)
        pressing.order(self._ctx.s, mailing_id)

    def print_files(self, mailing_id: UUID) -> list[tuple[Path, PrintFile]]:
        """The files that were written, with their digests and counts. Raises NotFound."""
        from highstreet.mailings import pressing

        self._own(mailing_id)
        return pressing.files(self._ctx.s, mailing_id)

    def by_postcode(self, mailing_id: UUID) -> list[Postcode]:
        """How many pieces go, or went, to each postal code, for the post office. Raises
        NotFound."""
        from highstreet.mailings import counting

        self._own(mailing_id)
        return counting.by_postcode(self._ctx.s, mailing_id)

    def match_back(self, mailing_id: UUID, days: int) -> MatchBack:
        """Whose households bought within so many days after their piece went out, beside those
        that were held out. Raises NotFound, Invalid."""
        from highstreet.mailings import matching

        self._own(mailing_id)
        return matching.match_back(self._ctx.s, mailing_id, days)

    def _own(self, mailing_id: UUID) -> MailingFact:
        from highstreet.mailings import queries

        found = queries.get(self._here(), mailing_id)
        if found.source != self._ctx.plugin:
            raise NotFound(_("There is no such mailing here."))
        return found

    def _here(self) -> ScopedSession:
        """The session, which is of the place: in one that reaches a whole brand, what a store's
        `ctx` did would be head office's."""
        self._ctx.need("mailings")
        if self._ctx.store_id != self._ctx.scope.store_id:
            raise Conflict(_("Mailings of a store are reached in a session of that store."))
        return self._ctx.s
