"""A club with the magazine on: members with doors, a publication, an issue past its cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

import highstreet.addresses
import highstreet.consent
import highstreet.purchases
import highstreet.timeline  # noqa: F401 - rooms register their parts on import
from highstreet import rooms
from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.host import Host, policy, settings
from highstreet.jobs import JobRegistry
from highstreet.kit.databases import Database
from highstreet.mailings import carriers, releasing
from highstreet.sdk import Ctx, ctx_of
from highstreet.sdk.context import make
from highstreet_magazine import counting, issues, publications, running
from highstreet_magazine.models import Issue
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

NAME = "magazine"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Pocket:
    """A carrier of e-mail that keeps what it is given: the gate's side is the same."""

    chunk = 50
    disturbs = False

    def pin(self, s: ScopedSession, content: Any) -> Any:
        return content

    def check(self, s: ScopedSession, content: Any) -> str:
        return str(sorted(content.items()))[:64]

    def hand_over(self, s: ScopedSession, mailing: Any, pieces: Any) -> dict[UUID, str]:
        return {}

    def holds(self, s: ScopedSession, mailing: Any) -> bool:
        return False

    def call_back(self, s: ScopedSession, mailing: Any, *, for_good: bool) -> list[UUID]:
        return []


@dataclass
class House:
    """club: a brand that owns its customers; shops: one whose stores do."""

    database: Database
    host: Host
    club: SimpleNamespace
    shops: SimpleNamespace

    def store(
        self, number: int = 0, *, brand: SimpleNamespace | None = None, write: bool = True
    ) -> AbstractContextManager[ScopedSession]:
        """A session of a store."""
        at = brand or self.club
        return self.database.tenancy.session(Scope.store(at.id, at.stores[number].id), write=write)

    def office(
        self, *, brand: SimpleNamespace | None = None, write: bool = True
    ) -> AbstractContextManager[ScopedSession]:
        """A session of head office."""
        return self.database.tenancy.session(Scope.brand((brand or self.club).row), write=write)

    def set_up(self, **values: Any) -> None:
        """Set the brand's settings, valid since long ago."""
        with self.database.tenancy.session(Scope.operator(self.club.id), write=True) as s:
            settings.put(s, NAME, values, valid_from=LONG_AGO)

    def ctx(self, s: ScopedSession) -> Ctx:
        """The tool's ctx in a session."""
        return ctx_of(s, NAME)

    def member(
        self, s: ScopedSession, name: str, door: str | None = None, *, yes: bool = True, **more: Any
    ) -> UUID:
        """Somebody who agreed to the magazine by post and e-mail, behind a door."""
        who = customers.enrol(s, name=name, email=f"{uuid4().hex}@example.com", **more).id
        for channel in ("post", "email") if yes else ():
            consent.record(
                s, who, purpose="magazine", channel=channel, status="given", wording="Yes",
                method="till", at=datetime.now(UTC) - timedelta(days=9),
            )  # fmt: skip
        if door:
            home = AddressIn(country="GB", street=door, city="Leeds", postal_code="LS1 4DY")
            addresses.put(s, who, home)
        return who

    def issue(self, s: ScopedSession, publication_id: UUID, **more: Any) -> Issue:
        """An issue whose cut-off has just passed, with an e-mail."""
        ctx, now = self.ctx(s), datetime.now(UTC)
        row = issues.plan(
            ctx, publication_id, title="Spring", cutoff_at=now - timedelta(minutes=1),
            in_home_on=(now + timedelta(days=9)).date(), **more,
        )  # fmt: skip
        usual = publications.editions(ctx, publication_id)[-1]
        issues.write(ctx, row.id, usual.id, {"subject": "It is here", "text": "Read it."})
        return row

    def run(self, s: ScopedSession, issue_id: UUID) -> counting.Totals:
        """Work it out, let it go out to the end."""
        ctx = self.ctx(s)
        row = running.select(ctx, issue_id)
        assert row.problem == ""
        assert self.told(s, issue_id).sent == 0
        running.approve(ctx, issue_id, running.manifest(ctx, issue_id))
        running.release(ctx, issue_id)
        for run in issues.runs(ctx, issue_id):
            while releasing.go_on(s, run.mailing_id):
                pass
        assert issues.standing(ctx, row) == "finished"
        return self.told(s, issue_id)

    def told(self, s: ScopedSession, issue_id: UUID) -> counting.Totals:
        """Where everybody went; it adds up."""
        totals = counting.totals(self.ctx(s), issue_id)
        assert totals.reconciles
        return totals


def steps(totals: counting.Totals) -> dict[str, int]:
    """People by reason."""
    return {one.reason: one.people for one in totals.reasons}


@pytest.fixture
def house(
    database: Database, two_brands: list[SimpleNamespace], monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """Two brands of two stores, with the magazine and the points club required in each."""
    rooms.load()
    monkeypatch.setitem(carriers._carriers, "email", Pocket())
    host = Host.load(rooms.specs(), make_ctx=make, slow_ms=60_000)
    assert NAME in host.plugins, host.quarantined
    registry = JobRegistry()
    registry.add(*rooms.jobs(), *host.jobs())

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host
        s.info["jobs"] = registry

    database.tenancy.on_open.append(prepare)
    made = House(database, host, *two_brands)
    for brand in two_brands:
        with database.tenancy.session(Scope.operator(brand.id), write=True) as s:
            policy.set_policy(s, NAME, "required")
            policy.set_policy(s, "points_club", "required")
    yield made
    database.tenancy.on_open.remove(prepare)
