"""A house that may send to this machine, a receiver, and verbs as a store's manager has them."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from highstreet.webhooks import subscriptions
from highstreet.webhooks.delivering import deliverer
from highstreet_tenants.scopes import Scope
from webhook_sink import Sink


@pytest.fixture
def sink() -> Iterator[Sink]:
    found = Sink()
    server = found.start()
    yield found
    server.shutdown()
    server.server_close()


class Street:
    """The house with its two brands; the first owns its customers, the other's stores do."""

    def __init__(self, house: Any, brands: list[SimpleNamespace]) -> None:
        self.house, (self.club, self.shops) = house, brands

    def till(self, store: int = 0, *, brand: Any = None, write: bool = True) -> Any:
        it = brand or self.club
        return self.house.tenancy.session(Scope.store(it.id, it.stores[store].id), write=write)

    def office(self, *, brand: Any = None, write: bool = True) -> Any:
        it = brand or self.club
        return self.house.tenancy.session(Scope.brand(it.row), write=write)

    def listen(self, s: Any, url: str, *events: str) -> Any:
        return subscriptions.subscribe(
            s, name="CRM", url=url, events=events or ["customer.enrolled"], local=True
        )

    def work(self) -> list[str]:
        """Run all that is due; gives how each job ended."""
        done = []
        while (status := self.house.runner.run_one()) is not None:
            done.append(status)
        return done


@pytest.fixture
def street(house: Any, two_brands: Any, monkeypatch: pytest.MonkeyPatch) -> Street:
    monkeypatch.setitem(house.jobs._handlers, subscriptions.DELIVER, deliverer(local=True))
    return Street(house, two_brands)
