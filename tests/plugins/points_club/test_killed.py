"""kill -9 in the middle of anything, twenty times: the ledger is sound after each."""

from __future__ import annotations

import os
import signal
import time
from random import Random
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.customers import service as customers
from highstreet.purchases.facts import PurchaseFact
from highstreet_points_club import corrections, history, lapse, rewards
from highstreet_points_club.models import Entry
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import Tenancy

from .conftest import COFFEE, FREE, MONEY, Shop

KILLS = 20


def busy(shop: Shop, members: list[UUID], seed: int, ready: int) -> None:
    """Buy, bring back, hold, hand over, correct, merge and sweep, until killed."""
    dice = Random(seed)
    bought: list[PurchaseFact] = []
    for number in range(100_000):
        os.write(ready, b".")
        who, other = dice.sample(members, 2)
        try:
            with shop.session(shop.club, number % 2) as s:
                ctx = shop.ctx(s)
                deed = dice.randrange(10)
                if deed < 4:
                    ref = f"{seed}-{number}"
                    bought.append(shop.buy(s, who, dice.randrange(100, 9000), ref=ref))
                elif deed == 4 and bought:
                    shop.bring_back(s, dice.choice(bought), dice.randrange(1, 500))
                elif deed == 5:
                    rewards.hold(ctx, who, "coffee")
                elif deed == 6:
                    rewards.redeem_now(ctx, who, "money", steps=dice.randrange(1, 4))
                elif deed == 7:
                    for one in history.balance(ctx, who).rewards:
                        dice.choice((rewards.redeem, rewards.release))(ctx, one.id)
                elif deed == 8:
                    corrections.adjust(ctx, who, dice.choice((-90, 60)), "Killed or not")
                elif dice.random() < 0.1:
                    customers.merge(s, who, other)
                else:
                    lapse.sweep(ctx)
        except HighstreetError:
            pass  # nothing to take, or merged already


def killed_after(deeds: int, shop: Shop, members: list[UUID], seed: int, moment: float) -> None:
    """Another process is busy, and a moment (seconds) into the next of its deeds is no more."""
    heard, ready = os.pipe()
    child = os.fork()
    if not child:
        try:
            # Connections are the parent's: the child has its own, and leaves those as they are.
            shop.database.engine.dispose(close=False)
            engine = sa.create_engine(shop.database.engine.url)
            prepared = shop.database.tenancy.on_open
            shop.database.tenancy = Tenancy(engine)
            shop.database.tenancy.on_open = prepared
            busy(shop, members, seed, ready)
        finally:
            os._exit(1)
    os.close(ready)
    for _deed in range(deeds + 1):
        assert os.read(heard, 1) == b"."
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.close(heard)
    _pid, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL, "it ended by itself"


def test_twenty_kills_leave_nothing_half_done(shop: Shop) -> None:
    shop.set_up(
        shop.club, rewards=[COFFEE, MONEY, FREE | {"points": 150}], idle_months=1, pending_days=0
    )
    with shop.session(shop.club) as s:
        members = [shop.member(s, f"Member {number}").id for number in range(12)]
    dice, written = Random(9), []
    for kill in range(KILLS):
        killed_after(dice.randrange(3, 9), shop, members, 1_000 * kill, dice.uniform(0, 0.02))
        shop.sound(shop.club)
        with shop.operator(shop.club, write=False) as s:
            written.append(int(_count(s)))
    assert written == sorted(written)
    assert written[-1] > KILLS, "something was done before each kill"


def _count(s: Any) -> Any:
    return s.scalar(sa.select(sa.func.count()).select_from(Entry).where(*s.scope.owns(Entry)))
