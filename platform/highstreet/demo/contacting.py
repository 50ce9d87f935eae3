"""What head offices of the demo brands lay down about contacting people, and whom they pick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from highstreet.consent import laying_down
from highstreet.segments import service as segments
from highstreet.segments.ready import READY
from highstreet_tenants.models import Brand
from highstreet_tenants.sessions import ScopedSession

#: Brand → the ready-made segments that it keeps under names of its own.
PICKED: Final[Mapping[str, Mapping[str, str]]] = {
    "crust-and-crumb": {"loyal": "Our regulars", "birthday": "Birthday within a month"},
    "torque-and-co": {
        "loyal": "Garage regulars",
        "key": "Key customers",
        "at_risk": "At risk",
        "birthday": "Birthday within a month",
    },
    "last-reel-video": {
        "lapsed": "Not seen for 60 days",
        "loyal": "Film lovers",
        "new": "New members",
    },
}
#: Every brand: at most so often, and nobody is woken by a text message or a call.
RULES: Final[tuple[Mapping[str, Any], ...]] = (
    {"kind": "cap", "channel": "*", "most": 4, "days": 30},
    {"kind": "cap", "channel": "email", "most": 2, "days": 7},
    {"kind": "quiet", "channel": "sms", "starts": 21 * 60, "ends": 8 * 60},
    {"kind": "quiet", "channel": "phone", "starts": 20 * 60, "ends": 9 * 60},
    {"kind": "basis", "channel": "post"},
)


def lay_down(s: ScopedSession, brand: Brand) -> None:
    """Keep the brand's segments and rules, as its head office."""
    for ready, name in PICKED.get(brand.slug, {}).items():
        segments.save(s, name=name, about=str(READY[ready].about), rule=READY[ready].rule)
    for rule in RULES:
        laying_down.lay_down(s, **rule)
