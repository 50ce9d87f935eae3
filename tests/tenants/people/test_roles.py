"""Granting, inviting and taking back: never more than one's own, never beyond one's place."""

import threading

import pytest

from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.people import accounts, directory, links, offers, roles
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.tree import Node, may
from highstreet_tenants.scopes import SYSTEM, Scope


@pytest.fixture
def brands(two_brands):
    return two_brands


@pytest.fixture
def head(brands, node, make_person):
    """Head-office manager of the first brand."""
    return make_person("head", ("head_office_manager", node(brands[0])))


@pytest.fixture
def manager(brands, node, make_person):
    """Manager of the first brand's first store."""
    return make_person("manager", ("store_manager", node(brands[0], store=1)))


@pytest.fixture
def give(tenancy, catalogue):
    def go(by, person, role, at):
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            return roles.grant(s, person.id, role, at, by=by, catalogue=catalogue).id

    return go


@pytest.fixture
def take(tenancy, catalogue):
    def go(by, grant_id, at):
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            roles.revoke(s, grant_id, at, by=by, catalogue=catalogue)

    return go


@pytest.fixture
def invite(tenancy, catalogue):
    def go(by, email, role, at, name="New Person"):
        with tenancy.control() as s:
            user = accounts.find_user(s, email)
            held = grants_of(s, user.id) if user else ()
        nodes = roles.nodes_of(tenancy, held, SYSTEM)
        with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
            return roles.invite(
                s,
                email=email,
                name=name,
                role=role,
                node=at,
                by=by,
                nodes=nodes,
                catalogue=catalogue,
            )

    return go


@pytest.fixture
def held(tenancy):
    def go(user_id):
        with tenancy.control() as s:
            return {(g.role, g.node_kind, g.node_id) for g in grants_of(s, user_id)}

    return go


@pytest.fixture
def act(tenancy, catalogue):
    """act(roles.reset_link, by, person) with the nodes read before, as the pages do."""

    def go(verb, by, person, *args):
        with tenancy.control() as s:
            theirs = grants_of(s, person.id)
        nodes = roles.nodes_of(tenancy, theirs, SYSTEM)
        with tenancy.session(Scope.operator(by.grants[0].brand_id), write=True) as s:
            return verb(s, person.id, *args, by=by, nodes=nodes, catalogue=catalogue)

    return go


def test_a_granted_role_works_at_once_and_a_revoked_one_no_longer(
    brands, node, manager, make_person, give, take, reload, catalogue
):
    at, pat = node(brands[0], store=1), make_person("pat")
    assert not may(reload(pat).grants, "till.use", at, catalogue)
    grant_id = give(manager, pat, "till_staff", at)
    assert may(reload(pat).grants, "till.use", at, catalogue)
    assert not may(reload(pat).grants, "till.use", node(brands[0], store=2), catalogue)
    take(manager, grant_id, at)
    assert not may(reload(pat).grants, "till.use", at, catalogue)
    with pytest.raises(NotFound):
        take(manager, grant_id, at)


def test_granting_twice_is_once(brands, node, manager, make_person, give, held):
    at, pat = node(brands[0], store=1), make_person("pat")
    assert give(manager, pat, "till_staff", at) == give(manager, pat, "till_staff", at)
    assert len(held(pat.id)) == 1


@pytest.mark.parametrize(
    ("role", "where"),
    [
        ("till_staff", {"store": 2}),  # another store of the brand
        ("store_owner", {"store": 1}),  # more than a manager
        ("store_owner", {"owner": 1}),
        ("regional_manager", {"region": True}),
        ("head_office_manager", {}),
    ],
)
def test_a_manager_gives_nothing_beyond_store_and_rank(
    brands, node, manager, make_person, give, held, role, where
):
    pat = make_person("pat")
    with pytest.raises(Forbidden):
        give(manager, pat, role, node(brands[0], **where))
    assert held(pat.id) == set()


def test_head_office_gives_nothing_in_another_brand(brands, node, head, make_person, give, held):
    pat = make_person("pat")
    give(head, pat, "store_owner", node(brands[0], owner=2))
    for where in ({}, {"store": 1}, {"owner": 1}, {"region": True}):
        for role in ("head_office_manager", "till_staff", "store_owner", "regional_manager"):
            with pytest.raises((Forbidden, Invalid)):
                give(head, pat, role, node(brands[1], **where))
    assert len(held(pat.id)) == 1


