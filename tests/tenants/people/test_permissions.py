"""Who may do what where: every role at every node against every place, and nothing by accident."""

import itertools
from uuid import UUID

import pytest

from highstreet_tenants.people.permissions import (
    ROLES,
    Catalogue,
    KeyScope,
    Permission,
    included_in,
)
from highstreet_tenants.people.tree import Grant, Node, covers, has_role, may, may_grant

B, OTHER = UUID(int=1), UUID(int=2)
R, R2, O1, O2, S, S2 = (UUID(int=n) for n in range(11, 17))


def brand(customers: str = "brand", id_: UUID = B) -> Node:
    return Node(id_, customers)


def store(customers: str = "brand", id_: UUID = S, owner: UUID = O1, region: UUID = R) -> Node:
    return Node(B, customers, region, owner, id_)


# The table that head offices, owners and tills rely on. Written out by hand, not derived.
EXPECTED = {
    "till_staff": {"today.view", "till.use", "customers.read", "customers.write"},
    "store_manager": {
        *("today.view", "till.use", "customers.read", "customers.write", "customers.merge"),
        *("customers.export", "customers.erase", "tools.view", "tools.choose", "settings.edit"),
        *("results.view", "people.view", "people.manage", "keys.manage", "jobs.view"),
        *("imports.run", "tills.manage", "store.results", "webhooks.manage", "trail.view"),
        *("campaigns.answer", "segments.read", "segments.manage", "print.own"),
        *("mailings.read", "mailings.manage", "mailings.approve"),
    },
    "head_office_marketing": {
        *("tools.view", "results.view", "people.view", "office.view", "stores.view"),
        *("policy.view", "campaigns.view", "campaigns.draft", "campaigns.launch"),
        *("segments.read", "segments.office", "email.view", "print.view", "print.draft"),
        *("mailings.read", "mailings.manage"),
    },
}
EXPECTED["store_owner"] = EXPECTED["regional_manager"] = EXPECTED["store_manager"]
EXPECTED["head_office_manager"] = (
    EXPECTED["store_manager"]
    | EXPECTED["head_office_marketing"]
    | {"brand.edit", "stores.edit", "policy.edit", "approvals.decide", "webhooks.office"}
    | {"security.edit", "campaigns.approve", "email.edit", "print.approve"}
)
PERSONAL = {
    "today.view",
    *("till.use", "customers.read", "customers.write", "customers.merge", "customers.export"),
    *("customers.erase", "imports.run", "tills.manage", "store.results", "webhooks.manage"),
    *("segments.read", "segments.manage"),
    *("mailings.read", "mailings.manage", "mailings.approve"),
}
#: All that a staff PIN opens, however much its holder may do with their password.
AT_TILL = {"till.use"}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_holds_what_the_table_says(role):
    assert Catalogue().held_by(role) == EXPECTED[role]


def test_a_pin_leaves_the_till_and_nothing_else():
    tool = Permission("club.redeem", "Hand over", ("till_staff",), personal=True, at_till=True)
    assert Catalogue().at_till == AT_TILL
    assert Catalogue([tool]).at_till == AT_TILL | {"club.redeem"}


def test_a_role_that_nobody_declared_holds_nothing():
    assert Catalogue().held_by("king") == frozenset()
    assert not may([Grant(B, "brand", B, "king")], "office.view", brand(), Catalogue())
    assert not has_role([Grant(B, "brand", B, "king")], brand())


NODES = {
    "brand": Node(B, "brand"),
    "region": Node(B, "brand", region_id=R),
    "region 2": Node(B, "brand", region_id=R2),
    "owner": Node(B, "brand", owner_id=O1),
    "owner 2": Node(B, "brand", owner_id=O2),
    "store": store(),
    "store 2": store(id_=S2, owner=O2, region=R2),
    "sister store": store(id_=UUID(int=99), owner=O1, region=R2),
    "store of nobody": Node(B, "brand", store_id=UUID(int=98)),
    "other brand": Node(OTHER, "brand"),
    "other brand's store": Node(OTHER, "brand", R, O1, S),  # same ids, another brand
}
REACHED = {
    "brand": set(NODES) - {"other brand", "other brand's store"},
    "region": {"region", "store"},
    "owner": {"owner", "store", "sister store"},
    "store": {"store"},
}
AT = {"brand": B, "region": R, "owner": O1, "store": S}


@pytest.mark.parametrize(("kind", "name"), list(itertools.product(AT, NODES)))
def test_a_grant_reaches_its_node_and_what_lies_below(kind, name):
    grant = Grant(B, kind, AT[kind], "store_manager")
    assert covers(grant, NODES[name]) is (name in REACHED[kind])


@pytest.mark.parametrize(
    ("role", "kind", "name"), list(itertools.product(ROLES, AT, NODES)), ids=lambda v: str(v)
)
def test_the_whole_matrix(role, kind, name):
    catalogue, grant = Catalogue(), Grant(B, kind, AT[kind], role)
    for permission in catalogue.permissions:
        expected = name in REACHED[kind] and permission in EXPECTED[role]
        assert may([grant], permission, NODES[name], catalogue) is expected, permission
        # Where stores own their customers, nobody above the owner reaches people.
        theirs = Node(
            NODES[name].brand_id,
            "store",
            NODES[name].region_id,
            NODES[name].owner_id,
            NODES[name].store_id,
        )
        if permission in PERSONAL and kind in ("brand", "region"):
            expected = False
        assert may([grant], permission, theirs, catalogue) is expected, permission


