"""The host: every tool of this installation, loaded once at start or set aside with a reason.

Nothing a tool does wrong while it loads stops the core: it is quarantined, leaves nothing behind,
and `highstreet plugins` and the consoles say why.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pluggy
from msgspec import Struct, field
from msgspec.structs import replace

import highstreet
from highstreet.host import candidates, catalogues, contributions, importing, tables, unready
from highstreet.host.candidates import Candidate, Reason, Refused, quarantine_name
from highstreet.host.counts import Counts
from highstreet.host.installed import GROUP, Unreadable, points
from highstreet.host.kept import Kept
from highstreet.host.manifest import PRODUCT, Manifest
from highstreet.host.plugin import Plugin
from highstreet.host.spec import PROJECT, Call, Hook, hooks_in
from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l
from highstreet.jobs import JobHandler, Periodic
from highstreet_tenants import walls
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet_migrations.histories import Behind, History
    from highstreet_tenants.people.permissions import Permission

__all__ = ["GROUP", "Host", "Loaded", "Quarantine"]
log = logging.getLogger("highstreet.host")

#: Builds the `ctx` of one tool in one store; assembly.py hands in the sdk's.
ContextFactory = Callable[[ScopedSession, "Loaded", UUID | None], Any]


class Loaded(Struct, frozen=True):
    """A tool that passed every check. package: what its entry point names."""

    name: str
    manifest: Manifest
    plugin: Plugin
    package: str
    distribution: str
    tables: frozenset[str] = frozenset()

    @property
    def ours(self) -> bool:
        """Whether it came with Highstreet itself."""
        return self.distribution.split(" ")[0] == PRODUCT


class Quarantine(Struct, frozen=True):
    """A tool that was set aside. reason: a stable slug; detail: what to put right."""

    name: str
    reason: Reason
    detail: LazyText
    distribution: str = ""
    manifest: Manifest | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.detail}"


class Host(Struct):
    """All tools of an installation, in the order they depend. Unchanging once loaded, but for tools
    that are left alone until their tables are ready; then `plugins` is another dict.

    slow_ms: a hook that takes longer (in milliseconds) is a fault, unless its spec says otherwise.
    query_seconds: how long PostgreSQL may work on one statement of a hook; 0: as for its caller.
    fault_limit: so many within a day pause the tool in that store.
    """

    hooks: Mapping[str, Hook] = field(default_factory=dict)
    plugins: dict[str, Loaded] = field(default_factory=dict)
    quarantined: dict[str, Quarantine] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(PROJECT))
    make_ctx: ContextFactory | None = None
    slow_ms: float = 500.0
    query_seconds: float = 3.0
    fault_limit: int = 5
    version: str = highstreet.__version__
    slots: frozenset[str] | None = None
    calls: dict[str, dict[str, "Call"]] = field(default_factory=dict)
    #: Loaded tools whose tables are not ready, see `leave_alone`.
    unready: dict[str, Loaded] = field(default_factory=dict)
    #: Moves on when tools are left alone or taken back: what was worked out before is stale.
    epoch: int = 0
    #: What each tool declares, once somebody asked (`declared.of`).
    declarations: dict[str, frozenset[str]] = field(default_factory=dict)
    #: When (monotonic) somebody last looked whether they are ready.
    looked: float = 0.0
    #: Names of all that was loaded, as they depend.
    order: list[str] = field(default_factory=list)
    #: How often hooks were called, until somebody writes it down.
    counts: Counts = field(default_factory=Counts)
    #: What is kept in memory per brand and store, until the brand's state_version moves on.
    states: Kept[Any] = field(default_factory=lambda: Kept(65_536))
    #: One entry per distinct set of enabled tools, shared by all stores that have it.
    actives: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        specs: Iterable[type | ModuleType] = (),
        *,
        entry_points: Iterable[EntryPoint] | None = None,
        safe_mode: bool = False,
        slots: Iterable[str] | None = None,
        make_ctx: ContextFactory | None = None,
        slow_ms: float = 500.0,
        query_seconds: float = 3.0,
        fault_limit: int = 5,
        version: str | None = None,
        trial: Callable[[Sequence[Candidate]], Mapping[str, str]] | None = None,
    ) -> "Host":
        """Load every installed tool.

        specs: the rooms' classes of hookspecs. entry_points: instead of those installed. safe_mode:
        set all of them aside unopened. trial: says which packages end a process that imports them,
        and how. slots: names of the slots that pages have (None: any).
        Raises only what a mistake in the core's own specs raises.
        """
        host = cls(
            make_ctx=make_ctx,
            slow_ms=slow_ms,
            query_seconds=query_seconds,
            fault_limit=fault_limit,
            slots=None if slots is None else frozenset(slots),
        )
        host.version = version or highstreet.__version__
        known: dict[str, Hook] = {}
        for namespace in specs:
            host.manager.add_hookspecs(namespace)
            for hook in hooks_in(namespace):
                if hook.name in known:
                    raise TypeError(f"the hook {hook.name} is declared twice")
                known[hook.name] = hook
        host.hooks = known
        found, refused = candidates.gather(
            _installed() if entry_points is None else entry_points, host.version
        )
        for one in refused:
            host._set_aside(one.candidate, one)
        deadly = {} if trial is None or safe_mode else trial(found)
        for candidate in found:
            if candidate.package in deadly:
                how = deadly[candidate.package]
                why = _l(
                    "Importing it would harm the process: %(how)s. It is left alone until its files"
                    " change.",
                    how=how,
                )
                host._set_aside(candidate, Refused(candidate, "import-error", why))
            elif safe_mode:
                # Set aside and not unheard of: what it should have done meanwhile is kept.
                why = _l("Highstreet was started without tools (--safe-mode).")
                host._set_aside(candidate, Refused(candidate, "safe-mode", why))
            else:
                host._admit(candidate, [c.name for c in found])
        walls.forget()
        return host

    def _admit(self, candidate: Candidate, names: Sequence[str]) -> None:
        """Import a candidate and take it in, or set it aside without a trace."""
        before = tables.look()
        own: frozenset[str] = frozenset()
        try:
            candidates.needs(candidate, {n: p.manifest for n, p in self.plugins.items()})
            try:
                plugin = _import(candidate)
            finally:
                own = tables.brought(candidate.package, candidate.name, before)
            wrong = tables.faults(candidate.name, candidate.package, own, before, names)
            if own and not plugin.migrations:
                wrong.append("it has tables and no migrations, so nothing would make them")
            if wrong:
                raise Refused(candidate, "tables", _l("%(what)s.", what="; ".join(wrong)))
            contributions.check(candidate, plugin, self.slots)
            calls = contributions.register(candidate, plugin, self.manager, self.hooks)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also what our checks could not foresee of a strange Plugin
            tables.take_back(candidate.package, own, before)
            self._set_aside(candidate, _refusal(candidate, error))
            return
        self.plugins[candidate.name] = Loaded(
            candidate.name,
            candidate.manifest,
            contributions.fixed(plugin),
            candidate.package,
            candidate.distribution,
            own,
        )
        self.order.append(candidate.name)
        for hook, call in calls.items():
            self.calls.setdefault(hook, {})[candidate.name] = call

    def _set_aside(self, candidate: Candidate, refusal: Refused) -> None:
        name = quarantine_name(candidate, {*self.quarantined, *self.plugins})
        self.quarantined[name] = Quarantine(
            name, refusal.reason, refusal.detail, candidate.distribution, candidate.manifest_or_none
        )
        level = logging.INFO if refusal.reason == "safe-mode" else logging.ERROR
        log.log(level, "tool %s was not loaded (%s): %s", name, refusal.reason, refusal.detail)

    def leave_alone(self, behind: Mapping[str, "Behind"]) -> None:
        """Set tools aside whose tables are not ready (name → why), with what needs them; take those
        back that are no longer among them.

        Their pages stay mounted, behind a gate that is closed; what they should do is owed.
        """
        everything = {**self.plugins, **self.unready}
        order = sorted(everything, key=self._place)
        why: dict[str, LazyText] = {}
        for name in order:
            lacking = [n.name for n in everything[name].manifest.depends if n.name in why]
            if name in behind:
                why[name] = unready.words(behind[name])
            elif lacking:
                why[name] = _l("It needs the tool %(name)s, which is not ready.", name=lacking[0])
        if why == {name: self.quarantined[name].detail for name in self.unready}:
            return
        self.unready = {name: everything[name] for name in order if name in why}
        self.quarantined = {
            name: one for name, one in self.quarantined.items() if one.reason != "unready"
        } | {
            name: Quarantine(name, "unready", why[name], one.distribution, one.manifest)
            for name, one in self.unready.items()
        }
        self.plugins = {name: everything[name] for name in order if name not in why}
        self.epoch += 1  # last: what is worked out from now on sees the new dicts
        for name, detail in why.items():
            log.error("tool %s is left alone: %s", name, detail)

    def _place(self, name: str) -> int:
        return self.order.index(name) if name in self.order else len(self.order)

    def get(self, name: str) -> Loaded:
        """A loaded tool. Raises KeyError for one that is absent or in quarantine."""
        return self.plugins[name]

    def manifest(self, name: str) -> Manifest | None:
        """What a tool says of itself, loaded or not, as far as that could be read."""
        if name in self.plugins:
            return self.plugins[name].manifest
        return self.quarantined[name].manifest if name in self.quarantined else None

    def title(self, name: str, language: str = "en") -> str:
        """A tool's title in a language, its name if its manifest is unknown."""
        manifest = self.manifest(name)
        return manifest.titled(language) if manifest else name

    def histories(self) -> list["History"]:
        """Migration histories of the loaded tools, in the order they depend; also of those that
        are left alone. What did not come with Highstreet migrates in a process of its own."""
        from highstreet_migrations.histories import History

        everything = {**self.plugins, **self.unready}
        return [
            History(name, loaded.plugin.migrations, apart=not loaded.ours)
            for name, loaded in sorted(everything.items(), key=lambda one: self._place(one[0]))
            if loaded.plugin.migrations
        ]

    def jobs(self) -> list[JobHandler | Periodic]:
        """The tools' job handlers, each marked as its tool's, and their periodic work."""
        found: list[JobHandler | Periodic] = []
        for name, loaded in self.plugins.items():
            found += [replace(handler, plugin=name) for handler in loaded.plugin.jobs]
            found += loaded.plugin.periodic
        return found

    def translations(self) -> list[Path]:
        """Where the tools keep their catalogues."""
        return [
            catalogues.folder(loaded.package, loaded.plugin.translations)
            for loaded in self.plugins.values()
            if loaded.plugin.translations
        ]

    def actions(self) -> dict[str, object]:
        """What the tools write into the trail, each with its words."""
        return {k: v for one in self.plugins.values() for k, v in one.plugin.actions.items()}

    def sayings(self) -> dict[str, dict[str, str]]:
        """English titles of the tools' permissions in other languages, by Babel locale."""
        found: dict[str, dict[str, str]] = {}
        for one in self.plugins.values():
            for locale, words in one.manifest.words.items():
                titles = one.manifest.permissions
                found.setdefault(locale, {}).update(
                    {titles[name]: said for name, said in words.permissions.items()}
                )
        return found

    def permissions(self) -> list["Permission"]:
        """What the tools add to the catalogue of permissions."""
        from highstreet_tenants.people.permissions import Permission

        return [
            Permission(
                name,
                title,
                p.manifest.granted.get(name, ()),
                name in p.manifest.personal,
                name in p.manifest.at_till,
            )
            for p in self.plugins.values()
            for name, title in p.manifest.permissions.items()
        ]