def test_head_office_appoints_owners_whose_customers_it_cannot_see(
    brands, node, make_person, give, reload, catalogue
):
    theirs = node(brands[1], store=1)  # here stores own their customers
    head = make_person("head", ("head_office_manager", node(brands[1])))
    pat = make_person("pat")
    assert not may(head.grants, "customers.read", theirs, catalogue)
    give(head, pat, "store_owner", node(brands[1], owner=1))
    assert may(reload(pat).grants, "customers.read", theirs, catalogue)
    assert not may(reload(pat).grants, "customers.read", node(brands[1], store=2), catalogue)


def test_nobody_gives_a_role_to_themselves(brands, node, head, give, invite, reload, catalogue):
    at = node(brands[0], store=1)
    with pytest.raises(Forbidden, match="themselves"):
        give(head, head, "store_owner", at)
    with pytest.raises(Forbidden, match="themselves"):
        invite(head, "HEAD@people.example", "store_owner", at)


def test_a_role_that_does_not_fit_is_refused_to_the_operator_too(brands, node, make_person, give):
    pat = make_person("pat")
    with pytest.raises(Invalid, match="cannot be given here"):
        give(None, pat, "till_staff", node(brands[0]))
    with pytest.raises(Invalid, match="no such role"):
        give(None, pat, "king", node(brands[0]))


def test_a_grant_is_taken_only_at_its_own_node(
    brands, node, manager, make_person, give, take, held
):
    pat = make_person("pat")
    elsewhere = node(brands[0], store=2)
    grant_id = give(None, pat, "till_staff", elsewhere)
    with pytest.raises(NotFound):  # the manager names their own store and another's grant
        take(manager, grant_id, node(brands[0], store=1))
    with pytest.raises(Forbidden):
        take(manager, grant_id, elsewhere)
    assert len(held(pat.id)) == 1


def test_a_manager_does_not_unseat_the_owner(brands, node, manager, make_person, give, take):
    at, owner = node(brands[0], store=1), make_person("owner")
    grant_id = give(None, owner, "store_owner", at)
    with pytest.raises(Forbidden):
        take(manager, grant_id, at)


def test_the_last_head_office_manager_stays(brands, node, head, make_person, give, take, act):
    at = node(brands[0])
    with_one = give(None, head, "head_office_manager", at)
    with pytest.raises(Conflict, match="without a head-office manager"):
        take(head, with_one, at)
    # A manager of another brand, a disabled one, and marketing do not count.
    make_person("elsewhere", ("head_office_manager", node(brands[1])))
    make_person("marketing", ("head_office_marketing", at))
    gone = make_person("gone", ("head_office_manager", at))
    act(roles.set_disabled, head, gone, True)
    with pytest.raises(Conflict):
        take(head, with_one, at)
    act(roles.set_disabled, head, gone, False)
    take(head, with_one, at)


def test_disabling_the_last_manager_is_refused_even_between_two(
    brands, node, head, make_person, act
):
    other = make_person("other", ("head_office_manager", node(brands[0])))
    act(roles.set_disabled, head, other, True)
    with pytest.raises(Forbidden, match="yourself"):
        act(roles.set_disabled, head, head, True)


def test_two_managers_who_remove_each_other_at_once_leave_one(
    brands, node, head, make_person, give, take, tenancy, catalogue, held
):
    at, other = node(brands[0]), make_person("other")
    heads = give(None, head, "head_office_manager", at)
    others = give(head, other, "head_office_manager", at)
    done, refused = threading.Event(), []

    def second():
        try:
            take(None, heads, at)
        except Conflict as error:
            refused.append(error)
        done.set()

    thread = threading.Thread(target=second)
    with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
        roles.revoke(s, others, at, by=None, catalogue=catalogue)
        thread.start()
        # The second must wait for this transaction; if it does not, it has seen two managers.
        assert not done.wait(0.5)
    thread.join()
    assert len(refused) == 1
    assert len(held(head.id)) + len(held(other.id)) == 1


def test_inviting_somebody_new_makes_account_role_and_link(
    brands, node, manager, tenancy, invite, held
):
    at = node(brands[0], store=1)
    made = invite(manager, "New@People.example", "till_staff", at)
    assert made.purpose == "invite"
    assert held(made.user_id) == {("till_staff", "store", at.store_id)}
    with tenancy.control() as s:
        assert links.look(s, made.token).email == "new@people.example"
        (entry,) = [e for e in directory.people_of_store(s, at) if e.user_id == made.user_id]
    assert entry.pending


def test_inviting_again_before_the_first_was_used_gives_a_fresh_link(
    brands, node, manager, tenancy, invite
):
    at = node(brands[0], store=1)
    first = invite(manager, "new@people.example", "till_staff", at)
    second = invite(manager, "new@people.example", "till_staff", at)
    with tenancy.control() as s:
        assert links.look(s, second.token)
        with pytest.raises(NotFound):
            links.look(s, first.token)


