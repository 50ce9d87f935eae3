"""Tills: set up once, unlocked by PIN, locked again, and signed out for good."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from msgspec.structs import replace

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.people import accounts, logins, pins, tills, tries
from highstreet_tenants.people.logins import Visit
from highstreet_tenants.people.models import RoleGrant
from highstreet_tenants.people.pins import Pins
from highstreet_tenants.scopes import Scope

PIN = "4071"


@pytest.fixture
def shop(two_brands, node):
    """Harbour's first store."""
    return node(two_brands[0], store=1)


@pytest.fixture
def olga(make_person, shop):
    return make_person("olga", ("store_owner", shop))


@pytest.fixture
def staff(tenancy, hasher, catalogue, make_person, shop):
    """staff("clara", "4071") → a person with that PIN at the shop."""

    def make(name, pin=PIN):
        person = make_person(name, ("till_staff", shop))
        made = Pins(hasher, "secret")
        pins.set_pin(tenancy, made, shop, person.id, pin, by=person, catalogue=catalogue)
        return person

    return make


@pytest.fixture
def set_up(tenancy, olga, shop):
    """set_up("Till 1") → the device's token."""

    def make(name="Till 1", node=shop, lock=120):
        with tenancy.session(Scope.operator(node.brand_id), write=True) as s:
            return tills.set_up(s, node, name, lock, by=olga)

    return make


@pytest.fixture
def unlock(tenancy, hasher, catalogue, shop):
    """unlock(token, pin) → who has the till open then."""

    def open_(token, pin=PIN, replaces=None):
        with tenancy.control() as s:
            seat = tills.find_seat(s, token)
        visit = Visit("192.0.2.7", "Tablet", replaces=replaces, seat=seat)
        return tills.unlock(tenancy, Pins(hasher, "secret"), shop, pin, visit, catalogue)

    return open_


def who(tenancy, started):
    with tenancy.control() as s:
        return logins.find_person(s, started.token)


def test_a_pin_opens_the_till_in_its_persons_name(tenancy, set_up, staff, unlock, shop):
    clara, _milo = staff("clara"), staff("milo", "5082")
    person = who(tenancy, unlock(set_up("Till 2").token))
    assert person.id == clara.id
    assert person.by_pin
    assert (person.seat.name, person.seat.store_id) == ("Till 2", shop.store_id)


def test_the_next_pin_ends_the_session_before(tenancy, set_up, staff, unlock):
    staff("clara"), staff("milo", "5082")
    token = set_up().token
    first = unlock(token)
    second = unlock(token, "5082", replaces=first.token)
    assert who(tenancy, first) is None
    assert who(tenancy, second).name == "Milo"


def test_a_wrong_pin_says_how_many_tries_are_left(set_up, staff, unlock):
    staff("clara")
    token = set_up().token
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(tills.WrongPin) as wrong:
            unlock(token, "9999")
        assert wrong.value.left == left
    with pytest.raises(tries.PinLockedOut) as locked:
        unlock(token)
    assert 0 < locked.value.retry_after <= 901


def test_the_lock_out_ends_by_itself(tenancy, set_up, staff, unlock):
    staff("clara")
    token = set_up().token
    for _each in range(tries.PER_TILL):
        with pytest.raises(tills.WrongPin):
            unlock(token, "9999")
    with time_machine.travel(now() + tries.WINDOW + timedelta(seconds=2), tick=False):
        assert who(tenancy, unlock(token)) is not None


def test_a_right_pin_does_not_clear_the_wrong_ones(set_up, staff, unlock):
    """Who knows one PIN could guess at the others for ever."""
    staff("clara")
    token = set_up().token
    for _each in range(tries.PER_TILL):
        with pytest.raises(tills.WrongPin):
            unlock(token, "9999")
        if _each < tries.PER_TILL - 1:
            unlock(token)
    with pytest.raises(tries.PinLockedOut):
        unlock(token)


def test_one_till_locked_out_leaves_the_next_one_open_until_the_store_is_full(
    tenancy, set_up, staff, unlock
):
    staff("clara")
    tokens = [set_up(f"Till {n}").token for n in range(5)]
    for token in tokens[:4]:
        for _each in range(tries.PER_TILL):
            with pytest.raises(tills.WrongPin):
                unlock(token, "9999")
        if token != tokens[3]:
            assert who(tenancy, unlock(tokens[4])) is not None
    with pytest.raises(tries.PinLockedOut):  # twenty wrong ones in one store
        unlock(tokens[4])


def test_a_day_of_guessing_ends(set_up, staff, unlock):
    staff("clara")
    token, at = set_up().token, now()
    tried = 0
    for round_ in range(10):
        with time_machine.travel(at + round_ * (tries.WINDOW + timedelta(minutes=1)), tick=False):
            for _each in range(tries.PER_TILL):
                try:
                    unlock(token, "9999")
                except tills.WrongPin:
                    tried += 1
                except tries.PinLockedOut:
                    pass
    assert tried == tries.PER_TILL_A_DAY


def test_guesses_at_the_same_moment_are_counted_too(set_up, staff, unlock):
    staff("clara")
    token, looked, locked = set_up().token, [], []

    def guess(number):
        try:
            unlock(token, f"9{number:03}")
        except tills.WrongPin as error:
            looked.append(error)
        except tries.PinLockedOut as error:
            locked.append(error)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(looked), len(locked)) == (tries.PER_TILL, 20 - tries.PER_TILL)


