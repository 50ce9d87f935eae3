"""A webhook's signing secrets: the one that holds, and older ones that sign for a while yet.

Several older ones may: whoever makes a new secret twice within a day, since an answer was lost,
must not end the one that the receiver still has.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from highstreet.webhooks import signing
from highstreet.webhooks.models import Webhook
from highstreet_tenants.clock import now
from highstreet_tenants.sealing import Sealing, Unsealable

#: The kind of secret, for `sealing`.
KIND = "webhook"
#: Older ones that sign at the same time; each is a signature in every message.
MOST_OLD = 3


def signing_now(sealing: Sealing, row: Webhook, at: datetime) -> list[str]:
    """The secrets that sign at a moment, the one that holds first. Raises Unsealable."""
    return [sealing.open(KIND, row.id, row.secret), *(one for one, _end in _old(sealing, row, at))]


def rotate(sealing: Sealing, row: Webhook, overlap: timedelta) -> str:
    """Give a webhook a new secret; those before it sign for `overlap` more, or no more at all."""
    at, secret = now(), signing.new_secret()
    old: list[tuple[str, datetime]] = []
    if overlap:
        try:
            holds = sealing.open(KIND, row.id, row.secret)
            old = [(holds, at + overlap), *_old(sealing, row, at)][:MOST_OLD]
        except Unsealable:
            old = []  # the installation's secret is another: nothing can be signed with those
    kept = json.dumps([[one, end.isoformat()] for one, end in old])
    row.old_secret = sealing.seal(KIND, row.id, kept) if old else None
    row.old_until = max(end for _one, end in old) if old else None
    row.secret = sealing.seal(KIND, row.id, secret)
    return secret


def _old(sealing: Sealing, row: Webhook, at: datetime) -> list[tuple[str, datetime]]:
    if row.old_secret is None or row.old_until is None or row.old_until <= at:
        return []
    kept = json.loads(sealing.open(KIND, row.id, row.old_secret))
    found = [(one, datetime.fromisoformat(end)) for one, end in kept]
    return [(one, end) for one, end in found if end > at]
