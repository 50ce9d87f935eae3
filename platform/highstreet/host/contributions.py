"""What a tool brings besides tables: settings, screens, jobs, pieces of pages, and its hooks."""

import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any

import pluggy
from marshmallow import Schema, ValidationError, validate
from marshmallow import fields as ma_fields
from marshmallow import missing as missing_
from msgspec.structs import replace

from highstreet.host import answers, catalogues, customer_fields, notices, pages
from highstreet.host.campaign_actions import CampaignAction
from highstreet.host.candidates import Candidate, Refused
from highstreet.host.customer_fields import CustomerField
from highstreet.host.plugin import NavEntry, Plugin, Verb
from highstreet.host.settings_trial import SettingsTrial
from highstreet.host.spec import Call, Hook
from highstreet.host.taking import WHO_AND_WHERE, ImportKind
from highstreet.i18n import lazy_gettext as _l
from highstreet.jobs import JobHandler, Periodic
from highstreet_tenants import aggregates

#: Letters of an action's name; campaigns keep it.
MOST_NAME = 80
#: Fields of a Plugin that hold several things, and what each of these must be (None: see `pages`).
SEVERAL: Mapping[str, type | None] = {
    "screens": None,
    "api": None,
    "jobs": JobHandler,
    "periodic": Periodic,
    "nav": NavEntry,
    "imports": ImportKind,
    "verbs": Verb,
    "campaigns": CampaignAction,
    "checks": None,
    "fields": CustomerField,
}


def check(candidate: Candidate, plugin: Plugin, slots: Set[str] | None) -> None:
    """Raise Refused, naming everything that is wrong with what a tool brings."""
    wrong = list(_shapes(plugin)) or [
        *_settings(plugin),
        *_trial(plugin),
        *pages.wrong(plugin),
        *_jobs(plugin),
        *_imports(plugin),
        *_verbs(plugin),
        *_events(plugin),
        *_actions(plugin),
        *_campaigns(plugin),
        *customer_fields.wrong(plugin.name, plugin.fields),
        *notices.wrong(plugin.name, plugin.notices),
        *_pages(plugin, slots),
        *_permissions(candidate, plugin),
        *catalogues.wrong(candidate.package, plugin.translations),
    ]
    if wrong:
        raise Refused(candidate, "contribution", _l("%(what)s.", what="; ".join(wrong)))


def fixed(plugin: Plugin) -> Plugin:
    """The object as it was checked: what the tool adds to its lists later, nobody has looked at."""
    several: dict[str, Any] = {name: tuple(getattr(plugin, name)) for name in SEVERAL}
    return replace(plugin, **several, slots=dict(plugin.slots))


def _shapes(plugin: Plugin) -> Iterator[str]:
    for name, kind in SEVERAL.items():
        held = getattr(plugin, name)
        if not isinstance(held, list | tuple):  # a generator would be empty when it is used
            yield f"{name} must be a list"
        elif kind is not None:
            yield from (
                f"{name} holds {type(one).__name__}, and must hold {kind.__name__} alone"
                for one in held
                if not isinstance(one, kind)
            )
    if not isinstance(plugin.slots, dict):
        yield "slots must be a dict"
    for verb in plugin.verbs:
        if isinstance(verb, Verb) and not callable(verb.run):
            yield f"the verb {verb.name} is not a function"
    for one in plugin.checks if isinstance(plugin.checks, list | tuple) else ():
        if not callable(one):
            yield "checks must hold functions"


def _settings(plugin: Plugin) -> Iterator[str]:
    if plugin.settings is None:
        return
    if not (isinstance(plugin.settings, type) and issubclass(plugin.settings, Schema)):
        yield "settings must be a marshmallow Schema class"
        return
    for name, setting in plugin.settings._declared_fields.items():
        if not isinstance(setting, ma_fields.Field):
            continue
        if setting.load_default is missing_:
            yield f"the setting {name} has no load_default, so a store could have none"
        if setting.data_key not in (None, name):
            yield f"the setting {name} must not be renamed by data_key"
    try:
        schema = plugin.settings()
        values = schema.load({})
        # marshmallow takes a load_default as it is. What the field itself would refuse could
        # neither be shown in a form nor saved again.
        schema.load(schema.dump(values))
    except ValidationError as error:
        yield f"the settings refuse their own defaults: {error}"
    except Exception as error:
        yield f"the settings can't be read: {type(error).__name__}: {error}"


