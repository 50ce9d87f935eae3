"""What the room tells others about customers: frozen facts, never rows."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from highstreet.customers.keys import Kind

Status = Literal["active", "merged", "erased"]
CardStatus = Literal["active", "lost", "blocked"]
FieldKind = Literal["text", "choice", "date", "number", "yes-no"]
#: What two records can differ in.
What = Literal["birthday", "phone", "email", "language", "store"]


class CustomerFact(Struct, frozen=True):
    """A customer as every tool may know one.

    store_id: the store that owns the record, None in a brand-wide club. home_store_id: where the
    customer joined. joined_at: UTC.
    """

    id: UUID
    name: str
    store_id: UUID | None
    home_store_id: UUID | None
    language: str | None
    joined_at: datetime
    status: Status


class IdentityFact(Struct, frozen=True):
    """A card, phone number or e-mail address; `value` is its key, `shown` what people read."""

    kind: Kind
    value: str
    shown: str
    status: CardStatus
    created_at: datetime


class NoteFact(Struct, frozen=True):
    """What staff wrote down about a customer."""

    id: UUID
    text: str
    author: str
    created_at: datetime


class CustomerDetail(Struct, frozen=True):
    """Everything a customer's page shows that the room itself holds."""

    customer: CustomerFact
    birthday: date | None
    fields: dict[str, Any]
    identities: tuple[IdentityFact, ...]
    notes: tuple[NoteFact, ...]


class Found(Struct, frozen=True):
    """One answer of a search: by what it was found and how to show that.

    card_status: set when it was found by a card; "lost" and "blocked" must not be used.
    """

    customer: CustomerFact
    by: Literal["card", "phone", "email", "name"]
    shown: str
    card_status: CardStatus | None = None


class Difference(Struct, frozen=True):
    """What two records say differently: both have it, and share none of it.

    one, other: as people read it: a birthday's date, phones or e-mails with commas between, a
    language tag; for "store" the home stores' ids.
    """

    what: What
    one: str | date | UUID
    other: str | date | UUID


class Likeness(Struct, frozen=True):
    """Two records that may be one person. score: 0–100. same: why, in words. different: what
    speaks against it."""

    one: CustomerFact
    other: CustomerFact
    score: int
    same: tuple[str, ...]
    different: tuple[Difference, ...] = ()

    @property
    def reason(self) -> str:
        """Why they may be one person, in one line."""
        return ", ".join(self.same)


class DismissalFact(Struct, frozen=True):
    """Somebody looked at two records and found two people."""

    one: CustomerFact
    other: CustomerFact
    at: datetime
    actor: str


class FieldFact(Struct, frozen=True):
    """A custom field of the brand."""

    key: str
    label: str
    kind: FieldKind
    choices: tuple[str, ...]
    required: bool


class EnrolIn(Struct, frozen=True):
    """One row of an import of customers; `store_id` is the home store."""

    store_id: UUID
    name: str
    phone: str | None = None
    email: str | None = None
    card: str | None = None
    language: str | None = None
    birthday: date | None = None
    fields: dict[str, Any] | None = None
    joined_at: datetime | None = None


class Refused(Struct, frozen=True):
    """A row of a batch that did not go in: its index there, the error's type and its words."""

    index: int
    type: str
    detail: str


class EnrolOutcome(Struct, frozen=True):
    """What a batch did: new customers, rows whose card, phone or e-mail was known, refused rows.

    ids: the customer of each row, by its index; None where it was refused.
    """

    created: int
    known: int
    refused: tuple[Refused, ...]
    ids: tuple[UUID | None, ...]


class MergeFact(Struct, frozen=True):
    """Two records became one. created: False when they already were."""

    kept: CustomerFact
    gone_id: UUID
    at: datetime
    created: bool


class StandingMerge(Struct, frozen=True):
    """A merge that may be taken back until `until`: who went into the record, when, by whose hand.

    gone_id: the record that would come back; name: what it was called.
    """

    gone_id: UUID
    name: str
    at: datetime
    until: datetime
    actor: str


class UnmergeFact(Struct, frozen=True):
    """A merge is taken back (or would be): what goes back to `back`, what stays with `kept`.

    identities: the cards, phones and e-mails that go back; missing: how many were removed since
    the merge and do not. notes, records: how many notes, and records merged into `back` before.
    returned: details that the kept record had from the other and gives up again: "name",
    "language", "birthday", "joined_at", "home_store_id", "fields.<key>". rooms: counts of each
    room. tools: what each tool says of its part.
    """

    kept: CustomerFact
    back: CustomerFact
    merged_at: datetime
    at: datetime
    identities: tuple[IdentityFact, ...]
    missing: int
    notes: int
    records: int
    returned: tuple[str, ...]
    rooms: dict[str, dict[str, int]]
    tools: dict[str, Any]


class ErasureFact(Struct, frozen=True):
    """A customer's personal data are gone. parts: how much each room and tool removed."""

    customer_id: UUID
    at: datetime
    reason: str
    parts: dict[str, Any]
