"""What it costs to ask the tools of a store: five that are on, however many are installed.

Asked: under 10 µs with 50 installed, guarded and timed, and the same with 200. The floor is a
plain loop over the same five functions.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from benchmarks import databases, measure
from benchmarks.brands import Brand, found_brand
from benchmarks.measure import Figure
from highstreet.app import house_of
from highstreet.customers.facts import CustomerFact
from highstreet.host import Host, dispatch, policy, registry
from highstreet.sdk import context
from highstreet_tenants import clock
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

HOOK = "customer_summary"
ON = 5
CALLS = 1_000
ROUNDS = 21

_MANIFEST = """
name = "{name}"
title = "Tool {name}"
summary = "One of many."
version = "1.0"
requires = "highstreet>=0.1,<2"
"""
_PACKAGE = """
from highstreet.sdk import Plugin, hookimpl

class Hooks:
    @hookimpl
    def customer_summary(self, ctx, customer):
        return []

plugin = Plugin({name!r}, hooks=Hooks())
"""


def run() -> list[Figure]:
    """Measure on each kind of database, for they isolate reading hooks differently."""
    hosts = {count: _host(count) for count in (50, 200)}
    figures: list[Figure] = []
    for kind in databases.kinds():
        figures += _measure(kind, hosts)
    return figures


def _measure(kind: str, hosts: dict[int, Host]) -> list[Figure]:
    with databases.installation(kind) as app, ExitStack() as stack:
        tenancy = house_of(app).tenancy
        few = stack.enter_context(_asked(tenancy, found_brand(tenancy, "few"), hosts[50]))
        many = stack.enter_context(_asked(tenancy, found_brand(tenancy, "many"), hosts[200]))
        none = found_brand(tenancy, "none")
        nobody = stack.enter_context(_asked(tenancy, none, hosts[200], on=0))
        sides = {"50": few[0], "floor": few[1], "200": many[0], "none on": nobody[0]}
        times = measure.in_turn(
            {n: _repeat(work) for n, work in sides.items()}, ROUNDS, time.process_time
        )
    each = {name: total / CALLS * 1e6 for name, total in times.items()}
    label = f"dispatch, {ON} on of"
    return [
        Figure(
            f"{label} 50 installed, {kind}", each["50"], each["floor"], "µs",
            each["50"] / each["floor"], ("<=", 10.0), "floor: a plain loop", of="value",
        ),
        Figure(
            f"{label} 200 against 50, {kind}", each["200"], each["50"], "µs",
            each["200"] / each["50"], ("<=", 1.1), "the same, however many are installed",
        ),
        Figure(
            f"dispatch, none on of 200, {kind}", each["none on"], None, "µs", None, None,
        ),
    ]  # fmt: skip


def _repeat(work: Callable[[], object]) -> Callable[[], None]:
    def repeated() -> None:
        for _number in range(CALLS):
            work()

    return repeated


@contextmanager
def _asked(
    tenancy: Tenancy, brand: Brand, host: Host, on: int = ON
) -> Iterator[tuple[Callable[[], object], Callable[[], object]]]:
    """(asking through the dispatcher, a plain loop over the same functions) in one store."""
    chosen = list(host.plugins)[:: len(host.plugins) // on][:on] if on else []
    before = list(tenancy.on_open)
    tenancy.on_open.append(lambda s: s.info.update(host=host))
    try:
        with tenancy.session(Scope.brand(brand.row), write=True) as s:
            for name in chosen:
                policy.set_policy(s, name, "required")
        customer = CustomerFact(
            new_id(), "Ana Ruiz", None, brand.stores[0].id, None, clock.now(), "active"
        )
        scope = Scope.store(brand.id, brand.stores[0].id)
        with tenancy.session(scope) as s:
            answers = dispatch.collect(s, HOOK, customer=customer)
            if [answer.plugin for answer in answers] != chosen:
                raise AssertionError(f"{chosen} are on, but {answers} answered")
            yield (
                lambda: dispatch.collect(s, HOOK, customer=customer),
                _plainly(s, host, chosen, customer),
            )
    finally:
        tenancy.on_open[:] = before


def _plainly(
    s: ScopedSession, host: Host, names: list[str], customer: CustomerFact
) -> Callable[[], object]:
    calls: list[tuple[Any, Any]] = [
        (host.calls[HOOK][name].function, context.make(s, host.plugins[name], None))
        for name in names
    ]

    def loop() -> list[Any]:
        answers = []
        for function, ctx in calls:
            value = function(ctx, customer)
            if value is not None:
                answers.append(value)
        return answers

    return loop


def _host(count: int) -> Host:
    """A host of so many real packages, written to disk and loaded as installed ones are."""
    from highstreet import rooms

    with tempfile.TemporaryDirectory(prefix="hs_bench_tools_") as folder:
        points = []
        for number in range(count):
            name = f"of{count}n{number}"
            package = Path(folder) / f"hs_bench_{name}"
            package.mkdir()
            (package / "plugin.toml").write_text(_MANIFEST.format(name=name), encoding="utf-8")
            (package / "__init__.py").write_text(_PACKAGE.format(name=name), encoding="utf-8")
            points.append(EntryPoint(name, package.name, registry.GROUP))
        sys.path.insert(0, folder)
        try:
            host = Host.load(rooms.specs(), entry_points=points, make_ctx=context.make)
        finally:
            sys.path.remove(folder)
    if len(host.plugins) != count:
        raise AssertionError(f"not all tools were loaded: {host.quarantined}")
    return host
