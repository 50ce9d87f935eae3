"""What an operator does from the command line."""

from types import SimpleNamespace

import pytest

from highstreet_tenants.errors import Conflict, Invalid, NotFound
from highstreet_tenants.people import accounts, events, links, logins, operate
from highstreet_tenants.people.held import grants_of


@pytest.fixture
def house(tenancy, two_brands):
    return SimpleNamespace(
        tenancy=tenancy,
        config={"base_url": "https://club.example/", "password_hasher": "cheap"},
    )


def test_a_person_is_made_given_a_role_and_let_in_by_a_link(house, tenancy, two_brands):
    operate.create_user(house, "Dana@Shop.example", "Dana", locale="zh_Hans")
    operate.grant(house, "dana@shop.example", "store_owner", "harbour/store/harbour-1")
    operate.grant(house, "dana@shop.example", "head_office_manager", "quarry")
    operate.grant(house, "dana@shop.example", "regional_manager", "harbour/region/coast")
    url = operate.make_link(house, "dana@shop.example")
    assert url.startswith("https://club.example/link/")
    with tenancy.control(write=True) as s:
        link = links.consume(s, url.rsplit("/", 1)[1])
        held = grants_of(s, link.user_id)
    assert (link.purpose, link.name) == ("sign_in", "Dana")
    assert {(g.role, g.node_kind) for g in held} == {
        ("store_owner", "store"),
        ("head_office_manager", "brand"),
        ("regional_manager", "region"),
    }


def test_a_password_may_be_given_and_is_held_to_the_rules(house, tenancy, hasher):
    with pytest.raises(Invalid):
        operate.create_user(house, "dana@shop.example", "Dana", password="short")
    operate.create_user(house, "dana@shop.example", "Dana", password="correct horse")
    visit = logins.Visit("192.0.2.1", "Test")
    assert logins.sign_in(tenancy, hasher, "dana@shop.example", "correct horse", visit)
    with pytest.raises(Conflict, match="has an account already"):
        operate.create_user(house, "DANA@shop.example", "Dana")


def test_setting_up_twice_makes_one(house):
    first = operate.ensure_user(house, "dana@shop.example", "Dana")
    assert operate.ensure_user(house, "Dana@shop.example", "Dana") == first
    operate.grant(house, "dana@shop.example", "store_owner", "harbour/owner/owner-1")
    operate.grant(house, "dana@shop.example", "store_owner", "harbour/owner/owner-1")


def test_two_domains_are_two_people(house):
    """Folding would make one of them, and send the one's link to the other."""
    one = operate.ensure_user(house, "dana@straße.example", "Dana")
    assert operate.ensure_user(house, "DANA@Straße.example", "Dana") == one
    assert operate.ensure_user(house, "dana@strasse.example", "Dana") != one


@pytest.mark.parametrize(
    ("at", "error"),
    [
        ("nowhere", NotFound),
        ("harbour/store/quarry-1", Invalid),
        ("harbour/shop/harbour-1", Invalid),
        ("harbour/store", Invalid),
        ("harbour/store/", Invalid),
        ("", NotFound),
    ],
)
def test_a_place_that_is_not_there_is_said(house, at, error):
    operate.ensure_user(house, "dana@shop.example", "Dana")
    with pytest.raises(error):
        operate.grant(house, "dana@shop.example", "till_staff", at)


def test_unknown_and_disabled_people_get_no_link(house):
    with pytest.raises(NotFound, match="nobody with the address"):
        operate.make_link(house, "nobody@shop.example")
    operate.ensure_user(house, "dana@shop.example", "Dana")
    operate.set_disabled(house, "dana@shop.example", True)
    with pytest.raises(NotFound, match="Enable the account"):
        operate.make_link(house, "dana@shop.example")
    operate.set_disabled(house, "dana@shop.example", False)
    assert operate.make_link(house, "dana@shop.example", "reset")
    with pytest.raises(Invalid):
        operate.make_link(house, "dana@shop.example", "join")


def test_a_role_is_taken_back_but_not_a_brands_last_manager(house, tenancy):
    for name in ("dana", "ruth"):
        operate.ensure_user(house, f"{name}@shop.example", name)
        operate.grant(house, f"{name}@shop.example", "head_office_manager", "harbour")
    operate.grant(house, "dana@shop.example", "head_office_manager", "quarry")
    operate.revoke(house, "dana@shop.example", "head_office_manager", "harbour")
    with pytest.raises(NotFound):
        operate.revoke(house, "dana@shop.example", "head_office_manager", "harbour")
    with pytest.raises(Conflict, match="without a head-office manager"):
        operate.revoke(house, "ruth@shop.example", "head_office_manager", "harbour")
    with tenancy.control() as s:
        dana = accounts.find_user(s, "dana@shop.example")
        assert [g.node_kind for g in grants_of(s, dana.id)] == ["brand"]


def test_what_an_operator_does_to_an_account_stands_in_its_events(house, tenancy):
    who = operate.ensure_user(house, "dana@shop.example", "Dana")
    operate.make_link(house, "dana@shop.example", "reset")
    operate.set_disabled(house, "dana@shop.example", True)
    operate.set_disabled(house, "dana@shop.example", False)
    with tenancy.control() as s:
        found = [(one.what, one.address) for one in events.of_person(s, who)]
    assert found == [
        ("enabled", "command line"),
        ("disabled", "command line"),
        ("link_made", "command line"),
    ]
