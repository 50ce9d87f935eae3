"""Joins by sets are asked for within a block, and in no statement after it."""

import pytest

from highstreet_tenants.scopes import Scope
from highstreet_tenants.sets import by_sets


def _nested(s):
    return s.raw().execute("SHOW enable_nestloop").fetchone()[0]


def test_only_within_the_block(database, two_brands):
    club = two_brands[0]
    with database.tenancy.session(Scope.brand(club.row)) as s:
        if s.dialect == "sqlite":
            with by_sets(s):
                assert s.raw().execute("SELECT 1").fetchone() == (1,)
            return
        with by_sets(s):
            assert _nested(s) == "off"
        assert _nested(s) == "on"
        with pytest.raises(ZeroDivisionError), by_sets(s):
            raise ZeroDivisionError
    with database.tenancy.session(Scope.brand(club.row)) as s:
        assert s.dialect == "sqlite" or _nested(s) == "on", "it ends with its transaction"
