"""Webhooks: from what happened to the receiver's answer written down, by one worker.

Asked: at least 200 a second to a receiver on this machine. The floor posts the same bodies, signed,
over one kept connection to the same receiver, one after another, and remembers nothing.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from uuid import UUID

import urllib3

from benchmarks import databases, measure
from benchmarks.club import Club, open_club
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.webhooks import delivering, outbox, signing, subscriptions
from highstreet.webhooks.outbox import Happened
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id

EVENTS = 1000
ROUNDS = 5
KIND = "purchase.recorded"
ROOT = Path(__file__).parents[1]


def run() -> list[Figure]:
    """Measure on each kind of database."""
    figures: list[Figure] = []
    with _sink() as url:
        for kind in databases.kinds():
            with databases.installation(kind) as app:
                shop = open_club(house_of(app), members=10)
                figures.append(_measure(kind, shop, url))
    return figures


def _measure(kind: str, shop: Club, url: str) -> Figure:
    shop.house.jobs._handlers[subscriptions.DELIVER] = delivering.deliverer(local=True)
    with shop.house.tenancy.session(shop.scope, write=True) as s:
        made = subscriptions.subscribe(s, name="sink", url=url, events=[KIND], local=True)
    _work(shop)
    times: dict[str, list[float]] = {"ours": [], "floor": []}
    for number in range(1 + ROUNDS):
        _happen(shop)
        took = {"ours": measure.seconds(lambda: _work(shop)), "floor": _bare(url, made.secret)}
        if number:
            for side, seconds in took.items():
                times[side].append(seconds)
        _check(shop, made.webhook.id, EVENTS * (number + 1))
    medians = measure.medians(times)
    name = f"webhooks delivered by one worker, {kind}"
    ours, floor = EVENTS / medians["ours"], EVENTS / medians["floor"]
    return Figure(
        name,
        ours,
        floor,
        "per second",
        ours / floor,
        (">=", 200),
        note="floor: the same bodies posted over one connection, nothing kept",
        of="value",
    )


def _happen(shop: Club) -> None:
    """A thousand purchases are written down, in one transaction as an import does."""
    at = clock.now()
    data = {"customer_id": None, "total_minor": 1250, "currency": "USD"}
    with shop.house.tenancy.session(shop.scope, write=True) as s:
        happened = [
            Happened(s.store_id, at, {**data, "purchase_id": new_id()}) for _one in range(EVENTS)
        ]
        outbox.publish_many(s, KIND, happened)


def _work(shop: Club) -> None:
    """Whatever a worker finds to do."""
    while shop.house.runner.run_one() is not None:
        pass


def _check(shop: Club, webhook_id: UUID, sent: int) -> None:
    from highstreet.webhooks import queries

    with shop.house.tenancy.session(shop.scope) as s:
        counts = queries.counts(s, webhook_id)
    if counts != {"pending": 0, "sent": sent, "failed": 0}:
        raise AssertionError(f"not all was delivered: {counts}")


def _bare(url: str, secret: str) -> float:
    body = (
        b'{"type":"purchase.recorded","timestamp":"2026-05-31T02:10:00+00:00","data":{'
        b'"purchase_id":"019aaf6e-0004-7000-8000-000000000004","customer_id":null,'
        b'"total_minor":1250,"currency":"USD","store_id":"019aaf6e-0001-7000-8000-000000000001",'
        b'"store":"0042"}}'
    )
    with urllib3.PoolManager() as pool:
        began = perf_counter()
        for number in range(EVENTS):
            headers = signing.headers(f"msg_{number}", 1780193400, body, [secret])
            answer = pool.request("POST", url, body=body, headers=headers)
            if answer.status != 204:
                raise AssertionError(f"the receiver answered {answer.status}")
        return perf_counter() - began


@contextmanager
def _sink() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(child.stdout.readline())}/hooks"
        finally:
            child.kill()
