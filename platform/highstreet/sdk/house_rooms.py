"""The rooms of the house that a tool works with: campaigns, jobs, events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from highstreet.campaigns import running
from highstreet.sdk.ground import Room
from highstreet.webhooks import outbox

if TYPE_CHECKING:
    from highstreet.campaigns.running import Running
    from highstreet.consent.facts import Answer as MayContact
    from highstreet.webhooks.outbox import Happened


class Campaigns(Room):
    """Needs nothing declared: only campaigns with the tool's own actions. See
    highstreet.campaigns."""

    __slots__ = ()

    def running(self, at: datetime, store_id: UUID | None = None) -> tuple[Running, ...]:
        """Those that run in a store (this place unless named) at a moment (aware), which may be
        long past. Costs no query once it was asked in that store; the same objects as long as
        nothing changes there. Raises NotFound for a store out of reach."""
        ctx = self._ctx
        # Not `ctx.s`: on PostgreSQL that sets a savepoint, and a till has nothing to be saved from.
        return running.at(ctx._s, ctx.plugin, at, ctx.store_id if store_id is None else store_id)

    def prime(self, stores: Iterable[UUID]) -> None:
        """Read what runs in many stores in a few queries, before a batch asks for each."""
        running.prime(self._ctx.s, stores)

    def names(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        """Campaigns of the brand by name."""
        return running.names(self._ctx.s, ids)


class Jobs(Room):
    """Needs `jobs`. Only the tool's own jobs, named `<tool>.<what>`."""

    __slots__ = ()

    def enqueue(
        self,
        name: str,
        payload: Mapping[str, Any] | None = None,
        *,
        run_at: datetime | None = None,
        not_after: datetime | None = None,
        unique_key: str | None = None,
        max_attempts: int = 5,
        subject: str | None = None,
    ) -> UUID:
        """Put a job into the queue as part of this transaction; gives its id.

        See highstreet.jobs.enqueue. Raises Invalid, UnknownJob, and ValueError for a job that is
        not this tool's.
        """
        from highstreet import jobs

        self._ctx.need("jobs")
        if not name.startswith(f"{self._ctx.plugin}."):
            raise ValueError(f"{name} is not a job of {self._ctx.plugin}")
        return jobs.enqueue(
            self._ctx.s,
            name,
            payload,
            run_at=run_at,
            not_after=not_after,
            unique_key=unique_key,
            max_attempts=max_attempts,
            plugin=self._ctx.plugin,
            subject=subject,
            store_id=self._ctx.store_id,
        )


class Events(Room):
    """What the tool tells others' programmes: the kinds that its `Plugin.events` names."""

    __slots__ = ()

    def wanted(self, name: str) -> bool:
        """Whether anybody within reach listens; ask before putting much together."""
        return outbox.wanted(self._ctx._s, name)

    def publish(
        self,
        name: str,
        data: Mapping[str, Any],
        *,
        at: datetime | None = None,
        store_id: UUID | None = None,
    ) -> None:
        """Tell, as part of this transaction, those who listen; nothing is told where the tool is
        off.

        data: what the kind's schema says, as Python has it: ids and amounts, never names. at: when
        it happened, now if not given. Raises ValueError for an event that is not the tool's, or
        data that does not fit.
        """
        from highstreet.webhooks.outbox import Happened
        from highstreet_tenants.clock import now

        where = self._ctx.store_id if store_id is None else store_id
        self.publish_many(name, [Happened(where, at or now(), data)])

    def publish_many(self, name: str, happened: Iterable[Happened]) -> None:
        """Tell many events of a kind at once, of any stores; see `publish`.

        A store_id of None is head office, or the whole club: no store in particular.
        """
        from highstreet.host import state

        ctx = self._ctx
        if name not in {one.name for one in ctx.events_declared}:
            raise ValueError(f"{name} is not among the events of {ctx.plugin}")
        if not outbox.wanted(ctx.s, name):
            return
        told = list(happened)
        places = {one.store_id for one in told}
        on = {one for one in places if state.is_on(ctx.s, ctx.plugin, one or ctx.store_id)}
        outbox.publish_many(ctx.s, name, [one for one in told if one.store_id in on])


class Mail(Room):
    """Needs `mail.send`. Only what the tool's `Plugin.notices` declare. See highstreet.email."""

    __slots__ = ()

    def notice(
        self,
        customer_id: UUID,
        name: str,
        values: Mapping[str, Any],
        *,
        key: str,
        not_after: datetime | None = None,
    ) -> MayContact:
        """Put one message to a member into the outbox, as part of this transaction, in their own
        language; false, with the reason, where it may not be sent: no server, no address, no
        consent, or the same `key` before. It goes out a little later, if it still may then.

        values: what the notice's fields say. key: what it is sent for, such as a day or a reward's
        id: one message for each member and key. not_after: its last moment, in three days if not
        given. Nothing is sent where the tool is off. Raises NotFound, Invalid, and ValueError for a
        notice that is not the tool's or values that are not its fields.
        """
        from highstreet.email import notices

        ctx = self._ctx
        ctx.need("mail.send")
        notice = next((one for one in ctx.notices_declared if one.name == name), None)
        if notice is None:
            raise ValueError(f"{name} is not among the notices of {ctx.plugin}")
        if values.keys() != notice.sample.keys():
            raise ValueError(f"{name} says {sorted(notice.sample)}, not {sorted(values)}")
        return notices.send(
            ctx.s,
            notice,
            ctx.plugin,
            customer_id,
            values,
            key=key,
            place_id=ctx.store_id,
            not_after=not_after,
        )
