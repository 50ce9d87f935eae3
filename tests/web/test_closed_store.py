"""A store that closes: at once nothing opens it any more that opened its till."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from highstreet.blueprints.apply import apply
from highstreet.host import gating
from highstreet.jobs import Claimed
from highstreet_tenants import clock
from highstreet_tenants.errors import Conflict, Forbidden
from highstreet_tenants.ids import new_id
from highstreet_tenants.people import accounts, keys, pins, tills
from highstreet_tenants.people.logins import Visit, find_person, start_session
from highstreet_tenants.people.passwords import passwords
from highstreet_tenants.people.pins import Pins
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Browser

PIN = "4071"


@pytest.fixture
def blueprint(front: Any, tmp_path: Path) -> Callable[..., Any]:
    """blueprint(closed={0}, owners={1: 0}) applies harbour's, changed like that."""

    def make(
        closed: set[int] = frozenset(),  # type: ignore[assignment]
        owners: dict[int, int] | None = None,
        *,
        dry_run: bool = False,
    ) -> Any:
        it = front.brands[0]
        text = (
            '[brand]\nslug = "harbour"\nname = "Harbour"\ncurrency = "GBP"\nlocale = "en_GB"\n'
            'zone = "Europe/London"\ncustomers = "brand"\n[[regions]]\nslug = "coast"\n'
            'name = "Coast"\n'
        )
        for number in (1, 2):
            text += f'[[owners]]\nslug = "owner-{number}"\nname = "O{number}"\n'
            text += f'legal_name = "O{number} Ltd"\n'
        for number, store in enumerate(it.stores):
            text += f'[[stores]]\nslug = "{store.slug}"\ncode = "{store.code}"\n'
            text += f'name = "Harbour {number + 1}"\nregion = "coast"\n'
            text += f'owner = "owner-{(owners or {}).get(number, number) + 1}"\n'
            text += f'status = "{"closed" if number in closed else "open"}"\n'
        path = tmp_path / "harbour.toml"
        path.write_text(text)
        return apply(front.site.tenancy, front.site.house.host, path, dry_run=dry_run)

    make()
    return make


def set_pin(front: Any, browser: Browser) -> None:
    page = f"{front.store(0)}/pin"
    assert browser.post(page, page, {"pin": PIN, "again": PIN}).status_code == 303


def make_key(front: Any, store: int = 0) -> keys.NewKey:
    catalogue = front.site.catalogue
    node = front.node(0, store)
    with front.site.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        return keys.create_key(c, node, "POS", catalogue.scopes, by=None, catalogue=catalogue)


def ask(front: Any, made: keys.NewKey) -> int:
    with front.site.app.test_client() as client:
        headers = {"Authorization": f"Bearer {made.token}"}
        return int(client.get("/api/v1/store", headers=headers).status_code)


def sell(front: Any, made: keys.NewKey) -> int:
    with front.site.app.test_client() as client:
        headers = {"Authorization": f"Bearer {made.token}", "Idempotency-Key": new_id().hex}
        sent = {"total_minor": 100, "pos_ref": new_id().hex}
        return int(client.post("/api/v1/purchases", headers=headers, json=sent).status_code)


def test_keys_tills_and_pins_end_with_the_store_and_the_other_store_goes_on(
    club: Any, blueprint: Any, owner: Browser, clerk: Browser
) -> None:
    assert blueprint().changes == [], "the brand is as its blueprint says"
    here, there = make_key(club, 0), make_key(club, 1)
    set_pin(club, clerk)
    listed = f"{club.store(0)}/people/tills"
    till = club.person("mina", "store_manager", 0)
    till.post(listed, listed, {"name": "Till 2", "lock": "120"})
    assert till.post("/signin", "/till/unlock", {"pin": PIN}).status_code == 303
    find = f"{club.store(0)}/till/"
    assert till.get(find).status_code == clerk.get(find).status_code == 200
    assert (ask(club, here), sell(club, here), ask(club, there)) == (200, 201, 200)

    rehearsed = blueprint({0}, dry_run=True)
    assert (ask(club, here), till.get(find).status_code) == (200, 200), "it was a rehearsal"
    done = blueprint({0})
    assert list(map(str, rehearsed.changes)) == list(map(str, done.changes))
    assert "API keys: 1 → 0, tills: 1 → 0, PINs: 1 → 0" in str(done.changes[0])

    assert (ask(club, here), sell(club, here)) == (401, 401)
    assert till.get(find).status_code == 303, "whoever had the till open is out"
    assert "PIN" not in till.get("/signin").text, "the device is no till any more"
    assert clerk.get(find).status_code == 403, "a password opens its till no more than a PIN did"
    assert "This store has closed" in clerk.get(find).text
    assert owner.get(f"{club.store(0)}/customers/").status_code == 200, "what was there is there"
    assert (ask(club, there), sell(club, there)) == (200, 201)
    assert blueprint({0}).changes == []


