"""A sale with points over HTTP: the till's POST, and a bare Flask view.

Asked: at least half the pace of a bare Flask view that runs the raw statements of the service under
the same server (waitress in a process of its own, a client that keeps its connection). The bare
view checks no key, no permission, no body, and keeps no answer for a second try (two statements
more that only ours has to send).
"""

from __future__ import annotations

import http.client
import json
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from flask import Flask

from benchmarks import club, databases, measure, replay
from benchmarks.club import Club
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.purchases import service
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.keys import create_key
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

RUNS = 8
PIECES = 60
CLIENTS = 8
EACH = 20
ROUNDS = 7
#: Requests that a key may make in a minute: counted as ever, and never too many.
RATE = 10_000_000
ROOT = Path(__file__).parents[1]


class _Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        """Post and read the answer. Raises AssertionError unless something was made."""
        self._connection.request("POST", path, body, headers)
        answer = self._connection.getresponse()
        data = answer.read()
        if answer.status != 201:
            raise AssertionError(f"{path}: {answer.status} {data[:300]!r}")
        made: dict[str, Any] = json.loads(data)
        return made

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class _Till:
    """Records sales over HTTP."""

    def __init__(self, shop: Club, token: str) -> None:
        self._shop = shop
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def order(self) -> Callable[[_Client], dict[str, Any]]:
        """The next sale, ready to be sent."""
        sale = self._shop.sale()
        body = json.dumps(
            {
                "pos_ref": f"H-{sale.pos_ref}",
                "total_minor": sale.total_minor,
                "customer_id": str(sale.customer_id),
                "occurred_at": sale.occurred_at.isoformat(),
                "lines": [
                    {
                        "product": line.product,
                        "department": line.department,
                        "quantity": int(line.quantity),
                        "amount_minor": line.amount_minor,
                    }
                    for line in sale.lines
                ],
            }
        ).encode()
        headers = self._headers | {"Idempotency-Key": uuid4().hex}
        return lambda client: client.post("/api/v1/purchases", body, headers)


def run() -> list[Figure]:
    """Measure on each kind of database."""
    figures: list[Figure] = []
    for kind in databases.kinds():
        with databases.installation(kind) as app:
            figures += _measure(kind, app)
    return figures


def _measure(kind: str, app: Flask) -> list[Figure]:
    shop = club.open_club(house_of(app))
    till = _Till(shop, _key(shop))
    with ExitStack() as stack:
        settings = {k: shop.house.config[k] for k in ("database_url", "instance", "secret_key")}
        settings["rate_per_key"] = RATE
        ours = stack.enter_context(_serving("ours", settings))
        client = _Client(ours)
        answer = till.order()(client)
        if not answer["tools"]["points_club"]["points"]:
            raise AssertionError(f"no points were given: {answer}")
        pieces = _pieces(shop, (RUNS + 1) * PIECES * 6 // 5 + (ROUNDS + 1) * CLIENTS * EACH)
        bare = stack.enter_context(
            _serving(
                "bare",
                {"url": settings["database_url"], "pieces": pieces, "answer": answer},
            )
        )
        numbers = count()
        plain = _Client(bare)
        times = measure.in_runs(
            {
                "ours": lambda: _bound(till.order(), client),
                "bare": lambda: _bound(_order(next(numbers)), plain),
            },
            RUNS,
            PIECES,
        )
        crowd = _crowded(ours, bare, till, numbers)
        client.close()
        plain.close()
    note = f"floor: a bare view with the sale's {len(pieces[-1])} statements; ours sends two more"
    return [
        measure.rate(
            f"sale over REST, {kind}, one client", times, ours="ours", floor="bare", count=1,
            at_least=0.5, note=note,
        ),
        measure.rate(
            f"sale over REST, {kind}, {CLIENTS} clients", crowd, ours="ours", floor="bare",
            count=CLIENTS * EACH, at_least=0.5, note=note,
        ),
    ]  # fmt: skip


def _pieces(shop: Club, number: int) -> list[replay.Piece]:
    """What the service sends for so many sales."""
    tenancy, scope = shop.house.tenancy, shop.scope
    return [
        replay.rehearse(tenancy, scope, lambda s: service.record(s, shop.sale()))
        for _one in range(number)
    ]


def _order(piece: int) -> Callable[[_Client], dict[str, Any]]:
    body = json.dumps({"piece": piece}).encode()
    headers = {"Content-Type": "application/json"}
    return lambda client: client.post("/play", body, headers)


def _crowded(ours: int, bare: int, till: _Till, numbers: Iterator[int]) -> dict[str, float]:
    """Eight clients at once, each with a kept connection."""
    clients = {
        "ours": [_Client(ours) for _one in range(CLIENTS)],
        "bare": [_Client(bare) for _one in range(CLIENTS)],
    }
    times: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS + 1):
        orders = {
            "ours": [[till.order() for _one in range(EACH)] for _client in range(CLIENTS)],
            "bare": [[_order(next(numbers)) for _one in range(EACH)] for _client in range(CLIENTS)],
        }
        for side in orders if number % 2 else reversed(orders):
            took = measure.seconds(partial(_together, clients[side], orders[side]))
            if number:
                times[side].append(took)
    for one in (*clients["ours"], *clients["bare"]):
        one.close()
    return measure.medians(times)


def _together(clients: Sequence[_Client], orders: Sequence[Sequence[Callable[[Any], Any]]]) -> None:
    def work(client: _Client, mine: Sequence[Callable[[Any], Any]]) -> None:
        for order in mine:
            order(client)

    threads = [
        threading.Thread(target=work, args=pair) for pair in zip(clients, orders, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _bound(order: Callable[[_Client], object], client: _Client) -> Callable[[], object]:
    return lambda: order(client)


def _key(shop: Club) -> str:
    tenancy, brand = shop.house.tenancy, shop.brand
    catalogue = Catalogue(shop.house.host.permissions())
    with tenancy.session(Scope.operator(brand.id)) as s:
        store = s.get_one(Store, (brand.id, brand.stores[0].id))
        node = Node.of(s.get_one(Brand, brand.id), store)
    with tenancy.session(Scope.operator(node.brand_id), write=True) as c:
        made = create_key(c, node, "Till", catalogue.scopes, by=None, catalogue=catalogue)
    return made.token


@contextmanager
def _serving(kind: str, settings: dict[str, Any]) -> Iterator[int]:
    """A server in a process of its own; gives its port."""
    with tempfile.NamedTemporaryFile(suffix=".pickle") as file:
        pickle.dump(settings, file)
        file.flush()
        command = [sys.executable, "-m", "benchmarks.server", kind, file.name]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert child.stdout is not None
        try:
            line = child.stdout.readline()
            if not line:
                raise RuntimeError(f"the {kind} server did not start")
            yield int(line)
        finally:
            child.terminate()
            child.wait(timeout=20)
            child.stdout.close()
