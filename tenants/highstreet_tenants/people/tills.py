"""Tills: devices that an owner or manager signed in once, and the staff who unlock them by PIN."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.people import tries
from highstreet_tenants.people.accounts import same_text
from highstreet_tenants.people.ending import USES_TILL
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import (
    Person,
    Seat,
    Started,
    Visit,
    is_awake,
    start_session,
)
from highstreet_tenants.people.models import StaffPin, TillDevice, User, UserSession
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.pins import Pins
from highstreet_tenants.people.tokens import digest, new_token
from highstreet_tenants.people.tree import Node, may
from highstreet_tenants.scopes import Actor, Origin, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _

#: A till that nobody unlocked for so long is one no more.
UNUSED = timedelta(days=90)
#: What may be chosen for the time without a touch after which a till locks, in seconds.
LOCKS = (30, 60, 120, 300, 600, 1800)
USUAL_LOCK = 120


class Till(Struct, frozen=True):
    """One till of a store as its managers see it. user: who has it open now, or "".

    tries: wrong PINs within a day.
    """

    id: UUID
    name: str
    lock_seconds: int
    created_at: datetime
    created_by: str
    seen_at: datetime
    user: str
    tries: int


class NewTill(Struct, frozen=True):
    """A till at its making: `token` is what its cookie holds, kept nowhere else."""

    id: UUID
    token: str


class WrongPin(Invalid):
    """Nobody who may use this till has that PIN."""

    type = "wrong-pin"

    def __init__(self, left: int) -> None:
        self.left = left
        message = _("This is nobody’s PIN here.")
        super().__init__(message, fields={"pin": [message]})


def set_up(s: ScopedSession, node: Node, name: str, lock_seconds: int, *, by: Person) -> NewTill:
    """Make the device that asks a till of the store.

    Raises Invalid (fields "name", "lock"), Conflict for a store that has closed.
    """
    if node.store_id is None:
        raise Invalid(_("A till belongs to one store. Choose the store first."))
    if node.closed:
        raise Conflict(_("This store has closed, so there is no till to set up."))
    token = new_token()
    row = TillDevice(
        brand_id=node.brand_id,
        store_id=node.store_id,
        name=_name(name),
        token_hash=digest(token),
        lock_seconds=_lock(lock_seconds),
        created_by=by.id,
    )
    s.add(row)
    s.flush()
    _record(s, "till.set_up", row)
    return NewTill(row.id, token)


def change(s: ScopedSession, till_id: UUID, node: Node, name: str, lock_seconds: int) -> None:
    """Another name, another time to lock after (from the next unlocking on). Raises NotFound,
    Invalid as `set_up`.
    """
    row = _till_of(s, till_id, node)
    row.name, row.lock_seconds = _name(name), _lock(lock_seconds)
    s.flush()
    _record(s, "till.changed", row)


def sign_out(s: ScopedSession, till_id: UUID, node: Node) -> str:
    """The device is no till any more, and whoever had it open is out. Gives its name.

    Raises NotFound for another store's till.
    """
    row = _till_of(s, till_id, node)
    if row.revoked_at is None:
        row.revoked_at = now()
        _record(s, "till.signed_out", row)
    s.execute(
        sa.update(UserSession)
        .where(UserSession.till_id == row.id, UserSession.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    s.flush()
    return row.name


def _record(s: ScopedSession, action: str, row: TillDevice) -> None:
    record(s, action, "till", row.id, row.name, store_id=row.store_id)


def tills_of(s: Session, node: Node) -> list[Till]:
    """The store's tills, by name, with who has each open."""
    rows = s.execute(
        sa.select(TillDevice, User.name)
        .join(User, User.id == TillDevice.created_by)
        .where(
            TillDevice.brand_id == node.brand_id,
            TillDevice.store_id == node.store_id,
            *_live(),
        )
        .order_by(TillDevice.name, TillDevice.id)
    ).all()
    ids = [row.id for row, _by in rows]
    users: dict[UUID, str] = {}
    for session, name in s.execute(
        sa.select(UserSession, User.name)
        .join(User, User.id == UserSession.user_id)
        .where(
            UserSession.till_id.in_(ids),
            UserSession.revoked_at.is_(None),
            UserSession.awaits_code.is_(False),
        )
        .order_by(UserSession.created_at)
    ):
        if session.till_id is not None and session.expires_at > now() and is_awake(session):
            users[session.till_id] = name
    return [
        Till(
            row.id,
            row.name,
            row.lock_seconds,
            row.created_at,
            by,
            row.seen_at,
            users.get(row.id, ""),
            tries.wrong_today(s, _door(row.id)),
        )
        for row, by in rows
    ]


