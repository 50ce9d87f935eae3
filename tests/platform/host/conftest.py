"""Tools made for tests: written to disk with their plugin.toml, or handed over as hook objects."""

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import highstreet.timeline  # noqa: F401 - the room registers its part on import
from highstreet.customers.hooks import CustomerHooks
from highstreet.host import contributions, registry
from highstreet.host.candidates import Candidate
from highstreet.host.manifest import ManifestSchema
from highstreet.host.plugin import Plugin
from highstreet.host.registry import Host, Loaded
from highstreet.host.spec import spec
from highstreet.jobs import JobRegistry
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession

GROUP = registry.GROUP
RUTH = Actor("user", None, "Ruth")


class Codec:
    """Keeps the thing's text; what is called "gone" is gone when it is asked for again."""

    def dump(self, _s: ScopedSession, arguments: Any) -> dict[str, Any]:
        return {"thing": arguments["thing"]}

    def load(self, _s: ScopedSession, data: Any) -> dict[str, Any] | None:
        return None if data["thing"] == "gone" else {"thing": data["thing"]}


class BatchCodec:
    """Keeps a list of things."""

    def dump(self, _s: ScopedSession, arguments: Any) -> dict[str, Any]:
        return {"things": [list(map(str, thing)) for thing in arguments["things"]]}

    def load(self, _s: ScopedSession, data: Any) -> dict[str, Any] | None:
        return {"things": [tuple(thing) for thing in data["things"]]}


class Specs:
    """One hook of each kind."""

    @spec(kind="collect", since="0.1")
    def look(self, ctx: Any, thing: Any) -> Any:
        """Something is looked at."""

    @spec(kind="collect", writes=True, since="0.1", retry=Codec())
    def happened(self, ctx: Any, thing: str) -> Any:
        """Something happened."""

    @spec(kind="collect", writes=True, since="0.1", retry=BatchCodec())
    def many_happened(self, ctx: Any, things: Any) -> Any:
        """Many things happened."""

    @spec(kind="collect", writes=True, since="0.1")
    def forgettable(self, ctx: Any, thing: str) -> Any:
        """It can't be kept for later."""

    @spec(
        kind="collect",
        writes=True,
        winddown=True,
        since="0.1",
        retry=Codec(),
        missed=lambda _s, _since: (),
    )
    def undone(self, ctx: Any, thing: str) -> Any:
        """Something was undone."""

    @spec(kind="first", since="0.1")
    def which(self, ctx: Any, thing: Any) -> Any:
        """Who knows?"""

    @spec(kind="chain", since="0.1")
    def polish(self, ctx: Any, text: str, how: str) -> Any:
        """Make it better."""

    @spec(kind="veto", since="0.1")
    def may(self, ctx: Any, thing: Any) -> Any:
        """May it be done?"""

    @spec(kind="all", writes=True, since="0.1")
    def agreed(self, ctx: Any, thing: Any) -> Any:
        """It is done by all, or not at all."""


def ctx_for(s: ScopedSession, loaded: Loaded, store_id: Any) -> SimpleNamespace:
    """A ctx that says where it is."""
    return SimpleNamespace(s=s, plugin=loaded.name, store_id=store_id or s.scope.store_id)


@pytest.fixture
def specs() -> list[type]:
    """The test's hookspecs."""
    return [Specs]


@pytest.fixture
def make_host() -> Callable[..., Host]:
    """A host of tools given as {name: hooks object}, with keyword arguments for their manifests."""

    def make(tools: dict[str, object | None], *, slow_ms: float = 500.0, **about: Any) -> Host:
        host = Host.load([Specs, CustomerHooks], entry_points=[], make_ctx=ctx_for, slow_ms=slow_ms)
        for name, hooks in tools.items():
            own = about.get(name, {})
            extra = own.pop("plugin", {})
            manifest = ManifestSchema().load(
                {
                    "name": name,
                    "title": own.pop("title", name.title()),
                    "summary": "A tool for tests.",
                    "version": "1.0",
                    "requires": "highstreet>=0.1,<1",
                    "levels": ["store", "brand"],
                }
                | own
            )
            candidate = Candidate(name, name, "", manifest)
            plugin = Plugin(name, hooks=hooks, **extra)
            contributions.check(candidate, plugin, None)
            calls = contributions.register(candidate, plugin, host.manager, host.hooks)
            host.plugins[name] = Loaded(name, manifest, plugin, name, "")
            for hook, call in calls.items():
                host.calls.setdefault(hook, {})[name] = call
        return host

    return make


@pytest.fixture
def hung(database: Any) -> Callable[[Host], Any]:
    """Hang a host (and jobs) on every session of the database; gives the opener of sessions."""
    from highstreet.host.retry import JOBS

    before = list(database.tenancy.on_open)
    registry_of_jobs = JobRegistry(*JOBS)

    def hang(host: Host) -> Callable[..., AbstractContextManager[ScopedSession]]:
        def prepare(s: ScopedSession) -> None:
            s.info["host"] = host
            s.info["jobs"] = registry_of_jobs

        database.tenancy.on_open = [*before, prepare]

        @contextmanager
        def opened(brand: Any, store: Any = None, *, write: bool = True) -> Iterator[Any]:
            scope = (
                Scope.brand(brand.row, RUTH)
                if store is None
                else Scope.store(brand.id, store.id, RUTH)
            )
            with database.tenancy.session(scope, write=write) as s:
                yield s

        return opened

    return hang


def as_toml(value: Any) -> str:
    """A text, a list of texts or a flat table, as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {as_toml(v)}' for k, v in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Writes tools to disk as packages and gives their entry points; forgets them afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def put(
        name: str,
        init: str = "",
        *,
        package: str | None = None,
        entry: str | None = None,
        toml: str | None = None,
        files: dict[str, str] | None = None,
        **keys: Any,
    ) -> EntryPoint:
        package = package or f"hs_test_{name}"
        folder = tmp_path / package
        folder.mkdir()
        if toml is None:
            about = {
                "name": name,
                "title": name.title(),
                "summary": "A tool for tests.",
                "version": "1.0",
                "requires": "highstreet>=0.1,<1",
            } | keys
            toml = "\n".join(f"{key} = {as_toml(value)}" for key, value in about.items())
        if toml:
            (folder / "plugin.toml").write_text(toml, encoding="utf-8")
        init = textwrap.dedent(init) or (
            f"from highstreet.host.plugin import Plugin\nplugin = Plugin({name!r})\n"
        )
        (folder / "__init__.py").write_text(init, encoding="utf-8")
        for path, text in (files or {}).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(textwrap.dedent(text), encoding="utf-8")
        return EntryPoint(entry or name, package, GROUP)

    yield put
    for module in set(sys.modules) - before:
        if module.startswith("hs_test_"):
            del sys.modules[module]
