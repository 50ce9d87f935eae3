"""One at a time, for what no row stands for."""

from __future__ import annotations

from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet_tenants import turns
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.models import Region
from highstreet_tenants.scopes import Scope


def test_what_one_decides_the_next_has_before_it(database: Any, two_brands: Any) -> None:
    """Of twelve that look first, the first three go in, in each brand for itself."""
    database.engine.pool._max_overflow = 30
    gate = Barrier(24)

    def work(brand: Any, number: int) -> None:
        gate.wait()
        with database.tenancy.session(Scope.operator(brand.id), write=True) as s:
            turns.take(s, "three", 3)
            there = s.scalar(
                sa.select(sa.func.count()).select_from(Region).where(*s.scope.owns(Region))
            )
            if there < 4:
                s.add(Region(brand_id=brand.id, slug=f"r{number}", name="R"))

    threads = [
        Thread(target=work, args=(brand, number)) for brand in two_brands for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for brand in two_brands:
        with database.tenancy.session(Scope.operator(brand.id)) as s:
            assert len(s.scalars(sa.select(Region)).all()) == 4, "one was there before"


def test_nobody_reads_with_a_turn(database: Any, two_brands: Any) -> None:
    with (
        pytest.raises(WallBreach),
        database.tenancy.session(Scope.operator(two_brands[0].id)) as s,
    ):
        turns.take(s, "three")
