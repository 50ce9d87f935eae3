"""The matrix's background: what tools do when nobody looks, in places where they are off."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from msgspec.structs import replace

from highstreet import jobs as queue
from highstreet.customers import published, queries
from highstreet.customers import service as customers
from highstreet.email.models import EmailSender
from highstreet.host import dispatch, gating, owed, retry, state
from highstreet.host import verbs as host_verbs
from highstreet.imports import tools as imports
from highstreet.jobs import JobHandler, JobRegistry, Runner
from highstreet.jobs.models import Job
from highstreet.jobs.periodic import Enabled, Scheduler
from highstreet.jobs.runner import Guard
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn, ReturnIn
from highstreet.sdk import ctx_of
from highstreet.webhooks import catalogue, subscriptions
from highstreet.webhooks.models import WebhookEvent
from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid, ToolOff
from highstreet_tenants.scopes import Scope
from probe.street import Place, Street
from probe.tool import WORDS
from probe.tool.spy import Listening
from probe.world import CLUB, TOOL, TOOLS, taken_back


def tool_of(name: str) -> str | None:
    """The tool whose job it is, by its name: a handler may not say so, and then nobody asks."""
    return next((tool for tool in TOOLS if name.startswith(f"{tool}.")), None)


def spied(
    street: Street, more: Iterable[JobHandler] = ()
) -> tuple[JobRegistry, list[tuple[str, Any]]]:
    """The house's jobs, each of a tool's replaced by one that says that it ran, and where."""
    ran: list[tuple[str, Any]] = []

    def said(name: str) -> Callable[..., object]:
        return lambda s, payload: ran.append((name, s.store_id or s.brand_id))

    registry = JobRegistry()
    for handler in (*street.house.jobs, *more):
        spy = replace(handler, run=said(handler.name)) if tool_of(handler.name) else handler
        registry.add(spy)
    registry.add(*(periodic for periodic, _handler in street.house.jobs.periodic()))
    return registry, ran


def jobs(
    street: Street, guard: Guard = gating.job_guard, more: Iterable[JobHandler] = ()
) -> list[str]:
    """Jobs of tools that ran where they are off, or did not where they are on."""
    registry, ran = spied(street, more)
    tools = [handler for handler in registry if tool_of(handler.name)]
    queued: dict[Any, tuple[JobHandler, Place]] = {}
    for place in street.everywhere():
        with street.session(place, write=True) as s:
            s.info["jobs"] = registry
            for handler in tools:
                queued[queue.enqueue(s, handler.name, {})] = (handler, place)
    runner = Runner(street.house.tenancy, registry, guard)
    while runner.run_one() is not None:
        pass
    with street.house.tenancy.control() as c:
        rows = {row.id: row for row in c.scalars(sa.select(Job).where(Job.id.in_(list(queued))))}
    wrong = []
    for job_id, (handler, place) in queued.items():
        runs = place.on or handler.winddown
        row, said = rows[job_id], f"{handler.name} where it is {place.name}"
        if ((handler.name, place.node) in ran) is not runs:
            wrong.append(f"{said}, ran: {not runs}")
        elif row.status != ("done" if runs else "skipped"):
            wrong.append(f"{said} ended {row.status}")
        elif not runs and row.error != place.reasons[tool_of(handler.name) or ""]:
            wrong.append(f"{said} says {row.error!r}")
    return wrong


def schedules(street: Street, enabled: Enabled = gating.stores_on) -> list[str]:
    """Turns of tools that fell due where they are off, or did not where they are on."""
    registry, _ran = spied(street)
    turns = [(p, h) for p, h in registry.periodic() if tool_of(h.name)]
    assert {periodic.scope for periodic, _handler in turns} == {"store", "brand"}
    Scheduler(street.house.tenancy, registry, enabled).tick(afresh=True)
    with street.house.tenancy.control() as c:
        fired = {
            (row.name, row.store_id or row.brand_id)
            for row in c.scalars(sa.select(Job).where(Job.subject.is_not(None)))
        }
    wrong = []
    for periodic, handler in turns:
        of_brand = periodic.scope == "brand"
        for place in street.offices.values() if of_brand else street.places.values():
            due = place.on or handler.winddown
            if ((periodic.name, place.node) in fired) is not due:
                wrong.append(f"{periodic.name} where it is {place.name}, due: {not due}")
    return wrong


def parts_owed(street: Street, name: str) -> list[str]:
    """Parts that a tool owes and does later, though it was switched off meanwhile."""
    place, host = street.places[name], street.house.host
    wrong: list[str] = []
    heard: set[str] = set()
    owing = {hook.name: hook for hook in host.hooks.values() if hook.retry is not None}
    assert place.customer is not None and owing
    with street.app.test_request_context("/"), taken_back(street.session(place, write=True)) as s:
        facts = _facts(s, place)
        with Listening(lambda _ctx, what, _given: heard.add(what.removeprefix("hook:"))):
            for hook in owing.values():
                owed.note(s, hook, TOOL, s.store_id, {n: facts[n] for n in hook.arguments})
            retry.settle(s, TOOL)
    for hook in owing.values():
        does = place.on or hook.winddown
        if (hook.name in heard) is not does:
            wrong.append(f"{hook.name}, owed where it is {name}, done: {not does}")
    return wrong


def _facts(s: Any, place: Place) -> dict[str, Any]:
    """What hooks that can be owed are told."""
    bought = _buy(s, place)
    kept, gone = (customers.enrol(s, name=name) for name in ("Kay Quill", "Gil Quill"))
    customers.merge(s, kept.id, gone.id)
    back = ReturnIn(
        bought.store_id, f"B{uuid4().hex}", bought.pos_ref, clock.now(), 100,
        purchase_store_id=bought.store_id,
    )  # fmt: skip
    return {
        "customer": place.customer,
        "customers": [place.customer],
        "kept": kept,
        "gone": queries.record(s, gone.id),
        "purchase": bought,
        "purchases": [bought],
        "returned": purchases.record_return(s, back).returned,
    }


def _buy(s: Any, place: Place) -> Any:
    assert place.store is not None and place.customer is not None
    given = PurchaseIn(
        place.store.id, f"B{uuid4().hex}", clock.now() - timedelta(hours=1), 500, "GBP",
        place.customer.id,
    )  # fmt: skip
    return purchases.record(s, given).purchase


def verbs(street: Street, name: str) -> list[str]:
    """What an operator may ask of a tool that answers though it is off, or does not though on."""
    at, wrong = street.at(name), []
    store_id = at.store.id if at.store else None
    for verb, (tool, found) in sorted(host_verbs.of(street.house.host).items()):
        if found.at == "store" and store_id is None:
            continue
        try:
            with taken_back(street.session(at, write=found.writes)) as s:
                host_verbs.run(s, verb, {}, store_id)
            works = True
        except ToolOff as error:
            works = False
            if at.reasons[tool] not in error.detail:
                wrong.append(f"{verb} where it is {name} says {error.detail!r}")
        except Invalid:
            works = True  # it got as far as to ask for more
        if works is not at.on:
            wrong.append(f"{verb} where it is {name}, works: {works}")
    return wrong


def events(street: Street, name: str) -> list[str]:
    """What a tool tells others' programmes though it is off, or does not though it is on."""
    at, wrong = street.at(name), []
    with taken_back(street.session(at, write=True)) as s:
        kind = f"{TOOL}.happened"
        subscriptions.subscribe(
            s, name="Probe", url="https://hooks.example/", events=["tool.switched"]
        ).webhook.events = ["tool.switched", kind]
        s.flush()
        state.touch(s)
        ctx_of(s, TOOL).events.publish(kind, {"on": True})
        told = s.scalar(sa.select(sa.func.count(WebhookEvent.id)).where(WebhookEvent.type == kind))
        if bool(told) is not at.on:
            wrong.append(f"{kind} where it is {name}, told: {told}")
        if (kind in catalogue.offered(s)) is not at.on:
            wrong.append(f"{kind} can be subscribed to where it is {name}")
    return wrong


