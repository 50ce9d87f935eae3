"""Jobs: every handler is run in a scope with a payload that names what is another's."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.host import owed
from highstreet.host.models import PluginOwed
from highstreet.jobs import JobHandler
from highstreet.jobs.registry import JobError
from highstreet.kit import marks
from highstreet_tenants.errors import HighstreetError, WallBreach
from highstreet_tenants.ids import new_id
from probe import asking, telling
from probe.arguments import Untaught
from probe.bait import Bait
from probe.named import TODAY
from probe.reading import Reach
from probe.rows import Untouched
from probe.tool.spy import Listening
from probe.world import TOOLS, World

TEACH = "in tests/probe/working.py, put the key into Payload with an id of the bait's"


class Payload(Mapping[str, Any]):
    """A job's payload that gives whatever it is asked for. Raises Untaught for a new name."""

    def __init__(self, bait: Bait, subject: str, ids: list[str]) -> None:
        self.theirs = bait.one("webhook")
        self._known: dict[str, Any] = {
            "subject": subject,
            "ids": ids,
            "campaign": str(bait.one("campaign")),
            "issue": str(bait.one("issue")),
            "run": 0,
            "after": -1,
            "mailing": str(bait.one("mailing")),
            "trigger": str(bait.one("trigger")),
            "customer_id": str(bait.one("customer")),
            "customers": [str(bait.one("customer"))],
            "purchase_id": str(bait.one("purchase")),
            "store_id": str(bait.store_id),
            "behind": UUID(int=0).hex,
        }

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            raise Untaught(name, "a job's payload", TEACH)
        return self._known[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def work_all(world: World, owner: str, handlers: Iterable[JobHandler] | None = None) -> list[str]:
    """Run each job in the owner's scope about others' people. Gives what it told, changed or
    copied of theirs, and what a tool could read meanwhile.
    """
    findings: list[str] = []
    strangers = world.foreign(owner)
    reach = Reach(world, world.sites[owner], f"jobs in {owner}")
    done = list(world.house.jobs if handlers is None else handlers)
    heard: set[str] = set()

    def ear(ctx: Any, what: str, _given: Any) -> None:
        if what not in heard:  # whatever reached the tool once reaches it the same way again
            heard.add(what)
            reach.read(ctx.s, deep=False)

    with (
        Untouched(world, strangers, findings, f"jobs in {owner}", learns=True),
        Listening(ear),
    ):
        for site in strangers:
            if site.store is None:
                continue
            bait = Bait(world, site)
            ids = owe(world, owner, bait) if world.sites[owner].store is not None else []
            for handler in done:
                # What a job calls its subject: a tool, a day, somebody's id.
                for subject in (*TOOLS, TODAY.isoformat(), str(bait.one("customer"))):
                    said = f"{handler.name} about {site.owner}'s in {owner}"
                    findings += [
                        f"{said} {wrong}"
                        for wrong in _run(world, owner, handler, Payload(bait, subject, ids))
                    ]
    return findings + reach.findings


def _run(world: World, owner: str, handler: JobHandler, payload: Payload) -> list[str]:
    """What is wrong with how a job ended."""
    try:
        if handler.outside:
            _errand(world, owner, handler, payload)
        else:
            with world.session(owner, write=True) as s:
                handler.run(s, payload)  # type: ignore[arg-type]  # no errand
    except WallBreach:
        return []
    except HighstreetError as error:
        # The jobs page shows a JobError's words; those of others are kept from it (`describe`).
        told = marks.found(str(error)) if isinstance(error, JobError) else set()
        seen = asking.visible(world, owner)
        return [f"tells {mark} on the jobs page" for mark in sorted(told - seen)]
    except Exception as error:
        return [f"raised {type(error).__name__}: {error}"[:300]]
    return []


def _errand(world: World, owner: str, handler: JobHandler, payload: Payload) -> None:
    """A job that works outside of the house, as the runner does it. Its subject is an id."""

    class Trip:
        id = new_id()

        def session(self, *, write: bool = False) -> Any:
            return world.session(owner, write=write)

        def report(self, done: int, total: int | None = None) -> None:
            """Nobody looks."""

    ids = {**payload, "subject": str(payload.theirs)}
    ending = handler.run(Trip(), ids)  # type: ignore[arg-type]  # an errand
    with world.session(owner, write=True) as s:
        if ending is not None:
            ending(s)


def owe(world: World, owner: str, bait: Bait) -> list[str]:
    """Write down in a store that its tools still owe something about somebody else's people; gives
    the ids of these parts, for the job that is to do them."""
    with world.session(owner, write=True) as s:
        for hook in world.house.host.hooks.values():
            if hook.retry is not None:
                for tool in TOOLS:
                    owed.note(s, hook, tool, s.store_id, telling.arguments_of(hook, bait))
        return [one.hex for one in s.scalars(sa.select(PluginOwed.id))]
