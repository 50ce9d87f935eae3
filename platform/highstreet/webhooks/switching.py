"""Hearing from the host that tools went on or off."""

from collections.abc import Sequence

from highstreet.host.policy import Change
from highstreet.webhooks import outbox
from highstreet.webhooks.outbox import Happened
from highstreet_tenants.clock import now
from highstreet_tenants.sessions import ScopedSession


def switched(s: ScopedSession, changes: Sequence[Change]) -> None:
    """Tools went on or off in stores (head office's own pages are its own business)."""
    at = now()
    found = [
        Happened(
            one.place.store_id,
            at,
            {"tool": one.plugin, "on": one.after.on, "state": one.after.state},
        )
        for one in changes
        if one.place.store_id is not None and one.before.on != one.after.on
    ]
    if found:
        outbox.publish_many(s, "tool.switched", found)
