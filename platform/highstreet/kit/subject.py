"""The tool that is checked, as its files say: found as the host finds it, and not yet imported."""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import TracebackType

from msgspec import Struct, field

from highstreet.host import manifest as manifests
from highstreet.host.manifest import BadManifestError, Manifest
from highstreet.host.registry import GROUP, Quarantine


class Subject(Struct, dict=True):
    """A tool by its name. points: the entry points that bear it. quarantined: once the host was
    asked, why it was set aside.
    """

    name: str
    points: list[EntryPoint] = field(default_factory=list)
    quarantined: Quarantine | None = None

    @classmethod
    def find(cls, name: str) -> Subject:
        """The tool among what is installed."""
        return cls(name, [point for point in entry_points(group=GROUP) if point.name == name])

    @property
    def package(self) -> str:
        """The package that its entry point names; empty if there is none."""
        return self.points[0].value.split(":")[0].strip() if self.points else ""

    @cached_property
    def toml(self) -> Path | str:
        """Its plugin.toml, or why there is none."""
        try:
            return manifests.find(self.package or self.name)
        except BadManifestError as error:
            return str(error.detail)

    @cached_property
    def manifest(self) -> Manifest | str:
        """What it says of itself, or what is wrong with that."""
        if isinstance(self.toml, str):
            return self.toml
        try:
            return manifests.read(self.toml)
        except BadManifestError as error:
            return str(error.detail)

    @property
    def folder(self) -> Path | None:
        """Where its code is."""
        return self.toml.parent if isinstance(self.toml, Path) else None

    @cached_property
    def trees(self) -> dict[Path, ast.Module]:
        """Its Python files, parsed."""
        found = {}
        for path in sorted(self.folder.rglob("*.py")) if self.folder else ():
            found[path] = ast.parse(path.read_text(encoding="utf-8"), str(path))
        return found

    def nodes(self) -> Iterator[tuple[Path, ast.AST]]:
        """Every node of every file."""
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                yield path, node

    def at(self, word: str, suffix: str = ".toml") -> str:
        """Where a word stands first in its files of a kind: "file:line"; empty if nowhere."""
        for path in sorted(self.folder.rglob(f"*{suffix}")) if self.folder else ():
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                if word in line:
                    return f"{path}:{number}"
        return ""

    def blame(self, trace: TracebackType | None) -> str:
        """The innermost line of the tool's own code in a traceback."""
        frames = traceback.extract_tb(trace)
        own = [one for one in frames if self.folder and self.folder in Path(one.filename).parents]
        return f"{own[-1].filename}:{own[-1].lineno}" if own else ""


def place_of(thing: object) -> str:
    """Where a function or class is written: "file:line"."""
    try:
        found = inspect.unwrap(thing) if callable(thing) else thing
        path, line = inspect.getsourcefile(found), inspect.getsourcelines(found)[1]  # type: ignore[arg-type]
    except (OSError, TypeError, ValueError):
        return ""
    return f"{path}:{line}"
