"""Segments that come with the house: rules to use as they are, or to make one's own of.

Classes (see `sums`) and days are the field's usual ones; whoever wants others changes the rule.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l
from highstreet.segments.rules import All, Field, Not, Rule

FIRST, LAST = "customer.first_purchase_at", "customer.last_purchase_at"


class Ready(Struct, frozen=True):
    """A rule with its name and what it is good for."""

    name: LazyText
    about: LazyText
    rule: Rule


def _field(name: str, op: str, value: int) -> Field:
    return Field(name, op, value)


_NEW = _field(FIRST, "in_last_days", 60)
_LOYAL = All(
    (_field("customer.recency", "at_least", 4), _field("customer.frequency", "at_least", 4))
)

READY: Mapping[str, Ready] = {
    "new": Ready(
        _l("New customers"), _l("Bought for the first time within the last 60 days."), All((_NEW,))
    ),
    "loyal": Ready(
        _l("Loyal"),
        _l("Among the two fifths who bought last and the two fifths who bought most often."),
        _LOYAL,
    ),
    "satisfied": Ready(
        _l("Satisfied"),
        _l("Among the three fifths who bought last; neither new nor loyal."),
        All((_field("customer.recency", "at_least", 3), Not(_NEW), Not(_LOYAL))),
    ),
    "at_risk": Ready(
        _l("At risk"),
        _l("Used to buy often, and has not bought for long: within the last year, but not lately."),
        All(
            (
                _field("customer.recency", "at_most", 2),
                _field("customer.frequency", "at_least", 3),
                _field(LAST, "in_last_days", 365),
            )
        ),
    ),
    "lost": Ready(
        _l("Lost customers"),
        _l("Has not bought for more than a year."),
        All((_field(LAST, "not_in_last_days", 365),)),
    ),
    "lapsed": Ready(
        _l("Not seen for 60 days"),
        _l("Has bought before, and not within the last 60 days."),
        All((_field(LAST, "not_in_last_days", 60),)),
    ),
    "key": Ready(
        _l("Key customers"),
        _l("Among the fifth who spent most."),
        All((_field("customer.money", "at_least", 5),)),
    ),
    "birthday": Ready(
        _l("Birthday soon"),
        _l("Has a birthday within the next 30 days."),
        All((_field("customer.birthday", "anniversary_in_days", 30),)),
    ),
}
