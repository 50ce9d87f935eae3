"""Calling hooks: the tools that are on in a store, each isolated from the others.

Five doing nothing cost some microseconds, however many are installed: the plan for (hook, set of
enabled tools) is kept, and nothing in the loop looks anything up.
"""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, TypeVar
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import counts, faults, guard, owed, state
from highstreet.host.asked import node_of, plan_in, slow, wrong_arguments
from highstreet.host.batches import Batch
from highstreet.host.closed import Refused, together, veto
from highstreet.host.guard import CAUGHT
from highstreet.host.plans import Answer, Plan, plan_for
from highstreet.host.state import Here
from highstreet_tenants.sessions import ScopedSession, TransactionEnded

__all__ = ["Answer", "Refused", "chain", "collect", "collect_by_store", "first", "together", "veto"]

T = TypeVar("T")


def collect(
    s: ScopedSession, hook: str, store_id: UUID | None = None, **arguments: Any
) -> list[Answer]:
    """Ask every tool that is on; gives their answers (None is none), in the order they depend.

    store_id: where; the session's own store unless given. A tool that fails has no answer: its part
    is undone, recorded, and done again later. Raises TypeError for arguments that the hook does
    not have, or a writing hook in a reading session.
    """
    here = state.here(s, store_id)
    plan = here.active.plans.get(hook)
    if plan is None:
        plan = plan_for(hosts.of(s), here.active, hook)
    if arguments.keys() != plan.names:
        raise wrong_arguments(plan, arguments)
    if not plan.calls and not plan.owing:
        return []
    if plan.hook.writes:
        return _write(s, here, plan, store_id, arguments)
    values = [arguments[name] for name in plan.hook.arguments]
    if guard.needs_shield(s):
        return _collect_shielded(s, here, plan, store_id, values)
    answers: list[Answer] = []
    ctxs, budget = here.ctxs, plan.budget
    tallies = (here.sheet or counts.on(s, here))[hook]
    began = perf_counter()
    for plugin, function, _order in plan.calls:
        ctx = ctxs.get(plugin)
        if ctx is None:
            ctx = guard.ctx_of(s, here, plugin, store_id)
        try:
            value = function(ctx, *values)
            ended = perf_counter()
        except CAUGHT as error:
            ended = perf_counter()
            _failed(s, plan, plugin, store_id, error, ended - began)
        else:
            if value is not None:
                answers.append(Answer(plugin, value))
            tally, took = tallies[plugin], ended - began
            tally.calls += 1
            tally.seconds += took
            if took > tally.slowest:
                tally.slowest = took
            if took > budget:
                slow(s, plan, plugin, store_id, took)
        began = ended
    return answers


def _collect_shielded(
    s: ScopedSession, here: Here, plan: Plan, store_id: UUID | None, values: list[Any]
) -> list[Answer]:
    """The same with one shield for all of them: whoever reaches for the database opens it."""
    answers: list[Answer] = []
    ctxs, budget = here.ctxs, plan.budget
    tallies = (here.sheet or counts.on(s, here))[plan.hook.name]
    shield = guard.Shield(s)
    try:
        began = perf_counter()
        for plugin, function, _order in plan.calls:
            ctx = ctxs.get(plugin)
            if ctx is None:
                ctx = guard.ctx_of(s, here, plugin, store_id)
            try:
                value = function(ctx, *values)
                ended = perf_counter()
            except CAUGHT as error:
                ended = perf_counter()
                shield.settle(failed=True)
                _failed(s, plan, plugin, store_id, error, ended - began)
            else:
                shield.settle(failed=False)
                if value is not None:
                    answers.append(Answer(plugin, value))
                tally, took = tallies[plugin], ended - began
                tally.calls += 1
                tally.seconds += took
                if took > tally.slowest:
                    tally.slowest = took
                if took > budget:
                    slow(s, plan, plugin, store_id, took)
            began = ended
    finally:
        shield.lift(failed=True)  # open still only if something ends the process
    return answers


def first(
    s: ScopedSession, hook: str, store_id: UUID | None = None, **arguments: Any
) -> Answer | None:
    """The first answer that a tool gives; one that fails is passed over. None if nobody answers."""
    plan = plan_in(s, hook, store_id, arguments)
    values = tuple(arguments[name] for name in plan.hook.arguments)
    for plugin, function, _order in plan.calls:
        well, value = guard.call(
            s, plugin, hook, function, values, store_id=store_id, budget=plan.budget
        )
        if well and value is not None:
            return Answer(plugin, value)
    return None


