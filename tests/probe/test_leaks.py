"""Whoever walks the house with what is not theirs in hand sees and changes nothing of it."""

import pytest

from probe import walk
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


@pytest.mark.parametrize("name", walk.NAMES)
def test_routes_keep_their_secrets(world: World, name: str) -> None:
    if world.database.kind == "postgresql" and name not in walk.FEW:
        pytest.skip("walked on SQLite")
    walk.record_names(world.app)
    actor = walk.actors(world)[name]
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