def find_seat(s: Session, token: str) -> Seat | None:
    """Which till carries this token; None if it is none, or one no more."""
    row = s.scalar(sa.select(TillDevice).where(TillDevice.token_hash == digest(token), *_live()))
    if row is None:
        return None
    return Seat(row.id, row.name, row.brand_id, row.store_id, row.lock_seconds, by_pin=False)


def unlock(
    tenancy: Tenancy, pins: Pins, node: Node, pin: str, visit: Visit, catalogue: Catalogue
) -> Started:
    """Open the till of `visit.seat`, at the store of `node`, to whoever has this PIN.

    Raises WrongPin, or PinLockedOut after too many. The hash is computed outside of any
    transaction: it is slow, and SQLite has one writer.
    """
    seat = visit.seat
    if seat is None or seat.store_id != node.store_id:
        raise NotFound(_("This device is no till. Sign in, and set it up."))
    with tenancy.control(write=True) as s:
        attempt = tries.reserve_pin(s, _door(seat.till_id), seat.store_id)
    made = pins.hash(seat.store_id, pin)
    with tenancy.control(write=True) as s:
        user = s.scalar(
            sa.select(User)
            .join(StaffPin, StaffPin.user_id == User.id)
            .where(
                StaffPin.brand_id == node.brand_id,
                StaffPin.store_id == node.store_id,
                StaffPin.pin_hash == made,
                User.disabled_at.is_(None),
            )
        )
        if user is None or not may(grants_of(s, user.id), USES_TILL, node, catalogue):
            wrong = WrongPin(attempt.left)
        else:
            return _open(s, attempt, seat, user, visit)
    _record_wrong(tenancy, seat)
    raise wrong


def _record_wrong(tenancy: Tenancy, seat: Seat) -> None:
    """A PIN that is nobody's tells of nobody, but of the till at which it was typed."""
    actor = Actor("system", None, seat.name, Origin("till", seat.till_id, seat.name))
    with tenancy.session(Scope.store(seat.brand_id, seat.store_id, actor), write=True) as s:
        record(s, "till.wrong_pin", "till", seat.till_id, seat.name)


def _open(s: Session, attempt: tries.Try, seat: Seat, user: User, visit: Visit) -> Started:
    still = s.execute(
        sa.update(TillDevice)
        .where(TillDevice.id == seat.till_id, *_live())
        .values(seen_at=now())
        .returning(TillDevice.id)
    ).scalar_one_or_none()
    if still is None:
        raise NotFound(_("This till was signed out. Sign in, and set it up anew."))
    tries.settle(s, attempt)
    return start_session(s, user, replace(visit, seat=replace(seat, by_pin=True)))


def _live() -> tuple[sa.ColumnElement[bool], ...]:
    return (TillDevice.revoked_at.is_(None), TillDevice.seen_at > now() - UNUSED)


def _till_of(s: Session, till_id: UUID, node: Node) -> TillDevice:
    row = s.scalar(
        sa.select(TillDevice).where(
            TillDevice.id == till_id,
            TillDevice.brand_id == node.brand_id,
            TillDevice.store_id == node.store_id,
        )
    )
    if row is None:
        raise NotFound(_("There is no such till in this store."))
    return row


def _door(till_id: UUID) -> str:
    return f"till {till_id.hex}"


def _name(text: str) -> str:
    name = " ".join(same_text(text).split())
    if not 1 <= len(name) <= 60:
        message = _("Name the till, such as “Till 2”.")
        raise Invalid(message, fields={"name": [message]})
    return name


def _lock(seconds: int) -> int:
    if seconds not in LOCKS:
        message = _("Choose one of the times.")
        raise Invalid(message, fields={"lock": [message]})
    return seconds