@pytest.mark.parametrize(
    ("email", "name", "field"),
    [
        ("not an address", "Pat", "email"),
        ("pat@", "Pat", "email"),
        ("pat@people.example", "  ", "name"),
        ("pat@people.example", "x" * 121, "name"),
        ("pat@people.example\nBcc: all@people.example", "Pat", "email"),
    ],
)
def test_a_bad_invitation_names_the_field(brands, node, manager, invite, email, name, field):
    with pytest.raises(Invalid) as caught:
        invite(manager, email, "till_staff", node(brands[0], store=1), name)
    assert list(caught.value.fields) == [field]


def test_inviting_somebody_of_elsewhere_gives_no_power_over_their_account(
    brands, node, manager, make_person, tenancy, catalogue, invite, held
):
    """The danger: a store's manager "invites" a head-office manager and gets a link that lets
    whoever holds it choose their password."""
    at = node(brands[0], store=1)
    boss = make_person("boss", ("head_office_manager", node(brands[1])))
    made = invite(manager, "boss@people.example", "till_staff", at)
    assert made.purpose == "join"
    assert held(boss.id) == {("head_office_manager", "brand", brands[1].id)}
    # The manager cannot use it themselves …
    with pytest.raises(NotFound, match="somebody else"):
        roles.accept(tenancy, made.token, manager, catalogue)
    # … which does not burn it; the invited one, signed in, can.
    roles.accept(tenancy, made.token, boss, catalogue)
    assert ("till_staff", "store", at.store_id) in held(boss.id)
    with pytest.raises(NotFound, match="has been used"):
        roles.accept(tenancy, made.token, boss, catalogue)


def test_somebody_of_the_same_store_but_of_higher_rank_gets_an_offer_only(
    brands, node, manager, make_person, invite
):
    at = node(brands[0], store=1)
    make_person("owner", ("store_owner", at))
    assert invite(manager, "owner@people.example", "till_staff", at).purpose == "join"


def test_a_colleague_within_reach_simply_gets_the_role(
    brands, node, manager, make_person, invite, held
):
    at = node(brands[0], store=1)
    pat = make_person("pat", ("till_staff", at))
    made = invite(manager, "pat@people.example", "store_manager", at)
    assert (made.purpose, made.token) == (None, None)
    assert ("store_manager", "store", at.store_id) in held(pat.id)


def test_somebody_invited_elsewhere_and_not_arrived_yet_is_not_taken_over(
    brands, node, manager, make_person, tenancy, invite, held
):
    """First brand invites pat, who has not chosen a password. The second brand's grant must not
    fall to whoever holds the first brand's link."""
    there = make_person("there", ("store_manager", node(brands[1], store=1)))
    first = invite(manager, "pat@people.example", "till_staff", node(brands[0], store=1))
    second = invite(there, "pat@people.example", "till_staff", node(brands[1], store=1))
    assert (first.purpose, second.purpose) == ("invite", "join")
    assert {kind for _role, kind, _id in held(first.user_id)} == {"store"}
    assert len(held(first.user_id)) == 1
    with tenancy.control() as s:
        assert links.look(s, first.token).purpose == "invite"  # nor was the first one killed


def test_an_account_without_roles_or_password_starts_anew_and_its_old_link_dies(
    brands, node, manager, make_person, tenancy, invite, take, give
):
    at = node(brands[0], store=1)
    old = invite(manager, "pat@people.example", "till_staff", at)
    with tenancy.control() as s:
        (entry,) = [e for e in directory.people_of_store(s, at) if e.user_id == old.user_id]
    take(manager, entry.grant_id, at)
    there = make_person("there", ("store_manager", node(brands[1], store=1)))
    new = invite(there, "pat@people.example", "till_staff", node(brands[1], store=1))
    assert new.purpose == "invite"
    with tenancy.control() as s, pytest.raises(NotFound):
        links.look(s, old.token)


def test_an_offer_falls_with_the_one_who_made_it(
    brands, node, manager, head, make_person, tenancy, catalogue, invite, take, act, held
):
    at = node(brands[0], store=1)
    boss = make_person("boss", ("head_office_manager", node(brands[1])))
    made = invite(manager, "boss@people.example", "till_staff", at)
    act(roles.set_disabled, head, manager, True)
    with pytest.raises(Conflict, match="no longer stands"):
        roles.accept(tenancy, made.token, boss, catalogue)
    act(roles.set_disabled, head, manager, False)
    with tenancy.control() as s:
        (entry,) = [e for e in directory.people_of_store(s, at) if e.user_id == manager.id]
    take(head, entry.grant_id, at)
    with pytest.raises(Conflict):
        roles.accept(tenancy, made.token, boss, catalogue)
    assert len(held(boss.id)) == 1


