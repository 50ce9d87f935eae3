"""Whoever walks the house with what is not theirs in hand sees and changes nothing of it: those of
"quarry", whose stores own their customers.
"""

import pytest

from probe import actors, walks
from probe.world import World


@pytest.mark.parametrize(
    ("database_module", "name"),
    actors.walkers("quarry"),
    indirect=["database_module"],
    scope="module",
)
def test_routes_keep_their_secrets(fresh_world: World, name: str) -> None:
    walks.check(fresh_world, name)