def chain(
    s: ScopedSession, hook: str, value: T, store_id: UUID | None = None, **arguments: Any
) -> T:
    """Pass a value from tool to tool; what the last gives. A bad link (it fails, or gives None) is
    skipped: the value goes on as it was."""
    name = hosts.of(s).hooks[hook].arguments[0]
    plan = plan_in(s, hook, store_id, {name: value, **arguments})
    rest = tuple(arguments[n] for n in plan.hook.arguments[1:])
    for plugin, function, _order in plan.calls:
        well, changed = guard.call(
            s, plugin, hook, function, (value, *rest), store_id=store_id, budget=plan.budget
        )
        if well and changed is not None:
            value = changed
    return value


def collect_by_store(
    s: ScopedSession,
    hook: str,
    items: Sequence[T],
    store_of: Callable[[T], UUID | None],
    **arguments: Any,
) -> list[Answer]:
    """`collect` for a batch over many stores: each tool is called once, with the items of the
    stores where it is on, in their order, as the hook's first argument.

    Its `ctx` stands in no store unless all items are one store's, so it names the store when it
    asks for settings. A tool that fails is called again store by store, so that one store's bad
    row costs no other its points.
    """
    if not items:
        return []
    stores = list(dict.fromkeys(store_of(item) for item in items))
    first_argument = hosts.of(s).hooks[hook].arguments[0]
    if len(stores) == 1:
        return collect(s, hook, stores[0], **{first_argument: items}, **arguments)
    state.prime(s, [store for store in stores if store is not None])
    plans = {store: plan_in(s, hook, store, {first_argument: (), **arguments}) for store in stores}
    return Batch(s, items, store_of, arguments, plans).run()


def _write(
    s: ScopedSession, here: Here, plan: Plan, store_id: UUID | None, arguments: dict[str, Any]
) -> list[Answer]:
    """One savepoint around all tools; only if one fails is it rolled back and each has its own."""
    guard.check_writing(s, plan.hook.name)
    node = node_of(s, store_id)
    answers: list[Answer] = []
    if plan.calls:
        s.flush()  # so that the caller's own mistakes are not laid at a tool's door
        values = [arguments[name] for name in plan.hook.arguments]
        late: list[tuple[str, float]] = []
        size = guard.size(values)
        budget = plan.budget * size
        tallies = (here.sheet or counts.on(s, here))[plan.hook.name]
        try:
            with s.savepoint(plan.seconds * size):
                began = perf_counter()
                for plugin, function, _order in plan.calls:
                    ctx = guard.ctx_of(s, here, plugin, store_id)
                    value = function(ctx, *values)
                    ended = perf_counter()
                    if value is not None:
                        answers.append(Answer(plugin, value))
                    tally, took = tallies[plugin], ended - began
                    tally.calls += 1
                    tally.seconds += took
                    if took > tally.slowest:
                        tally.slowest = took
                    if took > budget:
                        late.append((plugin, took))
                    began = ended
        except TransactionEnded:
            raise  # the caller's fact is gone with it: nothing may look as if it stood
        except CAUGHT:
            answers, late = _write_each(s, plan, store_id, arguments, values)
        for plugin, seconds in late:
            slow(s, plan, plugin, store_id, seconds)
    for plugin in plan.owing:
        owed.note(s, plan.hook, plugin, node, arguments)
    return answers


def _write_each(
    s: ScopedSession,
    plan: Plan,
    store_id: UUID | None,
    arguments: dict[str, Any],
    values: list[Any],
) -> tuple[list[Answer], list[tuple[str, float]]]:
    answers: list[Answer] = []
    late: list[tuple[str, float]] = []
    size = guard.size(values)
    budget = plan.budget * size
    for plugin, function, _order in plan.calls:
        ctx = guard.ctx_of(s, state.here(s, store_id), plugin, store_id)
        began = perf_counter()
        try:
            with s.savepoint(plan.seconds * size):
                value = function(ctx, *values)
        except CAUGHT as error:
            _failed(s, plan, plugin, store_id, error, perf_counter() - began)
            owed.note(s, plan.hook, plugin, node_of(s, store_id), arguments, tried=True)
            continue
        took = perf_counter() - began
        here = state.here(s, store_id)
        (here.sheet or counts.on(s, here))[plan.hook.name][plugin].add(took)
        if took > budget:
            late.append((plugin, took))
        if value is not None:
            answers.append(Answer(plugin, value))
    return answers, late


def _failed(
    s: ScopedSession,
    plan: Plan,
    plugin: str,
    store_id: UUID | None,
    error: BaseException,
    seconds: float,
) -> None:
    node = node_of(s, store_id)
    faults.record(s, faults.of_error(plugin, plan.hook.name, node, error, seconds * 1000))