def test_nothing_new_opens_a_store_that_has_closed(
    club: Any, blueprint: Any, owner: Browser
) -> None:
    made_just_then = make_key(club)
    blueprint({0})
    site = club.site
    node = club.node(0, 0)
    with site.tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        user = accounts.find_user(c, "olga@people.example")
        own = find_person(c, start_session(c, user, Visit("", "")).token)
        for make in (
            lambda: keys.create_key(
                c, node, "POS", site.catalogue.scopes, by=None, catalogue=site.catalogue
            ),
            lambda: tills.set_up(c, node, "Till 3", 120, by=own),
        ):
            with pytest.raises(Conflict, match="has closed"):
                make()
    hasher = Pins(passwords("cheap"), "secret")
    with pytest.raises(Forbidden):
        pins.set_pin(site.tenancy, hasher, node, own.id, PIN, by=own, catalogue=site.catalogue)
    # A key that somebody made while the store was being closed.
    with site.tenancy.control(write=True) as c:
        c.get_one(keys.ApiKey, made_just_then.id).revoked_at = None
    assert (ask(club, made_just_then), sell(club, made_just_then)) == (401, 401)


def test_a_store_that_opens_again_begins_with_new_keys_and_pins(
    club: Any, blueprint: Any, clerk: Browser
) -> None:
    made = make_key(club)
    set_pin(club, clerk)
    blueprint({0})
    blueprint()
    assert ask(club, made) == 401
    assert clerk.get(f"{club.store(0)}/till/").status_code == 200
    with club.site.tenancy.control() as c:
        assert pins.pins_of(c, club.node(0, 0)) == {}
    assert ask(club, make_key(club)) == 200


def test_its_tools_jobs_do_not_run_on(club: Any, blueprint: Any) -> None:
    it = club.brands[0]
    store = it.stores[0].id
    at = clock.now()
    job = Claimed(new_id(), it.id, store, "x", "points_club", None, 1, 5, None, new_id(), at)
    with club.session(0) as s:
        assert gating.job_guard(s, job) == "run"
    blueprint({0})
    with club.session(0) as s:
        assert gating.job_guard(s, job) == "skip:The store has closed."
    blueprint()
    with club.session(0) as s:
        assert gating.job_guard(s, job) == "run"


def test_a_store_that_is_sold_does_not_take_its_old_owners_pins_along(
    club: Any, blueprint: Any, clerk: Browser
) -> None:
    site, it = club.site, club.brands[0]
    owners = Node(it.id, "brand", owner_id=club.node(0, 0).owner_id)
    email = site.person("otto", ("store_owner", owners))
    otto = site.browser(email)
    set_pin(club, otto)
    page = f"{club.store(0)}/pin"
    assert clerk.post(page, page, {"pin": "5082", "again": "5082"}).status_code == 303
    blueprint(owners={0: 1})
    with site.tenancy.control() as c:
        clara = accounts.find_user(c, "clara@people.example")
        assert set(pins.pins_of(c, club.node(0, 0))) == {clara.id}, "she works in the store itself"
    blueprint()
    with site.tenancy.control() as c:
        assert set(pins.pins_of(c, club.node(0, 0))) == {clara.id}
