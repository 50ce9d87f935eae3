"""The probe's world: a probe that looks where nothing is finds nothing."""

from highstreet.kit import marks, rows
from probe.world import World


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
