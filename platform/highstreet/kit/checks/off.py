"""Off means off: where a store has not switched it on, there is nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from highstreet import jobs as queue
from highstreet.host import policy, state
from highstreet.host import slots as host_slots
from highstreet.host import verbs as host_verbs
from highstreet.jobs.models import Job
from highstreet.kit import life as lives
from highstreet.kit.bench import Bench, let_go, methods
from highstreet.kit.check import Finding, check
from highstreet.kit.checks.leaks import offered
from highstreet.kit.rows import changed, fingerprint
from highstreet.kit.subject import place_of
from highstreet.kit.town import Office, Shop
from highstreet_tenants.errors import HighstreetError, ToolOff

MEND = "Whatever it does it does in what Plugin(…) names: there the host asks whether it is on."


def _off(bench: Bench) -> list[Shop]:
    """A store that has not switched it on, and one whose head office forbids it; both lived in."""
    assert bench.lives
    club, stores = bench.town.brands.values()
    club.require("optional")
    stores.require("forbidden")
    return [club.shops[1], stores.shops[0]]


@check("off-pages")
def off_pages(bench: Bench) -> Iterator[Finding]:
    """Where it is off its pages answer 404, and say why."""
    for shop in _off(bench):
        browser = shop.browser()
        for _face, rule in bench.routes("store"):
            for method in methods(rule):
                values = bench.slugs(shop) | _own(bench, shop, rule)
                yield from _shut(bench, shop, browser, rule, method, values)


@check("off-api")
def off_api(bench: Bench) -> Iterator[Finding]:
    """Where it is off its operations answer 404, and say why."""
    for shop in _off(bench):
        token = shop.till().token
        for _face, rule in bench.routes("api"):
            for method in methods(rule):
                headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
                body: dict[str, Any] = {} if method == "GET" else {"json": {}}
                client, values = bench.app.test_client(), _own(bench, shop, rule)
                yield from _shut(bench, shop, client, rule, method, values, headers=headers, **body)


def _own(bench: Bench, shop: Shop, rule: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for argument in rule.arguments - {"brand", "store", "token"}:
        if type(rule._converters[argument]).__name__ == "UUIDConverter":
            ids = bench.ids_of(shop, argument)
            found |= {argument: ids[0]} if ids else {}
    return found


def _shut(
    bench: Bench, shop: Shop, client: Any, rule: Any, method: str, values: dict[str, Any],
    **more: Any,
) -> Iterator[Finding]:  # fmt: skip
    where = bench.place_of_view(rule)
    answer = bench.open(client, rule, method, values, **more)
    if isinstance(answer, Finding):
        yield answer
        return
    with shop.session() as s:
        reason = state.explain(s, bench.tool.name).reason
    shown = unescape(bench.text(answer))
    if answer.status_code != 404 or reason not in shown:
        yield Finding(
            f"{method} {rule.rule} in {shop.slug}, where it is off, answers {answer.status_code}.",
            MEND,
            where,
        )


@check("off-nav")
def off_nav(bench: Bench) -> Iterator[Finding]:
    """Where it is off the console's navigation does not name it; where it is on it does."""
    places: list[tuple[Shop | Office, bool, str]] = [(bench.town.shops[0], True, "store")]
    places += [(shop, False, "store") for shop in _off(bench)]
    with bench.town.shops[0].session(write=True) as s:
        policy.choose(s, bench.tool.name, True)
    for place, on, face in places:
        shown = place.browser().get(f"{place.address}/").text
        for entry in bench.tool.plugin.nav:
            if entry.face != face or not isinstance(place, Shop):
                continue
            bind = bench.app.url_map.bind("localhost")
            href = bind.build(entry.endpoint, bench.slugs(place))
            if (f'href="{href}"' in shown) is not on:
                yield Finding(
                    f"The navigation of {place.slug} {'lacks' if on else 'shows'}"
                    f" {entry.endpoint}, where the tool is {'on' if on else 'off'}.",
                    "NavEntry names a permission of the tool's that a store's owner holds: roles of"
                    " the permission in plugin.toml.",
                    bench.subject.at(entry.endpoint, ".py"),
                )