def notices(street: Street, name: str) -> list[str]:
    """Messages to a member that a tool sends though it is off, or does not though it is on."""
    at, wrong = street.at(name), []
    mail = street.house.mail
    kind, url, mail._url = f"{TOOL}.hello", mail._url, "memory:"
    try:
        with taken_back(street.session(at, write=True)) as s:
            store = at.store.id if at.store else None
            if s.customers == "store" and store is None:
                return []  # nobody there has members to write to
            s.add(
                EmailSender(brand_id=s.brand_id, name="P", address="p@probe.example", postal="Quay")
            )
            who = (
                customers.enrol(
                    s, name="Probe", email=f"{uuid4().hex}@probe.example", store_id=store
                )
                if store
                else None
            )
            if who is None:
                return []
            told = ctx_of(s, TOOL).mail.notice(who.id, kind, {"what": "x"}, key="probe")
            if bool(told) is not at.on:
                wrong.append(f"{kind} where it is {name}, sent: {told}")
    finally:
        mail._url = url
    return wrong


def fields(street: Street, name: str) -> list[str]:
    """Fields of customers that are there though their tool is off, or are not though it is on."""
    at, wrong = street.at(name), []
    with street.session(at) as s:
        known = published.known(s)
        for loaded in street.house.host.plugins.values():
            for one in loaded.plugin.fields:
                if (one.name in known) is not at.on:
                    wrong.append(f"{one.name} where it is {name}, known: {one.name in known}")
    return wrong


