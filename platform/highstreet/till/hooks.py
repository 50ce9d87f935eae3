"""What the till's screen asks of tools. All of it reads: a deed is a form that posts to the tool.

A hook that writes is isolated, so it could not refuse with words that the cashier reads; a route
of the tool can.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct, field

from highstreet.customers.facts import CustomerFact
from highstreet.host.spec import spec


class Reward(Struct, frozen=True):
    """Something a member could have now.

    key: sent back as the form's `reward`. cost: points it takes. short: translated words that say
    what is missing ("16 points short"), empty where it can be had. each_minor, most_minor: of money
    off that may be taken in part, what one is worth and how much can be had; the till asks for an
    amount between and sends it as `amount`, as people type it.
    """

    key: str
    label: str
    cost: int
    short: str = ""
    each_minor: int = 0
    most_minor: int = 0


class Club(Struct, frozen=True):
    """A member's standing in a points tool, as till and member page show it; words translated.

    unit: what `balance` counts ("points"). goal, toward: the next reward's cost and how much of it
    is there; goal 0 for none. next_label: "16 more for Lunch for two". notes: more lines, such as
    what lapses when. redeem_url: where the tool takes `reward` (a key), `ref` (text that makes a
    repeated press one deed) and `next` (where to go on) by POST; it says the outcome by `flash`.
    rewards: the first nine are on the till's keys.
    """

    balance: int
    unit: str
    next_label: str = ""
    goal: int = 0
    toward: int = 0
    notes: Sequence[str] = ()
    rewards: Sequence[Reward] = ()
    redeem_url: str = ""


class Deed(Struct, frozen=True):
    """One of a tool's own deeds at this till, such as a reward given; words translated.

    at: UTC. what: the deed as it was done, "Sandwich redeemed"; change: "−150", may be left out.
    undo_url: where the tool takes it back by POST (with `next`, where to go on), made by
    `sdk.address`; empty where it can't be, or was. undone: it was taken back; the till then says
    so beside your words. by: the actor's id, of whoever did it, or took it back where it is undone.
    """

    at: datetime
    customer_id: UUID
    what: str
    change: str = ""
    undo_url: str = ""
    undone: bool = False
    by: UUID | None = None


class Deeds(Struct, frozen=True):
    """What a tool did at a store lately: `earned` by purchase id ("+8"), and deeds of its own."""

    earned: Mapping[UUID, str] = field(default_factory=dict)
    own: Sequence[Deed] = ()


class TillHooks:
    """Asked when a store's till screen is drawn."""

    @spec(kind="collect", since="0.1", gives=Club)
    def member_club(self, ctx: Any, customer: CustomerFact) -> Club | None:
        """The member's standing: balance, next reward, rewards that can be redeemed.

        Asked when the till takes a member in hand and when a member opens the card page.
        """
        raise NotImplementedError

    @spec(kind="collect", since="0.1", gives=Deeds)
    def till_deeds(self, ctx: Any, purchases: Sequence[UUID], limit: int) -> Deeds:
        """What the tool gave for these purchases, and its newest `limit` own deeds in the store."""
        raise NotImplementedError