@check("off-hooks")
def off_hooks(bench: Bench) -> Iterator[Finding]:
    """Where it is off nothing that happens leaves a row in its tables."""
    for shop in _off(bench):
        before = fingerprint(iter(bench.rows()))
        customer = lives.join(shop, "Off")
        bought = shop.buy(lives.amount(shop), customer, lines=lives.lines(shop)).purchase
        shop.give_back(bought, 100)
        after = fingerprint(iter(bench.rows()))
        for table in changed(before, after):
            yield Finding(
                f"Joining and buying in {shop.slug}, where it is off, changed {table}.",
                f"{MEND} Listeners of SQLAlchemy's, signals and patches act everywhere.",
                bench.subject.at("listens_for", ".py") or bench.place_of_table(table),
            )


@check("off-slots")
def off_slots(bench: Bench) -> Iterator[Finding]:
    """Where it is off it puts nothing into pages."""
    for shop in _off(bench):
        life = bench.lives[shop.slug]
        for slot, piece in bench.tool.plugin.slots.items():
            with bench.app.test_request_context("/"), let_go(shop.session()) as s:
                filled = {one.plugin for one in host_slots.render(s, slot, **offered(slot, life))}
            if bench.tool.name in filled:
                yield Finding(
                    f"It fills {slot} in {shop.slug}, where it is off.", MEND, place_of(piece)
                )


@check("off-jobs")
def off_jobs(bench: Bench) -> Iterator[Finding]:
    """Where it is off its jobs are left out, but for its obligations."""
    queued = {}
    for shop in _off(bench):
        with shop.session(write=True) as s:
            for handler in bench.tool.plugin.jobs:
                queued[queue.enqueue(s, handler.name, {})] = (handler, shop)
    if not queued:
        return
    bench.town.run_jobs()
    with bench.town.house.tenancy.control() as c:
        rows = {row.id: row for row in c.scalars(sa.select(Job).where(Job.id.in_(list(queued))))}
    for job_id, (handler, shop) in queued.items():
        if not handler.winddown and rows[job_id].status != "skipped":
            yield Finding(
                f"The job {handler.name} in {shop.slug}, where it is off, ended"
                f" {rows[job_id].status}.",
                MEND,
                place_of(handler.run),
            )


@check("off-verbs")
def off_verbs(bench: Bench) -> Iterator[Finding]:
    """Where it is off its verbs on the command line say so."""
    for shop in _off(bench):
        for name, (tool, verb) in host_verbs.of(bench.host).items():
            if tool != bench.tool.name:
                continue
            try:
                with let_go(shop.session(write=verb.writes)) as s:
                    host_verbs.run(s, name, {}, shop.id)
            except ToolOff:
                continue
            except HighstreetError:
                pass
            yield Finding(
                f"{name} works in {shop.slug}, where it is off.", MEND, place_of(verb.run)
            )


@check("off-switching")
def off_switching(bench: Bench) -> Iterator[Finding]:
    """On, off and on again, and on twice: it is as it was, and nothing is lost."""
    shop = bench.town.shops[0]
    assert bench.lives
    before = fingerprint(iter(bench.rows()))
    shop.office.require("optional")
    shop.switch(True)
    for on in (True, False, False, True, True):
        shop.switch(on)
        with shop.session() as s:
            if state.is_on(s, bench.tool.name) is not on:
                yield Finding(
                    f"After switching it {'on' if on else 'off'} it is not.",
                    MEND,
                    bench.subject.package,
                )
    for table in changed(before, fingerprint(iter(bench.rows()))):
        yield Finding(
            f"Switching it off and on changed what stands in {table}.",
            "Being switched is no event for a tool: it must find what it left.",
            bench.place_of_table(table),
        )
    customer = lives.join(shop, "Again")
    shop.buy(lives.amount(shop), customer, lines=lives.lines(shop))
    yield from bench.faults()