def files(street: Street, slug: str, folder: Path) -> list[str]:
    """Rows of a brand's file that reach a tool for stores where it is off, or do not where on."""
    here = [one for one in street.places.values() if one.brand.slug == slug]
    path = folder / f"{slug}.csv"
    lines = [f"{place.store.code},K{slug}{place.name},word" for place in here if place.store]
    path.write_text("\n".join(["store,card,word", *lines]), "utf-8")
    heard: list[Any] = []
    with Listening(lambda _ctx, _what, given: heard.extend(given[0])):
        try:
            imports.run(street.house.tenancy, here[0].brand.row, TOOL, WORDS, path)
        except ToolOff:
            if any(place.on for place in here):
                return [f"{WORDS.name} is refused in {slug}, where it is on somewhere"]
    reached = {row.store_id for row in heard}
    return [
        f"{WORDS.name} where it is {place.name}, reached: {place.node in reached}"
        for place in here
        if (place.node in reached) is not place.on
    ]


def batches(street: Street) -> list[str]:
    """What a hook over many stores brings to a tool of stores where it is off, or does not of
    those where it is on.
    """
    wrong = []
    for slug in street.offices:
        here = [one for one in street.places.values() if one.brand.slug == slug]
        facts = []
        for place in here:
            with street.session(place, write=True) as s:
                facts.append(_buy(s, place))
        heard: list[Any] = []
        with (
            street.house.tenancy.session(Scope.operator(here[0].brand.id), write=True) as s,
            Listening(lambda _ctx, _what, given, heard=heard: heard.extend(given[0])),
        ):
            answers = dispatch.collect_by_store(
                s, "purchases_recorded", facts, lambda fact: fact.store_id
            )
        on = {place.node for place in here if place.on}
        if {fact.store_id for fact in heard} != on:
            wrong.append(f"purchases_recorded of {slug} brings the tool {heard}")
        if {answer.plugin for answer in answers} - ({CLUB} if on else set()):
            wrong.append(f"purchases_recorded of {slug} is answered by {answers}")
    return wrong
