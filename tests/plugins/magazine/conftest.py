"""A club with the magazine on: members with doors, a publication, an issue past its cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.host import policy, settings
from highstreet.mailings import releasing
from highstreet.sdk import Ctx, ctx_of
from highstreet_magazine import counting, issues, publications, running
from highstreet_magazine.models import Issue
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession
from mail_given import Street, give_mail, sink
from smtp_sink import Sink

__all__ = ["sink"]
NAME = "magazine"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class House(Street):
    """The house with the magazine on, and a mail server. club: a brand that owns its customers;
    shops: one whose stores do."""

    def store(self, number: int = 0, *, brand: Any = None, write: bool = True) -> Any:
        """A session of a store."""
        return self.till(number, brand=brand, write=write)

    def set_up(self, **values: Any) -> None:
        """Set the brand's settings, valid since long ago."""
        with self.house.tenancy.session(Scope.operator(self.club.id), write=True) as s:
            settings.put(s, NAME, values, valid_from=LONG_AGO)

    def ctx(self, s: ScopedSession) -> Ctx:
        """The tool's ctx in a session."""
        return ctx_of(s, NAME)

    def join(
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
        """Work it out, let it go out: to the mail house, and into the outbox."""
        ctx = self.ctx(s)
        assert running.select(ctx, issue_id).problem == ""
        assert self.told(s, issue_id).sent == 0
        running.approve(ctx, issue_id, running.manifest(ctx, issue_id))
        running.release(ctx, issue_id)
        for run in issues.runs(ctx, issue_id):
            while releasing.go_on(s, run.mailing_id):
                pass
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
    app: Any, two_brands: list[SimpleNamespace], sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """The whole application over two brands of two stores, with the magazine and the points club
    required in each."""
    whole = app.extensions["highstreet"]
    give_mail(whole, sink, monkeypatch)
    made = House(whole, two_brands, sink.url)
    for brand in two_brands:
        with whole.tenancy.session(Scope.operator(brand.id), write=True) as s:
            policy.set_policy(s, NAME, "required")
            policy.set_policy(s, "points_club", "required")
    made.sign()
    yield made
    whole.mail.transport.close()
