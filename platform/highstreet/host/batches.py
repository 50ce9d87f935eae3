"""One hook for things of many stores: each tool is called once, with what is its stores'."""

from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import counts, faults, guard, owed, state
from highstreet.host.guard import CAUGHT
from highstreet.host.plans import Answer, Plan
from highstreet.host.spec import Call
from highstreet_tenants.sessions import ScopedSession, TransactionEnded


class Batch:
    """One batch over several stores. plans: the hook's plan in each store."""

    def __init__(
        self,
        s: ScopedSession,
        items: Sequence[Any],
        store_of: Callable[[Any], UUID | None],
        arguments: Mapping[str, Any],
        plans: Mapping[UUID | None, Plan],
    ) -> None:
        self.s = s
        self.host = hosts.of(s)
        self.items = items
        self.store_of = store_of
        self.arguments = arguments
        self.calls: dict[str, Call] = {}
        self.stores: dict[str, list[UUID | None]] = {}
        self.owing: list[tuple[str, UUID | None]] = []
        for store, plan in plans.items():
            self.hook, self.budget, self.seconds = plan.hook, plan.budget, plan.seconds
            for call in plan.calls:
                self.calls[call.plugin] = call
                self.stores.setdefault(call.plugin, []).append(store)
            self.owing += [(plugin, store) for plugin in plan.owing]

    def run(self) -> list[Answer]:
        """Call everybody, together if nobody fails."""
        order = {name: place for place, name in enumerate(self.host.plugins)}
        calls = sorted(self.calls.values(), key=lambda call: (call.order, order[call.plugin]))
        answers: list[Answer] = []
        if not self.hook.writes:
            answers = [answer for call in calls for answer in self._ask_guarded(call)]
        elif calls:
            guard.check_writing(self.s, self.hook.name)
            self.s.flush()
            slow: list[tuple[str, float, float]] = []
            try:
                with self.s.savepoint(self.seconds * guard.size([self.items])):
                    for call in calls:
                        answers += self._ask(call, self.stores[call.plugin], slow)
            except TransactionEnded:
                raise
            except CAUGHT:
                slow.clear()
                answers = [answer for call in calls for answer in self._ask_alone(call, slow)]
            for plugin, took, budget in slow:
                fault = faults.of_slowness(
                    plugin, self.hook.name, self.s.scope.store_id, took * 1000, budget * 1000
                )
                faults.record(self.s, fault)
        for plugin, store in self.owing:
            owed.note(self.s, self.hook, plugin, store, self._given([store]))
        return answers

    def _given(self, stores: Sequence[UUID | None]) -> dict[str, Any]:
        wanted = set(stores)
        theirs = [item for item in self.items if self.store_of(item) in wanted]
        return {self.hook.arguments[0]: theirs, **self.arguments}

    def _values(self, stores: Sequence[UUID | None]) -> tuple[Any, ...]:
        given = self._given(stores)
        return tuple(given[name] for name in self.hook.arguments)

    def _ask(
        self, call: Call, stores: Sequence[UUID | None], slow: list[tuple[str, float, float]]
    ) -> list[Answer]:
        ctx = self._ctx(call.plugin, stores)
        values = self._values(stores)
        budget = self.budget * guard.size(values)
        began = perf_counter()
        value = call.function(ctx, *values)
        took = perf_counter() - began
        # One call for many stores is head office's.
        here = state.here(self.s, stores[0] if len(stores) == 1 else self.s.scope.store_id)
        (here.sheet or counts.on(self.s, here))[self.hook.name][call.plugin].add(took)
        if took > budget:
            slow.append((call.plugin, took, budget))
        return [] if value is None else [Answer(call.plugin, value)]

    def _ctx(self, plugin: str, stores: Sequence[UUID | None]) -> Any:
        if len(stores) == 1:
            return guard.ctx_of(self.s, state.here(self.s, stores[0]), plugin, stores[0])
        return guard.make_ctx(self.s, plugin, None)

    def _ask_alone(self, call: Call, slow: list[tuple[str, float, float]]) -> list[Answer]:
        """A tool's part in a savepoint of its own, and if that fails store by store."""
        stores = self.stores[call.plugin]
        try:
            with self.s.savepoint(self.seconds * guard.size(self._values(stores))):
                return self._ask(call, stores, slow)
        except CAUGHT as error:
            if len(stores) == 1:
                self._owe(call, stores[0], error)
                return []
        answers = []
        for store in stores:
            try:
                with self.s.savepoint(self.seconds * guard.size(self._values([store]))):
                    answers += self._ask(call, [store], slow)
            except CAUGHT as error:
                self._owe(call, store, error)
        return answers

    def _owe(self, call: Call, store: UUID | None, error: BaseException) -> None:
        faults.record(self.s, faults.of_error(call.plugin, self.hook.name, store, error, 0.0))
        owed.note(self.s, self.hook, call.plugin, store, self._given([store]), tried=True)

    def _ask_guarded(self, call: Call) -> list[Answer]:
        answers = []
        for store in self.stores[call.plugin]:
            values = self._values([store])
            well, value = guard.call(
                self.s,
                call.plugin,
                self.hook.name,
                call.function,
                values,
                store_id=store,
                budget=self.budget * guard.size(values),
            )
            if well and value is not None:
                answers.append(Answer(call.plugin, value))
        return answers
