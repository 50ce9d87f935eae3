"""Tables of people and keys. Control plane: read before a scope exists, no customer data."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants import append_only
from highstreet_tenants.base import Base
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id


class User(Base):
    """A person who signs in. `email` is in small letters; no password means none was chosen yet."""

    __tablename__ = "core_user"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    password_hash: Mapped[str | None] = mapped_column(sa.String(255), default=None)
    locale: Mapped[str | None] = mapped_column(sa.String(20), default=None)
    theme: Mapped[str] = mapped_column(sa.String(5), default="light")
    created_at: Mapped[datetime] = mapped_column(default=now)
    disabled_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (sa.CheckConstraint("theme IN ('light', 'dark')", name="theme"),)


class UserSession(Base):
    """One device signed in. The cookie holds the token, the row only its SHA-256 (hex).

    It ends at `expires_at`, after `idle_seconds` without use, or when revoked. At a store's till
    `till_id` names it, and the session ends with it; `by_pin`: it was opened by a staff PIN and
    gives the till alone. `awaits_code`: the password was right and the second factor is still to
    come; until then it opens nothing.
    """

    __tablename__ = "core_user_session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    idle_seconds: Mapped[int]
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)
    address: Mapped[str] = mapped_column(sa.String(64), default="")
    agent: Mapped[str] = mapped_column(sa.String(200), default="")
    till_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("core_till_device.id"), index=True, default=None
    )
    by_pin: Mapped[bool] = mapped_column(default=False)
    awaits_code: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (sa.CheckConstraint("NOT by_pin OR till_id IS NOT NULL", name="pin"),)


class TillDevice(Base):
    """A device that stays signed in as a store's till; by itself it opens nothing but the PIN pad.

    Its cookie holds the token, the row only its SHA-256 (hex). `lock_seconds`: after so long
    without a key or a touch it locks. It ends when revoked, or when nobody used it for long.
    """

    __tablename__ = "core_till_device"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    store_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(sa.String(60))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    lock_seconds: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"))
    seen_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["brand_id", "store_id"], ["core_store.brand_id", "core_store.id"]),
        sa.Index(None, "brand_id", "store_id"),
    )


class StaffPin(Base):
    """A person's PIN at the tills of one store; two people of a store never share one."""

    __tablename__ = "core_staff_pin"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    store_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"), index=True)
    pin_hash: Mapped[str] = mapped_column(sa.String(255))
    set_at: Mapped[datetime] = mapped_column(default=now)
    set_by: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"))

    __table_args__ = (
        sa.ForeignKeyConstraint(["brand_id", "store_id"], ["core_store.brand_id", "core_store.id"]),
        sa.UniqueConstraint("brand_id", "store_id", "user_id"),
        sa.UniqueConstraint("brand_id", "store_id", "pin_hash"),
    )


class OneTimeLink(Base):
    """A link that does one thing once. Only the SHA-256 (hex) of its token is kept.

    A "join" link offers `role` at a node to somebody who already has an account of their own;
    nothing is granted until that person, signed in, accepts.
    """

    __tablename__ = "core_one_time_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"), index=True)
    purpose: Mapped[str] = mapped_column(sa.String(8))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_user.id"), default=None)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
    brand_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_brand.id"), default=None)
    node_kind: Mapped[str | None] = mapped_column(sa.String(6), default=None)
    node_id: Mapped[UUID | None] = mapped_column(default=None)
    role: Mapped[str | None] = mapped_column(sa.String(40), default=None)

    __table_args__ = (
        sa.CheckConstraint("purpose IN ('sign_in', 'reset', 'invite', 'join')", name="purpose"),
        sa.CheckConstraint(
            "(purpose = 'join') = (role IS NOT NULL AND brand_id IS NOT NULL"
            " AND node_kind IS NOT NULL AND node_id IS NOT NULL)",
            name="offer",
        ),
    )


class RoleGrant(Base):
    """A role that a person holds at a node (brand, region, owner or store) of one brand."""

    __tablename__ = "core_role_grant"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"))
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    node_kind: Mapped[str] = mapped_column(sa.String(6))
    node_id: Mapped[UUID]
    role: Mapped[str] = mapped_column(sa.String(40))
    granted_at: Mapped[datetime] = mapped_column(default=now)
    granted_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_user.id"), default=None)

    __table_args__ = (
        sa.UniqueConstraint("user_id", "brand_id", "node_kind", "node_id", "role"),
        sa.Index(None, "brand_id", "node_kind", "node_id"),
        sa.CheckConstraint("node_kind IN ('brand', 'region', 'owner', 'store')", name="node_kind"),
    )


class ApiKey(Base):
    """A till's key to one store. `secret_hash` is the SHA-256 (hex) of the part shown once."""

    __tablename__ = "core_api_key"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    brand_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_brand.id"))
    store_id: Mapped[UUID]
    name: Mapped[str] = mapped_column(sa.String(120))
    secret_hash: Mapped[str] = mapped_column(sa.String(64))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_user.id"), default=None)
    replaces_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_api_key.id"), default=None)
    expires_at: Mapped[datetime | None] = mapped_column(default=None)
    last_used_at: Mapped[datetime | None] = mapped_column(default=None)
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        sa.ForeignKeyConstraint(["brand_id", "store_id"], ["core_store.brand_id", "core_store.id"]),
        sa.Index(None, "brand_id", "store_id"),
    )


class SignInAttempt(Base):
    """One try to sign in. `subject`: whose door was tried, an e-mail (as SHA-256 hex, for people
    type passwords into the wrong field) or a till; `place`: from where, an address or a store.
    `failed` is true until the try has succeeded."""

    __tablename__ = "core_sign_in_attempt"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    subject: Mapped[str] = mapped_column(sa.String(64))
    place: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    failed: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        sa.Index(None, "subject", "at"),
        sa.Index(None, "place", "at"),
    )


class SecondFactor(Base):
    """A person's authenticator (TOTP, RFC 6238); it is on once `confirmed_at` is set.

    `secret_box` holds the secret, encrypted with a key that comes of the installation's secret.
    `last_step`: the latest time step whose code was taken; none up to it is taken again.
    """

    __tablename__ = "core_second_factor"

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"), primary_key=True)
    secret_box: Mapped[str] = mapped_column(sa.String(255))
    begun_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    last_step: Mapped[int | None] = mapped_column(default=None)


class RecoveryCode(Base):
    """One of the codes that stand in for a lost authenticator, each once. Only its hash is kept."""

    __tablename__ = "core_recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("core_user.id"))
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    used_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (sa.UniqueConstraint("user_id", "code_hash"),)


class AccountEvent(Base):
    """Something happened to an account: a sign-in, a failed one, a new password, a second factor.

    `user_id` is None where nobody has the address that was tried; the address is not kept.
    """

    __tablename__ = "core_account_event"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("core_user.id"), default=None)
    at: Mapped[datetime] = mapped_column(default=now)
    what: Mapped[str] = mapped_column(sa.String(20))
    address: Mapped[str] = mapped_column(sa.String(64), default="")

    __table_args__ = (sa.Index(None, "at", "id"), sa.Index(None, "user_id", "at", "id"))


append_only.register(Base.metadata.tables[AccountEvent.__tablename__])
