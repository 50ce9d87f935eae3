"""One-time links: looked at by scanners, used once, by one, in time."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.people import accounts, links
from highstreet_tenants.people.models import OneTimeLink

MINUTE = timedelta(minutes=1)


@pytest.fixture
def ann(make_person):
    return make_person("ann")


def link_for(tenancy, person, purpose="sign_in", **more):
    with tenancy.control(write=True) as s:
        return links.make_link(s, person.id, purpose, **more)


def use(tenancy, token):
    with tenancy.control(write=True) as s:
        return links.consume(s, token)


def test_looking_does_not_use_it_up(tenancy, ann):
    token = link_for(tenancy, ann)
    for _each in range(3):
        with tenancy.control() as s:
            assert links.look(s, token).user_id == ann.id
    assert use(tenancy, token).user_id == ann.id


def test_it_works_once(tenancy, ann):
    token = link_for(tenancy, ann)
    use(tenancy, token)
    for again in (lambda: use(tenancy, token), lambda: look(tenancy, token)):
        with pytest.raises(NotFound, match="has been used"):
            again()


def look(tenancy, token):
    with tenancy.control() as s:
        return links.look(s, token)


def test_only_a_hash_of_the_token_is_kept(tenancy, ann):
    token = link_for(tenancy, ann)
    with tenancy.control() as s:
        row = s.scalars(sa.select(OneTimeLink)).one()
    assert len(token) == 43
    assert token not in repr(vars(row))
    with pytest.raises(NotFound):
        use(tenancy, row.token_hash)


def test_it_expires(tenancy, ann):
    start = now()
    with time_machine.travel(start, tick=False) as clock:
        token = link_for(tenancy, ann, lifetime=10 * MINUTE)
        clock.shift(9 * MINUTE)
        look(tenancy, token)
        clock.shift(1 * MINUTE)
        with pytest.raises(NotFound, match="too old"):
            look(tenancy, token)
        with pytest.raises(NotFound, match="too old"):
            use(tenancy, token)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "\ud800", "0\0", "é" * 500])
def test_an_invented_link_does_nothing(tenancy, ann, token):
    link_for(tenancy, ann)
    with pytest.raises(NotFound, match="does not work"):
        use(tenancy, token)


def test_a_newer_link_of_the_kind_takes_the_place_of_the_older(tenancy, ann, make_person):
    bob = make_person("bob")
    other = link_for(tenancy, bob, "reset")
    sign_in = link_for(tenancy, ann, "sign_in")
    old, new = link_for(tenancy, ann, "reset"), link_for(tenancy, ann, "reset")
    with pytest.raises(NotFound):
        use(tenancy, old)
    assert use(tenancy, new).purpose == "reset"
    assert use(tenancy, other).user_id == bob.id
    assert use(tenancy, sign_in).purpose == "sign_in"


def test_a_disabled_account_has_no_links_left(tenancy, ann):
    token = link_for(tenancy, ann)
    with tenancy.control(write=True) as s:
        accounts.disable(s, ann.id)
    with pytest.raises(NotFound):
        use(tenancy, token)
    late = link_for(tenancy, ann)  # made in spite of it: it still opens nothing
    with pytest.raises(NotFound, match="does not work"):
        use(tenancy, late)
    with tenancy.control(write=True) as s:
        accounts.enable(s, ann.id)
    assert use(tenancy, late).user_id == ann.id  # nor was it burnt by trying


def test_of_many_at_once_exactly_one_gets_in(tenancy, ann):
    token = link_for(tenancy, ann)
    gate, won, lost, odd = threading.Barrier(12), [], [], []

    def race():
        gate.wait()
        try:
            won.append(use(tenancy, token))
        except NotFound:
            lost.append(1)
        except Exception as error:  # what else goes wrong is what the test is after
            odd.append(error)

    threads = [threading.Thread(target=race) for _each in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost), odd) == (1, 11, [])


def test_a_failure_after_using_it_gives_it_back(tenancy, ann):
    token = link_for(tenancy, ann)
    with pytest.raises(ZeroDivisionError), tenancy.control(write=True) as s:
        links.consume(s, token)
        1 / 0  # the password could not be stored, say
    assert use(tenancy, token).user_id == ann.id


def test_links_long_dead_are_swept(tenancy, ann, make_person):
    with time_machine.travel(now() - timedelta(days=40), tick=False):
        link_for(tenancy, ann)
    link_for(tenancy, make_person("bob"))
    with tenancy.control() as s:
        assert s.scalar(sa.select(sa.func.count()).select_from(OneTimeLink)) == 1
