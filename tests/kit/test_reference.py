"""The reference is what the code says; a hook without a sample or a test cannot land."""

from pathlib import Path

import pytest

from highstreet import rooms
from highstreet.cli import reference
from highstreet.host.spec import Hook, hooks_in
from highstreet.kit import checks
from highstreet.kit.check import CHECKS
from highstreet.kit.samples import sample

from .tools import ROOT

HOOKS = [hook for room in rooms.specs() for hook in hooks_in(room)]
#: Tests that go through all hooks prove none of them.
GENERAL = ("tests/kit/", "tests/probe/")


def test_the_pages_in_the_repository_are_those_of_the_code() -> None:
    for name, text in reference.pages().items():
        kept = (ROOT / "docs" / "reference" / name).read_text("utf-8")
        assert kept == text, f"docs/reference/{name} is old: make docs"


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_every_hook_has_a_sample_of_all_its_arguments(hook: Hook) -> None:
    given = sample(hook)
    assert list(given) == list(hook.arguments)
    assert all(value is not None for value in given.values())


def test_every_hook_stands_in_the_guide() -> None:
    guide = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    for hook in HOOKS:
        assert f"`{hook.name}({', '.join(['ctx', *hook.arguments])})`" in guide


def test_every_hook_has_a_test_of_its_own() -> None:
    texts = {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for path in Path(ROOT / "tests").rglob("test_*.py")
    }
    for hook in HOOKS:
        named = [
            name
            for name, text in texts.items()
            if hook.name in text and not name.startswith(GENERAL)
        ]
        assert named, f"no test tells what {hook.name} is for"


def test_every_check_says_in_a_sentence_what_should_be_so() -> None:
    assert checks and len(CHECKS) > 60
    for one in CHECKS.values():
        part, _dash, what = one.id.partition("-")
        assert part and what and one.about.endswith(".")


def test_every_macro_that_tools_may_import_says_what_it_is_for() -> None:
    found = reference.macros()
    assert len(found) > 12
    assert [said for comment, said in found if not comment.endswith(".")] == []


def test_every_slot_says_what_it_gives() -> None:
    from highstreet.web.slots import SLOTS

    page = reference.pages()["slots.md"]
    assert all(f"| `{name}` |" in page for name in SLOTS)
