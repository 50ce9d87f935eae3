"""Signing in, and the sessions of signed-in devices: rows, to be listed and revoked."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.people import factors, links, tries
from highstreet_tenants.people.accounts import (
    end_sessions,
    find_user,
    get_user,
    normal_name,
    store_password,
)
from highstreet_tenants.people.events import note
from highstreet_tenants.people.models import (
    RoleGrant,
    SecondFactor,
    TillDevice,
    User,
    UserSession,
)
from highstreet_tenants.people.passwords import Passwords, refuse_weak
from highstreet_tenants.people.tokens import digest, new_token
from highstreet_tenants.people.tree import Grant, Node, as_node_kind, covers
from highstreet_tenants.sealing import Sealing
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.words import gettext as _

#: (ends at the latest after, ends unused after): a working day at a shared till; a device kept.
DAY = (timedelta(hours=16), timedelta(hours=4))
KEPT = (timedelta(days=30), timedelta(days=14))
#: How long a session awaits the code of a second factor.
WAITS = timedelta(minutes=10)
#: `seen_at` is written at most this often, so that reading a page seldom writes.
SEEN_EVERY = timedelta(minutes=1)
#: A till's page locks by itself after `lock_seconds` without a touch. The server, which sees only
#: requests, ends the session this much later: a hand that types sends none for a while.
LOCK_SLACK = 1.25


class Seat(Struct, frozen=True):
    """The till at which somebody is signed in. by_pin: they gave their PIN, not their password."""

    till_id: UUID
    name: str
    brand_id: UUID
    store_id: UUID
    lock_seconds: int
    by_pin: bool


class Person(Struct, frozen=True):
    """Who is signed in, and what is granted to them in all brands. One query gives it.

    `seat` is None away from a store's till. has_factor: their second factor is on.
    """

    id: UUID
    email: str
    name: str
    locale: str | None
    theme: str
    session_id: UUID
    seen_at: datetime
    grants: tuple[Grant, ...]
    seat: Seat | None = None
    has_factor: bool = False

    @property
    def by_pin(self) -> bool:
        """Whether only a PIN was given: then the till is open, and nothing else."""
        return self.seat is not None and self.seat.by_pin


class Started(Struct, frozen=True):
    """A new session: its token for the cookie, and for how long the browser keeps it.

    `lasts` is None where the cookie ends with the browser. awaits_code: it opens nothing until the
    second factor is given (see `pass_code`).
    """

    token: str
    user_id: UUID
    locale: str | None
    lasts: timedelta | None
    awaits_code: bool = False


class Device(Struct, frozen=True):
    """One live session, as its owner sees it. till: the name of the store's till, or ""."""

    id: UUID
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str
    till: str = ""


class Visit(Struct, frozen=True):
    """What is noted of the device that signs in. `replaces`: the token it carried before.

    `seat`: the till that the device is; its session locks when the till does, and is never kept.
    """

    address: str
    agent: str
    keep: bool = False
    replaces: str | None = None
    seat: Seat | None = None


class WrongPassword(Invalid):
    """E-mail and password do not match, or there is no such person: it is not told which."""

    type = "wrong-password"

    def __init__(self, left: int) -> None:
        self.left = left
        message = _("E-mail and password do not match.")
        super().__init__(message, fields={"password": [message]})


def sign_in(
    tenancy: Tenancy, hasher: Passwords, email: str, password: str, visit: Visit
) -> Started:
    """Check the password and start a session, which awaits a code where a second factor is on.

    Raises WrongPassword, or LockedOut after too many wrong tries. Takes as long for somebody
    unknown. The hash is computed outside of any transaction: it is slow, and SQLite has one writer.
    """
    with tenancy.control(write=True) as s:
        attempt = tries.reserve(s, email, visit.address)
    with tenancy.control() as s:
        user = find_user(s, email)
    stored = user.password_hash if user is not None and user.disabled_at is None else None
    checked = hasher.check(password, stored)
    if user is None or not checked.right:
        _note_wrong(tenancy, user, attempt, visit)
        raise WrongPassword(attempt.left)
    with tenancy.control(write=True) as s:
        # Changed or disabled while the hash was computed: then this was the wrong password.
        same = s.execute(
            sa.update(User)
            .where(User.id == user.id, User.password_hash == stored, User.disabled_at.is_(None))
            .values(password_hash=checked.newer_hash or stored)
            .returning(User.id)
        ).scalar_one_or_none()
        if same is None:
            raise WrongPassword(attempt.left)
        tries.forgive(s, email)
        return _admit(s, user, visit, "signed_in")


def _note_wrong(tenancy: Tenancy, user: User | None, attempt: tries.Try, visit: Visit) -> None:
    """For an address that nobody has as for any other: the time it takes must not tell."""
    user_id = user.id if user else None
    with tenancy.control(write=True) as s:
        note(s, "wrong_password", user_id, visit.address)
        if not attempt.left:
            note(s, "locked_out", user_id, visit.address)


