"""The author's reference is held against the code: every hook, name, reason and capability."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from highstreet import rooms, sdk
from highstreet.host import manifest, tables
from highstreet.host.candidates import Reason
from highstreet.host.spec import Hook, hooks_in
from highstreet.sdk.context import rooms as rooms_of_ctx

TEXT = (Path(__file__).parents[3] / "docs" / "plugins.md").read_text(encoding="utf-8")
REFERENCE = (Path(__file__).parents[3] / "docs" / "reference" / "sdk.md").read_text("utf-8")
HOOKS = [hook for namespace in rooms.specs() for hook in hooks_in(namespace)]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_every_hook_is_documented_with_its_exact_arguments(hook: Hook) -> None:
    (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{hook.name}(")]
    said, kind = (cell.strip() for cell in row.split("|")[1:3])
    assert said == f"`{hook.name}({', '.join(('ctx', *hook.arguments))})`"
    words = [hook.kind, *(["writes"] * hook.writes), *(["winddown"] * hook.winddown)]
    assert kind == ", ".join(words)


def test_no_hook_is_documented_that_is_gone() -> None:
    said = set(re.findall(r"^\| `(\w+)\(ctx", TEXT, re.MULTILINE))
    assert said == {hook.name for hook in HOOKS}


def test_every_name_of_the_sdk_is_listed_and_there() -> None:
    listed = re.findall(r"^### (\w+)$", REFERENCE.split("## Names to import")[1], re.MULTILINE)
    assert listed[: len(sdk.__all__)] == sdk.__all__
    for name in sdk.__all__:
        assert getattr(sdk, name) is not None
    assert set(sdk._PLACES) == set(sdk.__all__)
    with pytest.raises(AttributeError, match=r"docs/reference/sdk\.md"):
        sdk.nothing_of_the_kind


def test_every_verb_of_every_room_is_listed_with_its_arguments() -> None:
    kinds = rooms_of_ctx()
    assert {"customers", "fields", "jobs", "events"} <= kinds.keys()
    for room, kind in kinds.items():
        assert f"\n## ctx.{room}\n" in REFERENCE
        for verb, function in vars(kind).items():
            if inspect.isfunction(function) and not verb.startswith("_"):
                (line,) = re.findall(rf"^ctx\.{room}\.{verb}\((.*)", REFERENCE, re.MULTILINE)
                for argument in list(inspect.signature(function).parameters)[1:]:
                    assert re.search(rf"\b{argument}: ", line), (room, verb, argument)


def test_every_reason_and_capability_and_anchor_is_explained() -> None:
    for word in (*get_args(Reason), *manifest.CAPABILITIES, *tables.ANCHORS):
        assert f"`{word}`" in TEXT, word


def test_the_example_manifest_is_valid(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / manifest.FILE
    path.write_text(example, encoding="utf-8")
    assert manifest.read(path).name == "house_notes"


def test_importing_the_sdk_costs_next_to_nothing() -> None:
    script = (
        "import sys, highstreet.sdk\n"
        "from highstreet.sdk import Base, Plugin, hookimpl, Statement\n"
        "heavy = ('flask', 'marshmallow', 'babel', 'flask_smorest', 'highstreet.customers')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert done.stdout.strip() == "[]"
