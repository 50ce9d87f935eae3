"""API keys: shown once, held to one store, no stronger than their maker, gone when revoked."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.people import keys
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.scopes import Scope

TILL = ("till.read", "till.write")


@pytest.fixture
def at(two_brands, node):
    return node(two_brands[0], store=1)


@pytest.fixture
def make(tenancy, catalogue, at):
    def go(where=None, scopes=TILL, by=None, name="Till 1", **more):
        with tenancy.session(Scope.operator((where or at).brand_id), write=True) as s:
            return keys.create_key(s, where or at, name, scopes, by=by, catalogue=catalogue, **more)

    return go


@pytest.fixture
def find(tenancy):
    def go(token):
        with tenancy.control() as s:
            return keys.find_key(s, token)

    return go


def test_one_query_tells_whose_key_it_is(two_brands, at, make, tenancy):
    made = make()
    assert made.token.startswith(f"hs_{made.id.hex}_")
    statements = []
    with tenancy.control() as s:
        sa.event.listen(
            s.get_bind().engine,
            "before_cursor_execute",
            lambda _c, _k, sql, *_rest: statements.append(sql),
        )
        holder = keys.find_key(s, made.token)
    assert len(statements) == 1
    assert (holder.brand_id, holder.brand_slug) == (two_brands[0].id, "harbour")
    assert (holder.store_id, holder.customers) == (at.store_id, "brand")
    assert holder.state_version == 1
    assert holder.scopes == set(TILL)
    assert holder.last_used_at is None


def test_the_secret_is_kept_nowhere(make, tenancy):
    made = make()
    secret = made.token.split("_", 2)[2]
    with tenancy.control() as s:
        row = s.scalars(sa.select(ApiKey)).one()
    assert len(secret) == 43
    assert secret not in repr(vars(row))


def test_whatever_is_not_exactly_the_key_is_refused(make, find):
    made, other = make(), make(name="Till 2")
    prefix, key_id, secret = made.token.split("_", 2)
    their_secret = other.token.split("_", 2)[2]
    for wrong in (
        "",
        "hs",
        "hs_",
        "hs__",
        key_id,
        secret,
        f"{prefix}_{key_id}_",
        f"{prefix}_{key_id}_{secret[:-1]}",
        f"{prefix}_{key_id}_{secret}x",
        f"{prefix}_{key_id}_{their_secret}",
        f"xx_{key_id}_{secret}",
        f"{prefix}_{'0' * 32}_{secret}",
        f"{prefix}_{'z' * 32}_{secret}",
        made.token.upper(),
        made.token + "\0",
        "\ud800" * 80,
    ):
        assert find(wrong) is None, wrong
    assert find(made.token).id == made.id
    assert find(other.token).id == other.id


def test_a_revoked_key_opens_nothing(make, find, tenancy, at):
    made, other = make(), make(name="Till 2")
    with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
        keys.revoke_key(s, made.id, at)
        keys.revoke_key(s, made.id, at)
    assert find(made.token) is None
    assert find(other.token) is not None


def test_a_key_expires(make, find):
    with time_machine.travel(now(), tick=False) as clock:
        made = make(expires_at=now() + timedelta(days=1))
        clock.shift(timedelta(hours=23))
        assert find(made.token) is not None
        clock.shift(timedelta(hours=1))
        assert find(made.token) is None
        with pytest.raises(Invalid) as caught:
            make(expires_at=now())
        assert "expires" in caught.value.fields


def test_a_rotated_key_goes_on_for_a_week(make, find, tenancy, catalogue, at):
    def rotate(key_id):
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            return keys.rotate_key(s, key_id, at, by=None, catalogue=catalogue)

    with time_machine.travel(now(), tick=False) as clock:
        old = make(scopes=("till.read",))
        new = rotate(old.id)
        assert find(new.token).scopes == {"till.read"}
        assert find(new.token).name == "Till 1"
        clock.shift(timedelta(days=6))
        assert find(old.token) is not None
        clock.shift(timedelta(days=1))
        assert find(old.token) is None
        assert find(new.token) is not None
        with pytest.raises(Conflict, match="has ended"):
            rotate(old.id)


def test_rotation_prolongs_no_life(make, find, tenancy, catalogue, at):
    with time_machine.travel(now(), tick=False) as clock:
        old = make(expires_at=now() + timedelta(days=2))
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            new = keys.rotate_key(s, old.id, at, by=None, catalogue=catalogue)
        clock.shift(timedelta(days=2))
        assert find(old.token) is None
        assert find(new.token) is None


@pytest.mark.parametrize("elsewhere", [{"brand": 0, "store": 2}, {"brand": 1, "store": 1}])
def test_another_stores_key_is_not_found(
    two_brands, node, make, find, tenancy, catalogue, elsewhere
):
    made = make()
    there = node(two_brands[elsewhere["brand"]], store=elsewhere["store"])
    with tenancy.control() as s:
        assert keys.keys_of(s, there) == []
    with pytest.raises(NotFound), tenancy.session(Scope.operator(there.brand_id), write=True) as s:
        keys.revoke_key(s, made.id, there)
    with pytest.raises(NotFound), tenancy.session(Scope.operator(there.brand_id), write=True) as s:
        keys.rotate_key(s, made.id, there, by=None, catalogue=catalogue)
    assert find(made.token) is not None


def test_a_key_cannot_belong_to_a_store_of_another_brand(two_brands, node, make):
    mixed = node(two_brands[0], store=1)
    foreign = type(mixed)(two_brands[1].id, "store", store_id=mixed.store_id)
    with pytest.raises(sa.exc.IntegrityError):
        make(foreign)


def test_a_key_is_no_stronger_than_its_maker(two_brands, node, make, make_person, find):
    # Where stores own their customers, head office cannot make itself a key to them.
    theirs = node(two_brands[1], store=1)
    head = make_person("head", ("head_office_manager", node(two_brands[1])))
    owner = make_person("owner", ("store_owner", node(two_brands[1], owner=1)))
    for scope in ("till.read", "customers.read"):
        with pytest.raises(Forbidden, match="may not do yourself"):
            make(theirs, [scope], by=head)
    assert find(make(theirs, ["customers.read"], by=owner).token) is not None
    ours = node(two_brands[0], store=1)
    own_head = make_person("own-head", ("head_office_manager", node(two_brands[0])))
    assert find(make(ours, ["customers.read"], by=own_head).token) is not None


def test_rotating_gives_no_more_than_making(
    two_brands, node, make, make_person, tenancy, catalogue
):
    theirs = node(two_brands[1], store=1)
    head = make_person("head", ("head_office_manager", node(two_brands[1])))
    made = make(theirs)
    with (
        pytest.raises(Forbidden),
        tenancy.session(Scope.operator(theirs.brand_id), write=True) as s,
    ):
        keys.rotate_key(s, made.id, theirs, by=head, catalogue=catalogue)


@pytest.mark.parametrize(
    ("name", "scopes", "field"),
    [
        ("", TILL, "name"),
        (" \0 ", TILL, "name"),
        ("x" * 121, TILL, "name"),
        ("Till", (), "scopes"),
        ("Till", ("till.read", "everything"), "scopes"),
    ],
)
def test_bad_input_names_its_field(make, name, scopes, field):
    with pytest.raises(Invalid) as caught:
        make(name=name, scopes=scopes)
    assert list(caught.value.fields) == [field]


def test_a_key_needs_a_store(two_brands, node, make):
    with pytest.raises(Invalid, match="one store"):
        make(node(two_brands[0]))


def test_use_is_noted_at_most_once_a_minute(make, tenancy, find):
    made, start = make(), now()
    with time_machine.travel(start, tick=False) as clock:
        seen = []
        for _each in range(4):
            with tenancy.control(write=True) as s:
                keys.note_use(s, made.id)
            seen.append((find(made.token).last_used_at - start).total_seconds())
            clock.shift(25)
    assert seen == [0, 0, 0, 75]


def test_live_keys_stand_first_in_the_list(make, tenancy, at):
    ended, live = make(name="Old"), make(name="New")
    with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
        keys.revoke_key(s, live.id, at)
    with tenancy.control() as s:
        assert [row.name for row in keys.keys_of(s, at)] == ["Old", "New"]
        assert [keys.is_live(row) for row in keys.keys_of(s, at)] == [True, False]
    assert ended.id != live.id