def _admit(s: Session, user: User, visit: Visit, how: str) -> Started:
    """Start a session, or one that awaits a code where the person's second factor is on."""
    row = s.get(SecondFactor, user.id)
    awaits = row is not None and row.confirmed_at is not None
    if not awaits:
        note(s, how, user.id, visit.address)
    return start_session(s, user, visit, awaits_code=awaits)


def open_by_link(
    tenancy: Tenancy, hasher: Passwords, token: str, visit: Visit, *, password: str, name: str
) -> Started:
    """Use a one-time link up and sign in, with a new password (and name) where it is for one: all
    or nothing. A link stands for the password, not for the second factor.

    Raises NotFound for a link that does not work, Invalid (fields "password", "name").
    """
    with tenancy.control() as s:
        found = links.look(s, token)
    made = None
    if found.purpose in ("reset", "invite"):
        refuse_weak(password, found.email)
        made = hasher.hash(password)
    with tenancy.control(write=True) as s:
        user = get_user(s, links.consume(s, token).user_id)
        if found.purpose == "invite":
            user.name = normal_name(name or user.name)
        if made is not None:
            store_password(s, user, made)
            note(s, "password_set", user.id, visit.address)
        return _admit(s, user, visit, "signed_in_by_link")


def find_waiting(s: Session, token: str) -> UUID | None:
    """Whose session awaits a code, if this is the token of one."""
    return s.scalar(
        sa.select(UserSession.user_id)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.token_hash == digest(token),
            UserSession.awaits_code.is_(True),
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now(),
            User.disabled_at.is_(None),
        )
    )


def pass_code(tenancy: Tenancy, sealing: Sealing, typed: str, visit: Visit) -> Started:
    """Give the second factor for the session that awaits it, which is the one `visit` replaces.

    Raises WrongCode, LockedOut, NotFound once it has waited too long.
    """
    with tenancy.control() as s:
        user_id = find_waiting(s, visit.replaces or "")
    if user_id is None:
        raise _too_late()
    factors.check(tenancy, sealing, user_id, typed, visit.address)
    with tenancy.control(write=True) as s:
        if find_waiting(s, visit.replaces or "") is None:  # ended meanwhile
            raise _too_late()
        note(s, "signed_in", user_id, visit.address)
        return start_session(s, get_user(s, user_id), visit)


def _too_late() -> NotFound:
    return NotFound(_("That took too long. Sign in again."))


def start_session(s: Session, user: User, visit: Visit, *, awaits_code: bool = False) -> Started:
    """Sign the person in on this device, under a fresh token; the one it replaces ends."""
    if visit.replaces:
        s.execute(
            sa.update(UserSession)
            .where(
                UserSession.token_hash == digest(visit.replaces), UserSession.revoked_at.is_(None)
            )
            .values(revoked_at=now())
        )
    s.execute(sa.delete(UserSession).where(UserSession.expires_at < now() - timedelta(days=1)))
    lasts, idle = KEPT if visit.keep and visit.seat is None else DAY
    seat = visit.seat
    if awaits_code:
        lasts, idle = WAITS, WAITS
    elif seat is not None:
        idle = timedelta(seconds=seat.lock_seconds) * LOCK_SLACK
    token = new_token()
    s.add(
        UserSession(
            user_id=user.id,
            token_hash=digest(token),
            expires_at=now() + lasts,
            idle_seconds=int(idle.total_seconds()),
            address=visit.address[:64],
            agent=visit.agent[:200],
            till_id=seat.till_id if seat else None,
            by_pin=seat is not None and seat.by_pin,
            awaits_code=awaits_code,
        )
    )
    s.flush()
    kept = lasts if visit.keep and seat is None and not awaits_code else None
    return Started(token, user.id, user.locale, kept, awaits_code)


_LIVE = (
    sa.select(
        User.id,
        User.email,
        User.name,
        User.locale,
        User.theme,
        UserSession.id.label("session_id"),
        UserSession.seen_at,
        UserSession.idle_seconds,
        RoleGrant.brand_id,
        RoleGrant.node_kind,
        RoleGrant.node_id,
        RoleGrant.role,
        UserSession.till_id,
        UserSession.by_pin,
        TillDevice.name.label("till"),
        TillDevice.brand_id.label("till_brand_id"),
        TillDevice.store_id.label("till_store_id"),
        TillDevice.lock_seconds,
        SecondFactor.confirmed_at.label("factor_since"),
    )
    .join_from(UserSession, User, User.id == UserSession.user_id)
    .outerjoin(RoleGrant, RoleGrant.user_id == User.id)
    .outerjoin(TillDevice, TillDevice.id == UserSession.till_id)
    .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
    .where(
        UserSession.awaits_code.is_(False),
        UserSession.token_hash == sa.bindparam("token_hash"),
        UserSession.revoked_at.is_(None),
        UserSession.expires_at > sa.bindparam("at"),
        User.disabled_at.is_(None),
        sa.or_(UserSession.till_id.is_(None), TillDevice.revoked_at.is_(None)),
    )
)


