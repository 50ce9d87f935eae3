"""The kit's town with direct mail on everywhere, and people in it who may be written to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.customers.facts import CustomerFact
from highstreet.kit import databases, houses
from highstreet.kit import town as towns
from highstreet.kit.town import Shop, Town
from highstreet.sdk import Ctx
from highstreet_direct_mail import posting
from highstreet_direct_mail.posting import Plan
from highstreet_tenants import clock as clocks

NAME = "direct_mail"


@pytest.fixture(scope="session", params=databases.KINDS)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(application, database), migrated."""
    if request.param == "postgresql" and (why := databases.why_no_postgres()):
        pytest.skip(why)
    with houses.house(request.param, tmp_path_factory.mktemp("house")) as made:
        yield made


@pytest.fixture
def town(house: Any) -> Iterator[Town]:
    """Harbour is one club; in quarry each store owns its customers."""
    app, database = house
    host = app.extensions["highstreet"].host
    assert NAME in host.plugins, towns.why_not_loaded(host, NAME)
    made = towns.build(app, database, NAME)
    yield made
    database.empty()


@pytest.fixture
def clock() -> Iterator[Any]:
    """The time, to be moved."""
    import time_machine

    with time_machine.travel(clocks.now(), tick=True) as moved:
        yield moved


def reach(shop: Shop, name: str, street: str = "", *, yes: bool = True) -> CustomerFact:
    """Somebody of a shop's with a door, who agreed to post."""
    who = shop.enrol(name, card=f"C{uuid4().int % 10**10}")
    with shop.session(write=True) as s:
        if yes:
            consent.record(
                s, who.id, purpose="marketing", channel="post", status="given", wording="Yes",
                method="till",
            )  # fmt: skip
        if street:
            home = AddressIn(country="GB", street=street, city="Leeds", postal_code="LS1 4DY")
            addresses.put(s, who.id, home)
    return who


def send(ctx: Ctx, **more: Any) -> UUID:
    """A job that went out, to everybody unless said otherwise; gives its id."""
    given: dict[str, Any] = {"name": "Autumn", "filters": {}, "offer": "A free coffee"}
    posting_id = posting.plan(ctx, Plan(**(given | more)))
    posting.select(ctx, posting_id)
    mailing = posting.get(ctx, posting_id).mailing
    posting.approve(ctx, posting_id, mailing.manifest)
    posting.release(ctx, posting_id)
    while ctx.mailings.go_on(mailing.id):
        pass
    return posting_id


def codes(ctx: Ctx, posting_id: UUID) -> dict[UUID, str]:
    """The codes of a job's pieces by customer."""
    pieces = ctx.mailings.pieces(posting.get(ctx, posting_id).mailing.id)
    return {one.customer_id: one.code for one in pieces if one.code}
