"""A tool's SQL reads its own tables, and of the core's what the sdk publishes for it.

The import contract sees modules; what is written in a text it can't see.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import highstreet_direct_mail
import highstreet_points_club
from highstreet.sdk import bought
from highstreet_tenants import walls
from highstreet_tenants.statements import Statement

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for place in ("plugins", "tests/distributions")
    for path in (ROOT / place).rglob("*.py")
    if "migrations" not in path.parts  # foreign keys to the core's anchors are made there
)


def named(source: str) -> Iterator[tuple[int, str]]:
    """(line, table) of each table of the core's that is named in a text; anchors of keys are not.

    Names are put together, too: "core_" "customer", f"core_{what}".
    """
    tree = ast.parse(source)
    keys = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "brand_fk"
        for argument in node.args
    }
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) in keys | docs:
                continue
            for found in re.findall(r"\bcore_\w*", node.value):
                yield node.lineno, found


def test_the_check_sees_what_it_is_for() -> None:
    assert [found for _line, found in named('A = f"SELECT {x} FROM core_purchase AS p"')] == [
        "core_purchase"
    ]
    assert [found for _line, found in named('T = Base.metadata.tables["core_store"]')]
    assert [found for _line, found in named('T = "core_" + "store"')]
    assert not list(named('"""core_store is what this is about."""\nbrand_fk("x", "core_store")'))
    assert len(FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_tool_names_a_table_of_the_core(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    found = [f"{path.name}:{line} {name}" for line, name in named(source)]
    assert not found, "ask a room of the sdk's, or `sdk.bought`"


def _statements() -> Iterator[tuple[str, Statement]]:
    packages = (highstreet_points_club, highstreet_direct_mail)
    for info in (
        found
        for package in packages
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    ):
        if ".migrations" in info.name:
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            values = value if isinstance(value, tuple) else (value,)
            for one in (
                part for each in values for part in (each if isinstance(each, tuple) else (each,))
            ):
                if isinstance(one, Statement):
                    yield f"{info.name}.{name}", one


def test_what_reaches_the_database_reads_only_what_is_published() -> None:
    """However its text was put together: its tables, and of `bought` the columns."""
    read = 0
    for name, statement in _statements():
        for text in statement._texts.values():
            core = {table for table in walls.judge(text).tables if table.startswith("core_")}
            assert core <= {bought.name}, f"{name} reads {core}"
            for alias in re.findall(rf"\b{bought.name} AS (\w+)", text):
                read += 1
                used = set(re.findall(rf"\b{alias}\.(\w+)", text))
                assert used <= set(bought.columns), f"{name} reads {used - set(bought.columns)}"
    assert read >= 4


def test_the_columns_that_are_published_are_there() -> None:
    assert set(bought.columns) <= set(bought.table.c.keys())
