"""Lock-out: too many wrong passwords for one e-mail, or from one address, and both have to wait.

The count lives in our database, so that it holds across processes and restarts. A try is written
down as failed *before* the password is looked at: of a hundred tries at once only the first few
are looked at.
"""

import hashlib
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import TooMany
from highstreet_tenants.people.accounts import same_email
from highstreet_tenants.people.models import SignInAttempt
from highstreet_tenants.words import gettext as _

WINDOW = timedelta(minutes=15)
PER_EMAIL = 5
PER_ADDRESS = 20
_KEPT = timedelta(days=1)


class LockedOut(TooMany):
    """Too many wrong tries. `wait` says how long until the next one is looked at."""

    type = "locked-out"

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        self.retry_after = max(1, int(wait.total_seconds()) + 1)
        self.minutes = -(-self.retry_after // 60)
        super().__init__(
            _(
                "Too many wrong tries. Wait %(minutes)s min, then try again; or ask for a"
                " one-time link, which works at once.",
                minutes=self.minutes,
            )
        )


@dataclass(frozen=True, slots=True)
class Try:
    """A try that may be looked at; `left` more may follow if it is wrong."""

    id: UUID
    left: int


def reserve(s: Session, email: str, address: str) -> Try:
    """Count a try (whether the e-mail is known or not). Raises LockedOut.

    Needs a writing session of its own, committed before the password is looked at.
    """
    email_hash, place = hash_email(email), _network(address)
    _queue_up(s, email_hash, place)
    s.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now() - _KEPT))
    by_email = _recent(s, SignInAttempt.email_hash == email_hash, PER_EMAIL)
    by_address = _recent(s, SignInAttempt.address == place, PER_ADDRESS)
    waits = [
        times[-1] + WINDOW - now()
        for times, limit in ((by_email, PER_EMAIL), (by_address, PER_ADDRESS))
        if len(times) >= limit
    ]
    if waits:
        raise LockedOut(max(waits))
    attempt = SignInAttempt(email_hash=email_hash, address=place)
    s.add(attempt)
    s.flush()
    left = min(PER_EMAIL - len(by_email), PER_ADDRESS - len(by_address)) - 1
    return Try(attempt.id, left)


def forgive(s: Session, email: str) -> None:
    """The right password came: the tries for this e-mail no longer count."""
    s.execute(
        sa.update(SignInAttempt)
        .where(SignInAttempt.email_hash == hash_email(email), SignInAttempt.failed)
        .values(failed=False)
    )


def hash_email(email: str) -> str:
    """SHA-256 (hex) of the address as it is compared."""
    return hashlib.sha256(same_email(email).encode()).hexdigest()


def _recent(s: Session, which: sa.ColumnElement[bool], limit: int) -> list[datetime]:
    return list(
        s.scalars(
            sa.select(SignInAttempt.at)
            .where(which, SignInAttempt.failed, SignInAttempt.at > now() - WINDOW)
            .order_by(SignInAttempt.at.desc())
            .limit(limit)
        )
    )


def _queue_up(s: Session, *keys: str) -> None:
    # SQLite's writers queue anyway. In PostgreSQL two counts at once would not see each other.
    # Sorted, or two tries that share both keys could each wait for the other.
    if s.get_bind().dialect.name == "postgresql":
        for key in sorted(keys):
            s.execute(
                sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"),
                {"key": f"sign-in {key}"},
            )


def _network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 customer is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
