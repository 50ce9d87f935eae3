"""The club's rows are the account's owner's, on either database."""

from __future__ import annotations

from datetime import UTC

import pytest

from highstreet.sdk import new_id
from highstreet_points_club import accounts, ledger
from highstreet_points_club.models import Account, Entry
from highstreet_points_club.writing import Cause, Change, write
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import SYSTEM

from .conftest import Shop


def test_a_store_writes_nothing_into_another_stores_books(shop: Shop) -> None:
    mine, theirs = shop.shops.stores
    with shop.session(shop.shops, 1) as s:
        who = shop.member(s)
        shop.buy(s, who.id, 500)
        account = accounts.lock_of(s, [who.id])[who.id]
        state = accounts.states(s, [account])[account.id]
    with pytest.raises(WallBreach), shop.session(shop.shops, 0) as s:
        at = shop.ctx(s).now()
        step = ledger.adjust(state, 100, at, new_id, store_id=mine.id)
        write(shop.ctx(s), [Change(account, Cause("adjust", mine.id, UTC, SYSTEM, at), step)])
    with pytest.raises(WallBreach), shop.session(shop.shops, 0) as s:
        accounts.open_many(s, [(new_id(), theirs.id)], shop.ctx(s).now())
    with shop.operator(shop.shops, write=False) as s:
        assert [entry.points for entry in s.query(Entry)] == [5]
        assert [one.balance for one in s.query(Account)] == [5]
    shop.sound(shop.shops)
