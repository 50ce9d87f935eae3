"""Where stores own their customers, head office's pages do not change with a few people there:
whatever would tell of fewer than five stands on none of them.
"""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from flask import Flask

from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.kit.brands import make_brand
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet.sdk import ctx_of
from highstreet_points_club import rewards
from highstreet_tenants import clock
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts, logins, operate, roles
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from probe import arguments
from probe.world import CLUB, PROGRAMME, TOOLS, World

ROLES = ("head_office_manager", "head_office_marketing", "regional_manager")
_LOOSE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}"  # ids
    r'|name="csrf_token" value="[^"]*"'
    r"|\d\d:\d\d"  # the time of day
)


def test_head_offices_pages_do_not_change_with_a_few_people(
    app_module: Flask, database_module: Any
) -> None:
    world = World(app_module, database_module)
    brand = make_brand(world.house.tenancy, "mire", "store")
    with world.house.tenancy.control() as c:
        brand.row = c.get_one(Brand, brand.id)
    with world.house.tenancy.session(Scope.brand(brand.row), write=True) as s:
        for tool in TOOLS:
            policy.set_policy(s, tool, "required")
        settings.put(s, CLUB, PROGRAMME)
    readers = {role: _reader(world, brand, role) for role in ROLES}
    _visit(world, brand, "Ann", 90)
    before = {role: _pages(world, brand, client) for role, client in readers.items()}
    _visit(world, brand, "Bea", 45)
    changed = []
    for role, client in readers.items():
        after = _pages(world, brand, client)
        assert len(after) > 5, role
        changed += [f"{role}: {page}" for page in after if after[page] != before[role].get(page)]
    database_module.empty()
    assert not changed


def _reader(world: World, brand: Any, role: str) -> Any:
    email = f"{role}.{uuid4().hex[:8]}@people.example"
    user_id = operate.create_user(world.house, email, role)
    node = Node.of(brand.row)
    if role == "regional_manager":
        node = Node(brand.id, brand.customers, region_id=brand.region_id)
    with world.house.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        roles.grant(c, user_id, role, node, by=None, catalogue=world.catalogue)
        user = accounts.get_user(c, user_id)
        token = logins.start_session(c, user, logins.Visit("127.0.0.1", "probe")).token
    client = world.app.test_client()
    client.set_cookie("hs-session", token, domain="localhost")
    return client


def _visit(world: World, brand: Any, name: str, days: int) -> None:
    """Somebody joins, buys (so many days ago), collects points and spends them."""
    store = brand.stores[0]
    with world.house.tenancy.session(Scope.store(brand.id, store.id), write=True) as s:
        one = customers.enrol(s, name=f"{name} Quill", phone="+49 30 1234567")
        at = clock.now() - timedelta(days=days)
        basket = PurchaseIn(store.id, f"V{uuid4().hex}", at, 4321, "GBP", one.id)
        purchases.record(s, basket)
        rewards.redeem_now(ctx_of(s, CLUB), one.id, "lunch")
        assert s.get_one(Store, (brand.id, store.id)).name


def _pages(world: World, brand: Any, client: Any) -> dict[str, str]:
    """Every page of both consoles that opens, without what differs each time anyway."""
    found = {}
    values = {"brand": brand.slug, "store": brand.stores[0].slug, "slug": brand.stores[0].slug}
    for rule in world.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or "brand" not in rule.arguments:
            continue
        loose = rule.arguments - set(values)
        if loose - {"tool"}:
            continue
        for tool in arguments.FREE["tool"] if loose else (None,):
            given = {k: v for k, v in values.items() if k in rule.arguments}
            path = world.app.url_map.bind("localhost").build(
                rule.endpoint, given | ({"tool": tool} if tool else {})
            )
            answer = client.get(path)
            if answer.status_code == 200:
                found[path] = _LOOSE.sub("", answer.text)
    return found