def test_a_pin_of_the_next_store_opens_nothing_here(
    tenancy, hasher, catalogue, set_up, make_person, unlock, node, two_brands
):
    other = node(two_brands[0], store=2)
    otto = make_person("otto", ("till_staff", other))
    pins.set_pin(tenancy, Pins(hasher, "secret"), other, otto.id, PIN, by=otto, catalogue=catalogue)
    with pytest.raises(tills.WrongPin):
        unlock(set_up().token)


def test_whose_role_or_account_ended_does_not_get_in(tenancy, set_up, staff, unlock):
    clara, milo = staff("clara"), staff("milo", "5082")
    token = set_up().token
    opened = unlock(token)
    with tenancy.control(write=True) as s:
        s.execute(sa.delete(RoleGrant).where(RoleGrant.user_id == clara.id))
        accounts.disable(s, milo.id)
    assert who(tenancy, opened).grants == ()
    for pin in (PIN, "5082"):
        with pytest.raises(tills.WrongPin):
            unlock(token, pin)


def test_the_till_locks_a_little_after_its_time_without_use(tenancy, set_up, staff, unlock):
    staff("clara")
    started = unlock(set_up(lock=120).token)
    for seconds, open_ in ((119, True), (149, True), (151, False)):
        with time_machine.travel(now() + timedelta(seconds=seconds), tick=False):
            assert (who(tenancy, started) is not None) is open_, seconds


def test_using_the_till_keeps_it_open(tenancy, set_up, staff, unlock):
    staff("clara")
    started = unlock(set_up(lock=60).token)
    at = now()
    for seconds in range(30, 600, 30):
        with time_machine.travel(at + timedelta(seconds=seconds), tick=False):
            assert logins.load_person(tenancy, started.token) is not None, seconds


def test_a_till_signed_out_ends_with_whoever_had_it_open(
    tenancy, set_up, staff, unlock, shop, olga
):
    staff("clara")
    made = set_up()
    started = unlock(made.token)
    with tenancy.control() as s:
        [listed] = tills.tills_of(s, shop)
    assert (listed.name, listed.user, listed.created_by) == ("Till 1", "Clara", "Olga")
    with tenancy.session(Scope.operator(shop.brand_id), write=True) as s:
        tills.sign_out(s, made.id, shop)
    assert who(tenancy, started) is None
    with pytest.raises(NotFound):
        unlock(made.token)
    with tenancy.control() as s:
        assert tills.tills_of(s, shop) == []


def test_another_stores_till_is_out_of_reach(tenancy, set_up, node, two_brands):
    made = set_up()
    for other in (node(two_brands[0], store=2), node(two_brands[1], store=1)):
        with (
            tenancy.session(Scope.operator(other.brand_id), write=True) as s,
            pytest.raises(NotFound),
        ):
            tills.sign_out(s, made.id, other)
        with (
            tenancy.session(Scope.operator(other.brand_id), write=True) as s,
            pytest.raises(NotFound),
        ):
            tills.change(s, made.id, other, "Mine", 60)


def test_a_till_that_nobody_used_for_months_is_one_no_more(tenancy, set_up):
    token = set_up().token
    later = time_machine.travel(now() + tills.UNUSED + timedelta(days=1), tick=False)
    with later, tenancy.control() as s:
        assert tills.find_seat(s, token) is None


def test_a_new_pin_signs_its_person_out_of_the_till(
    tenancy, hasher, catalogue, set_up, staff, unlock, shop, olga
):
    clara = staff("clara")
    started = unlock(set_up().token)
    pins.set_pin(
        tenancy, Pins(hasher, "secret"), shop, clara.id, "5082", by=olga, catalogue=catalogue
    )
    assert who(tenancy, started) is None


def test_a_pins_session_is_on_its_persons_list_and_can_be_ended_there(
    tenancy, set_up, staff, unlock
):
    clara = staff("clara")
    started = unlock(set_up("Till 2").token)
    with tenancy.control() as s:
        device = next(d for d in logins.devices(s, clara.id) if d.till)
    assert device.till == "Till 2"
    with tenancy.control(write=True) as s:
        logins.revoke_device(s, clara.id, device.id)
    assert who(tenancy, started) is None


def test_a_password_at_a_till_gives_all_and_locks_as_the_till_does(
    tenancy, set_up, olga, staff, shop
):
    with tenancy.control() as s:
        seat = tills.find_seat(s, set_up(lock=60).token)
    with tenancy.control(write=True) as s:
        user = accounts.get_user(s, olga.id)
        visit = Visit("192.0.2.7", "Tablet", keep=True, seat=seat)
        started = logins.start_session(s, user, visit)
    assert started.lasts is None, "a till is never kept signed in by a person"
    assert not who(tenancy, started).by_pin
    with time_machine.travel(now() + timedelta(seconds=76), tick=False):
        assert who(tenancy, started) is None


@pytest.mark.parametrize(
    ("name", "lock", "field"), [("", 60, "name"), ("x" * 61, 60, "name"), ("Till", 7, "lock")]
)
def test_a_till_needs_a_name_and_one_of_the_times(set_up, name, lock, field):
    with pytest.raises(Invalid) as refused:
        set_up(name, lock=lock)
    assert field in refused.value.fields


def test_a_seat_alone_opens_no_other_stores_till(
    tenancy, hasher, catalogue, set_up, staff, node, two_brands
):
    staff("clara")
    with tenancy.control() as s:
        seat = tills.find_seat(s, set_up().token)
    elsewhere = node(two_brands[0], store=2)
    visit = replace(Visit("192.0.2.7", "Tablet"), seat=seat)
    with pytest.raises(NotFound):
        tills.unlock(tenancy, Pins(hasher, "secret"), elsewhere, PIN, visit, catalogue)
