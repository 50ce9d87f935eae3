"""Chains change: stores are sold, renamed, moved, closed; and two people apply at once."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from highstreet.blueprints import tree
from highstreet.blueprints.apply import apply
from highstreet.blueprints.changes import Outcome
from highstreet.host import Host, state
from highstreet.kit.databases import Database
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.scopes import Scope

Write = Callable[..., Path]

CHAIN = """
[brand]
slug = "harbour-bakery"
name = "Harbour Bakery"
currency = "GBP"
locale = "en_GB"
zone = "Europe/London"
customers = "brand"

[[regions]]
slug = "coast"
name = "Coast"

[[regions]]
slug = "hills"
name = "Hills"

[[owners]]
slug = "finch"
name = "Finch & Sons"

[[owners]]
slug = "wren"
name = "Wren"

[[stores]]
slug = "quay"
code = "1"
name = "The Quay"
region = "coast"
owner = "finch"

[[stores]]
slug = "mill"
code = "2"
name = "The Mill"
region = "hills"
owner = "finch"

[[users]]
email = "mo@bakery.example.org"
name = "Mo Finch"
roles = [{ role = "store_owner", owner = "finch" }]

[tools.points_club]
policy = "default_on"
regions = { hills = "forbidden" }
"""

#: What was edited in the file, and how that is told.
EDITS = {
    "sold": (
        ('name = "The Mill"\nregion = "hills"\nowner = "finch"',
         'name = "The Mill"\nregion = "hills"\nowner = "wren"'),
        ["~ store mill (owner: finch → wren)"],
    ),
    "moved": (
        ('name = "The Quay"\nregion = "coast"', 'name = "The Quay"\nregion = "hills"'),
        ["~ store quay (region: coast → hills)"],
    ),
    "headless": (
        ('region = "coast"\nowner = "finch"\n', ""),
        ["~ store quay (region: coast → —, owner: finch → —)"],
    ),
    "renamed": (
        ('name = "The Quay"', 'name = "The Old Quay"\nopened_on = 1999-05-01'),
        ["~ store quay (opened_on: — → 1999-05-01, name: The Quay → The Old Quay)"],
    ),
    "closed": (
        ('name = "The Mill"', 'name = "The Mill"\nstatus = "closed"'),
        ["~ store mill (status: open → closed)"],
    ),
    "region renamed": (
        ('name = "Hills"', 'name = "The Hills"'),
        ["~ region hills (name: Hills → The Hills)"],
    ),
    "owner renamed": (
        ('name = "Wren"', 'name = "Wren Ltd"'),
        ["~ owner wren (legal_name: Wren → Wren Ltd, name: Wren → Wren Ltd)"],
    ),
    "codes exchanged": (
        None,
        ["~ store quay (code: 1 → 2)", "~ store mill (code: 2 → 1)"],
    ),
    "another name and place": (
        ('slug = "harbour-bakery"\nname = "Harbour Bakery"',
         'slug = "harbour-bakery"\nname = "Harbour Bread"\naccent = "#1f6f4a"'),
        ["~ brand harbour-bakery (accent: — → #1f6f4a, name: Harbour Bakery → Harbour Bread)"],
    ),
}  # fmt: skip


def edited(what: str) -> str:
    change, _told = EDITS[what]
    if change is None:
        return CHAIN.replace('"1"', "?").replace('"2"', '"1"').replace("?", '"2"')
    assert change[0] in CHAIN
    return CHAIN.replace(*change)


def run(database: Database, host: Host, path: Path, *, dry_run: bool = False) -> Outcome:
    return apply(database.tenancy, host, path, dry_run=dry_run)


def everything(database: Database) -> dict[str, set[str]]:
    """All rows of the brand's tree, by table."""
    with database.tenancy.control() as s:
        brand_id = s.scalar(sa.select(Brand.id).where(Brand.slug == "harbour-bakery"))
    assert brand_id is not None
    found: dict[str, set[str]] = {}
    with database.tenancy.session(Scope.operator(brand_id)) as s:
        brand = s.get_one(Brand, brand_id)
        rows = [
            brand,
            *(row for model in (Region, Owner, Store) for row in s.scalars(sa.select(model))),
        ]
        for row in rows:
            values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
            found.setdefault(row.__tablename__, set()).add(str(values))
    return found


@pytest.mark.parametrize("what", EDITS)
def test_a_change_is_told_tried_done_and_then_there_is_nothing_to_do(
    database: Database, host: Host, write: Write, what: str
) -> None:
    run(database, host, write(CHAIN))
    before = everything(database)
    path = write(edited(what))
    tried = run(database, host, path, dry_run=True)
    assert everything(database) == before
    done = run(database, host, path)
    assert [str(change) for change in done.changes] == EDITS[what][1]
    assert (done.changes, done.left) == (tried.changes, tried.left)
    assert everything(database) != before
    assert run(database, host, path).changes == []
    back = run(database, host, write(CHAIN))
    assert len(back.changes) == len(done.changes)


def test_a_store_takes_over_the_policy_of_its_new_region(
    database: Database, host: Host, write: Write
) -> None:
    run(database, host, write(CHAIN))
    with database.tenancy.control() as s:
        brand_id = s.scalar(sa.select(Brand.id))
    for text, on in ((CHAIN, True), (edited("moved"), False), (CHAIN, True)):
        run(database, host, write(text))
        with database.tenancy.session(Scope.operator(brand_id)) as s:
            quay = s.scalars(sa.select(Store.id).where(Store.slug == "quay")).one()
            assert state.is_on(s, "points_club", quay) is on


def test_an_apply_that_stops_in_the_middle_leaves_nothing_of_a_new_brand(
    database: Database, host: Host, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(CHAIN)

    def stop(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tree, "_stores", stop)
        for dry_run in (True, False):
            with pytest.raises(KeyboardInterrupt):
                run(database, host, path, dry_run=dry_run)
            with database.tenancy.control() as s:
                assert s.scalars(sa.select(Brand)).all() == []
    assert str(run(database, host, path).changes[0]) == "+ brand harbour-bakery"


def test_two_who_make_the_same_brand_at_once_make_it_once(
    database: Database, host: Host, write: Write
) -> None:
    path = write(CHAIN)
    outcomes: list[Outcome | Exception] = []
    gate = threading.Barrier(4)

    def make() -> None:
        gate.wait()
        try:
            outcomes.append(run(database, host, path))
        except Exception as error:
            outcomes.append(error)

    threads = [threading.Thread(target=make) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(one, Outcome) for one in outcomes), outcomes
    made = [one for one in outcomes if isinstance(one, Outcome) and one.changes]
    assert len(made) == 1
    assert len(everything(database)["core_store"]) == 2
