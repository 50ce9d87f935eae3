"""The reference is what the code says; a hook without a sample or a test cannot land."""

from pathlib import Path

import jinja2
import pytest

import highstreet.web
from highstreet import rooms
from highstreet.cli import reference
from highstreet.host.spec import Hook, hooks_in
from highstreet.kit import checks
from highstreet.kit.check import CHECKS
from highstreet.kit.samples import sample
from highstreet.web.icons import TOOL_CLASSES

from .tools import ROOT

HOOKS = [hook for room in rooms.specs() for hook in hooks_in(room)]
#: Macro → arguments to draw it with, and what must be there then.
DRAWN = {
    "icon": ("'star'", 'href="#star"'),
    "state": ("'broken', 'Broken'", "hs-bad"),
    "head": ("'Cakes', 'all of them', '/back', 'All tools'", '<a href="/back">All tools</a>'),
    "panel": ("'Cakes', 'cakes', flush=true", 'aria-labelledby="cakes"'),
    "table": (
        "'Table of cakes', ['Cake', ('Price', 'num'), '']",
        '<th scope="col" class="num">Price',
    ),
    "confirm": (
        "'Eat it?', '/eat', 'Eat', '/keep', 'Keep it'",
        '<a class="btn btn-quiet" href="/keep">',
    ),
    "notice": ("'bad', title='Oh'", "BODY"),
    "empty": ("'Nothing yet'", "BODY"),
    "figures": ("[{'value': 7, 'label': 'Visits', 'note': 'today'}]", "<dt>Visits</dt><dd>7"),
    "progress": ("3, 10, 'Stamps', punch=true", "hs-punch-10"),
    "csrf": ("", 'value="token"'),
    "act": ("'/away', 'Away', rest={'id': '7'}", 'name="id" value="7"'),
    "field": ("'sum', 'Sum', errors=['Too much'], inputmode='decimal'", 'aria-invalid="true"'),
    "choice": ("'level', 'on', 'On', hint='For all'", "For all"),
    "check": ("'sure', 'Sure', checked=true", " checked"),
    "form_errors": ("{'sum': ['Too much']}, {'sum': ('sum', 'Sum')}", 'href="#sum"'),
    "more": ("'?page=2', 'More'", 'rel="next"'),
    "declared_list": ("[('Tables', ['<b>'], true)]", "&lt;b&gt;"),
}
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


def test_every_macro_can_be_drawn_as_it_is_told() -> None:
    templates = Path(highstreet.web.__file__).parent / "templates"
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), autoescape=True)
    env.globals |= {
        "_": str,
        "ngettext": lambda one, _many, num: one % {"num": num},
        "csrf_token": lambda: "token",
    }
    told = {said.partition("(")[0]: comment for comment, said in reference.macros()}
    assert set(DRAWN) == set(told), "say in DRAWN how the macro is called"
    for name, (arguments, wanted) in DRAWN.items():
        body = f"{{{{ {name}({arguments}) }}}}"
        if "{% call %}" in told[name]:
            body = f"{{% call {name}({arguments}) %}}BODY{{% endcall %}}"
        page = env.from_string(f'{{% from "macros/ui.html" import {name} with context %}}{body}')
        assert wanted in page.render(), name


def test_every_slot_says_what_it_gives() -> None:
    from highstreet.web.slots import SLOTS

    page = reference.pages()["slots.md"]
    assert all(f"| `{name}` |" in page for name in SLOTS)


def test_what_tools_may_use_of_the_look_is_there() -> None:
    web = Path(highstreet.web.__file__).parent
    css = (web / "static" / "highstreet.css").read_text("utf-8")
    for names in TOOL_CLASSES:
        for name in names.split():
            assert f".{name}" in css or name == "btn", name
    page = reference.pages()["macros.md"]
    assert "`i-gift`" in page and "`s-done`" in page and "`hs-rows`" in page


def test_named_tuples_are_told_with_their_fields() -> None:
    page = reference.pages()["sdk.md"]
    assert "### Celebrant" in page
    assert "slug: str\nname: str\nzone: str" in page.partition("### Place")[2]
    assert "code: str\nname: str\n```" in page.partition("### Shop")[2]