def _trial(plugin: Plugin) -> Iterator[str]:
    if plugin.trial is None:
        return
    if not isinstance(plugin.trial, SettingsTrial) or not callable(plugin.trial.run):
        yield "trial must be a SettingsTrial, its run a function"
    elif plugin.settings is None:
        yield "there are no settings that the trial could try"


def _jobs(plugin: Plugin) -> Iterator[str]:
    for one in plugin.jobs:
        if not callable(one.run):
            yield f"the job {one.name} is not a function"
    turns = [turn.name for turn in plugin.periodic]
    yield from (f"{n} comes round twice" for n in sorted(set(turns)) if turns.count(n) > 1)
    for name in (*(h.name for h in plugin.jobs), *(p.name for p in plugin.periodic)):
        if not name.startswith(f"{plugin.name}."):
            yield f"the job {name} must be called {plugin.name}.…"
    handled = [h.name for h in plugin.jobs]
    yield from (f"two jobs are called {n}" for n in sorted(set(handled)) if handled.count(n) > 1)
    for turn in plugin.periodic:
        if turn.name not in handled:
            yield f"no handler does the periodic job {turn.name}"
    for handler in plugin.jobs:
        if handler.plugin not in (None, plugin.name):
            yield f"the job {handler.name} names another tool"


def _imports(plugin: Plugin) -> Iterator[str]:
    names = [kind.name for kind in plugin.imports]
    yield from (f"two files are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    for kind in plugin.imports:
        if not kind.name.startswith(f"{plugin.name}."):
            yield f"the file {kind.name} must be called {plugin.name}.…"
        if taken := sorted(WHO_AND_WHERE & set(kind.columns)):
            yield f"the file {kind.name} may not name columns that each has: {', '.join(taken)}"
        if strange := sorted({*kind.needs, *kind.days} - set(kind.columns)):
            yield f"the file {kind.name} has no columns {', '.join(strange)}"


def _verbs(plugin: Plugin) -> Iterator[str]:
    names = [verb.name for verb in plugin.verbs]
    yield from (f"two verbs are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    for verb in plugin.verbs:
        if not verb.name.startswith(f"{plugin.name}."):
            yield f"the verb {verb.name} must be called {plugin.name}.…"


def _events(plugin: Plugin) -> Iterator[str]:
    names = [one.name for one in plugin.events]
    yield from (f"two events are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    for one in plugin.events:
        if not re.fullmatch(rf"{plugin.name}\.[a-z][a-z0-9_.]{{0,59}}", one.name):
            yield f"the event {one.name} must be called {plugin.name}.…"
        if not (isinstance(one.schema, type) and issubclass(one.schema, Schema)):
            yield f"the schema of the event {one.name} must be a marshmallow Schema class"
        elif wrong := one.schema().validate(one.sample):
            yield f"the sample of the event {one.name} does not fit its schema: {wrong}"
        elif taken := sorted({"store", "store_id"} & set(one.schema().fields)):
            yield f"the event {one.name} may not say {', '.join(taken)}: each says that already"


def _actions(plugin: Plugin) -> Iterator[str]:
    for action in plugin.actions:
        if not action.startswith(f"{plugin.name}.") or len(action) > 80:
            yield f"the action {action} must be called {plugin.name}.…, in at most 80 letters"


def _campaigns(plugin: Plugin) -> Iterator[str]:
    for action in plugin.campaigns:
        if not action.name.startswith(f"{plugin.name}.") or len(action.name) > MOST_NAME:
            yield f"the action {action.name} must be called {plugin.name}.…, in {MOST_NAME} letters"
        counts = aggregates.registry.get(action.counts or "")
        if action.counts is not None and (counts is None or counts.keys != {"store_id"}):
            yield f"{action.counts}, which {action.name} is counted by, is no aggregate by store_id"
        if not (isinstance(action.terms, type) and issubclass(action.terms, Schema)):
            yield f"the terms of {action.name} must be a marshmallow Schema class"
            continue
        terms = action.terms._declared_fields
        if strange := sorted(set(action.store_may) - set(terms)):
            yield f"the terms of {action.name} have no fields {', '.join(strange)}"
        for name in action.store_may:
            if name in terms and not _is_simple(terms[name]):
                yield f"stores can't change {name} of {action.name}: not a number, tick or choice"
    names = [action.name for action in plugin.campaigns]
    yield from (f"two actions are called {n}" for n in sorted(set(names)) if names.count(n) > 1)


def _is_simple(one: Any) -> bool:
    """Whether a store can be given a field to change: bounds or a list say what it may choose."""
    if isinstance(one, ma_fields.Integer | ma_fields.Boolean):
        return True
    return any(isinstance(validator, validate.OneOf) for validator in one.validators)


def _pages(plugin: Plugin, slots: Set[str] | None) -> Iterator[str]:
    for slot, render in plugin.slots.items():
        if slots is not None and slot not in slots:
            yield f"no page has a slot {slot}; there are {', '.join(sorted(slots))}"
        if not callable(render):
            yield f"the slot {slot} is not a function"


def _permissions(candidate: Candidate, plugin: Plugin) -> Iterator[str]:
    prefix = f"{plugin.name}."
    for entry in plugin.nav:
        if entry.permission.startswith(prefix) and (
            entry.permission not in candidate.manifest.permissions
        ):
            yield f"{entry.permission} is not declared under [permissions] in plugin.toml"
    for one in plugin.fields:
        if one.permission.startswith(prefix) and one.permission not in (
            candidate.manifest.permissions
        ):
            yield f"{one.permission} is not declared under [permissions] in plugin.toml"
    if plugin.translations is not None and Path(plugin.translations).name != plugin.translations:
        yield f"translations must be the name of a folder beside the package: {plugin.translations}"
    if plugin.migrations is not None and not _is_package(plugin.migrations, candidate.package):
        yield f"there is no package {plugin.migrations} with its migrations"


def _is_package(name: str, package: str) -> bool:
    if not name.startswith(f"{package}."):
        return False
    try:
        return bool(pkgutil.resolve_name(name).__path__)
    except (ImportError, AttributeError):
        return False


def register(
    candidate: Candidate,
    plugin: Plugin,
    manager: pluggy.PluginManager,
    hooks: Mapping[str, Hook],
) -> dict[str, Call]:
    """Register a tool's hooks with pluggy, which checks them; gives what dispatch calls, by hook.

    Raises Refused, leaving nothing in pluggy, for an unknown hook, a wrong argument, a forgotten
    marker, or a function that dispatch could not call.
    """
    if plugin.hooks is None:
        return {}
    wrong = list(_wrong_hooks(plugin.hooks, hooks, manager))
    if not wrong:
        try:
            manager.register(plugin.hooks, candidate.name)
        except (pluggy.PluginValidationError, ValueError) as error:
            if manager.get_plugin(candidate.name) is plugin.hooks:
                manager.unregister(name=candidate.name)
            wrong = [str(error)]
    if wrong:
        raise Refused(candidate, "hooks", _l("%(what)s.", what="; ".join(wrong)))
    calls = {}
    for caller in manager.get_hookcallers(plugin.hooks) or []:
        hook = hooks[caller.name]
        for implementation in caller.get_hookimpls():
            if implementation.plugin is plugin.hooks:
                function = adapted(implementation.function, hook.arguments)
                calls[caller.name] = Call(
                    candidate.name,
                    function if hook.gives is None else answers.held(function, hook.gives),
                    -1 if implementation.tryfirst else 1 if implementation.trylast else 0,
                )
    return calls


def _wrong_hooks(
    owner: object, hooks: Mapping[str, Hook], manager: pluggy.PluginManager
) -> Iterator[str]:
    for name in dir(owner):
        marked = manager.parse_hookimpl_opts(owner, name)
        if marked is None:
            if name in hooks and callable(getattr(owner, name)):
                yield f"{name} answers a hook but is not marked with @hookimpl"
            continue
        function = getattr(owner, name)
        hook = marked.get("specname") or name
        if hook not in hooks:
            yield f"there is no hook {hook}"
        if marked.get("hookwrapper") or marked.get("wrapper"):
            yield f"{name} is a wrapper; hooks of other tools can't be wrapped"
        elif inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
            yield f"{name} must be an ordinary function"
        elif "ctx" not in inspect.signature(function).parameters:
            yield f"{name} must take ctx"


def adapted(function: Callable[..., Any], arguments: tuple[str, ...]) -> Callable[..., Any]:
    """The function so that it can be called as f(ctx, *arguments) in the spec's order.

    pluggy lets an implementation leave out arguments it doesn't need, and order them as it likes.
    """
    taken = [n for n in inspect.signature(function).parameters if n in (*arguments, "ctx")]
    if taken == ["ctx", *arguments]:
        return function
    wanted = [n for n in taken if n != "ctx"]
    places = [(name, arguments.index(name)) for name in wanted]

    def call(ctx: object, *values: object) -> object:
        return function(ctx=ctx, **{name: values[place] for name, place in places})

    call.__wrapped__ = function  # type: ignore[attr-defined] # whose lines are the tool's
    return call
