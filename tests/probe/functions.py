"""Which functions the probe asks: every public one of the house that works in a scope.

They are found by walking the packages of the core and of every tool that is loaded, so that a new
room, module or function is asked without being listed. What is left out stands here with its
reason.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Collection, Iterator, Mapping
from types import ModuleType
from typing import Any

import highstreet
import highstreet_tenants
from highstreet.host import Host
from highstreet.sdk import Ctx
from highstreet.sdk.context import rooms
from probe.world import TOOL

Function = Callable[..., Any]

#: Packages and modules of which nothing is asked here.
OUTSIDE: Mapping[str, str] = {
    "highstreet.blueprints": "the operator's files, applied to a whole brand from the command line",
    "highstreet.cli": "the operator's commands, bound by no scope",
    "highstreet.demo": "builds the demo brands, as their operator",
    "highstreet.host.asked": "how hooks are called: telling.py calls every one",
    "highstreet.host.batches": "how hooks are called: telling.py calls every one",
    "highstreet.host.closed": "how hooks are called: telling.py calls every one",
    "highstreet.host.dispatch": "how hooks are called: telling.py calls every one",
    "highstreet.host.guard": "how hooks are called: telling.py calls every one",
    "highstreet.kit": "for tests of tools, on databases of their own",
    "highstreet.sdk": "its rooms are asked through `ctx`, below",
    "highstreet.web": "what stands behind its views is asked by walking them",
    "highstreet_tenants.bulk": "a wall: reading.py and tests/tenants try it",
    "highstreet_tenants.aggregates": "a wall: grouping.py asks every registered query",
    "highstreet_tenants.people": "the control plane, which has no scope: standing.py asks it",
}
#: Functions that nobody calls but with what they have just worked out themselves.
INNER: Mapping[str, str] = {
    "highstreet.addresses.joining.drop_empty": "households whose members a verb has found",
    "highstreet.addresses.joining.find_or_make": "the keys of people whom a verb has found",
    "highstreet.addresses.joining.hold": "the same, and households that a verb has found",
    "highstreet.addresses.service.house": "an address that a verb has found",
    "highstreet.campaigns.launching.go_on": "a campaign that the job has found",
    "highstreet.campaigns.launching.order": "a campaign that a verb has found",
    "highstreet.customers.identities.attach": "the new customer's row and key",
    "highstreet.customers.identities.note_suppression": "the new customer's keys",
    "highstreet.customers.enrolment.write_name_keys": "the new customer's realm",
    "highstreet.customers.since.holds": "a merge that was kept for a tool",
    "highstreet.email.notices.send": "a notice that `ctx.mail.notice`, which is asked, has found",
    "highstreet.host.counts.on": "a place that the session knows",
    "highstreet.host.gating.job_guard": "the job that the runner has claimed",
    "highstreet.host.gating.job_killed": "the job that the runner has freed",
    "highstreet.host.owed.note": "a store that `dispatch` has found within reach",
    "highstreet.host.owed.write": "the same, or what a room says that a tool missed",
    "highstreet.host.shops.called": "words that a form or a file holds",
    "highstreet.imports.marks.keep": "the mark of the file that is read",
    "highstreet.imports.people.find": "rows of the file that is read",
    "highstreet.imports.people.remember": "rows of the file that is read",
    "highstreet.imports.people.take_on": "rows of the file that is read",
    "highstreet.imports.shops.open_stores": "stores that `plan_stores` planned for the operator",
    "highstreet.jobs.queue.insert_once": "a row that `enqueue` made",
    "highstreet.printing.queries.content_of": "a design that `get` found",
    "highstreet.printing.queries.design": "content that `version` or `content_of` gave",
    "highstreet.mailings.drafting.refuse_edited": "a mailing's row that a verb has found",
    "highstreet.mailings.selecting.fill": "a mailing's row that a verb has found",
    "highstreet.mailings.selecting.forget": "a mailing's row that a verb has found",
    "highstreet_magazine.copies.count": "mailings that `running.select` has just made",
    "highstreet_magazine.copies.follow": "an issue that a verb has found",
    "highstreet_magazine.copies.followed": "the payload of its own job: the kit runs it",
    "highstreet_magazine.forms.check": "a wish; it names nobody's property",
    "highstreet_magazine.imports.take": "rows of a file: `forms.choose_many` is asked",
    "highstreet_magazine.issues.content": "an issue that `get` found",
    "highstreet_magazine.issues.named": "an issue that `get` found",
    "highstreet_magazine.issues.standing": "an issue that `get` found",
    "highstreet_magazine.office.dates": "what a form holds",
    "highstreet_magazine.office.lines": "issues that `listed` gave",
    "highstreet_magazine.publications.fits": "editions that `editions` gave",
    "highstreet_magazine.publications.in_words": "an edition that `editions` gave",
    "highstreet_magazine.words.state": "an issue that `get` found",
    "highstreet.purchases.queries.return_fact": "a row that `get_return` read",
    "highstreet.purchases.queries.with_lines": "rows that a statement of the room has read",
    "highstreet.purchases.telling.claimed": "the purchase that `claim` has just given",
    "highstreet.purchases.measuring.bought": "the purchase that was recorded just now",
    "highstreet.purchases.measuring.bought_many": "purchases that were recorded just now",
    "highstreet.purchases.measuring.brought_back": "the purchase that goods came back of",
    "highstreet.purchases.telling.recorded": "purchases that were recorded just now",
    "highstreet.purchases.telling.returned": "the return that was recorded just now",
    "highstreet.rest.auth.confirm": "the key that the request came with",
    "highstreet.rest.idempotency.claim": "the key that the request came with",
    "highstreet.rest.idempotency.keep": "a claim that `claim` gave",
    "highstreet.webhooks.outbox.publish": "what the verb that calls it has just written",
    "highstreet.webhooks.outbox.publish_many": "what the verb that calls it has just written",
    "highstreet.webhooks.retention.forget": "the ids of a customer whom `erase` has found",
    "highstreet.webhooks.subscriptions.disable": "a webhook that the job has locked",
    "highstreet.webhooks.subscriptions.order": "a webhook that the verb or the job has locked",
    "highstreet.webhooks.switching.switched": "changes that the verb of the policy has made",
    "highstreet_direct_mail.answers.last_day": "a job that `scanning.job_of` gave",
    "highstreet_direct_mail.posting.keep": "a mailing that the verb has just drafted",
    "highstreet_direct_mail.posting.mailing_of": "the audience of a plan",
    "highstreet_direct_mail.results.of": "a job that `posting.get` gave",
    "highstreet_direct_mail.scanning.write": "a piece and its job that the verb has found",
    "highstreet_points_club.accounts.look": "an account that `history.balance` found",
    "highstreet_points_club.accounts.states": "accounts that `lock` gave",
    "highstreet_points_club.accounts.with_spent": "a state that `states` gave",
    "highstreet_points_club.due.cause_of": "what `award` worked out of its purchase",
    "highstreet_points_club.gains.new_among": "accounts that `lock` gave",
    "highstreet_points_club.gains.taken_back": "an entry that `reverse` found",
    "highstreet_points_club.idle.stay": "an account that `lock` gave",
    "highstreet_points_club.issuing.issue_automatic": "a locked account and its programme",
    "highstreet_points_club.issuing.record": "rewards of the ledger's step",
    "highstreet_points_club.notices.waiting": "rewards of the ledger's step",
    "highstreet_points_club.quick.give": "what `award` worked out of its purchase",
    "highstreet_points_club.reviving.late": "accounts that `lock` gave",
    "highstreet_points_club.reviving.late_for": "an account that `lock` gave",
    "highstreet_points_club.rewards.let_go": "an account that `locked` gave",
    "highstreet_points_club.rewards.take_back": "an account that `locked` gave",
    "highstreet_points_club.rules.keep": "a programme of the settings",
    "highstreet_points_club.story.tell_many": "events of the ledger's step",
    "highstreet_points_club.telling.at_till": "a purchase that `quick.give` has just given points",
    "highstreet_points_club.telling.ended": "a reward and its account, locked",
    "highstreet_points_club.telling.issued": "rewards of the ledger's step",
    "highstreet_points_club.telling.written": "the ledger's step",
    "highstreet_points_club.till.choices": "a balance that `history.balance` gave",
    "highstreet_points_club.writing.put": "rows of the ledger's step",
    "highstreet_points_club.writing.write": "the ledger's step",
}


def packages(host: Host) -> list[ModuleType]:
    """The packages of the core, and of every tool but the probe's own."""
    tools = [loaded.package for name, loaded in host.plugins.items() if name != TOOL]
    return [highstreet, highstreet_tenants, *(importlib.import_module(name) for name in tools)]


