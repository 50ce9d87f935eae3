"""What the room takes and tells: frozen facts, never rows."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from highstreet.customers.facts import Refused

State = Literal["unverified", "good", "bad"]
Source = Literal["staff", "member", "api", "import", "demo"]
#: A part of an address that somebody types.
Part = Literal[
    "recipient",
    "street",
    "dependent_locality",
    "city",
    "area",
    "postal_code",
    "sorting_code",
]


class AddressIn(Struct, frozen=True):
    """An address as somebody types it.

    country: ISO 3166 alpha-2, any case. recipient: who stands on the envelope in place of the
    customer's own name ("c/o Lee"). street: one to four lines, or one text with line feeds.
    dependent_locality: a part of a town, where a country writes it. area: state, province, county.
    """

    country: str
    street: tuple[str, ...] | str
    city: str = ""
    postal_code: str = ""
    area: str = ""
    dependent_locality: str = ""
    sorting_code: str = ""
    recipient: str = ""


class Normal(Struct, frozen=True):
    """An address in its country's form: the parts as they are kept, and what is made of them."""

    country: str
    recipient: str
    street: tuple[str, ...]
    dependent_locality: str
    city: str
    area: str
    postal_code: str
    sorting_code: str
    lines: tuple[str, ...]
    delivery_point: str
    state: State


class AddressFact(Struct, frozen=True):
    """A customer's address. lines: to be printed beneath a name, see `formatting.envelope`.

    household_id: None for an address of the past. valid_from, valid_to: UTC.
    """

    id: UUID
    customer_id: UUID
    household_id: UUID | None
    country: str
    recipient: str
    street: tuple[str, ...]
    dependent_locality: str
    city: str
    area: str
    postal_code: str
    sorting_code: str
    lines: tuple[str, ...]
    delivery_point: str
    state: State
    source: str
    valid_from: datetime
    valid_to: datetime | None


class Member(Struct, frozen=True):
    """Somebody of a household."""

    customer_id: UUID
    name: str


class PutIn(Struct, frozen=True):
    """One row of many: whose address, and which; `Normal` if it was put into its form already."""

    customer_id: UUID
    address: AddressIn | Normal


class PutOutcome(Struct, frozen=True):
    """What a batch did: addresses written, rows that said what is known, refused rows."""

    written: int
    known: int
    refused: tuple[Refused, ...]


class Asked(Struct, frozen=True):
    """A part that a country's form asks for. choices: (what to keep, what to show), or none."""

    part: Part
    label: str
    required: bool
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""
