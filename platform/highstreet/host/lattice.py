"""The policy lattice: whether a tool is on in a place, and why. Pure: no database, no clock.

Head office says one of five words about a tool, a region may narrow it, the store chooses within
that. Each word permits a store some outcomes, and narrowing means permitting no more:

    default_on, optional   the store chooses: on or off (they differ in what holds unasked)
    restricted             off, and on only when approved
    required               on
    forbidden              off

So from a free choice a region may go anywhere; from restricted only to forbidden (to require
what head office wants to approve would widen it); from required and forbidden nowhere.
"""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Level(StrEnum):
    """What head office or a region says about a tool."""

    REQUIRED = "required"
    DEFAULT_ON = "default_on"
    OPTIONAL = "optional"
    RESTRICTED = "restricted"
    FORBIDDEN = "forbidden"


#: What holds where head office has said nothing: nothing turns on by itself.
UNSAID = Level.OPTIONAL

#: The outcomes each level permits a store; "approved" is an on that needs a yes from above.
PERMITS: dict[Level, frozenset[str]] = {
    Level.REQUIRED: frozenset({"on"}),
    Level.DEFAULT_ON: frozenset({"on", "approved", "off"}),
    Level.OPTIONAL: frozenset({"on", "approved", "off"}),
    Level.RESTRICTED: frozenset({"approved", "off"}),
    Level.FORBIDDEN: frozenset({"off"}),
}


def narrows(below: Level, above: Level) -> bool:
    """Whether a region may say `below` where head office says `above`."""
    return PERMITS[below] <= PERMITS[above]


class Word(Struct, frozen=True):
    """A level with who said it, when (UTC), and a note to the stores."""

    level: Level
    by: str
    at: datetime
    note: str | None = None


class Policy(Struct, frozen=True):
    """What is said about one tool above a store; None where nothing is."""

    brand: Word | None = None
    region: Word | None = None
    region_name: str = ""

    @property
    def ruling(self) -> tuple[Level, Word | None, bool]:
        """(level, the word it comes from, whether that is the region's).

        A region's word counts while it narrows head office's; it may have been said before head
        office said something stricter.
        """
        above = self.brand.level if self.brand else UNSAID
        if self.region is not None and narrows(self.region.level, above):
            return self.region.level, self.region, True
        return above, self.brand, False


class Choice(Struct, frozen=True):
    """What the store wants."""

    wanted: bool
    by: str
    at: datetime


class Approval(Struct, frozen=True):
    """What was answered to a store that asked for a restricted tool."""

    granted: bool
    by: str
    at: datetime
    note: str | None = None


class Compatibility(Struct, frozen=True):
    """Whether the tool could work here at all. `why`: "", "absent", "level", "needs" (a tool that
    is off) or "needs_paused" (one that stands still); `what` names the cause."""

    why: Literal["", "absent", "level", "needs", "needs_paused"] = ""
    what: str = ""

    @property
    def works(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.why


FITS = Compatibility()


class Pause(Struct, frozen=True):
    """The tool was stopped here: after `faults` of them, or by somebody's hand (faults 0)."""

    at: datetime
    faults: int
    by: str


State = Literal[
    "required", "on", "off", "waiting", "refused", "forbidden", "held", "paused", "unavailable"
]


class Ruling(Struct, frozen=True):
    """The outcome in one place. `code` names the reason, `by`, `at` and `note` fill it in.

    paused_only: it would be on but for a pause, so its checks (veto hooks) still count.
    """

    state: State
    on: bool
    code: str
    by: str = ""
    at: datetime | None = None
    note: str | None = None
    regional: bool = False

    @property
    def paused_only(self) -> bool:
        """On but for a pause or an agreement, its own or that of a tool which it needs."""
        return self.state in ("paused", "held") or self.code == "needs_paused"


def judge(
    policy: Policy,
    choice: Choice | None = None,
    approval: Approval | None = None,
    compatibility: Compatibility = FITS,
    pause: Pause | None = None,
    more: str = "",
) -> Ruling:
    """Whether a tool is on in a place.

    Policy comes first, then the choice it leaves, then whether the tool can work here, then whether
    its version does more than was agreed to (`more` names the version), then pause: so a tool that
    is forbidden says so even if it is broken too.
    """
    return held(_wished(policy, choice, approval), compatibility, pause, more)


def held(
    ruling: Ruling, compatibility: Compatibility, pause: Pause | None, more: str = ""
) -> Ruling:
    """A ruling after what may stand in its way: the tool can't work here, is held, or is paused."""
    if not ruling.on:
        return ruling
    if not compatibility.works:
        return Ruling("unavailable", False, compatibility.why, note=compatibility.what)
    if more:
        return Ruling("held", False, "declares_more", note=more)
    if pause is not None:
        code = "paused" if pause.faults else "paused_by_hand"
        return Ruling("paused", False, code, pause.by, pause.at, str(pause.faults))
    return ruling


def _wished(policy: Policy, choice: Choice | None, approval: Approval | None) -> Ruling:
    level, word, regional = policy.ruling

    def above(state: State, on: bool, code: str) -> Ruling:
        if word is None:
            return Ruling(state, on, code)
        who = policy.region_name if regional else word.by
        return Ruling(state, on, code, who, word.at, word.note, regional)

    if level is Level.REQUIRED:
        return above("required", True, "required")
    if level is Level.FORBIDDEN:
        return above("forbidden", False, "forbidden")
    if choice is None:
        if level is Level.DEFAULT_ON:
            return above("on", True, "from_the_start")
        code = "ask_first" if level is Level.RESTRICTED else "not_chosen"
        return above("off", False, code)
    if not choice.wanted:
        return Ruling("off", False, "declined", choice.by, choice.at)
    if level is not Level.RESTRICTED:
        return Ruling("on", True, "chosen", choice.by, choice.at)
    if approval is None:
        return Ruling("waiting", False, "waiting", choice.by, choice.at)
    if not approval.granted:
        return Ruling("refused", False, "refused", approval.by, approval.at, approval.note)
    return Ruling("on", True, "approved", approval.by, approval.at, approval.note)