def modules(host: Host) -> Iterator[ModuleType]:
    """Every module of these packages, but for migrations and what is OUTSIDE."""
    for package in packages(host):
        yield from walk(package, OUTSIDE)


def walk(package: ModuleType, but: Collection[str] = ()) -> Iterator[ModuleType]:
    """A package and all its modules, `but` for these and what is in them."""
    if package.__name__ in but:
        return
    yield package
    for found in pkgutil.iter_modules(getattr(package, "__path__", ()), f"{package.__name__}."):
        if not found.name.endswith((".migrations", ".__main__")) and found.name not in but:
            yield from walk(importlib.import_module(found.name), but)


def functions(host: Host) -> dict[str, Function]:
    """Public functions that work in a scope, by their full names."""
    found = {}
    for module in modules(host):
        for name, function in public(module):
            if {"s", "ctx"} & set(inspect.signature(function).parameters):
                found[f"{module.__name__}.{name}"] = function
    return found | dict(_rooms_of_ctx())


def public(module: ModuleType) -> Iterator[tuple[str, Function]]:
    """A module's own functions, but for those whose names begin with a line."""
    for name, function in list(vars(module).items()):
        own = inspect.isfunction(function) and function.__module__ == module.__name__
        if own and not name.startswith("_"):
            yield name, function


def _rooms_of_ctx() -> Iterator[tuple[str, Function]]:
    """What a tool's `ctx` offers: each method of each of its rooms, as a function of `ctx`."""
    for attribute, kind in [pair for part in Ctx.__mro__ for pair in vars(part).items()]:
        if attribute.startswith("_"):
            continue
        if inspect.isfunction(kind):
            yield f"ctx.{attribute}", _bound(None, kind)
        room = rooms().get(attribute) if isinstance(kind, property) else None
        for name, method in vars(room).items() if room is not None else ():
            if not name.startswith("_") and inspect.isfunction(method):
                yield f"ctx.{attribute}.{name}", _bound(attribute, method)


def _bound(attribute: str | None, method: Function) -> Function:
    """A method of `ctx`, or of its room `attribute`, as a function of `ctx`."""

    def run(ctx: Any, **given: Any) -> Any:
        return method(getattr(ctx, attribute) if attribute else ctx, **given)

    first, *rest = inspect.signature(method).parameters.values()
    run.__signature__ = inspect.Signature([first.replace(name="ctx"), *rest])  # type: ignore[attr-defined]
    return run