def test_an_offer_is_withdrawn_at_its_place_only(
    brands, node, manager, make_person, tenancy, catalogue, invite
):
    at = node(brands[0], store=1)
    boss = make_person("boss", ("head_office_manager", node(brands[1])))
    made = invite(manager, "boss@people.example", "till_staff", at)
    with tenancy.control() as s:
        (offer,) = directory.offers_at(s, at)
        assert directory.offers_at(s, node(brands[0], store=2)) == []
        assert directory.offers_at(s, node(brands[1], store=1)) == []
        assert directory.offers_at(s, node(brands[0])) == []
    with (
        pytest.raises(NotFound),
        tenancy.session(Scope.operator(node(brands[1]).brand_id), write=True) as s,
    ):
        offers.withdraw(s, offer.link_id, node(brands[1]), by=boss, catalogue=catalogue)
    with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
        offers.withdraw(s, offer.link_id, at, by=manager, catalogue=catalogue)
    with pytest.raises(NotFound):
        roles.accept(tenancy, made.token, boss, catalogue)


@pytest.mark.parametrize("verb", ["reset", "disable"])
def test_an_account_is_changed_only_by_who_controls_all_its_roles(
    brands, node, manager, head, make_person, give, act, verb
):
    at = node(brands[0], store=1)

    def change(by, person):
        if verb == "reset":
            return act(roles.reset_link, by, person)
        return act(roles.set_disabled, by, person, True)

    own = make_person("own", ("till_staff", at))
    change(manager, own)
    for name, more in {
        "both-stores": ("till_staff", node(brands[0], store=2)),
        "both-brands": ("till_staff", node(brands[1], store=1)),
        "owner": ("store_owner", at),
        "head-too": ("head_office_marketing", node(brands[0])),
    }.items():
        other = make_person(name, ("till_staff", at), more)
        with pytest.raises(Forbidden, match="beyond your reach"):
            change(manager, other)
    nobody = make_person("nobody")  # holds nothing anywhere: nobody's to change
    with pytest.raises(Forbidden):
        change(head, nobody)


def test_owner_controls_the_staff_of_all_their_stores(brands, node, make_person, act):
    owner = make_person("owner", ("store_owner", node(brands[0], owner=1)))
    mine = make_person("mine", ("store_manager", node(brands[0], store=1)))
    theirs = make_person("theirs", ("store_manager", node(brands[0], store=2)))
    assert act(roles.reset_link, owner, mine)
    with pytest.raises(Forbidden):
        act(roles.reset_link, owner, theirs)


def test_a_role_gained_after_the_look_blocks_the_reset(
    brands, node, manager, make_person, tenancy, catalogue, give
):
    pat = make_person("pat", ("till_staff", node(brands[0], store=1)))
    nodes = roles.nodes_of(tenancy, pat.grants, SYSTEM)
    give(None, pat, "head_office_manager", node(brands[1]))
    with (
        pytest.raises(Forbidden),
        tenancy.session(Scope.operator(manager.grants[0].brand_id), write=True) as s,
    ):
        roles.reset_link(s, pat.id, by=manager, nodes=nodes, catalogue=catalogue)


def test_the_link_of_a_withdrawn_invitation_opens_nothing(
    tenancy, brands, node, manager, invite, take
):
    at = node(brands[0], store=1)
    made = invite(manager, "new@people.example", "till_staff", at)
    with tenancy.control() as s:
        assert links.look(s, made.token).purpose == "invite"
        held = directory.people_of_store(s, at)
    entry = next(one for one in held if one.email == "new@people.example")
    take(manager, entry.grant_id, at)
    with tenancy.control() as s, pytest.raises(NotFound):
        links.look(s, made.token)


def test_a_reset_for_somebody_who_never_arrived_is_an_invitation(
    brands, node, manager, tenancy, invite, act, reload
):
    from types import SimpleNamespace

    made = invite(manager, "new@people.example", "till_staff", node(brands[0], store=1))
    token = act(roles.reset_link, manager, SimpleNamespace(id=made.user_id))
    with tenancy.control() as s:
        assert links.look(s, token).purpose == "invite"


