"""Words of the form of a rule."""

from collections.abc import Mapping

from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l

HOWS: Mapping[str, LazyText] = {
    "all": _l("All of these hold"),
    "any": _l("At least one of these holds"),
    "none": _l("None of these holds"),
    "not_all": _l("Not all of these hold at once"),
}
#: Operator → what stands between a field's name and what is typed.
OPERATORS: Mapping[str, LazyText] = {
    "is": _l("is"),
    "is_not": _l("is not"),
    "one_of": _l("is one of"),
    "not_one_of": _l("is none of"),
    "begins": _l("begins with"),
    "contains": _l("contains"),
    "at_least": _l("is at least"),
    "at_most": _l("is at most"),
    "between": _l("is from … to …"),
    "on": _l("is on the day"),
    "before": _l("is before the day"),
    "after": _l("is after the day"),
    "in_last_days": _l("is within the last … days"),
    "not_in_last_days": _l("is longer ago than … days"),
    "in_next_days": _l("is within the next … days"),
    "anniversary_in_days": _l("has its anniversary within … days"),
    "anniversary_month": _l("has its anniversary in the month (1 to 12)"),
    "empty": _l("is not known"),
    "filled": _l("is known"),
}
#: What a row is to begin with, by the kind of its field.
FIRST: Mapping[str, str] = {
    "text": "contains",
    "number": "at_least",
    "points": "at_least",
    "money": "at_least",
    "date": "in_last_days",
    "moment": "in_last_days",
    "yes_no": "is",
    "choice": "one_of",
    "store": "one_of",
}
HINTS: Mapping[str, LazyText] = {
    "date": _l("A number of days, or a day such as 2026-05-14."),
    "moment": _l("A number of days, or a day such as 2026-05-14."),
    "text": _l("For “is one of”, one in each box; counting gives more boxes."),
    "store": _l("Name or number of a store, one in each box; counting gives more boxes."),
}
OTHERS: Mapping[str, LazyText] = {
    "bought": _l("Bought something"),
    "consent": _l("Agreed to be contacted"),
    "segment": _l("Is in another segment"),
    "people": _l("Is one of these people"),
}
