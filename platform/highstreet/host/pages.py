"""A tool's screens and operations: what Flask would make of them, before it does.

A blueprint may bring pages of its own under its own address and nothing that reaches others.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint

from highstreet.host.plugin import Plugin
from highstreet.routes import Application

TOOL = "highstreet_tool"  # the attributes by which a blueprint names its tool
FACE = "highstreet_face"  # and the console it belongs to

#: What the address of a page says of its place; the rest a page would have to be told.
PLACE = frozenset({"brand", "store", "token"})
#: What of a blueprint Flask keeps for all pages under the key None.
EVERYWHERE = (
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "url_value_preprocessors",
    "url_default_functions",
    "template_context_processors",
    "error_handler_spec",
)


def wrong(plugin: Plugin) -> Iterator[str]:
    """Everything that is wrong with a tool's screens, operations and navigation."""
    for blueprint in (*plugin.screens, *plugin.api):
        if getattr(blueprint, TOOL, None) != plugin.name:
            name = getattr(blueprint, "name", blueprint)
            yield f"the blueprint {name} is not made by sdk.screens or sdk.api for this tool"
        elif why := _unfit(blueprint, plugin.name):
            yield f"the blueprint {blueprint.name} can't be mounted: {why}"
    names = [b.name for b in (*plugin.screens, *plugin.api)]
    yield from (f"two blueprints are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    if len(set(names)) == len(names):
        yield from _navigation(plugin)


def _unfit(blueprint: Blueprint, tool: str) -> str:
    """Why Flask would not take a blueprint; tried on an application that nobody uses."""
    trial, untouched = (Application("trial", static_folder=None) for _one in range(2))
    before = _of_all(trial)
    try:
        _register(trial, blueprint)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    for what in EVERYWHERE:
        if _reaching_all(trial, what) != _reaching_all(untouched, what):
            return f"it adds {what} to every page, where the tool is off as well"
    for what, were in before.items():
        if changed := sorted(_of_all(trial)[what] - were):
            return (
                f"it changes the {what} of every page: {', '.join(name for name, _at in changed)}"
            )
    mine = f"{blueprint.name}."
    for rule in trial.url_map.iter_rules():
        if not rule.endpoint.startswith(mine):
            return f"its address {rule.rule} belongs to {rule.endpoint}, not to the blueprint"
        if blueprint.url_prefix and not rule.rule.startswith(f"{blueprint.url_prefix}/"):
            return f"its address {rule.rule} is not under {blueprint.url_prefix}/"
    if strange := sorted(
        set(trial.view_functions) - {r.endpoint for r in trial.url_map.iter_rules()}
    ):
        return f"it replaces the page {strange[0]}"
    return _shadowing(blueprint, tool)


def _of_all(app: Application) -> dict[str, set[tuple[str, int]]]:
    """What all pages share: (name, identity) of each thing, by what it is."""
    jinja = app.jinja_env
    shared: dict[str, Mapping[str, object]] = {
        "template filters": jinja.filters,
        "template tests": jinja.tests,
        "template globals": jinja.globals,
        "settings": app.config,
        "extensions": app.extensions,
        "shell commands": app.cli.commands,
    }
    return {what: {(str(k), id(v)) for k, v in held.items()} for what, held in shared.items()}


def _shadowing(blueprint: Blueprint, tool: str) -> str:
    """A template outside of the tool's own folder could stand in for another tool's."""
    if blueprint.template_folder is None:
        return ""
    folder = Path(blueprint.root_path, blueprint.template_folder)
    if not folder.is_dir():
        return ""
    strange = sorted(one.name for one in folder.iterdir() if one.name not in (tool, ".DS_Store"))
    return (
        f"its templates must be in {folder.name}/{tool}/, and there is {strange[0]}"
        if strange
        else ""
    )


def _register(trial: Application, blueprint: Blueprint) -> None:
    try:
        trial.register_blueprint(blueprint)
    finally:
        blueprint._got_registered_once = False  # or the gate could no longer be put before it


def _reaching_all(app: Application, what: str) -> int:
    """How many functions of a kind Flask would call for whatever page is asked for."""
    here: Any = getattr(app, what).get(None, ())
    return sum(map(len, here.values())) if isinstance(here, Mapping) else len(here)


def _navigation(plugin: Plugin) -> Iterator[str]:
    """One entry that leads nowhere would cost every page of the console."""
    trial = Application("trial", static_folder=None)
    for blueprint in plugin.screens:
        try:
            _register(trial, blueprint)
        except Exception:
            return  # said already
    own = {blueprint.name for blueprint in plugin.screens}
    for entry in plugin.nav:
        rules = [r for r in trial.url_map.iter_rules() if r.endpoint == entry.endpoint]
        if entry.endpoint.split(".")[0] not in own or not rules:
            yield f"the navigation entry {entry.endpoint} leads to no screen of this tool"
        elif all(rule.arguments - PLACE for rule in rules):
            yield f"the navigation entry {entry.endpoint} leads to a page that asks for more"
        try:
            str(entry.label)
        except Exception as error:
            yield f"the label of {entry.endpoint} can't be shown: {type(error).__name__}: {error}"
