"""What the room tells others about consent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Status = Literal["given", "withdrawn"]

#: How a person can be reached. "*" stands for all of them, in a withdrawal.
CHANNELS: Final = frozenset({"email", "sms", "phone", "post", "push"})
EVERY: Final = "*"

#: What concerns somebody's own membership: it needs no yes, but a no holds.
SERVICE: Final = "service"

#: The brand itself as controller, where a legal entity's id would stand otherwise.
BRAND: Final = "brand"


#: Why somebody must not be contacted whatever they agreed to → the channel it holds for; "*": any.
SUPPRESSIONS: Final[Mapping[str, str]] = {
    "deceased": EVERY,
    "do_not_contact": EVERY,
    "do_not_mail": "post",
    "gone_away": "post",
    "returned": "post",
    "bounced": "email",
    "complained": "email",
}

#: Every reason that the gate gives, the first that holds; `holdout` and `household` are added by
#: mailings.
REASONS: Final = (
    "not_a_customer",
    "deceased",
    "opted_out",
    "not_agreed",
    "do_not_contact",
    "do_not_mail",
    "complained",
    "unreachable",
    "gone_away",
    "returned",
    "bounced",
    "unverified",
    "frequency",
)


class SuppressionFact(Struct, frozen=True):
    """One reason not to contact somebody. at, until: UTC; until None: for good."""

    id: UUID
    reason: str
    channel: str
    source: str
    at: datetime
    until: datetime | None


class ContactFact(Struct, frozen=True):
    """That somebody was contacted. sender_id: by which store, None head office. used_for: such as
    "mailing:<id>". at: UTC."""

    channel: str
    purpose: str
    sender_id: UUID | None
    used_for: str
    at: datetime


class ConsentState(Struct, frozen=True):
    """What holds now for one purpose and channel towards one controller.

    owner_id: the legal entity that is the controller, None for the brand. version and wording:
    what was shown, if anything was. at: when it was said, UTC.
    """

    purpose: str
    channel: str
    owner_id: UUID | None
    status: Status
    method: str
    at: datetime
    version: str | None
    wording: str | None


class Answer(Struct, frozen=True):
    """Whether somebody may be contacted, and why (not); true or false like the answer itself."""

    allowed: bool
    reason: str

    def __bool__(self) -> bool:
        return self.allowed
