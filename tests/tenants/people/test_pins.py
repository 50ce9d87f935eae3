"""Staff PINs: whose they may be, who may set them, and that nobody can tell them."""

import pytest
import sqlalchemy as sa

from highstreet_tenants.errors import Conflict, Forbidden, Invalid
from highstreet_tenants.people import accounts, pins, roles, tries
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.models import RoleGrant, StaffPin
from highstreet_tenants.people.pins import Pins
from highstreet_tenants.scopes import Scope


@pytest.fixture
def set_pin(tenancy, hasher, catalogue):
    """set_pin(node, person, "4071", by=…) as the pages do it."""

    def set_(node, person, pin, *, by):
        pins.set_pin(
            tenancy, Pins(hasher, "secret"), node, person.id, pin, by=by, catalogue=catalogue
        )

    return set_


@pytest.fixture
def shop(two_brands, node):
    """Harbour's first store."""
    return node(two_brands[0], store=1)


def kept(tenancy):
    with tenancy.control() as s:
        return [row.pin_hash for row in s.scalars(sa.select(StaffPin).order_by(StaffPin.set_at))]


@pytest.mark.parametrize(
    "pin",
    ["", "407", "4071228", "407a", "４０７１", "0000", "1234", "9876", "8901", "4747", "123123"],
)
def test_what_is_no_pin_or_guessed_first_is_refused(pin):
    with pytest.raises(Invalid) as refused:
        pins.refuse_weak(pin)
    assert set(refused.value.fields) == {"pin"}


@pytest.mark.parametrize("pin", ["4071", "40712", "407122", "0193"])
def test_other_pins_will_do(pin):
    pins.refuse_weak(pin)


def test_a_pin_is_kept_as_argon2_of_what_the_secret_made_of_it(tenancy, set_pin, make_person, shop):
    clara = make_person("clara", ("till_staff", shop))
    set_pin(shop, clara, "4071", by=clara)
    [found] = kept(tenancy)
    assert found.startswith("$argon2id$")
    assert "4071" not in found


def test_without_the_secret_the_pin_does_not_give_the_hash(hasher, shop):
    one, other = Pins(hasher, "secret"), Pins(hasher, "another secret")
    assert one.hash(shop.store_id, "4071") == one.hash(shop.store_id, "4071")
    assert one.hash(shop.store_id, "4071") != other.hash(shop.store_id, "4071")


def test_the_same_pin_looks_different_in_another_store(
    tenancy, set_pin, make_person, node, two_brands
):
    first, second = node(two_brands[0], store=1), node(two_brands[0], store=2)
    clara = make_person("clara", ("till_staff", first), ("till_staff", second))
    set_pin(first, clara, "4071", by=clara)
    set_pin(second, clara, "4071", by=clara)
    assert len(set(kept(tenancy))) == 2


def test_two_people_of_a_store_never_share_one(tenancy, set_pin, make_person, shop):
    clara, milo = (make_person(name, ("till_staff", shop)) for name in ("clara", "milo"))
    set_pin(shop, clara, "4071", by=clara)
    with pytest.raises(Invalid) as refused:
        set_pin(shop, milo, "4071", by=milo)
    assert "pin" in refused.value.fields
    assert len(kept(tenancy)) == 1


def test_trying_out_which_pins_are_taken_ends_soon(set_pin, make_person, shop):
    clara, milo = (make_person(name, ("till_staff", shop)) for name in ("clara", "milo"))
    set_pin(shop, clara, "4071", by=clara)
    for _each in range(tries.PER_TILL):
        with pytest.raises(Invalid):
            set_pin(shop, milo, "4071", by=milo)
    with pytest.raises(tries.PinLockedOut):
        set_pin(shop, milo, "5082", by=milo)


def test_a_new_pin_takes_the_place_of_the_old_one(tenancy, set_pin, make_person, shop):
    clara = make_person("clara", ("till_staff", shop))
    set_pin(shop, clara, "4071", by=clara)
    before = kept(tenancy)
    set_pin(shop, clara, "5082", by=clara)
    assert len(kept(tenancy)) == 1
    assert kept(tenancy) != before


def test_a_manager_sets_staffs_pins_and_not_the_owners(set_pin, make_person, shop, reload):
    olga = make_person("olga", ("store_owner", shop))
    mina = make_person("mina", ("store_manager", shop))
    clara = make_person("clara", ("till_staff", shop))
    set_pin(shop, clara, "4071", by=mina)
    set_pin(shop, mina, "5082", by=olga)
    with pytest.raises(Forbidden):
        set_pin(shop, olga, "6093", by=mina)
    with pytest.raises(Forbidden):
        set_pin(shop, mina, "6093", by=clara)


