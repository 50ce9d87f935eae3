"""What the room asks of tools: what a store that closes still owes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from highstreet.host.spec import spec
from highstreet.i18n import LazyText


class Owed(Struct, frozen=True):
    """One kind of thing that a store still owes its members.

    what: what it is; a lazy translation without values, so that the trail can say it in each
    reader's language. many: how many; people: whose. Both are None where that is fewer than five
    people whom head office may not make out. worth_minor: what it comes to at most, in minor units
    of the store's currency; None where nobody can say. note: how that was reckoned.
    """

    what: LazyText | str
    many: int | None
    people: int | None = None
    worth_minor: int | None = None
    note: str = ""


class StoreHooks:
    """Hooks of the room `stores`."""

    @spec(kind="collect", winddown=True, since="0.1", budget_ms=10_000.0, gives=[Owed])
    def store_owes(self, ctx: Any) -> Sequence[Owed]:
        """Head office looks at closing a store: say what it still owes its members through you.

        `ctx` stands in that store, but its session reaches what head office may read: where
        customers are the stores', registered aggregates alone (`aggregates.run(ctx.s, …)`), whose
        small cells come back as None. Tools that are off are asked too: what they owe is still
        owed. Nothing owed is an empty list.
        """
        raise NotImplementedError
