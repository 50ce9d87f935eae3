"""Subscribing and what follows: changing, pausing, rotating the secret.

Every verb works for the scope's place: a store's own webhooks, or head office's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet import jobs
from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.webhooks import addresses, catalogue, secrets, signing
from highstreet.webhooks.models import (
    ACTIVE,
    DISABLED,
    PAUSED,
    Webhook,
    WebhookDelivery,
    WebhookInterest,
)
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.ids import new_id
from highstreet_tenants.sealing import Sealing
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.trail import record

DELIVER = "core.webhooks.deliver"
#: So long an old secret signs beside the new one, unless said otherwise, and at most.
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP_HOURS = 7 * 24
LONGEST_OVERLAP = timedelta(hours=LONGEST_OVERLAP_HOURS)
#: Of one store, or of head office.
MOST = 20

_delivery = cast(sa.Table, WebhookDelivery.__table__)


class Keep:
    """The type of KEEP."""


#: An argument of `change` that leaves what is there.
KEEP: Final = Keep()


class Made(Struct, frozen=True):
    """A webhook with its secret, which is shown this once."""

    webhook: Webhook
    secret: str


def subscribe(
    s: ScopedSession, *, name: str, url: str, events: Sequence[str], local: bool = False
) -> Made:
    """Have events of some kinds sent to an address.

    local: http to this machine will do (`webhooks_local` of the settings). Raises Invalid naming
    fields, Conflict where there are too many.
    """
    state.one_at_a_time(s)
    if len(s.scalars(sa.select(Webhook.id).where(*mine(s))).all()) >= MOST:
        raise Conflict(_("There are %(most)s webhooks here already. Delete one first.", most=MOST))
    row_id, secret = new_id(), signing.new_secret()
    row = Webhook(
        brand_id=s.brand_id,
        id=row_id,
        store_id=s.store_id,
        name=_name(name),
        url=_url(url, local),
        events=_events(s, events, ()),
        secret=_sealing(s).seal(secrets.KIND, row_id, secret),
        created_by=s.scope.actor.name[:120],
    )
    s.add(row)
    _interest(s, row.events)
    _record(s, "webhook.created", row, {"to": _host(row.url), "events": row.events})
    state.touch(s)
    return Made(row, secret)


def change(
    s: ScopedSession,
    webhook_id: UUID,
    *,
    name: str | Keep = KEEP,
    url: str | Keep = KEEP,
    events: Sequence[str] | Keep = KEEP,
    local: bool = False,
) -> Webhook:
    """Change what is given. Raises NotFound, Invalid naming fields."""
    state.one_at_a_time(s)
    row = get(s, webhook_id)
    before = (row.name, _host(row.url), row.events)
    if not isinstance(name, Keep):
        row.name = _name(name)
    if not isinstance(url, Keep):
        row.url = _url(url, local)
    if not isinstance(events, Keep):
        row.events = _events(s, events, row.events)
        _interest(s, row.events)
    after = (row.name, _host(row.url), row.events)
    changes = {
        what: [old, new]
        for what, old, new in zip(("name", "to", "events"), before, after, strict=True)
        if old != new
    }
    _record(s, "webhook.changed", row, changes)
    state.touch(s)
    return row


def rotate(s: ScopedSession, webhook_id: UUID, *, overlap: timedelta = OVERLAP) -> Made:
    """A new secret. What is sent is signed with the old one, too, for `overlap`; where that is
    nothing (the old one leaked), all older ones end at once. Raises NotFound, Invalid.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        words = _("Let the old secret sign for 0 to %(most)s hours.", most=LONGEST_OVERLAP_HOURS)
        raise _bad("old_secret_hours", words)
    row = get(s, webhook_id, lock=True)
    secret = secrets.rotate(_sealing(s), row, overlap)
    _record(s, "webhook.rotated", row, {"old_secret_hours": overlap.total_seconds() / 3600})
    s.flush()
    return Made(row, secret)


def pause(s: ScopedSession, webhook_id: UUID) -> Webhook:
    """Send nothing for now; what happens meanwhile is kept. Raises NotFound, Conflict."""
    row = get(s, webhook_id, lock=True)
    if row.status != ACTIVE:
        raise Conflict(_("Only a webhook that is on can be paused."))
    _set(row, PAUSED)
    _record(s, "webhook.paused", row)
    s.flush()
    return row


def enable(s: ScopedSession, webhook_id: UUID) -> Webhook:
    """Send again, first what waits. Raises NotFound, Conflict."""
    state.one_at_a_time(s)
    row = get(s, webhook_id, lock=True)
    if row.status == ACTIVE:
        raise Conflict(_("This webhook is on already."))
    if not state.place(s).open:
        raise Conflict(_("The store has closed."))
    _set(row, ACTIVE)
    row.failures, row.rest_until = 0, None
    _record(s, "webhook.resumed", row)
    s.flush()
    state.touch(s)
    order(s, row)
    return row


