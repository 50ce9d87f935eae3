"""Calling every public function of the rooms and of the points club with what is not the caller's.

Arguments are filled by their names. A name that is not known here makes the probe fail.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from types import ModuleType
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from highstreet import host as hosts
from highstreet.customers import places
from highstreet.customers import queries as customers
from highstreet.customers.facts import CustomerFact, EnrolIn
from highstreet.customers.models import Note
from highstreet.host.faults import Fault
from highstreet.purchases import queries as purchases
from highstreet.purchases.facts import PurchaseFact, PurchaseIn, ReturnFact, ReturnIn
from highstreet.sdk import Ctx, EntryIn, ctx_of
from highstreet.sdk import rooms as sdk_rooms
from highstreet_points_club.models import Rule
from highstreet_tenants import clock
from highstreet_tenants.scopes import Scope
from probe import arguments
from probe.world import CLUB, TOOL, Site, World

ROOMS = (
    "customers", "consent", "timeline", "purchases", "results", "till", "members", "imports",
    "audits", "jobs",
)  # fmt: skip
#: What the rooms of the host ask and do; the rest of it is how a hook is called.
HOST = (
    "state", "settings", "policy", "faults", "owed", "retry", "nav", "slots", "snapshot", "facts",
)  # fmt: skip
#: Functions that nobody calls but with what they have just worked out themselves.
INNER: Mapping[str, str] = {
    "highstreet.customers.identities.attach": "the new customer's row and key",
    "highstreet.customers.identities.note_suppression": "the new customer's keys",
    "highstreet.customers.enrolment.write_name_keys": "the new customer's realm",
    "highstreet.host.owed.note": "a store that `dispatch` has found within reach",
    "highstreet.imports.people.find": "rows of the file that is read",
    "highstreet.imports.people.remember": "rows of the file that is read",
    "highstreet.imports.people.take_on": "rows of the file that is read",
    "highstreet.jobs.queue.insert_once": "a row that `enqueue` made",
    "highstreet.purchases.queries.return_fact": "a row that `get_return` read",
    "highstreet_points_club.accounts.states": "accounts that `lock` gave",
    "highstreet_points_club.accounts.with_spent": "a state that `states` gave",
    "highstreet_points_club.issuing.issue_automatic": "a locked account and its programme",
    "highstreet_points_club.issuing.record": "rewards of the ledger's step",
    "highstreet_points_club.rewards.let_go": "an account that `locked` gave",
    "highstreet_points_club.rewards.take_back": "an account that `locked` gave",
    "highstreet_points_club.rules.keep": "a programme of the settings",
    "highstreet_points_club.story.tell_many": "events of the ledger's step",
    "highstreet_points_club.till.choices": "a balance that `history.balance` gave",
    "highstreet_points_club.writing.put": "rows of the ledger's step",
    "highstreet_points_club.writing.write": "the ledger's step",
}
FIRST = ("s", "ctx", "c", "tenancy")
Function = Callable[..., Any]


def modules() -> Iterator[ModuleType]:
    """Every module of the rooms, of the host's part that answers questions, of the points club."""
    for room in ROOMS:
        package = importlib.import_module(f"highstreet.{room}")
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(found.name)
    for name in HOST:
        yield importlib.import_module(f"highstreet.host.{name}")
    package = importlib.import_module("highstreet_points_club")
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations" not in found.name:
            yield importlib.import_module(found.name)


def functions() -> dict[str, Function]:
    """Public functions that work in a scope, by their full names."""
    found = {}
    for module in modules():
        for name, function in vars(module).items():
            if (
                not name.startswith("_")
                and inspect.isfunction(function)
                and function.__module__ == module.__name__
                and {"s", "ctx"} & set(inspect.signature(function).parameters)
            ):
                found[f"{module.__name__}.{name}"] = function
    return found | dict(_rooms_of_ctx())


def _rooms_of_ctx() -> Iterator[tuple[str, Function]]:
    """What a tool's `ctx` offers: each method of each of its rooms, as a function of `ctx`."""
    for attribute, kind in vars(Ctx).items():
        if not isinstance(kind, property):
            continue
        room = getattr(sdk_rooms, attribute.title(), None)
        for name, method in vars(room).items() if room is not None else ():
            if not name.startswith("_") and inspect.isfunction(method):
                yield f"ctx.{attribute}.{name}", _bound(attribute, method)


def _bound(attribute: str, method: Function) -> Function:
    def run(ctx: Any, **given: Any) -> Any:
        return method(getattr(ctx, attribute), **given)

    first, *rest = inspect.signature(method).parameters.values()
    run.__signature__ = inspect.Signature([first.replace(name="ctx"), *rest])  # type: ignore[attr-defined]
    return run


