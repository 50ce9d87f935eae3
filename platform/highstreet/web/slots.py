"""Where tools may put a piece of a page: the slots' names, and filling one."""

from typing import Any

from markupsafe import Markup

from highstreet.host import slots
from highstreet_tenants.sessions import ScopedSession

#: Slot → what fits there. Each renderer gets `ctx` and the keywords that the page gives.
SLOTS = {
    "till.member": "a row for the member in hand (customer)",
    "today.news": "a row of news for the store's day",
    "today.panel": "a panel of the store's day",
    "customer.panel": "a panel on a customer's page (customer)",
    "member.panel": "a panel on the member's own page (customer)",
    "tool.set_up": "a panel on the tool's own set-up page",
    "office.news": "a row of news for head office's day",
    "office.results": "a panel on head office's results",
}


def fill(s: ScopedSession, slot: str, **page: Any) -> list[Markup]:
    """What the tools that are on here put into a slot, each kept apart from the others' faults."""
    return [answer.value for answer in slots.render(s, slot, **page) if answer.value]
