"""Signing in: right and wrong passwords, lock-out, and the sessions that follow."""

import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.people import accounts, links, logins, tries
from highstreet_tenants.people.models import SignInAttempt, User, UserSession
from highstreet_tenants.people.passwords import Passwords

GOOD = "correct horse"
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
VISIT = logins.Visit(address="192.0.2.7", agent="Test browser")


@pytest.fixture
def ann(make_person):
    return make_person("ann")


@pytest.fixture
def sign_in(tenancy, hasher):
    def go(email="ann@people.example", password=GOOD, *, address=VISIT.address, **more):
        visit = logins.Visit(address=address, agent="Test", **more)
        return logins.sign_in(tenancy, hasher, email, password, visit)

    return go


@pytest.fixture
def who(tenancy):
    return lambda token: logins.load_person(tenancy, token)


def test_the_right_password_starts_a_session(ann, sign_in, who):
    started = sign_in()
    person = who(started.token)
    assert (person.id, person.email, person.name) == (ann.id, "ann@people.example", "Ann")
    assert person.session_id != ann.session_id
    assert started.lasts is None  # the cookie ends with the browser


@pytest.mark.parametrize("email", ["ANN@people.example", "  Ann@People.Example "])
def test_the_address_may_be_written_in_any_case(ann, sign_in, who, email):
    assert who(sign_in(email).token).id == ann.id


def test_wrong_password_and_unknown_person_are_answered_alike(ann, make_person, sign_in):
    make_person("pending", password=None)
    answers = []
    for email in ("ann@people.example", "nobody@people.example", "pending@people.example", "junk"):
        with pytest.raises(logins.WrongPassword) as caught:
            sign_in(email, "wrong horse", address=f"192.0.2.{len(answers)}")
        answers.append((caught.value.detail, caught.value.left, caught.value.status))
    assert len(set(answers)) == 1
    assert answers[0][1] == tries.PER_EMAIL - 1


def test_an_unknown_person_costs_as_much_as_a_known_one(ann, tenancy, make_person):
    strong = Passwords("argon2id")
    with tenancy.control(write=True) as s:
        accounts.get_user(s, ann.id).password_hash = strong.hash(GOOD)

    def cost(email, address):
        # CPU seconds, not the clock's: another process may be busy beside us.
        before = time.process_time()
        with pytest.raises(logins.WrongPassword):
            logins.sign_in(tenancy, strong, email, "wrong", logins.Visit(address, ""))
        return time.process_time() - before

    known = min(cost("ann@people.example", f"192.0.2.{n}") for n in range(3))
    unknown = min(cost("nobody@people.example", f"192.0.2.{n}") for n in range(3))
    assert 0.5 < unknown / known < 2


def test_a_disabled_person_does_not_get_in_and_is_not_told(ann, tenancy, sign_in, who):
    token = sign_in().token
    with tenancy.control(write=True) as s:
        accounts.disable(s, ann.id)
    assert who(token) is None
    with pytest.raises(logins.WrongPassword):
        sign_in()
    with tenancy.control(write=True) as s:
        accounts.enable(s, ann.id)
    assert who(sign_in().token).id == ann.id
    assert who(token) is None  # what was ended stays ended


def test_a_hash_of_another_cost_is_renewed_in_passing(ann, tenancy, sign_in):
    with tenancy.control(write=True) as s:
        accounts.get_user(s, ann.id).password_hash = Passwords("argon2id").hash(GOOD)
    sign_in()
    with tenancy.control() as s:
        assert "m=8," in accounts.get_user(s, ann.id).password_hash


def test_tries_left_are_counted_down_then_one_waits(ann, sign_in):
    with time_machine.travel(now(), tick=False) as clock:
        left = []
        for _each in range(5):
            with pytest.raises(logins.WrongPassword) as caught:
                sign_in(password="wrong")
            left.append(caught.value.left)
            clock.shift(MINUTE)
        assert left == [4, 3, 2, 1, 0]
        with pytest.raises(tries.LockedOut) as locked:
            sign_in()  # even the right one: an attacker must not learn that it was
        assert locked.value.status == 429
        assert locked.value.minutes == 11  # the first try was five minutes ago
        assert "11 min" in locked.value.detail
        clock.shift(9 * MINUTE)
        with pytest.raises(tries.LockedOut):
            sign_in()
        clock.shift(1 * MINUTE)
        sign_in()


def test_waiting_is_not_made_longer_by_trying(ann, sign_in):
    with time_machine.travel(now(), tick=False) as clock:
        for _each in range(5):
            with pytest.raises(logins.WrongPassword):
                sign_in(password="wrong")
        for _each in range(14):
            clock.shift(MINUTE)
            with pytest.raises(tries.LockedOut):
                sign_in(password="wrong")
        clock.shift(MINUTE)
        sign_in()


def test_the_right_password_clears_the_count(ann, sign_in):
    for _round in range(3):
        for _each in range(4):
            with pytest.raises(logins.WrongPassword):
                sign_in(password="wrong")
        sign_in()


