"""What the room asks of tools: to hear of purchases and returns, and what a basket would earn."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from highstreet.host.spec import spec
from highstreet.purchases import queries, since
from highstreet.purchases.facts import PurchaseFact, PurchaseIn, ReturnFact
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession


class _Purchases:
    """Purchases as ids. Heard of late, they come with the returns made meanwhile."""

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Their ids."""
        return {"ids": [str(purchase.id) for purchase in arguments["purchases"]]}

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The purchases that are there, or None."""
        found = queries.by_ids(s, [UUID(one) for one in data["ids"]])
        return {"purchases": tuple(found)} if found else None


class _Purchase:
    """One purchase as its id."""

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Its id."""
        return {"id": str(arguments["purchase"].id)}

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The purchase as it is now, or None."""
        found = queries.by_ids(s, [UUID(data["id"])])
        return {"purchase": found[0]} if found else None


class _Return:
    """A return as its id."""

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Its id."""
        return {"id": str(arguments["returned"].id)}

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The return with its purchase as it is now, or None."""
        try:
            return {"returned": queries.get_return(s, UUID(data["id"]))}
        except NotFound:
            return None


class PurchaseHooks:
    """Hooks of the room `purchases`."""

    @spec(kind="collect", writes=True, since="0.1", retry=_Purchases())
    def purchases_recorded(self, ctx: Any, purchases: Sequence[PurchaseFact]) -> Any:
        """Purchases of one store were recorded, each for the first time: earn, count, thank.

        A till passes one, an import up to thousands: do it in a few statements. Give what a cashier
        should read. Runs in the same transaction.
        """

    @spec(kind="collect", writes=True, since="0.1", retry=_Purchase())
    def purchase_claimed(self, ctx: Any, purchase: PurchaseFact) -> Any:
        """A purchase that was nobody's when it was recorded turns out to be a customer's.

        `purchases_recorded` told of it then, without the customer: earn on it now, as of when it
        was made, and do not count it again. What was returned of it since is in it. Give what a
        cashier should read. Its row is locked.
        """

    @spec(
        kind="collect",
        writes=True,
        winddown=True,
        since="0.1",
        retry=_Return(),
        missed=since.returns,
    )
    def purchase_returned(self, ctx: Any, returned: ReturnFact) -> Any:
        """Money was given back: take back what was earned on it.

        `returned.purchase` is as it is after this return; work out anew what the rest of it earns,
        for rounding each return by itself would not add up. Its row is locked.
        """

    @spec(kind="collect", since="0.1")
    def basket_preview(self, ctx: Any, basket: PurchaseIn) -> Any:
        """A till asks what a basket would earn. Nothing may be written."""
        raise NotImplementedError