def test_another_stores_owner_sets_nothing_here(set_pin, make_person, node, two_brands, shop):
    other = make_person("otto", ("store_owner", node(two_brands[0], store=2)))
    clara = make_person("clara", ("till_staff", shop))
    with pytest.raises(Forbidden):
        set_pin(shop, clara, "4071", by=other)


def test_who_may_not_use_the_till_gets_none(tenancy, set_pin, make_person, node, two_brands, shop):
    olga = make_person("olga", ("store_owner", shop))
    clara = make_person("clara", ("till_staff", shop))
    with tenancy.control(write=True) as s:
        accounts.disable(s, clara.id)
    with pytest.raises(Conflict):
        set_pin(shop, clara, "4071", by=olga)
    quarry = node(two_brands[1], store=1)
    hana = make_person("hana", ("head_office_manager", node(two_brands[1])))
    with pytest.raises(Forbidden):  # the stores' customers are not head office's to meet
        set_pin(quarry, hana, "4071", by=hana)


def test_a_pin_taken_away_is_gone(tenancy, set_pin, make_person, shop, catalogue):
    olga = make_person("olga", ("store_owner", shop))
    clara = make_person("clara", ("till_staff", shop))
    set_pin(shop, clara, "4071", by=clara)
    with tenancy.control() as s:
        assert set(pins.pins_of(s, shop)) == {clara.id}
        assert grants_of(s, clara.id)
    with tenancy.session(Scope.operator(shop.brand_id), write=True) as s:
        pins.clear_pin(s, shop, clara.id, by=olga, catalogue=catalogue)
    assert kept(tenancy) == []


@pytest.fixture
def revoke(tenancy, catalogue):
    """revoke(person, "till_staff", node) takes that role back, as the operator."""

    def take_back(person, role, at):
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            row = s.scalars(
                sa.select(RoleGrant).where(
                    RoleGrant.user_id == person.id,
                    RoleGrant.role == role,
                    RoleGrant.node_id == at.id,
                )
            ).one()
            roles.revoke(s, row.id, at, by=None, catalogue=catalogue)

    return take_back


@pytest.fixture
def have(tenancy, node, two_brands):
    """have(1, 2): who has a PIN at harbour's first store, and at its second."""

    def look(*stores):
        with tenancy.control() as s:
            return [set(pins.pins_of(s, node(two_brands[0], store=n))) for n in stores]

    return look


def test_a_role_given_again_does_not_bring_an_old_pin_back(
    tenancy, set_pin, make_person, shop, revoke, have, catalogue
):
    clara = make_person("clara", ("till_staff", shop))
    set_pin(shop, clara, "4071", by=clara)
    revoke(clara, "till_staff", shop)
    assert have(1) == [set()]
    with tenancy.session(Scope.operator(shop.brand_id), write=True) as s:
        roles.grant(s, clara.id, "till_staff", shop, by=None, catalogue=catalogue)
    assert have(1) == [set()]
    milo = make_person("milo", ("till_staff", shop))
    set_pin(shop, milo, "4071", by=milo)  # it is nobody's, so it may be somebody else's


def test_a_pin_stays_with_another_role_that_uses_the_till(
    set_pin, make_person, node, two_brands, shop, revoke, have
):
    other = node(two_brands[0], store=2)
    mina = make_person("mina", ("till_staff", shop), ("store_manager", shop), ("till_staff", other))
    set_pin(shop, mina, "4071", by=mina)
    set_pin(other, mina, "5082", by=mina)
    revoke(mina, "store_manager", shop)
    assert have(1, 2) == [{mina.id}, {mina.id}]
    revoke(mina, "till_staff", shop)
    assert have(1, 2) == [set(), {mina.id}], "what she holds elsewhere is untouched"


def test_of_a_role_above_the_stores_only_pins_of_other_roles_stay(
    set_pin, make_person, node, two_brands, shop, revoke, have
):
    second = node(two_brands[0], store=2)
    region = node(two_brands[0], region=True)
    rosa = make_person("rosa", ("regional_manager", region), ("till_staff", second))
    set_pin(shop, rosa, "4071", by=rosa)
    set_pin(second, rosa, "5082", by=rosa)
    revoke(rosa, "regional_manager", region)
    assert have(1, 2) == [set(), {rosa.id}]