def _refusal(candidate: Candidate, error: BaseException) -> Refused:
    if isinstance(error, Refused):
        return error
    log.debug("checking %s failed", candidate.name, exc_info=error)
    what = _in_words(error)
    return Refused(candidate, "contribution", _l("Its Plugin object is wrong: %(what)s", what=what))


def _in_words(error: BaseException) -> str:
    """An error's kind and what it says."""
    kind = type(error).__name__
    try:
        said = str(error)
    except Exception:  # it is a tool's own kind of error, and as broken as the tool
        said = ""
    return f"{kind}: {said}" if said else kind


def _installed() -> Iterable[EntryPoint | Unreadable]:
    return points()


def _import(candidate: Candidate) -> Plugin:
    """The Plugin object of a candidate's package. Raises Refused for anything else."""
    try:
        module = importing.load(candidate.package)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a tool that calls sys.exit() must not end the core
        log.debug("import of %s failed", candidate.package, exc_info=True)
        raise Refused(
            candidate, "import-error", _l("Importing it failed: %(what)s", what=_in_words(error))
        ) from error
    plugin = getattr(module, "plugin", None)
    if not isinstance(plugin, Plugin):
        raise Refused(
            candidate,
            "no-plugin",
            _l(
                "The package %(package)s has no attribute `plugin` that is a Plugin.",
                package=candidate.package,
            ),
        )
    if plugin.name != candidate.name:
        raise Refused(
            candidate,
            "name-mismatch",
            _l(
                "Its manifest calls it %(one)s, its Plugin object %(other)s.",
                one=candidate.name,
                other=plugin.name,
            ),
        )
    return plugin
