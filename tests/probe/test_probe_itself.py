"""The probe finds what it is there to find: leaks and open gates that are there on purpose."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.customers import queries as customers
from highstreet.customers.models import Customer
from highstreet.host import asked, dispatch, retry, state
from highstreet.host.spec import Call
from highstreet.jobs import JobHandler
from highstreet.jobs.periodic import everywhere
from highstreet.kit import stated
from highstreet.purchases.models import Purchase
from highstreet.sdk import Ctx
from highstreet_tenants import aggregates
from probe import (
    actors,
    asking,
    functions,
    grouping,
    holes,
    off,
    recording,
    seeded,
    standing,
    street,
    telling,
    working,
    working_off,
)
from probe.conftest import make_app
from probe.kept import lay_out
from probe.rows import Untouched
from probe.walk import Walk
from probe.world import TOOL, World

#: The first two walls stand alone there.
pytestmark = pytest.mark.parametrize("database_module", ["sqlite"], indirect=True, scope="module")


@pytest.fixture
def leaking_app(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The application with routes that leak."""
    app = make_app(database_module, str(tmp_path_factory.mktemp("instance")))
    seeded.routes(app)
    recording.record_names(app)
    yield app
    app.extensions["highstreet"].engine.dispose()


@pytest.fixture
def leaky(
    leaking_app: Any, database_module: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """The filled house; afresh, for a leak that changes something would cover up the next."""
    yield lay_out(leaking_app, database_module, tmp_path_factory.mktemp("kept") / "files")
    database_module.empty()


def walked(leaky: World, route: str, name: str = "owner of quarry-1") -> list[str]:
    """What the probe says of one route."""
    actor = actors.actors(leaky)[name]
    done = Walk(leaky, actor, only=f"leaks-{route}")
    with Untouched(leaky, leaky.foreign(actor.home.owner), done.findings, name):
        done.run()
    return done.findings


def assert_found(said: str, found: list[str]) -> None:
    assert any(said in one for one in found), found or f"nothing found of: {said}"


#: (route, what is said of it); what changes something comes last, for it covers up the others.
ROUTES = (
    ("shows", "shows quarry-2's folk"),
    ("shows", "200 for quarry-2's, 404 for nobody's"),
    ("tells", "403 for quarry-2's, 404 for nobody's"),
    ("finds", "shows harbour's folk with {'q': 'Ann Quill'}"),
    ("logs", "logs harbour's folk"),
    ("unknown", "teach the probe about <widget_id>"),
    ("asks", "teach the probe about <widget>"),
    ("fails", "500"),
    ("changes", "changed rows of"),
)


def test_the_walk_finds_leaking_routes(leaky: World) -> None:
    for route, said in ROUTES:
        assert_found(said, walked(leaky, route))


def test_the_walk_finds_a_leaking_operation(leaky: World) -> None:
    assert_found("shows quarry-1's folk", walked(leaky, "answers", "till of harbour-1"))
    # And one that keeps to itself is not blamed.
    assert walked(leaky, "opens") == []


def test_leaking_functions_are_found(leaky: World) -> None:
    for leaking, said in (
        (seeded.gives, "gives quarry-2's folk"),
        (seeded.gives_second, "(quarry-2's purchase_id) in quarry-1 gives quarry-2's folk"),
        (seeded.untaught, "teach the probe about <widget>"),
        (seeded.copies, "wrote quarry-2's folk into somebody else's core_import"),
        (seeded.renames, "changed rows of"),
    ):
        found, _counts = asking.ask_all(leaky, "quarry-1", {leaking.__name__: leaking})
        assert_found(said, found)


def test_a_leak_of_the_control_plane_is_found(leaky: World) -> None:
    asked_for = [("revokes", seeded.revokes, frozenset({"s", "key_id", "node"}))]
    found = standing.ask_all(leaky, "quarry-1", asked_for)
    assert_found("revokes(quarry-2's) for quarry-1 gives quarry-2's firm", found)
    assert_found("changed rows of", found)


def test_routes_that_do_not_state_their_permission_are_found(leaky: World) -> None:
    found = stated.unstated(leaky.app)
    assert_found("leaks/silent says neither", found)
    assert_found("leaks/misspelt: there is no permission no.such", found)
    assert_found("leaks/opens: say why it is public", found)


def test_a_new_function_of_a_room_is_asked_without_being_listed(
    leaky: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaking(s: Any, customer_id: Any) -> Any:
        return seeded.gives(s, customer_id)

    leaking.__module__ = customers.__name__
    monkeypatch.setattr(customers, "leaking", leaking, raising=False)
    assert functions.functions(leaky.house.host)[f"{customers.__name__}.leaking"] is leaking


def test_leaking_hooks_are_found(leaky: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = "customers_enrolled"
    for deed, said in (
        (seeded.gives, "customers_enrolled with quarry-2's in quarry-1 gives quarry-2's folk"),
        (seeded.copies, "wrote quarry-2's folk into somebody else's core_import"),
        (seeded.renames, "changed rows of"),
    ):
        answer = Call(TOOL, lambda ctx, people, deed=deed: deed(ctx.s, people[0].id))
        with monkeypatch.context() as patch:
            patch.setitem(leaky.house.host.calls[hook], TOOL, answer)
            off.forget(leaky.house.host)
            assert_found(said, telling.tell_all(leaky, "quarry-1"))
        off.forget(leaky.house.host)


def test_a_leaking_slot_is_found(leaky: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = leaky.house.host.plugins[TOOL].plugin.slots
    monkeypatch.setitem(
        pieces, "till.member", lambda ctx, customer: seeded.gives(ctx.s, customer.id)
    )
    found = telling.tell_all(leaky, "quarry-1")
    assert_found("till.member with quarry-2's in quarry-1 gives quarry-2's folk", found)


def test_a_session_that_reaches_too_far_is_found(
    leaky: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_far(ctx: Ctx) -> Any:
        ctx._s.scope = leaky.scope("harbour")
        return ctx._s

    monkeypatch.setattr(Ctx, "s", property(too_far))
    reach, _heard = telling.listen(leaky, "harbour-1")
    assert_found("orm shows others' core_purchase", reach.findings)


def test_leaking_jobs_are_found(leaky: World) -> None:
    for deed, said in (
        (seeded.gives, "tells quarry-2's folk on the jobs page"),
        (seeded.copies, "wrote quarry-2's folk into somebody else's core_import"),
        (seeded.renames, "changed rows of"),
    ):
        assert_found(said, working.work_all(leaky, "quarry-1", [seeded.job(deed)]))


def test_leaking_aggregates_are_found(leaky: World, monkeypatch: pytest.MonkeyPatch) -> None:
    store, most = Purchase.store_id, sa.func.max(Purchase.total_minor).label("most")
    for entry, said in (
        (
            seeded.grouped(Customer.name, keys=("name",), by=(Customer.name,)),
            "names quarry-1's folk",
        ),
        (
            seeded.grouped(Customer.id.label("who"), keys=("who",), by=(Customer.id,)),
            "has a cell for each of core_customer",
        ),
        (
            seeded.grouped(store, keys=("store_id",), by=(store,)),
            "whom a sum over store_id less the rest gives",
        ),
        (
            seeded.grouped(store, most, keys=("store_id", "most"), by=(store,)),
            "is not grouped by most",
        ),
    ):
        monkeypatch.setitem(aggregates.registry, entry.name, entry)
        assert_found(said, grouping.group_all(leaky, "quarry", [entry]))


def test_a_small_cell_that_is_shown_is_found(leaky: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aggregates, "SMALLEST_CELL", 0)
    found = grouping.group_all(leaky, "quarry", grouping.registered(leaky))
    assert_found("results.by_store in quarry shows", found)


@pytest.fixture(scope="module")
def holed_app(database_module: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The application with a page and an operation of a tool that are not gated."""
    app = make_app(database_module, str(tmp_path_factory.mktemp("instance")))
    holes.leave_open(app)
    recording.record_names(app)
    yield app
    app.extensions["highstreet"].engine.dispose()


@pytest.fixture
def holed(holed_app: Any, database_module: Any) -> Iterator[Any]:
    """Stores with tools in every state."""
    yield street.build(holed_app)
    database_module.empty()


def test_an_open_page_and_operation_of_a_tool_are_found(holed: Any) -> None:
    found = off.screens(holed, "forbidden")
    assert_found(f"GET {holes.STORE} where it is forbidden: 200", found)
    assert_found(f"GET {holes.API} where it is forbidden: 200", found)
    assert not [one for one in found if "/hole" not in one]


def test_a_page_that_no_gate_knows_is_found(database_module: Any, tmp_path: Any) -> None:
    app = make_app(database_module, str(tmp_path))
    holes.stray(app)
    assert off.strays(app) == ["/store/<brand>/<store>/stray is not known as a tool's"]
    app.extensions["highstreet"].engine.dispose()


def test_a_gate_that_never_asks_is_found(holed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "require", lambda *_arguments: None)
    found = off.screens(holed, "forbidden")
    assert_found("points_club.owed where it is off, works: True", working_off.verbs(holed, "off"))
    for prefix in (" /store/", " /office/", " /m/", " /api/"):
        assert_found(prefix, found)
    assert_found("set-up", off.about_a_tool(holed, "forbidden"))


@pytest.mark.parametrize("name", ["off", "head office of none"])
def test_a_hook_that_reaches_a_tool_that_is_off_is_found(
    holed: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (dispatch, asked):
        monkeypatch.setattr(module, "plan_for", holes.plan_for_all)
    assert_found(f"customers_enrolled where it is {name}", off.hooks(holed, name))
    assert_found("brings the tool", working_off.batches(holed))


def test_a_part_that_is_done_though_its_tool_is_off_is_found(
    holed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry.state, "here", holes.here_with_all)
    assert_found("purchases_recorded, owed where it is off", working_off.parts_owed(holed, "off"))


def test_a_job_that_runs_though_its_tool_is_off_is_found(holed: Any) -> None:
    found = working_off.jobs(holed, guard=lambda _s, _job: "run")
    assert_found("probe_tool.chore where it is forbidden, ran: True", found)
    loose = JobHandler("probe_tool.loose", lambda s, payload: None)  # nobody knows whose it is
    found = working_off.jobs(holed, more=[loose])
    assert_found("probe_tool.loose where it is forbidden, ran: True", found)
    assert not [one for one in found if "loose" not in one]


def test_a_turn_that_comes_round_though_its_tool_is_off_is_found(holed: Any) -> None:
    found = working_off.schedules(holed, everywhere)
    assert_found("probe_tool.chore where it is forbidden, due: True", found)
    assert_found("probe_tool.census where it is head office of none, due: True", found)


def test_a_file_that_goes_in_though_its_tool_is_off_is_found(
    holed: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "is_on", lambda *_arguments: True)
    found = working_off.files(holed, "free", tmp_path)
    assert_found("probe_tool.words where it is off, reached: True", found)


@pytest.mark.parametrize("name", ["off", "head office of none"])
def test_a_piece_or_entry_of_a_tool_that_is_off_is_found(
    holed: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "enabled", lambda s, *_store: frozenset(s.info["host"].plugins))
    assert_found(f"today.news where it is {name}", off.pieces(holed, name))
    assert_found(f"where it is {name}", off.navigation(holed, name))
