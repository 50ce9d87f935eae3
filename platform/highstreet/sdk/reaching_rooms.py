"""The rooms by which a tool finds whom to reach, and prints: segments, addresses, designs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from highstreet.i18n import gettext as _
from highstreet.sdk.ground import Room
from highstreet_tenants.errors import NotFound

if TYPE_CHECKING:
    from highstreet.addresses.facts import AddressFact
    from highstreet.printing.labels import Sheet
    from highstreet.segments.facts import Counted, SegmentFact


class Segments(Room):
    """Needs `segments.read`; to learn who they are, `customers.read`. Rules are JSON, as
    docs/segments.md has them."""

    __slots__ = ()

    def listed(self) -> list[SegmentFact]:
        """The segments of this place, head office's among them, by name."""
        from highstreet.segments import queries

        self._ctx.need("segments.read")
        return queries.listed(self._ctx.s)

    def get(self, segment_id: UUID) -> SegmentFact:
        """One segment, also one that is out of use. Raises NotFound."""
        from highstreet.segments import queries

        self._ctx.need("segments.read")
        return queries.get(self._ctx.s, segment_id)

    def counted(self, rule: Mapping[str, Any], *, sample: int = 0) -> Counted:
        """How many customers of this place a rule picks, of how many, and a few of them by chance.

        Raises Invalid, Conflict for a rule that can't be asked here, with the reason.
        """
        from highstreet.segments import queries, rules

        self._ctx.need("segments.read")
        if sample:
            self._ctx.need("customers.read")
        return queries.counted(self._ctx.s, rules.load(rule), sample=sample)

    def in_words(self, rule: Mapping[str, Any]) -> list[tuple[int, str]]:
        """A rule as people read it: (how far within others, words). Raises Invalid."""
        from highstreet.segments import queries, rules

        self._ctx.need("segments.read")
        return queries.in_words(self._ctx.s, rules.load(rule))

    def departments(self) -> list[str]:
        """Departments of what was sold here lately, by name, to choose from."""
        from highstreet.segments import offered

        self._ctx.need("segments.read")
        return offered.departments(self._ctx.s)

    def people(
        self, rule: Mapping[str, Any], *, behind: UUID | None = None, limit: int = 500
    ) -> list[UUID]:
        """The next ids of whom a rule picks, in order, after one of them. Raises as `counted`."""
        from highstreet.segments import queries, rules

        self._ctx.need("segments.read")
        self._ctx.need("customers.read")
        return queries.people_of(self._ctx.s, rules.load(rule), behind, limit)


class Addresses(Room):
    """Needs `addresses.read`. See highstreet.addresses."""

    __slots__ = ()

    def of_many(self, customer_ids: Iterable[UUID]) -> dict[UUID, AddressFact]:
        """The addresses of customers now, by the ids asked for; who has none is missing."""
        from highstreet.addresses import queries

        self._ctx.need("addresses.read")
        return queries.of_many(self._ctx.s, customer_ids)

    def households(self, customer_ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The household of each customer who has an address, by the ids asked for."""
        from highstreet.addresses import queries

        self._ctx.need("addresses.read")
        return queries.households(self._ctx.s, customer_ids)


class Printing(Room):
    """Needs `print`. See docs/printing.md."""

    __slots__ = ()

    def designs(self) -> list[tuple[UUID, str, str, str]]:
        """Head office's designs that may be printed here: (id, name, kind, size)."""
        from highstreet.printing import queries

        self._ctx.need("print")
        return [
            (one.id, one.name, one.kind, one.size)
            for one in queries.listed(self._ctx.s)
            if one.version_id is not None
        ]

    def sheets(self) -> Mapping[str, Sheet]:
        """Sheets of labels by the number on the box."""
        from highstreet.printing import labels

        self._ctx.need("print")
        return labels.SHEETS

    def labels(self, sheet: str, addresses: Iterable[Sequence[str]], *, start: int = 1) -> bytes:
        """A PDF of labels, row by row, each a name and the lines of an address. start: the first
        one that is free on a part-used sheet, from 1. Raises Invalid, Unprintable."""
        from highstreet.printing import labels

        found = self.sheets().get(sheet)
        if found is None:
            raise NotFound(_("There is no such sheet."))
        return labels.labels(found, addresses, start=start)