def test_locking_one_person_does_not_lock_another(ann, make_person, sign_in, who):
    bob = make_person("bob")
    for _each in range(5):
        with pytest.raises(logins.WrongPassword):
            sign_in(password="wrong")
    assert who(sign_in("bob@people.example").token).id == bob.id


def test_an_unknown_address_locks_too_so_that_it_tells_nothing(sign_in, two_brands):
    for _each in range(5):
        with pytest.raises(logins.WrongPassword):
            sign_in("nobody@people.example", "wrong")
    with pytest.raises(tries.LockedOut):
        sign_in("NOBODY@people.example", "wrong")


def test_one_place_trying_many_people_waits(ann, sign_in):
    for number in range(20):
        with pytest.raises(logins.WrongPassword):
            sign_in(f"guess-{number}@people.example", "wrong", address="203.0.113.9")
    with pytest.raises(tries.LockedOut):
        sign_in(address="203.0.113.9")
    sign_in(address="203.0.113.10")


def test_one_customers_many_ipv6_addresses_are_one_place(ann, sign_in):
    for number in range(20):
        with pytest.raises(logins.WrongPassword):
            sign_in(f"g{number}@people.example", "wrong", address=f"2001:db8:1:2::{number:x}")
    with pytest.raises(tries.LockedOut):
        sign_in(address="2001:db8:1:2:ffff::1")
    sign_in(address="2001:db8:1:3::1")


def test_own_right_password_does_not_clear_the_guesses_at_others(make_person, sign_in):
    make_person("mallory")
    for number in range(19):
        with pytest.raises(logins.WrongPassword):
            sign_in(f"guess-{number}@people.example", "wrong")
    sign_in("mallory@people.example")
    with pytest.raises(logins.WrongPassword):
        sign_in("guess-x@people.example", "wrong")
    with pytest.raises(tries.LockedOut):
        sign_in("guess-y@people.example", "wrong")


def test_of_forty_guesses_at_once_five_are_looked_at(ann, tenancy, sign_in):
    looked, locked, odd = [], [], []
    gate = threading.Barrier(40)

    def guess(number):
        gate.wait()
        try:
            sign_in(password=f"wrong {number}", address=f"198.51.100.{number}")
        except logins.WrongPassword:
            looked.append(number)
        except tries.LockedOut:
            locked.append(number)
        except Exception as error:  # what else goes wrong is what the test is after
            odd.append(error)

    threads = [threading.Thread(target=guess, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(looked), len(locked), odd) == (5, 35, [])


def test_what_was_typed_as_an_address_is_not_kept(tenancy, sign_in, two_brands):
    with pytest.raises(logins.WrongPassword):
        sign_in("my secret typed in the wrong field", "x")
    with tenancy.control() as s:
        row = s.scalars(sa.select(SignInAttempt)).one()
    assert "secret" not in repr(vars(row))


def test_old_tries_are_swept(tenancy, sign_in, two_brands):
    two_days_ago = time_machine.travel(now() - timedelta(days=2), tick=False)
    with two_days_ago, pytest.raises(logins.WrongPassword):
        sign_in("a@people.example", "x")
    with pytest.raises(logins.WrongPassword):
        sign_in("b@people.example", "x")
    with tenancy.control() as s:
        assert s.scalar(sa.select(sa.func.count()).select_from(SignInAttempt)) == 1


def test_only_a_hash_of_the_cookie_is_kept(ann, tenancy, sign_in, who):
    token = sign_in().token
    with tenancy.control() as s:
        rows = s.scalars(sa.select(UserSession)).all()
    assert all(token not in repr(vars(row)) for row in rows)
    assert who(rows[0].token_hash) is None


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "\ud800"])
def test_an_invented_cookie_is_nobody(ann, who, token):
    assert who(token) is None


def test_a_day_at_the_till_ends_after_sixteen_hours(ann, sign_in, who):
    with time_machine.travel(now(), tick=False) as clock:
        token = sign_in().token
        for _each in range(15):
            clock.shift(HOUR)
            assert who(token) is not None
        clock.shift(HOUR)
        assert who(token) is None


def test_unused_it_ends_after_four_hours(ann, tenancy, sign_in, who):
    with time_machine.travel(now(), tick=False) as clock:
        token = sign_in().token
        clock.shift(4 * HOUR - MINUTE)
        assert who(token) is not None
        clock.shift(4 * HOUR - MINUTE)
        assert who(token) is not None  # use prolonged it
        clock.shift(4 * HOUR)
        assert who(token) is None
        with tenancy.control() as s:
            assert logins.devices(s, ann.id) == []


def test_a_kept_device_lasts_thirty_days_and_dies_unused_after_fourteen(ann, sign_in, who):
    with time_machine.travel(now(), tick=False) as clock:
        started = sign_in(keep=True)
        assert started.lasts == timedelta(days=30)
        for _each in range(2):
            clock.shift(timedelta(days=13))
            assert who(started.token) is not None
        clock.shift(timedelta(days=4))
        assert who(started.token) is None
        unused = sign_in(keep=True).token
        clock.shift(timedelta(days=14))
        assert who(unused) is None


