"""Staff PINs: short, one per person and store, good for the tills of that store alone.

A till asks for nothing but the PIN, as tills do, so a PIN must find its person. Therefore all
PINs of a store are hashed (argon2id) with one salt, the store's id: one slow hash finds the person
among any number of colleagues, and the database itself refuses two who share a PIN. A PIN is too
short to withstand guessing once hashes leak, whatever the hash; so it is first keyed with the
installation's secret, which is not in the database. Whoever changes the secret sets PINs anew.
"""

import hashlib
import hmac
import itertools
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from highstreet_tenants.errors import Conflict, Forbidden, Invalid
from highstreet_tenants.people import tries
from highstreet_tenants.people.accounts import get_user
from highstreet_tenants.people.ending import USES_TILL, end_pin
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.models import StaffPin
from highstreet_tenants.people.passwords import Passwords
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Grant, Node, covers, may, may_grant
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record
from highstreet_tenants.words import gettext as _

#: Digits.
MINIMUM, MAXIMUM = 4, 6


class Pins:
    """Makes the hashes of PINs."""

    def __init__(self, hasher: Passwords, secret: str) -> None:
        self._hasher = hasher
        self._secret = secret.encode()

    def hash(self, store_id: UUID, pin: str) -> str:
        """The hash under which a PIN of this store is kept; the same PIN always gives the same."""
        typed = pin.encode("utf-8", "replace")[:64]
        keyed = hmac.new(self._secret, b"staff-pin " + store_id.bytes + typed, hashlib.sha256)
        return self._hasher.hash(keyed.hexdigest(), salt=store_id.bytes)


def refuse_weak(pin: str) -> None:
    """Raises Invalid (field "pin") for what is no PIN, or among the first that are guessed."""
    if not (pin.isascii() and pin.isdigit() and MINIMUM <= len(pin) <= MAXIMUM):
        message = _("A PIN has %(least)s to %(most)s digits.", least=MINIMUM, most=MAXIMUM)
    elif _is_easy(pin):
        message = _("This PIN is among the first that somebody tries. Choose another.")
    else:
        return
    raise Invalid(message, fields={"pin": [message]})


def set_pin(
    tenancy: Tenancy,
    pins: Pins,
    node: Node,
    user_id: UUID,
    pin: str,
    *,
    by: Person,
    catalogue: Catalogue,
    actor: Actor | None = None,
) -> None:
    """Give a person a PIN at the store of `node`, in place of an earlier one.

    By the person, or by whoever may give and take all that the person holds there. Their open
    sessions at tills of the store end. Raises Forbidden, Conflict for somebody who can't use the
    till there, Invalid (field "pin") for a PIN that is weak or somebody else's, and PinLockedOut
    for whoever tries out which PINs are taken.
    """
    store_id = _store(node)
    with tenancy.control() as s:
        held = grants_of(s, user_id)
        disabled = get_user(s, user_id).disabled_at is not None
    refuse_beyond(by, user_id, held, node, catalogue)
    if disabled or not may(held, USES_TILL, node, catalogue):
        raise Conflict(_("This person may not use the till here, so there is no PIN to set."))
    refuse_weak(pin)
    with tenancy.control(write=True) as s:
        attempt = tries.reserve_pin(s, f"sets {by.id.hex}", store_id)
    made = pins.hash(store_id, pin)
    try:
        scope = Scope.store(node.brand_id, store_id, actor or Actor("user", by.id, by.name))
        with tenancy.session(scope, write=True) as s:
            end_pin(s, node, user_id)
            s.add(
                StaffPin(
                    brand_id=node.brand_id,
                    store_id=store_id,
                    user_id=user_id,
                    pin_hash=made,
                    set_by=by.id,
                )
            )
            s.flush()
            tries.settle(s, attempt)
            _record(s, "pin.set", user_id)
    except sa.exc.IntegrityError as error:
        message = _("Choose another PIN; this one can’t be used here.")
        raise Invalid(message, fields={"pin": [message]}) from error


def _record(s: ScopedSession, action: str, user_id: UUID) -> None:
    record(s, action, "person", user_id, get_user(s, user_id).name)


def clear_pin(
    s: ScopedSession, node: Node, user_id: UUID, *, by: Person, catalogue: Catalogue
) -> None:
    """Take a person's PIN at the store away; sessions that it opened end. Raises Forbidden."""
    refuse_beyond(by, user_id, grants_of(s, user_id), node, catalogue)
    end_pin(s, node, user_id)
    _record(s, "pin.cleared", user_id)


def pins_of(s: Session, node: Node) -> Mapping[UUID, datetime]:
    """Who has a PIN at the store, and since when; the PINs themselves nobody can tell."""
    rows = s.execute(
        sa.select(StaffPin.user_id, StaffPin.set_at).where(
            StaffPin.brand_id == node.brand_id, StaffPin.store_id == node.store_id
        )
    )
    return {row.user_id: row.set_at for row in rows}


def may_set(
    by: Person, user_id: UUID, held: tuple[Grant, ...], node: Node, catalogue: Catalogue
) -> bool:
    """Whether `by` may set the PIN of a person who holds `held`: their own, or that of somebody
    whose every role at the store they may give and take. Never by a PIN.
    """
    if by.by_pin:
        return False
    if by.id == user_id:
        return may(by.grants, USES_TILL, node, catalogue)
    here = [grant for grant in held if covers(grant, node)]
    return bool(here) and all(
        may_grant(by.grants, one.role, _made_at(one, node), catalogue) for one in here
    )


def _made_at(grant: Grant, node: Node) -> Node:
    """The node at which a grant that covers the store of `node` was made."""
    return Node(
        node.brand_id,
        node.customers,
        region_id=node.region_id if grant.node_kind in ("region", "store") else None,
        owner_id=node.owner_id if grant.node_kind in ("owner", "store") else None,
        store_id=node.store_id if grant.node_kind == "store" else None,
    )


def refuse_beyond(
    by: Person, user_id: UUID, held: tuple[Grant, ...], node: Node, catalogue: Catalogue
) -> None:
    """Raises Forbidden where `may_set` says no."""
    if not may_set(by, user_id, held, node, catalogue):
        raise Forbidden(
            _("This PIN is not yours to set: it lets whoever knows it work in this person’s name.")
        )


def _store(node: Node) -> UUID:
    if node.store_id is None:
        raise Invalid(_("A PIN belongs to one store. Choose the store first."))
    return node.store_id


def _is_easy(pin: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in itertools.pairwise(pin)}
    run = len(steps) == 1 and steps <= {0, 1, 9}
    twice = pin[: len(pin) // 2] * 2 == pin
    return run or twice
