"""Second factors: an authenticator's codes (TOTP, RFC 6238), and recovery codes for its loss.

It is asked for wherever a password or a one-time link signs somebody in. A staff PIN opens a till
and nothing else, with or without it; an API key is a till's and knows nothing of it.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.orm import Session

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.models import Brand
from highstreet_tenants.people import tries
from highstreet_tenants.people.accounts import end_sessions
from highstreet_tenants.people.events import note
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.models import RecoveryCode, RoleGrant, SecondFactor, User
from highstreet_tenants.people.permissions import ROLES
from highstreet_tenants.people.tokens import digest
from highstreet_tenants.people.tree import Grant
from highstreet_tenants.sealing import Sealing, Unsealable
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _

#: Recovery codes of one set, and characters of each: 16 of 31 are 79 random bits.
CODES, LENGTH = 10, 16
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
#: A code of the time step before or after is taken too: clocks differ, and people type slowly.
_STEPS = (0, -1, 1)
_KIND = "second-factor"
_ISSUER = "Highstreet"


class Standing(Struct, frozen=True):
    """A person's second factor: since when it is on (None: it is not), and the codes left."""

    since: datetime | None
    codes_left: int


class Enrolment(Struct, frozen=True):
    """A second factor that is being set up: the secret to type, and the address to scan."""

    secret: str
    uri: str


class Lacking(Struct, frozen=True):
    """Somebody who needs a second factor here and has none yet."""

    user_id: UUID
    name: str
    email: str


class WrongCode(Invalid):
    """Neither a code of the authenticator that is valid now, nor a recovery code unused so far."""

    type = "wrong-code"

    def __init__(self, left: int) -> None:
        self.left = left
        message = _("This code is not valid, or was used already.")
        super().__init__(message, fields={"code": [message]})


def standing(s: Session, user_id: UUID) -> Standing:
    """Whether a person's second factor is on, and how many recovery codes are left."""
    row = s.get(SecondFactor, user_id)
    left = s.scalar(
        sa.select(sa.func.count(RecoveryCode.id)).where(
            RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
        )
    )
    return Standing(row.confirmed_at if row else None, left or 0)


def begin(s: Session, sealing: Sealing, user_id: UUID) -> None:
    """A new secret, not in force until a code of it is given. Raises Conflict if one is on."""
    import pyotp

    row = s.get(SecondFactor, user_id)
    if row is not None and row.confirmed_at is not None:
        raise Conflict(_("Your second factor is on already. Switch it off to set up another."))
    box = sealing.seal(_KIND, user_id, pyotp.random_base32())
    if row is None:
        s.add(SecondFactor(user_id=user_id, secret_box=box))
    else:
        row.secret_box, row.begun_at = box, now()
    s.flush()


def begun(s: Session, sealing: Sealing, user_id: UUID) -> Enrolment | None:
    """What `begin` made, for as long as it is not confirmed; None if there is nothing to show."""
    import pyotp

    row = s.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is not None:
        return None
    try:
        secret = sealing.open(_KIND, user_id, row.secret_box)
    except Unsealable:
        return None
    email = s.scalar(sa.select(User.email).where(User.id == user_id)) or ""
    return Enrolment(secret, pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=_ISSUER))


def confirm(
    tenancy: Tenancy,
    sealing: Sealing,
    user_id: UUID,
    code: str,
    *,
    session_id: UUID,
    address: str,
) -> list[str]:
    """Switch on what `begin` made, by a code of it; gives the recovery codes, kept nowhere.

    All other devices are signed out: they came in without it. Raises WrongCode, LockedOut,
    Conflict if nothing was begun.
    """
    attempt = _reserve(tenancy, user_id, address)
    with tenancy.control(write=True) as s:
        row = s.get(SecondFactor, user_id, with_for_update=True)
        if row is None or row.confirmed_at is not None:
            raise Conflict(_("There is nothing to confirm. Set up your second factor anew."))
        step = _step(sealing.open(_KIND, user_id, row.secret_box), code)
        if step is not None:
            row.confirmed_at, row.last_step = now(), step
            tries.settle(s, attempt)
            made = _renew(s, user_id)
            end_sessions(s, user_id, keep=session_id)
            note(s, "factor_on", user_id, address)
            return made
    raise WrongCode(attempt.left)


def check(tenancy: Tenancy, sealing: Sealing, user_id: UUID, typed: str, address: str) -> None:
    """Take a code of the authenticator or a recovery code, each once.

    Raises WrongCode, LockedOut after too many, Conflict for somebody whose factor is off.
    """
    with tenancy.control() as s:
        _confirmed(s, user_id)
    attempt = _reserve(tenancy, user_id, address)
    with tenancy.control(write=True) as s:
        row = _confirmed(s, user_id)
        if _take(s, sealing, row, typed, address):
            tries.settle(s, attempt)
            return
        note(s, "wrong_code", user_id, address)
        if not attempt.left:
            note(s, "locked_out", user_id, address)
    raise WrongCode(attempt.left)


def renew_codes(
    tenancy: Tenancy, sealing: Sealing, user_id: UUID, typed: str, address: str
) -> list[str]:
    """New recovery codes in place of the old, for a code. Raises as `check`."""
    check(tenancy, sealing, user_id, typed, address)
    with tenancy.control(write=True) as s:
        note(s, "factor_codes", user_id, address)
        return _renew(s, user_id)