@pytest.mark.parametrize(
    ("kind", "word", "found"),
    [
        ("store", "harbour-2", "store"),
        ("store", " HARBOUR-2 ", "store"),
        ("store", "102", "store"),
        ("owner", "owner-2", "owner"),
        ("region", "coast", "region"),
        ("brand", "", "brand"),
    ],
)
def test_a_place_is_found_by_what_a_person_types(brands, tenancy, kind, word, found):
    found_node = roles.find_node(tenancy, brands[0].row, kind, word, SYSTEM)
    assert found_node.kind == found
    if kind == "store":
        second = brands[0].stores[1]
        assert (found_node.store_id, found_node.owner_id) == (second.id, second.owner_id)


@pytest.mark.parametrize(
    ("kind", "word"), [("store", "quarry-1"), ("store", ""), ("owner", "owner-9"), ("region", "\0")]
)
def test_a_place_of_another_brand_is_not_found(brands, tenancy, kind, word):
    with pytest.raises(Invalid) as caught:
        roles.find_node(tenancy, brands[0].row, kind, word, SYSTEM)
    assert "where" in caught.value.fields


def test_lists_show_who_reaches_a_place_and_nobody_else(brands, node, make_person, tenancy):
    at = node(brands[0], store=1)
    make_person("a-staff", ("till_staff", at))
    make_person("b-owner", ("store_owner", node(brands[0], owner=1)))
    make_person("c-region", ("regional_manager", node(brands[0], region=True)))
    make_person("d-head", ("head_office_manager", node(brands[0])))
    make_person("x-staff", ("till_staff", node(brands[0], store=2)))
    make_person("y-owner", ("store_owner", node(brands[0], owner=2)))
    make_person("z-other", ("head_office_manager", node(brands[1])), ("till_staff", at))
    with tenancy.control() as s:
        store = [e.email.split("@")[0] for e in directory.people_of_store(s, at)]
        office = [e.email.split("@")[0] for e in directory.people_of_brand(s, brands[0].id)]
        found = [e.email for e in directory.people_of_brand(s, brands[0].id, text="X-St")]
        wild = directory.people_of_brand(s, brands[0].id, text="%")
        other = [e.email.split("@")[0] for e in directory.people_of_brand(s, brands[1].id)]
    assert store == ["a-staff", "z-other", "b-owner", "c-region", "d-head"]
    assert office == ["b-owner", "c-region", "d-head", "y-owner"]
    assert found == ["x-staff@people.example"]
    assert wild == []
    assert other == ["z-other"]


def test_a_long_list_goes_on_where_it_stopped(brands, node, make_person, tenancy):
    for name in ("p1", "p2", "p3"):
        make_person(
            name,
            ("head_office_marketing", node(brands[0])),
            ("store_owner", node(brands[0], owner=1)),
        )
    seen, after = [], None
    for _page in range(4):
        with tenancy.control() as s:
            page = directory.people_of_brand(s, brands[0].id, after=after, limit=2)
        seen += [(e.email, e.grant.role) for e in page]
        if not page:
            break
        after = page[-1].cursor
    assert len(seen) == len(set(seen)) == 6
    with tenancy.control() as s:
        assert len(directory.people_of_brand(s, brands[0].id, after="p2|not-an-id")) == 4


def test_doors_are_the_places_that_one_may_enter(brands, node, make_person, tenancy):
    both = make_person(
        "both",
        ("head_office_marketing", node(brands[0])),
        ("till_staff", node(brands[1], store=2)),
        ("store_owner", node(brands[0], owner=2)),
    )
    doors = directory.doors(tenancy, both.grants, SYSTEM)
    assert [d.path for d in doors] == [
        "/office/harbour/",
        *sorted(["/store/harbour/harbour-2/", "/store/quarry/quarry-2/"]),
    ]
    region = make_person("region", ("regional_manager", node(brands[1], region=True)))
    assert [d.store_slug for d in directory.doors(tenancy, region.grants, SYSTEM)] == [
        "quarry-1",
        "quarry-2",
    ]
    assert directory.doors(tenancy, (), SYSTEM) == []


def test_names_are_given_for_nodes_of_this_brand_only(brands, node, tenancy):
    mine, other = node(brands[0], store=1), node(brands[1], store=1)
    names = directory.names_of_nodes(
        tenancy,
        brands[0].row,
        [
            mine.grant("till_staff"),
            other.grant("till_staff"),
            Node(brands[0].id, "brand").grant("x"),
        ],
        SYSTEM,
    )
    assert names == {
        ("brand", brands[0].id): "Harbour",
        ("store", brands[0].stores[0].id): "Harbour 1",
    }