class Bait:
    """What a site has that others must not get, as arguments of functions."""

    def __init__(self, world: World, site: Site) -> None:
        self.world, self.site = world, site
        assert site.store is not None
        self.store_id = site.store.id
        self.at = clock.now()

    def _read(self, reader: Callable[[Any], Any]) -> Any:
        with self.world.house.tenancy.session(Scope.operator(self.site.brand.id)) as s:
            return reader(s)

    @cached_property
    def customer(self) -> CustomerFact:
        """A customer's fact."""
        found: CustomerFact = self._read(lambda s: customers.get(s, self.one("customer")))
        return found

    @cached_property
    def second(self) -> CustomerFact:
        """Another customer's fact."""
        second = self.site.ids["customer"][1]
        found: CustomerFact = self._read(lambda s: customers.get(s, second))
        return found

    @cached_property
    def purchase(self) -> PurchaseFact:
        """A purchase's fact, with its lines."""
        found: PurchaseFact = self._read(lambda s: purchases.get(s, self.one("purchase")))
        return found

    @cached_property
    def returned(self) -> ReturnFact:
        """A return's fact."""
        found: ReturnFact = self._read(lambda s: purchases.get_return(s, self.one("return")))
        return found

    @cached_property
    def note_id(self) -> Any:
        """A note about a customer."""
        query = sa.select(Note.id).where(Note.customer_id == self.one("customer"))
        return self._read(lambda s: s.scalars(query).first())

    @cached_property
    def rule_id(self) -> Any:
        """The rules that a purchase earned by."""
        return self._read(lambda s: s.scalars(sa.select(Rule.id)).first())

    @cached_property
    def realm(self) -> Any:
        """Who owns the keys of the people here."""
        return self._read(lambda s: places.realm(s, self.store_id))

    def one(self, kind: str) -> Any:
        """An id of a kind."""
        return self.site.ids[kind][0]

    def basket(self) -> PurchaseIn:
        """A purchase in the site's store by its customer."""
        return PurchaseIn(
            self.store_id, f"P{uuid4().hex}", self.at, 100, "GBP", self.one("customer")
        )

    def value(self, s: Any, parameter: inspect.Parameter, where: str) -> Any:
        """What to hand over for a parameter. Raises Untaught."""
        name, kind = parameter.name, str(parameter.annotation)
        typed = self._typed(name, kind)
        if typed is not None:
            return typed()
        if name in _PLAIN:
            return _PLAIN[name]
        taught = {
            "id": "customer", "customer_id": "customer", "keep_id": "customer",
            "gone_id": "customer", "purchase_id": "purchase", "return_id": "return",
            "reward_id": "reward", "hold_id": "reward", "account_id": "account", "job_id": "job",
            "pos_ref": "pos_ref", "number": "card", "lost": "card", "value": "card",
            "ref": "pos_ref", "text": "name",
        }.get(name)  # fmt: skip
        if taught is not None:
            return self.one(taught)
        raise arguments.Untaught(name, f"{where}, {kind}")

    def _typed(self, name: str, kind: str) -> Callable[[], Any] | None:
        """Parameters whose name alone does not say what they take."""
        made: dict[str, Callable[[], Any]] = {
            "tenancy": lambda: self.world.house.tenancy,
            "store_id": lambda: self.store_id,
            "node": lambda: self.store_id,
            "owner": lambda: self.store_id,
            "controller": lambda: self.one("owner") if "owner" in self.site.ids else None,
            "brand_id": lambda: self.site.brand.id,
            "brand": lambda: self.site.brand.row,
            "region_id": lambda: self.site.brand.region_id,
            "realm_id": lambda: self.realm.id,
            "realm": lambda: self.realm,
            "note_id": lambda: self.note_id,
            "rule_id": lambda: self.rule_id,
            "customer": lambda: self.customer,
            "kept": lambda: self.customer,
            "gone": lambda: self.second,
            "purchase": lambda: self.purchase,
            "there": lambda: self.purchase,
            "returned": lambda: self.returned,
            "basket": self.basket,
            "customers": lambda: [self.one("customer")],
            "ids": lambda: [self.one("purchase"), self.one("customer"), self.store_id],
            "stores": lambda: [self.store_id],
            "owners": lambda: [(self.one("customer"), self.realm.store_id)],
            "items": lambda: [EnrolIn(self.store_id, "Probe", card=self.one("card"))],
            "entry": self._entry,
            "entries": lambda: [self._entry()],
            "balances": self._balances,
            "fault": self._fault,
            "arguments": lambda: {"customer": self.customer},
            "found": lambda: [("email", self.one("email"))],
            "purchases": lambda: [self.purchase if "PurchaseFact" in kind else self.purchase.id],
            "chosen": lambda: f"waiting-{self.one('reward')}",
        }
        if name == "given":
            if "ReturnIn" in kind:
                return self._return
            if "PurchaseFact" in kind:
                return lambda: self.purchase
            if "PurchaseIn" in kind:
                many = "Sequence" in kind
                return lambda: [self.basket()] if many else self.basket()
            return lambda: {"hat": "felt"}
        return made.get(name)

    def _return(self) -> ReturnIn:
        return ReturnIn(
            self.store_id, f"B{uuid4().hex}", self.one("pos_ref"), self.at, 100,
            purchase_store_id=self.store_id,
        )  # fmt: skip

    def _entry(self) -> EntryIn:
        return EntryIn(self.one("customer"), "probe", "Probe", self.at, self.store_id)

    def _balances(self) -> Any:
        from highstreet_points_club.corrections import Opening

        return [Opening(self.one("customer"), 5)]

    def _fault(self) -> Fault:
        return Fault(TOOL, "probe", self.store_id, "error", "Probe", "", 1.0, self.at)