def switch(s: ScopedSession, webhook_id: UUID, on: bool) -> Webhook:
    """On or off, whatever it is now; what is so already stays. Raises NotFound, Conflict."""
    row = get(s, webhook_id, lock=True)
    if on is (row.status == ACTIVE):
        return row
    if on:
        return enable(s, webhook_id)
    return pause(s, webhook_id) if row.status == ACTIVE else row


def remove(s: ScopedSession, webhook_id: UUID) -> None:
    """End a subscription; what was not delivered yet never will be. Raises NotFound."""
    state.one_at_a_time(s)
    row = get(s, webhook_id, lock=True)
    _record(s, "webhook.deleted", row, {"to": _host(row.url)})
    s.execute(
        sa.delete(_delivery).where(*s.scope.owns(_delivery), _delivery.c.webhook_id == row.id)
    )
    s.delete(row)
    s.flush()
    state.touch(s)


def get(s: ScopedSession, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """A webhook of the scope's place; lock: nobody else changes or delivers it meanwhile.

    Raises NotFound.
    """
    query = sa.select(Webhook).where(Webhook.id == webhook_id, *mine(s))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = s.scalar(query)
    if row is None:
        raise NotFound(_("There is no such webhook."))
    return row


def no_delivery() -> NotFound:
    """The error for a message that is not there."""
    return NotFound(_("There is no such message. They are kept for 30 days."))


def mine(s: ScopedSession) -> tuple[sa.ColumnElement[bool], ...]:
    """The scope's own place: a store sees head office's webhooks behind the walls, nobody shows
    them."""
    own = Webhook.store_id.is_(None) if s.store_id is None else Webhook.store_id == s.store_id
    return (own,)


def order(s: ScopedSession, row: Webhook, at: datetime | None = None) -> None:
    """Have a webhook's deliveries carried, now or at a later moment.

    The caller holds the webhook's lock, so that the job that ends just now sees what is new.
    """
    key = f"{DELIVER}:{row.id.hex}"
    if at is not None:
        key += f":{at:%Y%m%d%H%M%S}"
    jobs.enqueue(s, DELIVER, run_at=at, unique_key=key, subject=row.id.hex, store_id=row.store_id)


def _set(row: Webhook, status: str, reason: str | None = None) -> None:
    row.status, row.reason, row.status_at = status, reason, now()


def disable(s: ScopedSession, row: Webhook, reason: str) -> None:
    """Send nothing more and write nothing more down, until somebody switches it on again."""
    _set(row, DISABLED, reason)
    s.flush()
    state.touch(s)


def _record(
    s: ScopedSession, action: str, row: Webhook, details: Mapping[str, Any] | None = None
) -> None:
    record(s, action, "webhook", row.id, row.name, store_id=row.store_id, details=details)


def _host(url: str) -> str:
    """Where a webhook goes, without its path, which may be as good as a password."""
    return urlsplit(url).netloc


def _name(name: str) -> str:
    text = " ".join(name.split())
    if not text or len(text) > 80 or not text.isprintable():
        raise _bad("name", _("Say in up to 80 characters who listens there."))
    refuse_payment_cards(text, "name")
    return text


def _url(url: str, local: bool) -> str:
    addresses.read(url, local=local)
    refuse_payment_cards(url, "url")
    return url.strip()


def _events(s: ScopedSession, events: Sequence[str], before: Sequence[str]) -> list[str]:
    known = catalogue.offered(s)
    strange = [one for one in events if one not in known and one not in before]
    if strange:
        raise _bad(
            "events",
            _(
                "There is no event %(strange)s here; there are: %(known)s.",
                strange=", ".join(strange),
                known=", ".join(known),
            ),
        )
    if not events:
        raise _bad("events", _("Choose at least one kind of event."))
    return list(dict.fromkeys(events))


def _interest(s: ScopedSession, events: Sequence[str]) -> None:
    """Let every store know that somebody listens to what concerns the whole club."""
    kinds = catalogue.known(s)
    asked = {one for one in events if one in kinds and kinds[one].club}
    if asked:
        asked -= set(s.scalars(sa.select(WebhookInterest.type)))
        s.add_all(WebhookInterest(brand_id=s.brand_id, type=one) for one in sorted(asked))


def _sealing(s: ScopedSession) -> Sealing:
    return cast(Sealing, s.info["sealing"])


def _bad(field: str, words: str) -> Invalid:
    return Invalid(words, fields={field: [words]})