def test_without_a_grant_nothing_may_be_done():
    catalogue = Catalogue()
    assert not any(may([], name, store(), catalogue) for name in catalogue.permissions)
    assert not has_role([], store())


def test_an_unknown_permission_is_held_by_nobody():
    grant = Grant(B, "brand", B, "head_office_manager")
    assert not may([grant], "till.ues", brand(), Catalogue())


def test_grants_add_up_and_do_not_leak_into_one_another():
    # Till staff in one store and owner of another: neither lends the other its power.
    grants = [Grant(B, "store", S, "till_staff"), Grant(B, "store", S2, "store_owner")]
    catalogue = Catalogue()
    assert may(grants, "till.use", store(), catalogue)
    assert not may(grants, "keys.manage", store(), catalogue)
    assert may(grants, "keys.manage", store(id_=S2), catalogue)


def test_a_tools_permission_goes_to_the_roles_it_names_and_those_that_include_them():
    catalogue = Catalogue([Permission("club.adjust", "Adjust points", ("store_manager",), True)])
    holders = {role for role in ROLES if "club.adjust" in catalogue.held_by(role)}
    assert holders == {"store_manager", "store_owner", "regional_manager", "head_office_manager"}


def test_a_tools_permission_for_no_role_still_has_one_who_may_grant_it():
    catalogue = Catalogue([Permission("club.audit", "Audit", ())])
    assert [r for r in ROLES if "club.audit" in catalogue.held_by(r)] == ["head_office_manager"]


def test_a_tools_permission_may_be_given_to_a_key_by_who_holds_it():
    catalogue = Catalogue([Permission("club.adjust", "Adjust points", ("store_manager",))])
    assert catalogue.scopes["club.adjust"].permission == "club.adjust"


def test_a_permission_added_late_is_not_missed():
    catalogue = Catalogue()
    assert "club.late" not in catalogue.held_by("till_staff")
    catalogue.add(Permission("club.late", "Late", ("till_staff",)))
    assert "club.late" in catalogue.held_by("till_staff")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda c: c.add(Permission("till.use", "Again", ())),
        lambda c: c.add(Permission("x.y", "X", ("no_such_role",))),
        lambda c: c.add_scope(KeyScope("till.read", "Again", "till.use")),
        lambda c: c.add_scope(KeyScope("x.read", "X", "no.such.permission")),
    ],
)
def test_a_wrong_declaration_is_refused(wrong):
    with pytest.raises(ValueError, match=r"declared twice|unknown"):
        wrong(Catalogue())


GRANTABLE = {
    # (holder's role, kind of the holder's node) → roles that may be given in the store below it
    ("till_staff", "store"): set(),
    ("head_office_marketing", "brand"): set(),
    ("store_manager", "store"): {"till_staff", "store_manager"},
    ("store_owner", "store"): {"till_staff", "store_manager", "store_owner"},
    ("store_owner", "owner"): {"till_staff", "store_manager", "store_owner"},
    ("regional_manager", "region"): {"till_staff", "store_manager"},
    ("head_office_manager", "brand"): {"till_staff", "store_manager", "store_owner"},
}


@pytest.mark.parametrize("customers", ["brand", "store"])
@pytest.mark.parametrize("holder", GRANTABLE)
def test_nobody_gives_more_than_they_hold(holder, customers):
    role, kind = holder
    grants = [Grant(B, kind, AT[kind], role)]
    given = {r for r in ROLES if may_grant(grants, r, store(customers), Catalogue())}
    assert given == GRANTABLE[holder]
    assert not any(
        may_grant(grants, r, store(customers, id_=S2, owner=O2, region=R2), Catalogue())
        for r in ROLES
        if kind != "brand"
    )


def test_only_head_office_gives_roles_in_head_office():
    catalogue = Catalogue()
    manager = [Grant(B, "brand", B, "head_office_manager")]
    assert {r for r in ROLES if may_grant(manager, r, brand(), catalogue)} == {
        "head_office_marketing",
        "head_office_manager",
    }
    assert may_grant(manager, "regional_manager", NODES["region"], catalogue)
    assert may_grant(manager, "store_owner", NODES["owner"], catalogue)
    for kind, role in (
        ("store", "store_owner"),
        ("owner", "store_owner"),
        ("region", "regional_manager"),
    ):
        lesser = [Grant(B, kind, AT[kind], role)]
        assert not any(may_grant(lesser, r, brand(), catalogue) for r in ROLES)


def test_a_role_is_given_only_at_its_kind_of_node():
    manager = [Grant(B, "brand", B, "head_office_manager")]
    assert not may_grant(manager, "till_staff", brand(), Catalogue())
    assert not may_grant(manager, "head_office_manager", store(), Catalogue())
    assert not may_grant(manager, "no_such_role", brand(), Catalogue())


def test_who_may_give_a_role_holds_all_that_it_holds_whatever_tools_add():
    catalogue = Catalogue(
        [Permission(f"club.{role}", "Only for one role", (role,)) for role in ROLES]
    )
    for giver, given in itertools.product(ROLES, ROLES):
        if given in included_in(giver):
            assert catalogue.held_by(given) <= catalogue.held_by(giver), (giver, given)
