"""What the room tells others about consent."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Status = Literal["given", "withdrawn"]

#: How a person can be reached. "*" stands for all of them, in a withdrawal.
CHANNELS: Final = frozenset({"email", "sms", "phone", "post", "push"})
EVERY: Final = "*"

#: The brand itself as controller, where a legal entity's id would stand otherwise.
BRAND: Final = "brand"


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
