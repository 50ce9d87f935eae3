"""One run of pytest with the kit: fixtures for the author's tests, and an item for each check."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from highstreet.kit import databases, fixtures, houses, outside
from highstreet.kit.bench import Bench
from highstreet.kit.check import CHECKS, Check, Finding, NotAsked
from highstreet.kit.checks.manifest import set_aside_by
from highstreet.kit.checks.tables import migration_failed
from highstreet.kit.past import Past
from highstreet.kit.subject import Subject

#: A module of a tool's package whose `fill(town)` lets members use the tool.
FILL = "kit_fill"


def begin(config: pytest.Config) -> None:
    """Make the fixtures known and the checks items of this run."""
    config.pluginmanager.register(fixtures, "highstreet-fixtures")
    config.pluginmanager.register(Kit(config), "highstreet-kit")


class Found(Exception):
    """A check found something."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__(f"{len(findings)} findings")
        self.findings = findings


class Kit:
    """The checks of one tool, and the houses that they share."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.subject = Subject.find(str(config.getoption("highstreet_plugin")))
        self._stack = ExitStack()
        self._houses: dict[str, Any] = {}
        self._failed: dict[str, dict[str, str]] = {}
        self._pasts: dict[str, Past] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Add the checks, unless somebody named the files to run."""
        importlib.import_module("highstreet.kit.checks")
        if config.args_source is pytest.Config.ArgsSource.ARGS and config.args:
            return
        items += self._items(session)

    def _items(self, session: pytest.Session) -> Iterator[pytest.Item]:
        root = Checks.from_parent(session, name=self.subject.name, path=session.path)
        for one in CHECKS.values():
            kinds = databases.KINDS if one.needs == "house" else [""]
            for kind in kinds:
                name = f"{one.id}[{kind}]" if kind else one.id
                yield Asked.from_parent(root, name=name, kit=self, check=one, kind=kind)

    def house(self, kind: str) -> Any:
        """(application, database) of a kind, made when first asked for."""
        if kind not in self._houses:
            folder = Path(self.config._tmp_path_factory.mktemp(f"highstreet-{kind}"))  # type: ignore[attr-defined]
            failed = self._failed.setdefault(kind, {})
            made = houses.house(kind, folder, failed=failed)
            self._houses[kind] = self._stack.enter_context(made)
        return self._houses[kind]

    def pytest_unconfigure(self) -> None:
        """Let the houses go."""
        self._stack.close()

    def ask(self, one: Check, kind: str) -> list[Finding]:
        """Ask one check. Skips what can't be asked."""
        subject = self.subject
        if one.id in ("manifest-found", "manifest-valid"):
            return list(one.ask(subject))
        if isinstance(subject.manifest, str):
            pytest.skip("plugin.toml can't be read: see manifest-found and manifest-valid")
        if kind == "postgresql" and (why := databases.why_no_postgres()):
            pytest.skip(why)
        app, database = self.house(kind or "sqlite")
        host = app.extensions["highstreet"].host
        subject.quarantined = host.quarantined.get(subject.name)
        if one.needs == "files":
            return list(one.ask(subject))
        if subject.quarantined is not None:
            pytest.skip(f"the host did not take it in: see {set_aside_by(subject.quarantined)}")
        if why := self._failed[kind or "sqlite"].get(subject.name, ""):
            if one.id == "tables-migrated":
                return [migration_failed(subject, why)]
            pytest.skip("not asked: its migration failed, see tables-migrated")
        if subject.name not in host.plugins:
            pytest.fail(f"another tool bears its name: {sorted(host.quarantined)}")
        with outside.closed(subject.package.split(".")[0]) as seen:
            past = self._pasts.setdefault(kind, Past())
            many = int(self.config.getini("highstreet_batch"))
            bench = Bench(subject, app, database, seen, past, many)
            bench.fill = self._fill()
            try:
                return _all_of(one, bench)
            finally:
                database.empty()

    def _fill(self) -> Callable[..., object] | None:
        named = str(self.config.getini("highstreet_fill")) or self._own_fill()
        if not named:
            return None
        module, _colon, function = named.partition(":")
        found: Callable[..., object] = getattr(importlib.import_module(module), function)
        return found

    def _own_fill(self) -> str:
        """What a tool brings along for whoever tries it without its tests."""
        module = f"{self.subject.package}.{FILL}"
        return f"{module}:fill" if importlib.util.find_spec(module) is not None else ""


def _all_of(one: Check, bench: Bench) -> list[Finding]:
    """What a check finds. Skips one that had nothing to ask about."""
    found: list[Finding] = []
    try:
        found.extend(one.ask(bench))
    except NotAsked as why:
        if not found:
            pytest.skip(f"not asked: {why}")
    return found


class Checks(pytest.Collector):
    """The checks of one tool."""

    def __init__(self, **options: Any) -> None:
        super().__init__(nodeid=f"highstreet/{options['name']}", **options)

    def collect(self) -> Iterator[pytest.Item]:
        """Nothing by itself: the kit hands its items over."""
        return iter(())


class Asked(pytest.Item):
    """One check on one database. Its id is `highstreet/<tool>::<check>[<database>]`."""

    def __init__(self, *, kit: Kit, check: Check, kind: str, **options: Any) -> None:
        super().__init__(**options)
        self.kit, self.check, self.kind = kit, check, kind
        self.add_marker("highstreet")

    def runtest(self) -> None:
        """Ask."""
        findings = list(dict.fromkeys(self.kit.ask(self.check, self.kind)))
        if findings:
            raise Found(findings)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What is wrong, where, and how to mend it; a traceback only for what nobody foresaw."""
        if not isinstance(excinfo.value, Found):
            return super().repr_failure(excinfo, style)
        found = excinfo.value.findings
        return "\n\n".join([f"{self.check.id}: {self.check.about}", *map(str, found[:20])])

    def reportinfo(self) -> tuple[Path, None, str]:
        """The heading of a failure."""
        return self.path, None, f"{self.name}: {self.check.about}"