def test_being_seen_is_written_at_most_once_a_minute(ann, tenancy, sign_in, who):
    def seen():
        with tenancy.control() as s:
            return s.scalar(
                sa.select(UserSession.seen_at).where(UserSession.id == person.session_id)
            )

    start = now()
    with time_machine.travel(start, tick=False) as clock:
        token = sign_in().token
        person = who(token)
        clock.shift(59)
        who(token)
        assert seen() == start
        clock.shift(2)
        who(token)
        assert seen() == start + timedelta(seconds=61)


def test_signing_in_ends_the_session_that_the_device_carried(ann, sign_in, who):
    first = sign_in().token
    second = sign_in(replaces=first).token
    assert who(first) is None
    assert who(second) is not None


def test_signing_out_ends_this_device_only(ann, tenancy, sign_in, who):
    here, there = sign_in().token, sign_in().token
    with tenancy.control(write=True) as s:
        logins.sign_out(s, here)
    assert who(here) is None
    assert who(there) is not None


def test_devices_are_listed_and_revoked_one_by_one_or_all(ann, make_person, tenancy, sign_in, who):
    bob = make_person("bob")
    tokens = [sign_in().token for _each in range(3)]
    me = who(tokens[0])
    with tenancy.control() as s:
        assert {d.id for d in logins.devices(s, ann.id)} == {
            ann.session_id,
            *(who(t).session_id for t in tokens),
        }
    with tenancy.control(write=True) as s:
        logins.revoke_device(s, ann.id, who(tokens[1]).session_id)
    assert [who(t) is not None for t in tokens] == [True, False, True]
    with pytest.raises(NotFound), tenancy.control(write=True) as s:
        logins.revoke_device(s, ann.id, bob.session_id)  # somebody else's
    with tenancy.control(write=True) as s:
        assert logins.revoke_others(s, me) == 2
    assert [who(t) is not None for t in tokens] == [True, False, False]
    with tenancy.control() as s:
        assert [d.id for d in logins.devices(s, bob.id)] == [bob.session_id]


def test_a_new_password_ends_other_devices_and_open_links(ann, tenancy, hasher, sign_in, who):
    here, there = sign_in().token, sign_in().token
    with tenancy.control(write=True) as s:
        link = links.make_link(s, ann.id, "reset")
    logins.change_password(tenancy, hasher, who(here), GOOD, "a new ladder", address=VISIT.address)
    assert who(here) is not None
    assert who(there) is None
    with pytest.raises(NotFound), tenancy.control(write=True) as s:
        links.consume(s, link)
    with pytest.raises(logins.WrongPassword):
        sign_in()
    sign_in(password="a new ladder")


def test_changing_needs_the_present_password_and_guessing_it_locks(ann, tenancy, hasher, sign_in):
    change = lambda current, new="a new ladder": logins.change_password(  # noqa: E731
        tenancy, hasher, ann, current, new, address=VISIT.address
    )
    with pytest.raises(Invalid) as weak:
        change(GOOD, "short")
    assert "password" in weak.value.fields
    for _each in range(5):
        with pytest.raises(Invalid) as wrong:
            change("wrong")
        assert "current" in wrong.value.fields
    with pytest.raises(tries.LockedOut):
        change(GOOD)
    with pytest.raises(tries.LockedOut):
        sign_in()


def test_who_came_by_link_chooses_a_first_password_without_a_present_one(
    make_person, tenancy, hasher, sign_in
):
    pat = make_person("pat", password=None)
    logins.change_password(tenancy, hasher, pat, "", "a first ladder", address=VISIT.address)
    sign_in("pat@people.example", "a first ladder")
    with pytest.raises(Invalid):
        logins.change_password(tenancy, hasher, pat, "", "another ladder", address=VISIT.address)


def test_a_password_changed_while_the_old_one_was_checked_does_not_let_in(
    ann, tenancy, hasher, who
):
    class Slow:
        def check(self, password, stored):
            checked = hasher.check(password, stored)
            with tenancy.control(write=True) as s:  # meanwhile, on another device
                accounts.store_password(s, accounts.get_user(s, ann.id), hasher.hash("other one"))
            return checked

    with pytest.raises(logins.WrongPassword):
        logins.sign_in(tenancy, Slow(), "ann@people.example", GOOD, VISIT)
    with tenancy.control() as s:
        assert logins.devices(s, ann.id) == []
        assert s.get(User, ann.id) is not None


def test_ended_sessions_are_swept(ann, tenancy, sign_in):
    with time_machine.travel(now() - timedelta(days=3), tick=False):
        sign_in()
    sign_in()
    with tenancy.control() as s:
        assert s.scalar(sa.select(sa.func.count()).select_from(UserSession)) == 2
