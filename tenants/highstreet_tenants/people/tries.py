"""Lock-out: too many wrong passwords or PINs for one door, or from one place, and both must wait.

The count lives in our database, so that it holds across processes and restarts. A try is written
down as failed *before* the secret is looked at: of a hundred tries at once only the first few are
looked at.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import TooMany
from highstreet_tenants.people.accounts import same_email
from highstreet_tenants.people.models import SignInAttempt
from highstreet_tenants.words import gettext as _

WINDOW = timedelta(minutes=15)
PER_EMAIL = 5
PER_ADDRESS = 20
#: Wrong PINs at one till, at all tills of a store, and at one till in a day. A right PIN does not
#: clear them: who knows one PIN could otherwise guess at the others for ever.
PER_TILL = 5
PER_STORE = 20
PER_TILL_A_DAY = 30
#: Wrong codes of one second factor in a day.
PER_CODE_A_DAY = 20
_KEPT = timedelta(days=1)


class LockedOut(TooMany):
    """Too many wrong tries. `wait` says how long until the next one is looked at."""

    type = "locked-out"

    def __init__(self, wait: timedelta) -> None:
        self.wait = wait
        self.retry_after = max(1, int(wait.total_seconds()) + 1)
        self.minutes = -(-self.retry_after // 60)
        super().__init__(self.words())

    def words(self) -> str:
        """What to do meanwhile."""
        return _(
            "Too many wrong tries. Wait %(minutes)s min, then try again; or ask for a"
            " one-time link, which works at once.",
            minutes=self.minutes,
        )


class PinLockedOut(LockedOut):
    """Too many wrong PINs at a till."""

    type = "pin-locked-out"

    def words(self) -> str:
        """What to do meanwhile."""
        if self.wait > WINDOW:
            return _(
                "Too many wrong PINs here today. Sign in with a password, or let the owner set"
                " this till up anew."
            )
        return _(
            "Too many wrong PINs. Wait %(minutes)s min, or sign in with a password.",
            minutes=self.minutes,
        )


class CodeLockedOut(LockedOut):
    """Too many wrong codes of a second factor."""

    type = "code-locked-out"

    def words(self) -> str:
        """What to do meanwhile."""
        return _(
            "Too many wrong codes. Wait %(minutes)s min; or ask whoever manages your roles to"
            " reset your second factor.",
            minutes=self.minutes,
        )


class Try(Struct, frozen=True):
    """A try that may be looked at; `left` more may follow if it is wrong."""

    id: UUID
    left: int


class _Bound(Struct, frozen=True):
    """At most `most` failed tries `where`, within `window`."""

    where: sa.ColumnElement[bool]
    most: int
    window: timedelta = WINDOW


def reserve(s: Session, email: str, address: str) -> Try:
    """Count a try with a password (whether the e-mail is known or not). Raises LockedOut.

    Needs a writing session of its own, committed before the password is looked at.
    """
    subject, place = hash_email(email), network(address)
    bounds = (
        _Bound(SignInAttempt.subject == subject, PER_EMAIL),
        _Bound(SignInAttempt.place == place, PER_ADDRESS),
    )
    return _reserve(s, subject, place, bounds, LockedOut)


def reserve_pin(s: Session, door: str, store_id: UUID) -> Try:
    """Count a try with a PIN at `door` (a till, or a person who sets one). Raises PinLockedOut.

    Needs a writing session of its own, committed before the PIN is looked at.
    """
    subject, place = door[:64], f"store {store_id.hex}"
    bounds = (
        _Bound(SignInAttempt.subject == subject, PER_TILL),
        _Bound(SignInAttempt.place == place, PER_STORE),
        _Bound(SignInAttempt.subject == subject, PER_TILL_A_DAY, _KEPT),
    )
    return _reserve(s, subject, place, bounds, PinLockedOut)


def reserve_code(s: Session, user_id: UUID, address: str) -> Try:
    """Count a try with a code of a second factor. Raises CodeLockedOut.

    Whoever tries knows the password, so a right password does not clear these.
    """
    subject, place = f"code {user_id.hex}", network(address)
    bounds = (
        _Bound(SignInAttempt.subject == subject, PER_EMAIL),
        _Bound(SignInAttempt.place == place, PER_ADDRESS),
        _Bound(SignInAttempt.subject == subject, PER_CODE_A_DAY, _KEPT),
    )
    return _reserve(s, subject, place, bounds, CodeLockedOut)


def forgive(s: Session, email: str) -> None:
    """The right password came: the tries for this e-mail no longer count."""
    s.execute(
        sa.update(SignInAttempt)
        .where(SignInAttempt.subject == hash_email(email), SignInAttempt.failed)
        .values(failed=False)
    )


def settle(s: Session, attempt: Try) -> None:
    """This one try was right; others go on counting."""
    s.execute(sa.update(SignInAttempt).where(SignInAttempt.id == attempt.id).values(failed=False))


def wrong_today(s: Session, door: str) -> int:
    """How many wrong PINs a door saw within a day."""
    which = (SignInAttempt.subject == door[:64], SignInAttempt.failed)
    since = SignInAttempt.at > now() - _KEPT
    return s.scalar(sa.select(sa.func.count(SignInAttempt.id)).where(*which, since)) or 0


def hash_email(email: str) -> str:
    """SHA-256 (hex) of the address as it is compared."""
    return hashlib.sha256(same_email(email).encode()).hexdigest()


def _reserve(
    s: Session, subject: str, place: str, bounds: Sequence[_Bound], refusal: type[LockedOut]
) -> Try:
    _queue_up(s, subject, place)
    s.execute(sa.delete(SignInAttempt).where(SignInAttempt.at < now() - _KEPT))
    recent = [(bound, _recent(s, bound)) for bound in bounds]
    waits = [
        times[-1] + bound.window - now() for bound, times in recent if len(times) >= bound.most
    ]
    if waits:
        raise refusal(max(waits))
    attempt = SignInAttempt(subject=subject, place=place)
    s.add(attempt)
    s.flush()
    return Try(attempt.id, min(bound.most - len(times) for bound, times in recent) - 1)


def _recent(s: Session, bound: _Bound) -> list[datetime]:
    return list(
        s.scalars(
            sa.select(SignInAttempt.at)
            .where(bound.where, SignInAttempt.failed, SignInAttempt.at > now() - bound.window)
            .order_by(SignInAttempt.at.desc())
            .limit(bound.most)
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


def network(address: str) -> str:
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