def find_person(s: Session, token: str) -> Person | None:
    """Who the cookie's token belongs to, with all roles, in one query; None if it has ended."""
    rows = s.execute(_LIVE, {"token_hash": digest(token), "at": now()}).all()
    if not rows:
        return None
    first = rows[0]
    if first.seen_at + timedelta(seconds=first.idle_seconds) <= now():
        return None
    return Person(
        id=first.id,
        email=first.email,
        name=first.name,
        locale=first.locale,
        theme=first.theme,
        session_id=first.session_id,
        seen_at=first.seen_at,
        grants=tuple(
            Grant(row.brand_id, as_node_kind(row.node_kind), row.node_id, row.role)
            for row in rows
            if row.brand_id is not None
        ),
        seat=None
        if first.till_id is None
        else Seat(
            first.till_id,
            first.till,
            first.till_brand_id,
            first.till_store_id,
            first.lock_seconds,
            first.by_pin,
        ),
        has_factor=first.factor_since is not None,
    )


def load_person(tenancy: Tenancy, token: str) -> Person | None:
    """As `find_person`; notes, at most once a minute, that the session was used."""
    with tenancy.control() as s:
        person = find_person(s, token)
    every = SEEN_EVERY
    if person is not None and person.seat is not None:
        every = min(every, timedelta(seconds=person.seat.lock_seconds / 10))
    if person is not None and person.seen_at < now() - every:
        try:
            with tenancy.control(write=True) as s:
                s.execute(
                    sa.update(UserSession)
                    .where(UserSession.id == person.session_id)
                    .values(seen_at=now())
                )
        except sa.exc.OperationalError:
            # A long import holds SQLite's only pen. The page matters more than this note, and the
            # next request writes it.
            pass
    return person


def needs_factor(person: Person, brand: Brand, node: Node) -> bool:
    """Whether the brand wants a second factor of the person at this place, and they have none.

    A PIN opens the till alone, and so needs none.
    """
    if person.has_factor or person.by_pin:
        return False
    asked = brand.second_factor_roles
    return any(covers(grant, node) and grant.role in asked for grant in person.grants)


def sign_out(s: Session, token: str) -> None:
    """End the session of this token, if it is one."""
    s.execute(
        sa.update(UserSession)
        .where(UserSession.token_hash == digest(token), UserSession.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def devices(s: Session, user_id: UUID) -> list[Device]:
    """The person's live sessions, the last used first."""
    rows = s.execute(
        sa.select(UserSession, TillDevice.name)
        .outerjoin(TillDevice, TillDevice.id == UserSession.till_id)
        .where(
            UserSession.user_id == user_id,
            UserSession.awaits_code.is_(False),
            UserSession.revoked_at.is_(None),
            UserSession.expires_at > now(),
            sa.or_(UserSession.till_id.is_(None), TillDevice.revoked_at.is_(None)),
        )
        .order_by(UserSession.seen_at.desc())
    )
    return [
        Device(row.id, row.created_at, row.seen_at, row.address, row.agent, till or "")
        for row, till in rows
        if is_awake(row)
    ]


def is_awake(row: UserSession) -> bool:
    """Whether a session that was not ended was used lately enough to go on."""
    return row.seen_at + timedelta(seconds=row.idle_seconds) > now()


def revoke_device(s: Session, user_id: UUID, session_id: UUID) -> None:
    """Sign one of the person's own devices out. Raises NotFound for any other session."""
    ended = s.execute(
        sa.update(UserSession)
        .where(
            UserSession.id == session_id,
            UserSession.user_id == user_id,
            UserSession.revoked_at.is_(None),
        )
        .values(revoked_at=now())
        .returning(UserSession.id)
    ).scalar_one_or_none()
    if ended is None:
        raise NotFound(_("This device is signed out already."))


def revoke_others(s: Session, person: Person) -> int:
    """Sign the person out on all devices but this one. Gives how many."""
    return end_sessions(s, person.id, keep=person.session_id)


def change_password(
    tenancy: Tenancy, hasher: Passwords, person: Person, current: str, new: str, *, address: str
) -> None:
    """Replace the password; all other devices are signed out.

    Raises Invalid (fields "current" or "password"), LockedOut: guessing here counts as well. Who
    came by a one-time link and never had a password needs no current one.
    """
    refuse_weak(new, person.email)
    with tenancy.control() as s:
        stored = get_user(s, person.id).password_hash
    if stored is not None:
        with tenancy.control(write=True) as s:
            tries.reserve(s, person.email, address)
        if not hasher.check(current, stored).right:
            message = _("This is not your present password.")
            raise Invalid(message, fields={"current": [message]})
    made = hasher.hash(new)
    with tenancy.control(write=True) as s:
        user = get_user(s, person.id)
        if user.password_hash != stored:
            message = _("Your password was changed elsewhere just now. Sign in again.")
            raise Invalid(message, fields={"current": [message]})
        tries.forgive(s, person.email)
        note(s, "password_changed", user.id, address)
        store_password(s, user, made, keep_session=person.session_id)
