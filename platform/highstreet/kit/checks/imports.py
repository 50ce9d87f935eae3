"""What its modules import, and what importing them does."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

from highstreet.host.registry import GROUP
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.subject import Subject

OURS = ("highstreet", "highstreet_tenants", "highstreet_migrations")
PUBLIC = "highstreet.sdk"
#: The names that the sdk gives; its submodules are not public.
_SAID = """
import sys, threading
before = threading.active_count()
import {package}
sys.stdout.flush()
if threading.active_count() > before:
    print("it started a thread:", threading.enumerate()[-1].name)
"""


@check("imports-sdk", needs="files")
def imports_sdk(subject: Subject) -> Iterator[Finding]:
    """Of Highstreet it imports `highstreet.sdk` alone, in functions too; of other tools nothing."""
    others = {
        point.value.split(":")[0].split(".")[0]
        for point in entry_points(group=GROUP)
        if point.name != subject.name
    } - {subject.package.split(".")[0]}
    for path, node in subject.nodes():
        for name in _imported(node):
            top = name.split(".")[0]
            where = f"{path}:{getattr(node, 'lineno', 1)}"
            if top in OURS and name != PUBLIC and not name.startswith(f"{PUBLIC}:"):
                yield Finding(
                    f"It imports {name.replace(':', '.')}, which may change without notice.",
                    "Take what you need from highstreet.sdk (docs/reference/sdk.md lists its"
                    " names); if it is not there, ask for it.",
                    where,
                )
            elif top in others:
                yield Finding(
                    f"It imports the tool {top}, which may be absent or another version.",
                    "Tools know of each other by ctx.is_on() and by what the core tells of them.",
                    where,
                )


def _imported(node: ast.AST) -> Iterator[str]:
    """Names of modules that a node imports; "module:name" for what is taken from the sdk."""
    if isinstance(node, ast.Import):
        yield from (one.name for one in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        if node.module in OURS:
            yield from (f"{node.module}.{one.name}" for one in node.names)
        else:
            yield node.module
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else None
        called = node.func.id if isinstance(node.func, ast.Name) else called
        if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
            yield node.args[0].value


@check("imports-quiet", needs="tool")
def imports_quiet(bench: Bench) -> Iterator[Finding]:
    """Importing it prints nothing and starts nothing."""
    code = _SAID.format(package=bench.tool.package)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    said = (done.stdout + done.stderr).strip()
    if said:
        yield Finding(
            f"Importing {bench.tool.package} says: {said[:500]}",
            "A module only declares: no print, no thread, no file, no connection. Use `logging`"
            " within functions, and jobs for work.",
            bench.subject.at("print(", ".py"),
        )
