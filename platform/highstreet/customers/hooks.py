"""What the room asks of tools: to hear of new and merged customers, and to take part in leaving."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct

from highstreet.customers import queries, since
from highstreet.customers.facts import CustomerFact
from highstreet.host.spec import spec
from highstreet_tenants.errors import NotFound
from highstreet_tenants.sessions import ScopedSession


class SummaryRow(Struct, frozen=True):
    """One row that a tool adds to a customer's page: a label and what to read there, both shown.

    `sort` orders rows of all tools, small first.
    """

    label: str
    value: str
    sort: int = 100


class _ByIds:
    """Customers as ids. `follow` gives the record that took a merged one's place."""

    def __init__(self, *names: str, follow: bool = True) -> None:
        self._names = names
        self._follow = follow

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The customers' ids."""
        return {name: str(arguments[name].id) for name in self._names}

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """The customers as they are now, or None if one was erased meanwhile."""
        try:
            return {
                name: queries.get(s, UUID(data[name]))
                if self._follow and name != "gone"
                else queries.record(s, UUID(data[name]))
                for name in self._names
            }
        except NotFound:
            return None


class _Newcomers:
    """New customers as ids. Heard of late, those merged meanwhile are the record that is left."""

    def dump(self, s: ScopedSession, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Their ids."""
        return {"ids": [str(customer.id) for customer in arguments["customers"]]}

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """Those who are there, each once, or None."""
        found = queries.by_ids(s, [UUID(one) for one in data["ids"]])
        return {"customers": tuple(found)} if found else None


class _Merged(_ByIds):
    """A merge, unless it was taken back meanwhile."""

    def __init__(self) -> None:
        super().__init__("kept", "gone")

    def load(self, s: ScopedSession, data: Mapping[str, Any]) -> dict[str, Any] | None:
        """Both records, or None where there is nothing left to merge."""
        kept, gone = UUID(data["kept"]), UUID(data["gone"])
        try:
            if since.holds(s, kept, gone) and queries.record(s, kept).status == "erased":
                # What the tool keeps for `gone` must go with the rest: erasure speaks of `kept`.
                return {"kept": queries.record(s, kept), "gone": queries.record(s, gone)}
        except NotFound:
            return None
        found = super().load(s, data)
        if found is None or found["gone"].status != "merged":
            return None
        return found if queries.get(s, found["gone"].id).id == found["kept"].id else None


class CustomerHooks:
    """Hooks of the room `customers`."""

    @spec(kind="collect", writes=True, since="0.1", retry=_Newcomers())
    def customers_enrolled(self, ctx: Any, customers: Sequence[CustomerFact]) -> Any:
        """Customers joined, each for the first time: open accounts, greet them.

        A till passes one, an import up to thousands (of many stores: `home_store_id` says which):
        do it in a few statements. Runs in the same transaction.
        """

    @spec(
        kind="collect",
        writes=True,
        winddown=True,
        since="0.1",
        retry=_Merged(),
        missed=since.merges,
    )
    def customers_merged(self, ctx: Any, kept: CustomerFact, gone: CustomerFact) -> Any:
        """Two records became one: point what you keep for `gone` at `kept`. Both are locked.

        A tool that answers this answers `customers_unmerged` too, or no merge can be taken back.
        """

    @spec(kind="all", writes=True, winddown=True, since="0.1")
    def customers_unmerged(
        self, ctx: Any, kept: CustomerFact, gone: CustomerFact
    ) -> Sequence[SummaryRow] | None:
        """A merge is taken back: `gone` went into `kept` once, and is a record of its own again.

        What you kept for it before the merge goes back to it, exactly; what came since stays with
        `kept`. If you can't tell the two apart, raise Conflict and say what to do instead: then
        nothing is done. Also called for a dry run, which is undone. Both are locked. Give rows that
        say what went where; they are shown before somebody decides.
        """
        raise NotImplementedError

    @spec(kind="collect", winddown=True, since="0.1", gives=dict)
    def export_customer(self, ctx: Any, customer: CustomerFact) -> dict[str, Any]:
        """Somebody asks what is held about them: give all of it, as JSON-able values."""
        raise NotImplementedError

    @spec(
        kind="collect",
        writes=True,
        winddown=True,
        since="0.1",
        retry=_ByIds("customer", follow=False),
        missed=since.erasures,
        wordless=True,
        gives=dict,
    )
    def erase_customer(self, ctx: Any, customer: CustomerFact) -> dict[str, Any]:
        """Somebody is erased: delete what is personal, keep sums that name nobody.

        Called before the core blanks its own rows. Give counts of what went, for the log.
        """
        raise NotImplementedError

    @spec(kind="collect", since="0.1", gives=[SummaryRow])
    def customer_summary(self, ctx: Any, customer: CustomerFact) -> list[SummaryRow]:
        """A customer's page opens: give the rows worth reading there (balance, next reward)."""
        raise NotImplementedError
