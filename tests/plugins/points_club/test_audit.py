"""The audit finds whatever somebody changed behind the ledger's back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from highstreet.audits import service as audits
from highstreet.customers import service as customers
from highstreet_points_club import rewards
from highstreet_points_club.audit import audit

from .conftest import COFFEE, FREE, NAME, Shop, later


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """A ledger in which everything has happened once."""
    for brand in (shop.club, shop.shops):
        shop.set_up(brand, rewards=[COFFEE])
        with shop.session(brand) as s:
            ctx = shop.ctx(s)
            who, other, gone = (shop.member(s, name) for name in "ABC")
            shop.buy(s, who.id, 20000, at=later(0))
            bought = shop.buy(s, who.id, 700, at=later(1))
            shop.bring_back(s, bought, 300)
            rewards.release(ctx, rewards.hold(ctx, who.id, "coffee").id)
            rewards.hold(ctx, who.id, "coffee")
            rewards.give_back(ctx, rewards.redeem_now(ctx, who.id, "coffee").id)
            shop.buy(s, gone.id, 900, at=later(2))
            spent = shop.buy(s, other.id, 8000, at=later(3))
            rewards.redeem_now(ctx, other.id, "coffee")
            shop.bring_back(s, spent)
            customers.merge(s, who.id, gone.id)
        shop.sound(brand)
    return shop


def tamper(shop: Shop, sql: str) -> int:
    """Change the database the way nobody should; gives how many rows."""
    with shop.database.owner.begin() as connection:
        if shop.database.kind == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = replica")
        else:
            triggers = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).all()
            for name, _text in triggers:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        changed = connection.execute(sa.text(sql), {"brand": _id(shop, shop.club.id)}).rowcount
        if shop.database.kind == "postgresql":
            connection.exec_driver_sql("SET session_replication_role = origin")
        else:
            for _name, text in triggers:
                connection.exec_driver_sql(text)
    return changed


def _id(shop: Shop, value: UUID) -> Any:
    return value if shop.database.kind == "postgresql" else value.hex


_ONE = "(SELECT MIN(CAST(id AS text)) FROM {table} WHERE brand_id = :brand AND {which})"


def one(table: str, which: str = "true") -> str:
    """A condition that picks one row of a table."""
    picked = _ONE.format(table=table, which=which.replace("true", "1 = 1"))
    return f"brand_id = :brand AND CAST(id AS text) = {picked}"


A, E, L, P, R = (
    f"points_club_{name}" for name in ("account", "entry", "lot", "allocation", "reward")
)


@pytest.mark.parametrize(
    ("sql", "about"),
    [
        (f"UPDATE {A} SET balance = balance + 1000 WHERE {one(A, 'balance > 0')}", "account"),
        (f"UPDATE {A} SET balance = balance - 1, debt = debt + 1 WHERE {one(A, 'debt > 0')}",
         "account"),
        (f"UPDATE {A} SET seq = seq + 1 WHERE {one(A, 'seq > 0')}", "account"),
        (f"UPDATE {E} SET points = points + 5 WHERE {one(E, chr(107) + 'ind = ' + repr('earn'))}",
         "entry"),
        (f"UPDATE {E} SET points = points - 5 WHERE {one(E, 'kind = ' + repr('merge_in'))}",
         "entry"),
        (f"DELETE FROM {E} WHERE {one(E, 'kind = ' + repr('reverse_earn'))}", "account"),
        (f"UPDATE {L} SET remaining = remaining - 1 WHERE {one(L, 'remaining > 1')}", "lot"),
        (f"UPDATE {L} SET points = points + 1 WHERE {one(L, 'points > 0')}", "lot"),
        (f"DELETE FROM {P} WHERE {one(P)}", "lot"),
        (f"UPDATE {P} SET points = points - 1 WHERE {one(P, 'points < 0')}", "lot"),
        (f"UPDATE {R} SET points = points - 1 WHERE {one(R)}", "reward"),
        (f"UPDATE {R} SET status = 'issued' WHERE {one(R, 'status = ' + repr('returned'))}",
         "reward"),
        (f"UPDATE {R} SET status = 'released' WHERE {one(R, 'status = ' + repr('issued'))}",
         "reward"),
        (f"DELETE FROM {R} WHERE {one(R)}", "entry"),
        (f"UPDATE {E} SET kind = 'adjust' WHERE {one(E, 'kind = ' + repr('release'))}", "reward"),
        (f"UPDATE {E} SET kind = 'release' WHERE {one(E, 'kind = ' + repr('earn'))}", "entry"),
        (f"UPDATE {E} SET reverses_id = NULL WHERE {one(E, 'kind = ' + repr('reverse_earn'))}",
         "entry"),
        (f"UPDATE {E} SET purchase_id = NULL WHERE {one(E, 'kind = ' + repr('earn'))}", "entry"),
        (f"UPDATE {L} SET at_store_id = NULL WHERE {one(L, 'points > 0')}", "lot"),
        (f"UPDATE {L} SET at_store_id = NULL WHERE {one(L, 'points < 0')}", "lot"),
        (f"UPDATE {L} SET account_id = (SELECT id FROM {A} WHERE debt > 0 AND brand_id = :brand)"
         f" WHERE {one(L, 'remaining > 0')}", "account"),
        (f"UPDATE {E} SET account_id = (SELECT id FROM {A} WHERE debt > 0 AND brand_id = :brand),"
         f" seq = 99 WHERE {one(E, 'kind = ' + repr('earn') + ' AND points = 200')}", "account"),
        (f"UPDATE {R} SET account_id = (SELECT id FROM {A} WHERE debt > 0 AND brand_id = :brand)"
         f" WHERE {one(R, 'status = ' + repr('issued'))}", "reward"),
        (f"UPDATE {P} SET lot_id = (SELECT id FROM {L} WHERE points < 0 AND brand_id = :brand)"
         f" WHERE {one(P)}", "lot"),
    ],
)  # fmt: skip
def test_tampering_is_found(busy: Shop, sql: str, about: str) -> None:
    assert tamper(busy, sql) == 1
    with busy.operator(busy.club, write=False) as s:
        checked, found = audit(s)
        assert checked == 3
        assert about in {one.about for one in found}
        (mine,) = [part for part in audits.audit(s) if part.by == NAME]
        assert len(mine.audited.differences) == len(found)
    busy.sound(busy.shops)  # the other brand is none the worse


@pytest.mark.parametrize("table", [E, P])
@pytest.mark.parametrize("verb", ["UPDATE {table} SET points = 0", "DELETE FROM {table}"])
def test_the_database_itself_refuses_to_change_facts(busy: Shop, table: str, verb: str) -> None:
    with (
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
        busy.database.owner.begin() as connection,
    ):
        connection.exec_driver_sql(verb.format(table=table))


def test_a_sound_ledger_says_how_much_was_looked_at(shop: Shop) -> None:
    shop.set_up(shop.club, rewards=[FREE])
    with shop.session(shop.club) as s:
        for number in range(4):
            shop.buy(s, shop.member(s, f"M{number}").id, 1000)
    with shop.operator(shop.club, write=False) as s:
        assert audit(s) == (4, [])


def test_an_audit_that_failed_is_not_a_sound_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise RuntimeError("no audit today")

    monkeypatch.setattr("highstreet_points_club.hooks.audits.audit", fail)
    with shop.operator(shop.club, write=False) as s:
        (mine,) = [part for part in audits.audit(s) if part.by == NAME]
        (difference,) = mine.audited.differences
        assert "no audit today" in difference.derived