def turn_off(tenancy: Tenancy, sealing: Sealing, user_id: UUID, typed: str, address: str) -> None:
    """Switch it off, for a code. Raises as `check`, and Conflict where a brand requires it."""
    with tenancy.control() as s:
        names = required_by(s, grants_of(s, user_id))
    if names:
        raise Conflict(
            _("%(brands)s requires a second factor for your role.", brands=", ".join(names))
        )
    check(tenancy, sealing, user_id, typed, address)
    with tenancy.control(write=True) as s:
        remove(s, user_id)
        note(s, "factor_off", user_id, address)


def remove(s: Session, user_id: UUID) -> bool:
    """Take factor and recovery codes away; whether it was on."""
    row = s.get(SecondFactor, user_id)
    was_on = row is not None and row.confirmed_at is not None
    s.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    s.execute(sa.delete(SecondFactor).where(SecondFactor.user_id == user_id))
    return was_on


def require(s: ScopedSession, roles: Iterable[str]) -> None:
    """Let whoever holds one of these roles in the brand need a second factor, from now on.

    Whoever has none sets one up before their next page of the brand opens. Raises Invalid for a
    role that does not exist.
    """
    wanted = sorted(set(roles))
    if any(role not in ROLES for role in wanted):
        message = _("There is no such role. Choose one of the list.")
        raise Invalid(message, fields={"roles": [message]})
    brand = s.get_one(Brand, s.scope.brand_id)
    if brand.second_factor_roles == wanted:
        return
    details = {"roles": [brand.second_factor_roles, wanted]}
    brand.second_factor_roles = wanted
    record(s, "factor.required", "brand", brand.id, brand.name, details=details)
    s.flush()


def required_by(s: Session, held: Sequence[Grant]) -> list[str]:
    """Names of the brands that require a second factor of whoever holds these roles."""
    brands = s.scalars(sa.select(Brand).where(Brand.id.in_({grant.brand_id for grant in held})))
    return sorted(
        brand.name
        for brand in brands
        if any(g.brand_id == brand.id and g.role in brand.second_factor_roles for g in held)
    )


def lacking(s: Session, brand_id: UUID, roles: Sequence[str], limit: int = 200) -> list[Lacking]:
    """Who holds one of the roles in the brand and has no second factor, by e-mail."""
    rows = s.execute(
        sa.select(User.id, User.name, User.email)
        .distinct()
        .join(RoleGrant, RoleGrant.user_id == User.id)
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(
            RoleGrant.brand_id == brand_id,
            RoleGrant.role.in_(roles),
            User.disabled_at.is_(None),
            SecondFactor.confirmed_at.is_(None),
        )
        .order_by(User.email)
        .limit(limit)
    )
    return [Lacking(row.id, row.name, row.email) for row in rows]


def _confirmed(s: Session, user_id: UUID) -> SecondFactor:
    row = s.get(SecondFactor, user_id)
    if row is None or row.confirmed_at is None:
        raise Conflict(_("There is no second factor any more. Sign in again."))
    return row


def _reserve(tenancy: Tenancy, user_id: UUID, address: str) -> tries.Try:
    with tenancy.control(write=True) as s:
        return tries.reserve_code(s, user_id, address)


def _take(s: Session, sealing: Sealing, row: SecondFactor, typed: str, address: str) -> bool:
    plain = "".join(typed[:100].split()).replace("-", "").casefold()
    if len(plain) == LENGTH:
        used = s.execute(
            sa.update(RecoveryCode)
            .where(
                RecoveryCode.user_id == row.user_id,
                RecoveryCode.code_hash == _hash(row.user_id, plain),
                RecoveryCode.used_at.is_(None),
            )
            .values(used_at=now())
            .returning(RecoveryCode.id)
        ).scalar_one_or_none()
        if used is not None:
            note(s, "recovery_code_used", row.user_id, address)
        return used is not None
    step = _step(sealing.open(_KIND, row.user_id, row.secret_box), plain)
    if step is None:
        return False
    # Of two who send the same code at once, and of whoever read it over a shoulder, one gets in.
    taken = s.execute(
        sa.update(SecondFactor)
        .where(
            SecondFactor.user_id == row.user_id,
            sa.or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step),
        )
        .values(last_step=step)
        .returning(SecondFactor.user_id)
    ).scalar_one_or_none()
    return taken is not None


def _step(secret: str, typed: str) -> int | None:
    """The time step whose code this is, if it is one of now."""
    import pyotp
    from pyotp.utils import strings_equal

    totp, at = pyotp.TOTP(secret), now()
    plain = "".join(typed[:100].split())
    for offset in _STEPS:
        if strings_equal(totp.at(at, counter_offset=offset), plain):
            return totp.timecode(at) + offset
    return None


def _renew(s: Session, user_id: UUID) -> list[str]:
    s.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    made = ["".join(secrets.choice(_LETTERS) for _each in range(LENGTH)) for _one in range(CODES)]
    s.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(user_id, code)) for code in made)
    s.flush()
    return ["-".join(code[at : at + 4] for at in range(0, LENGTH, 4)) for code in made]


def _hash(user_id: UUID, code: str) -> str:
    return digest(f"recovery {user_id.hex} {code}")
