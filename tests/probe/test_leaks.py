"""Whoever walks the house with what is not theirs in hand sees and changes nothing of it."""

import pytest

from probe import actors, marks, recording, rows, walk
from probe.rows import Untouched
from probe.world import World

#: What a store's owner can't open with what the probe sends, and why.
CLOSED = {
    "GET tools.switch": "head office requires the tools",
    "POST tools.resume": "nothing is paused",
    "POST tools.withdraw": "nothing was asked for",
    "POST customers.erase": "the name must be typed",
    "GET customers.export": "of a club no store holds all",
    "POST people.keys.rotate": "the spare key is revoked before",
    "POST people.store_disable": "nobody disables their like",
    "POST people.store_enable": "nobody enables their like",
    "POST people.store_link": "nobody resets the password of their like",
}
CLOSED_TO_TILLS = {
    "POST points_club-api.give_back": "the held reward is not handed over",
    "POST points_club-api.redeem": "the held reward is released before",
    "POST points_club-api.take": "too few points are left",
}


def test_every_table_is_filled_for_each_owner(world: World) -> None:
    found = rows.everything(world.database)
    missing = []
    for table in rows.tenant_tables():
        there = {(row.brand, row.store) for row in found if row.table == table.name}
        for site in world.sites.values():
            if site.store is None:
                if site.brand.id not in {brand for brand, _store in there}:
                    missing.append(f"{table.name} of {site.owner}")
            elif (
                "store_id" in table.c
                and site.owner == site.people
                and (site.brand.id, site.store.id) not in there
            ):
                missing.append(f"{table.name} of {site.owner}")
    assert not missing, f"teach the probe's world to fill {', '.join(missing)}"


def test_each_secret_stands_in_rows_of_its_owner(world: World) -> None:
    owners = {
        (site.brand.id, site.store.id if site.store else None): site.owner
        for site in world.sites.values()
    }
    personal = {table.name: table.info.get("personal", True) for table in rows.tenant_tables()}
    wrong, seen = [], set()
    for row in rows.everything(world.database):
        if row.table not in personal:
            continue
        owner = owners[row.brand, row.store]
        # A store's row may speak of what its brand owns; nothing that all stores read of people.
        kinds = marks.KINDS if personal[row.table] else ("firm",)
        allowed = marks.all_of({owner, marks.brand_of(owner)}, kinds)
        found = marks.found(row.text)
        wrong += [f"{mark} in {row.table} of {owner}" for mark in found - allowed]
        seen |= found
    assert not wrong
    everybody = marks.all_of(world.sites)
    # In quarry nobody's people are the brand's.
    assert everybody - seen == marks.all_of({"quarry"}, {"folk"})


@pytest.mark.parametrize("name", actors.NAMES)
def test_routes_keep_their_secrets(world: World, name: str) -> None:
    if world.database.kind == "postgresql" and name not in actors.FEW:
        pytest.skip("walked on SQLite")
    recording.record_names(world.app)
    actor = actors.actors(world)[name]
    done = walk.Walk(world, actor)
    with Untouched(world, world.foreign(actor.home.owner), done.findings, name):
        done.run()
    print(name, dict(done.counts))
    assert not done.findings, walk.report(done.findings)
    if name.startswith(("owner of", "till of")):
        _opened(done)


def _opened(done: walk.Walk) -> None:
    """A probe that gets in nowhere finds nothing: it must have opened all that is its own."""
    till = done.actor.kind == "key"
    own = {
        f"{method} {rule.endpoint}"
        for rule in done.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1" if till else "/store/")
    }
    assert own - done.opened - set(CLOSED_TO_TILLS if till else CLOSED) == set()
