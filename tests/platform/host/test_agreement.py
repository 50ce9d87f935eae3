"""What a tool declares is agreed to at switch-on; a version that declares more waits for a yes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from marshmallow import Schema, fields

from highstreet.host import agreements, declared, dispatch, owed, policy, state
from highstreet.host import manifest as manifests
from highstreet.host.customer_fields import CustomerField
from highstreet.host.event_types import EventType
from highstreet.host.registry import Host
from highstreet.host.spec import hookimpl
from highstreet.jobs import JobHandler, Periodic
from highstreet_tenants.errors import Conflict

MAKE = Callable[..., Host]
SEEN: list[str] = []


class Hooks:
    @hookimpl
    def happened(self, ctx: Any, thing: str) -> None:
        SEEN.append(thing)


def version(make_host: MAKE, number: str, *capabilities: str, **brings: Any) -> Host:
    """The host of a process in which this version of the club is installed."""
    SEEN.clear()
    return make_host(
        {"club": Hooks(), "mail": None},
        club={"version": number, "capabilities": list(capabilities), "plugin": brings},
        mail={"depends": ["club"]},
    )


class Told(Schema):
    who = fields.UUID()


class Rules(Schema):
    least = fields.Integer(load_default=1, metadata={"label": "Least amount"})
    colour = fields.String(load_default="red")


EVENT = EventType("club.joined", "Somebody joined", "…", Told, {"who": str(UUID(int=1))})
FIELD = CustomerField("club.since", "In the club since", "date", lambda _ctx: sa.select())
JOB = JobHandler("club.write", lambda _s, _payload: None)


@pytest.fixture
def town(make_host: MAKE, hung: Callable[[Host], Any], two_brands: list[Any]) -> SimpleNamespace:
    """A brand whose first store has club and mail on; `second` opens a version with more."""
    brand = two_brands[0]
    opened = hung(version(make_host, "1.0", "customers.read"))
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        policy.choose(s, "mail", True)

    def second(*capabilities: str, **brings: Any) -> Any:
        return hung(version(make_host, "1.1", *capabilities, **brings))

    return SimpleNamespace(brand=brand, here=brand.stores[0], there=brand.stores[1], second=second)


def states(s: Any, store: Any = None) -> dict[str, str]:
    node = None if store is None else store.id
    return {name: one.state for name, one in state.overview(s, node).items()}


def test_a_version_that_declares_no_more_goes_on(town: SimpleNamespace) -> None:
    opened = town.second("customers.read")
    with opened(town.brand, town.here) as s:
        assert states(s) == {"club": "on", "mail": "on"}
        with pytest.raises(Conflict, match="nothing new"):
            policy.agree(s, "club")
    with town.second()(town.brand, town.here) as s:  # one that declares less, too
        assert states(s) == {"club": "on", "mail": "on"}


@pytest.mark.parametrize(
    ("capabilities", "brings"),
    [
        (("customers.read", "mail.send"), {}),
        (("customers.read",), {"jobs": [JOB]}),
        (("customers.read",), {"jobs": [JOB], "periodic": [Periodic("club.write")]}),
        (("customers.read",), {"events": [EVENT]}),
        (("customers.read",), {"fields": [FIELD]}),
        (("customers.read",), {"slots": {"till.member": lambda ctx, **_page: None}}),
    ],
)
def test_one_that_declares_more_is_held_and_owes_until_the_store_agrees(
    capabilities: tuple[str, ...], brings: dict[str, Any], town: SimpleNamespace
) -> None:
    opened = town.second(*capabilities, **brings)
    with opened(town.brand, town.here) as s:
        club = state.explain(s, "club")
        assert (club.state, club.on, club.code) == ("held", False, "declares_more")
        assert "Version 1.1 declares more than was agreed to" in club.reason
        assert state.explain(s, "mail").state == "unavailable"  # it needs the one that stands still
        dispatch.collect(s, "happened", thing="a sale")
        assert SEEN == []
        assert [(d.plugin, d.parts) for d in owed.debts(s)] == [("club", 1)]
        dry = policy.agree(s, "club", dry_run=True)
        assert states(s)["club"] == "held"
        done = policy.agree(s, "club")
        assert [(c.plugin, c.after.state) for c in dry] == [(c.plugin, c.after.state) for c in done]
        assert [(c.plugin, c.after.state) for c in done] == [("club", "on"), ("mail", "on")]
        agreed = agreements.newest(s, "club")
        assert [(one.version, one.agreed_by) for one in agreed] == [("1.1", "Ruth")]
    with opened(town.brand, town.here) as s:
        assert states(s) == {"club": "on", "mail": "on"}


def test_head_office_agrees_for_every_store(town: SimpleNamespace) -> None:
    opened = town.second("customers.read", "mail.send")
    with opened(town.brand, town.there) as s:
        policy.choose(s, "club", True)  # who switches it on now agrees to this version
        assert states(s)["club"] == "on"
    with opened(town.brand) as s:
        assert {one.place.name for one in policy.upgraded(s, "club")} >= {"Harbour 1"}
        changes = policy.agree(s, "club")
        assert ("club", town.here.id) in {(c.plugin, c.place.store_id) for c in changes}
    with opened(town.brand, town.here) as s:
        assert states(s) == {"club": "on", "mail": "on"}


def test_what_head_office_requires_it_has_agreed_to(
    make_host: MAKE, hung: Callable[[Host], Any], two_brands: list[Any]
) -> None:
    brand, other = two_brands
    opened = hung(version(make_host, "1.0"))
    for one in (brand, other):
        with opened(one) as s:
            policy.set_policy(s, "club", "required")
    opened = hung(version(make_host, "1.1", "mail.send"))
    for store in brand.stores:
        with opened(brand, store) as s:
            assert states(s)["club"] == "held"
    with opened(brand) as s:
        policy.agree(s, "club")
    for store in brand.stores:
        with opened(brand, store) as s:
            assert states(s)["club"] == "required"
    with opened(other, other.stores[0]) as s:
        assert states(s)["club"] == "held", "another brand has agreed to nothing"


def test_what_a_tool_declares_is_said_by_kind(make_host: MAKE) -> None:
    host = version(make_host, "1.0", "customers.read", "mail.send", jobs=[JOB])
    assert declared.titled(host, "club", declared.of(host, "club")) == [
        ("Messages it may send", ["sends e-mail"], False),
        ("What it may do", ["reads customers"], False),
        ("Work in the background", ["club.write"], True),
        ("Hooks it answers", ["happened"], True),
    ]


def test_what_it_tells_others_is_shown_and_agreed_to_and_its_settings_are_shown(
    make_host: MAKE,
) -> None:
    host = version(make_host, "1.0", settings=Rules, events=[EVENT], fields=[FIELD])
    told = {one.title: one for one in declared.titled(host, "club", declared.shown(host, "club"))}
    events = told["What it tells others’ programmes, where you set up a webhook"]
    assert (events.things, events.technical) == (["Somebody joined"], False)
    lent = told["Facts about customers that it lends to lists, files and other tools"]
    assert (lent.things, lent.technical) == (["In the club since"], False)
    assert sorted(told["Settings it has"].things) == ["Least amount", "colour"]
    agreed = declared.of(host, "club")
    assert {"event:club.joined", "field:club.since"} <= agreed
    assert not any(one.startswith("setting:") for one in agreed), "a new setting holds nobody up"


def test_permissions_that_a_tool_adds_are_told_in_the_readers_language() -> None:
    manifest = manifests.read(manifests.find("highstreet_points_club"))
    assert manifest.permitted("points_club.adjust", "zh_Hans") == "手动更正会员积分"
    assert manifest.permitted("points_club.adjust", "de") == "Correct a member's points by hand"