_TODAY = date(2026, 11, 20)
#: Parameters that name nobody's property.
_PLAIN: Mapping[str, Any] = {
    "after": None,
    "at": datetime(2026, 11, 20, 12, tzinfo=UTC),
    "before": _TODAY,
    "channel": "email",
    "codes": [],
    "data": {},
    "done": 1,
    "dry_run": False,
    "evidence": None,
    "face": "store",
    "key": "lunch",
    "kind": "card",
    "label": "Probe",
    "level": "required",
    "limit": 20,
    "lock": (),
    "may": lambda _permission: True,
    "method": "paper",
    "name": "Probe",
    "note": None,
    "occurred_at": datetime(2026, 11, 20, 12, tzinfo=UTC),
    "on": True,
    "payloads": [{}],
    "plugin": CLUB,
    "points": 1,
    "purpose": "marketing",
    "reason": "somebody asked",
    "since": datetime(2026, 1, 1, tzinfo=UTC),
    "slot": "today.news",
    "source": "core",
    "status": "lost",
    "title": "Probe",
    "today": _TODAY,
    "until": datetime(2036, 1, 1, tzinfo=UTC),
    "view": "overview",
    "wording": "Probe agrees",
    "zone": "Europe/London",
}
#: The same name, another meaning.
_EXACT: Mapping[tuple[str, str], Any] = {
    ("ctx.consent.record", "status"): "given",
    ("ctx.jobs.enqueue", "name"): "probe_tool.chore",
    ("ctx.timeline.write", "kind"): "probe",
    ("highstreet.consent.service.record", "status"): "given",
    ("highstreet.customers.fields.define", "key"): "probe",
    ("highstreet.customers.fields.define", "kind"): "text",
    ("highstreet.customers.fields.retire", "key"): "no-such-field",
    ("highstreet.customers.parts.tell", "kind"): "probe",
    ("highstreet.host.settings.put", "values"): {},
    ("highstreet.jobs.queue.enqueue", "name"): "probe_tool.chore",
    ("highstreet.jobs.queue.enqueue_many", "name"): "probe_tool.chore",
    ("highstreet.jobs.queries.list_jobs", "status"): None,
    ("highstreet.jobs.queries.list_jobs", "name"): None,
    ("highstreet.jobs.queries.list_jobs", "before"): None,
    ("highstreet.results.queries.days", "on"): [_TODAY],
    ("highstreet.results.queries.visits_on", "on"): _TODAY,
    ("highstreet.timeline.part.tell", "kind"): "probe",
    ("highstreet.timeline.service.write", "kind"): "probe",
    ("highstreet_points_club.issuing.close", "status"): "redeemed",
    ("highstreet_points_club.till.day_figures", "on"): _TODAY,
}
#: Parameters that need not be given, and name somebody's property when they are.
OPTIONAL = frozenset({"store_id", "customer_id", "purchase_id", "id", "controller", "region_id"})


def call(bait: Bait, name: str, function: Function, s: Any, *, everything: bool) -> Any:
    """Call a function with the bait. everything: with its optional arguments that name property."""
    given: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        if parameter.name in ("s", "ctx", "c"):
            tool = TOOL if name.startswith("ctx.") else CLUB
            given[parameter.name] = ctx_of(s, tool) if parameter.name == "ctx" else s
        elif parameter.default is not parameter.empty and not (
            everything and parameter.name in OPTIONAL
        ):
            continue
        elif (name, parameter.name) in _EXACT:
            given[parameter.name] = _EXACT[name, parameter.name]
        elif parameter.name == "hook":
            given["hook"] = hosts.of(s).hooks["customer_enrolled"]
        else:
            given[parameter.name] = bait.value(s, parameter, name)
    return function(**given)


def has_more(function: Function) -> bool:
    """Whether a function takes property in arguments that may be left out."""
    return any(
        p.name in OPTIONAL and p.default is not p.empty
        for p in inspect.signature(function).parameters.values()
    )


def texts(value: Any, most: int = 4000) -> str:
    """All text within a value, hidden fields of facts and rows too."""
    found: list[str] = []
    seen: set[int] = set()
    front = [value]
    while front and len(found) < most:
        one = front.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, str | int | float | datetime | date | timedelta) or one is None:
            found.append(str(one))
        elif isinstance(one, bytes):
            found.append(one.decode("utf-8", "replace"))
        elif isinstance(one, Mapping):
            front += [*one.keys(), *one.values()]
        elif is_dataclass(one) and not isinstance(one, type):
            front += [getattr(one, each.name) for each in fields(one)]
        elif isinstance(one, list | tuple | set | frozenset | sa.Row) or inspect.isgenerator(one):
            front += list(one)
        elif hasattr(one, "__table__"):
            front += [getattr(one, column.key) for column in sa.inspect(type(one)).columns]
        else:
            found.append(str(one))
    return "\n".join(found)
