"""The rooms about customers as a tool sees them: verbs with the session bound, held to what it
declared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec.structs import replace

from highstreet.sdk.ground import Room

if TYPE_CHECKING:
    from highstreet.consent.facts import Answer as MayContact
    from highstreet.consent.facts import ConsentState
    from highstreet.customers.anchors import Root
    from highstreet.customers.birthdays import Celebrant
    from highstreet.customers.facts import CustomerDetail, CustomerFact, Found, IdentityFact
    from highstreet.host.customer_fields import CustomerField
    from highstreet.i18n import LazyText
    from highstreet.purchases.facts import PurchaseFact, ReturnFact
    from highstreet.timeline.queries import Page
    from highstreet.timeline.service import EntryIn


class Customers(Room):
    """Needs `customers.read`; to write, `customers.write`. See highstreet.customers."""

    __slots__ = ()

    def get(self, customer_id: UUID) -> CustomerFact:
        """The customer, or whoever a merged record became. Raises NotFound."""
        from highstreet.customers import queries

        self._ctx.need("customers.read")
        return queries.get(self._ctx.s, customer_id)

    def detail(self, customer_id: UUID) -> CustomerDetail:
        """Birthday, custom fields, cards, phones and e-mail addresses too. Raises NotFound."""
        from highstreet.customers import queries

        self._ctx.need("customers.read")
        return queries.detail(self._ctx.s, customer_id)

    def find(self, text: str, limit: int = 20) -> list[Found]:
        """By card, else phone, else e-mail, else the first letters of the name."""
        from highstreet.customers import queries

        self._ctx.need("customers.read")
        return queries.find(self._ctx.s, text, limit, store_id=self._ctx.store_id)

    def by_card(self, number: str) -> CustomerFact:
        """Whose card it is. Raises NotFound, Conflict for a lost or blocked card, Invalid."""
        from highstreet.customers import queries

        self._ctx.need("customers.read")
        return queries.by_card(self._ctx.s, number, store_id=self._ctx.store_id)

    def lineage(self, customer_id: UUID) -> list[UUID]:
        """The customer's id and those of all records that were merged into it."""
        from highstreet.customers import queries

        self._ctx.need("customers.read")
        return queries.lineage(self._ctx.s, customer_id)

    def roots(self, ids: Iterable[UUID]) -> dict[UUID, Root]:
        """For each of many customers the record that took its place (`id`), if it was merged, and
        the store that owns it (`store_id`, None: the brand). Those out of reach are missing."""
        from highstreet.customers import anchors

        self._ctx.need("customers.read")
        return anchors.roots(self._ctx.s, ids)

    def names(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Many customers by name; those out of reach, or erased, are missing."""
        from highstreet.customers import anchors

        self._ctx.need("customers.read")
        return anchors.names(self._ctx.s, ids)

    def homes(self, ids: Iterable[UUID]) -> dict[UUID, UUID]:
        """The home stores of many customers; who has none, or is out of reach, is missing."""
        from highstreet.customers import anchors

        self._ctx.need("customers.read")
        return anchors.homes(self._ctx.s, ids)

    def born_on(
        self, day: date, *, behind: UUID | None = None, limit: int = 500
    ) -> list[Celebrant]:
        """Customers of this store whose birthday is on `day`, in order of ids behind `behind`.

        Who was born on 29 February has it on the 28th in other years. Nobody outside of a store.
        """
        from highstreet.customers import birthdays

        self._ctx.need("customers.read")
        store_id = self._ctx.store_id
        if store_id is None:
            return []
        return birthdays.born_on(self._ctx.s, store_id, day, behind=behind, limit=limit)

    def enrol(
        self,
        *,
        name: str,
        phone: str | None = None,
        email: str | None = None,
        card: str | None = None,
        language: str | None = None,
        birthday: date | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> CustomerFact:
        """Take somebody on. Raises Invalid, Conflict for a card that is somebody else's."""
        from highstreet.customers import service

        self._ctx.need("customers.write")
        return service.enrol(
            self._ctx.s,
            name=name,
            phone=phone,
            email=email,
            card=card,
            language=language,
            birthday=birthday,
            fields=fields,
            store_id=self._ctx.store_id,
        )

    def issue_card(self, customer_id: UUID, number: str) -> IdentityFact:
        """Give the customer a card. Raises NotFound, Invalid, Conflict."""
        from highstreet.customers import service

        self._ctx.need("customers.write")
        return service.issue_card(self._ctx.s, customer_id, number)

    def set_card_status(self, number: str, status: str) -> IdentityFact:
        """A card is "active", "lost" or "blocked". Raises NotFound, Invalid."""
        from highstreet.customers import service

        self._ctx.need("customers.write")
        return service.set_card_status(self._ctx.s, number, status)  # type: ignore[arg-type]  # checked there


class Fields(Room):
    """Needs `customers.read`. What is known of customers by name: the core's fields, the brand's
    own, and those of every tool that is on here."""

    __slots__ = ()

    def known(self) -> dict[str, CustomerField]:
        """What can be asked for in this place, with label and kind."""
        from highstreet.customers import published

        self._ctx.need("customers.read")
        return published.known(self._ctx.s, self._ctx.store_id)

    def read(
        self, names: Collection[str], customer_ids: Iterable[UUID]
    ) -> dict[UUID, dict[str, Any]]:
        """Values by customer and name, a statement for each field. Whoever has none is missing, and
        so is a field whose tool is off. Raises NotFound for a name that nobody publishes."""
        from highstreet.customers import published

        self._ctx.need("customers.read")
        return published.read(self._ctx.s, names, customer_ids, self._ctx.store_id)

    def wrong_with(self, text: str) -> list[str]:
        """What is wrong with a text with merge fields (Liquid: “You have {{ points_club.balance }}
        points”), in words; fields of tools that are off count as wrong."""
        from highstreet import templating
        from highstreet.customers import published

        self._ctx.need("customers.read")
        return templating.check(text, published.known(self._ctx.s, self._ctx.store_id))

    def filled(self, text: str, customer_ids: Iterable[UUID]) -> dict[UUID, str]:
        """A text with merge fields, filled for many. Whoever has no value for one of them that has
        no `default` is missing: half a sentence is told to nobody. Raises Invalid for a text that
        can't be read."""
        from highstreet.customers import filling

        self._ctx.need("customers.read")
        return filling.filled(self._ctx.s, text, customer_ids, self._ctx.store_id)


class Purchases(Room):
    """Needs `purchases.read`. See highstreet.purchases."""

    __slots__ = ()

    def get(self, purchase_id: UUID) -> PurchaseFact:
        """One purchase with its lines. Raises NotFound."""
        from highstreet.purchases import queries

        self._ctx.need("purchases.read")
        return queries.get(self._ctx.s, purchase_id)

    def by_ids(self, ids: Sequence[UUID]) -> list[PurchaseFact]:
        """Those of the purchases that are within reach, in the order given."""
        from highstreet.purchases import queries

        self._ctx.need("purchases.read")
        return queries.by_ids(self._ctx.s, ids)

    def by_ref(self, store_id: UUID, pos_ref: str) -> PurchaseFact:
        """A store's purchase by the till's number. Raises NotFound."""
        from highstreet.purchases import queries

        self._ctx.need("purchases.read")
        return queries.by_ref(self._ctx.s, store_id, pos_ref)

    def of_customer(
        self, customer_id: UUID, *, before: datetime | None = None, limit: int = 50
    ) -> list[PurchaseFact]:
        """A customer's newest purchases within reach. Raises NotFound."""
        from highstreet.purchases import queries

        self._ctx.need("purchases.read")
        return queries.of_customer(self._ctx.s, customer_id, before=before, limit=limit)

    def of_days(
        self,
        first: date,
        last: date,
        *,
        members: bool = False,
        lines: bool = True,
        limit: int | None = None,
    ) -> Iterator[PurchaseFact]:
        """This store's purchases from `first` to `last` (business dates), the latest first; read
        piece by piece, so that a month of a large store fits. Nothing outside of a store.

        members: only those of customers. lines: False leaves lines out, which saves most of the
        work. limit: so many at most.
        """
        from highstreet.purchases import days

        self._ctx.need("purchases.read")
        store_id = self._ctx.store_id
        if store_id is None:
            return iter(())
        return days.of_days(
            self._ctx.s, store_id, first, last, members=members, lines=lines, limit=limit
        )

    def returns_of(self, purchase_id: UUID) -> list[ReturnFact]:
        """A purchase's returns, oldest first. Raises NotFound."""
        from highstreet.purchases import queries

        self._ctx.need("purchases.read")
        return queries.returns_of(self._ctx.s, purchase_id)


class Timeline(Room):
    """Needs `timeline.write`, to read `timeline.read`. Entries bear the tool's name as source."""

    __slots__ = ()

    def write(
        self,
        customer_id: UUID,
        kind: str,
        title: str | LazyText,
        *,
        occurred_at: datetime,
        data: Mapping[str, Any] | None = None,
        ref_id: UUID | None = None,
        **place: UUID | None,
    ) -> UUID:
        """Add an entry; gives its id. title: an English message, filled from `data` when shown.

        store_id=None makes it the whole club's; left out, it is this place's. Raises NotFound,
        Invalid.
        """
        from highstreet.timeline import service

        self._ctx.need("timeline.write")
        if place.keys() - {"store_id"}:
            raise TypeError(f"write() got unexpected arguments {sorted(place)}")
        return service.write(
            self._ctx.s,
            customer_id,
            kind,
            title,
            occurred_at=occurred_at,
            data=data,
            source=self._ctx.plugin,
            ref_id=ref_id,
            **(place or ({"store_id": self._ctx.store_id} if self._ctx.store_id else {})),
        )

    def write_many(self, entries: Sequence[EntryIn]) -> int:
        """Add many entries in one go; gives how many. The caller vouches for the customers."""
        from highstreet.timeline import service

        self._ctx.need("timeline.write")
        source = self._ctx.plugin
        return service.write_many(self._ctx.s, [replace(e, source=source) for e in entries])

    def read(self, customer_id: UUID, before: str | None = None, limit: int = 50) -> Page:
        """A page of a customer's story, newest first. Raises NotFound, Invalid."""
        from highstreet.timeline import queries

        self._ctx.need("timeline.read")
        return queries.read(self._ctx.s, customer_id, before, limit)


class Consent(Room):
    """Needs `consent.read`; to record, `consent.write`. See highstreet.consent."""

    __slots__ = ()

    def may_contact(self, customer_id: UUID, purpose: str, channel: str) -> MayContact:
        """Whether a customer may be contacted now, and why (not): their own word, suppressions, an
        address to reach them at, caps and quiet hours. Ask again right before sending."""
        from highstreet.consent import gate

        self._ctx.need("consent.read")
        return gate.may_contact(self._ctx.s, customer_id, gate.Asking(purpose, channel))

    def state(self, customer_id: UUID) -> list[ConsentState]:
        """What holds now, per purpose, channel and controller. Raises NotFound."""
        from highstreet.consent import queries

        self._ctx.need("consent.read")
        return queries.state(self._ctx.s, customer_id)

    def record(
        self,
        customer_id: UUID,
        *,
        purpose: str,
        channel: str,
        status: str,
        wording: str,
        method: str,
        evidence: str | None = None,
    ) -> ConsentState:
        """Write down that a customer agreed ("given") or refused ("withdrawn").

        wording: the very words they saw. Raises NotFound, Invalid.
        """
        from highstreet.consent import service

        self._ctx.need("consent.write")
        return service.record(
            self._ctx.s,
            customer_id,
            purpose=purpose,
            channel=channel,
            status=status,  # type: ignore[arg-type]  # checked there
            wording=wording,
            method=method,
            evidence=evidence,
        )
