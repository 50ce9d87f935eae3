"""Points for purchases, on both databases, through the real hooks."""

from __future__ import annotations

from decimal import Decimal

import pytest
from conftest import Database

from highstreet.purchases import service as purchases
from highstreet_points_club import history

from .conftest import FREE, NOON, Shop, later, line


def test_a_purchase_earns(shop: Shop) -> None:
    for brand in (shop.club, shop.shops):
        with shop.session(brand) as s:
            who = shop.member(s)
            shop.buy(s, who.id, 1299)
            assert history.balance(shop.ctx(s), who.id).balance == 12
        shop.sound(brand)
