"""Segments in the probe's world: each place has a rule, a list of its people and a snapshot."""

from typing import Any

from highstreet.segments import service
from highstreet.segments.rules import Bought


def fill(s: Any, site: Any, firm: str) -> None:
    """Make them, as whoever the people here belong to."""
    rule = service.save(s, name=f"{firm} buyers", about=f"{firm} knows them", rule=Bought())
    site.keep("segment", rule.id)
    if s.store_id is None and s.customers == "store":
        return
    site.keep("snapshot", service.take(s, rule.id, used_for="probe:").id)
    kept = service.make_list(s, name=f"{firm} guests", people=site.ids["customer"])
    site.keep("segment", kept.id)
