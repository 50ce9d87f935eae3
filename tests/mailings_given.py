"""What tests of mailings begin with: members with a word and a door, a plan, and its sums."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service
from highstreet.customers import service as customers
from highstreet.mailings import drafting, queries
from highstreet.mailings.facts import MailingIn, Waterfall
from highstreet.segments import service as picking
from highstreet.segments.rules import All

NOW = datetime.now(UTC)


def member(s: Any, name: str, street: str | None = None, *, yes: bool = True) -> UUID:
    who = customers.enrol(s, name=name, email=f"{uuid4().hex}@example.com").id
    for channel in ("post", "email") if yes else ():
        service.record(
            s, who, purpose="news", channel=channel, status="given", wording="Yes", method="till",
            at=NOW - timedelta(days=9),
        )  # fmt: skip
    if street:
        home = AddressIn(country="GB", street=street, city="Leeds", postal_code="LS1 4DY")
        addresses.put(s, who, home)
    return who


def everybody(s: Any) -> UUID:
    return picking.save(s, name=f"All {uuid4().hex[:6]}", rule=All()).id


def plan(s: Any, **more: Any) -> UUID:
    given: dict[str, Any] = {
        "name": "Spring",
        "purpose": "news",
        "channel": "post",
        "segment_id": None if "rule" in more else more.pop("segment_id", None) or everybody(s),
        "content": {"template": "t1"},
    }
    return drafting.draft(s, MailingIn(**(given | more)))


def reconciles(s: Any, mailing_id: UUID) -> Waterfall:
    told = queries.waterfall(s, mailing_id)
    assert told.selected == told.ready + told.sent + told.failed + sum(
        one.people for one in told.steps
    )
    fact = queries.get(s, mailing_id)
    assert fact.selected in (None, told.selected)
    return told


def steps(told: Waterfall) -> dict[str, int]:
    return {one.reason + (" late" if one.late else ""): one.people for one in told.steps}
