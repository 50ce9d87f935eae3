"""A house with a mail server of its own, a brand that says who it is, members with addresses."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.email import outbox, pieces, senders, setting
from highstreet.email.outbox import MessageIn
from highstreet.email.pieces import PieceIn
from highstreet_tenants.scopes import Scope
from smtp_sink import Sink


@pytest.fixture
def sink():
    found = Sink().start()
    yield found
    found.stop()


class Street:
    """The house with its two brands; the first owns its customers, the other's stores do."""

    def __init__(self, house: Any, brands: list[SimpleNamespace], url: str) -> None:
        self.house, (self.club, self.shops) = house, brands
        self.url = url

    def till(self, store: int = 0, *, brand: Any = None, write: bool = True) -> Any:
        it = brand or self.club
        return self.house.tenancy.session(Scope.store(it.id, it.stores[store].id), write=write)

    def office(self, *, brand: Any = None, write: bool = True) -> Any:
        it = brand or self.club
        return self.house.tenancy.session(Scope.brand(it.row), write=write)

    def sign(self, brand: Any = None, **more: str) -> None:
        """Head office says in whose name it writes."""
        given = {
            "name": "Harbour Club",
            "address": "club@harbour.example",
            "reply_to": "ask@harbour.example",
            "return_path": "back@bounce.example",
            "postal": "Harbour Ltd\n1 Quay Street, Bristol",
        }
        with self.office(brand=brand) as s:
            senders.choose(s, **{**given, **more})

    def member(self, name: str = "Anna", *, brand: Any = None, agrees: bool = True) -> UUID:
        """Somebody with an address of their own, who agreed to offers by e-mail."""
        with self.till(brand=brand) as s:
            who = customers.enrol(s, name=name, email=f"{name.lower()}@post.example").id
            if agrees:
                consent.record(
                    s,
                    who,
                    purpose="marketing",
                    channel="email",
                    status="given",
                    wording="Yes",
                    method="till",
                )
        return who

    def send(self, who: UUID, *, brand: Any = None, **more: Any) -> Any:
        """Queue an offer for somebody, in the first store."""
        given = {
            "subject": "Two for one, {{ name }}",
            "text": "Hello {{ name }},\n\ntoday {{ what }}.",
            "kind": "mailing",
            "purpose": "marketing",
            **more,
        }
        times = {name: given.pop(name) for name in ("key", "not_after") if name in given}
        with self.till(brand=brand) as s:
            piece = pieces.keep(s, PieceIn(**given, fields=frozenset({"what"})))
            return outbox.queue(
                s,
                MessageIn(
                    who,
                    piece,
                    given["kind"],
                    given["purpose"],
                    {"what": "two <b>coffees</b>"},
                    place_id=s.store_id,
                    **times,
                ),
            )

    def work(self) -> list[str]:
        """Run all that is due; gives how each job ended."""
        done = []
        while (status := self.house.runner.run_one()) is not None:
            done.append(status)
        return done


def give_mail(house: Any, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a house send its mail to a server of this machine."""
    monkeypatch.setattr(house.mail, "_url", sink.url)
    monkeypatch.setitem(house.mail.__dict__, "transport", setting.read(sink.url, only_here=True))


@pytest.fixture
def street(house: Any, two_brands: Any, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Street:
    give_mail(house, sink, monkeypatch)
    yield Street(house, two_brands, sink.url)
    house.mail.transport.close()
