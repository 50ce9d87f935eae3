"""Other runs of pytest are left alone; and whoever asks for the kit gets an answer in any case."""

import sys
from pathlib import Path

import pytest

from . import good, judging
from .tools import ROOT, run, run_pytest

LOADED = """
import sys

import pytest

def test_nothing_of_ours_is_loaded():
    ours = [name for name in sys.modules if name.startswith("highstreet")]
    assert sorted(ours) == ["highstreet", "highstreet.kit", "highstreet.kit.pytest_plugin"]

def test_no_fixture_of_ours_is_there(request):
    with pytest.raises(pytest.FixtureLookupError):
        request.getfixturevalue("town")
"""


def test_without_the_option_nothing_but_the_option_is_there(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(LOADED)
    printed = run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"),
        cwd=tmp_path,
    )
    assert "2 passed" in printed


def test_pytest_is_no_need_of_whoever_serves() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None; from highstreet.app import create_app;"
        "from highstreet.cli import plugins; from highstreet.kit import scaffold"
    )
    run(sys.executable, "-c", code)


@pytest.mark.slow
def test_a_tool_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    said = judging.judge("absent", None, tmp_path, fails=True)
    assert list(said.failed) == ["manifest-found"]
    assert "No entry point" in said.text


@pytest.mark.slow
def test_the_good_tool_passes_everything(package: Path, tmp_path: Path) -> None:
    good.install(package, tmp_path / "site")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path / "run", fails=False)
    assert not said.failed and said.passed > 60


@pytest.mark.slow
def test_named_files_run_alone_and_checks_can_be_chosen(package: Path, tmp_path: Path) -> None:
    good.install(package, tmp_path / "site")
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    assert True\n")
    alone = run_pytest(good.NAME, "test_mine.py", cwd=tmp_path, path=tmp_path / "site")
    assert "1 passed" in alone
    words = run_pytest(good.NAME, "-k", "words-", cwd=tmp_path, path=tmp_path / "site")
    assert "3 passed" in words
    ours = ("-m", "highstreet", "-k", "manifest-valid or mine")
    assert "1 passed" in run_pytest(good.NAME, *ours, cwd=tmp_path, path=tmp_path / "site")


@pytest.mark.slow
def test_the_smallest_tool_of_the_tests_passes(tmp_path: Path) -> None:
    source = ROOT / "tests" / "distributions" / "highstreet_house_notes"
    from .tools import put

    (tmp_path / "site").mkdir()
    put(source, tmp_path / "site", name="house_notes", package="highstreet_house_notes")
    said = judging.judge("house_notes", tmp_path / "site", tmp_path / "run", fails=False)
    assert not said.failed and said.passed > 40


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "but"),
    [
        ("points_club", ""),
        # What the kit asks is the same on both; one tool of ours shows that it asks on both.
        ("direct_mail", " and not postgresql"),
        ("magazine", " and not postgresql"),
    ],
)
def test_what_comes_along_passes(tmp_path: Path, name: str, but: str) -> None:
    # Its pages go through axe in tests/web/test_browser.py.
    asked = ("-o", "highstreet_batch=50", "-k", f"not axe{but}")
    printed = run_pytest(name, *asked, cwd=tmp_path, path=None)
    assert "failed" not in printed


@pytest.mark.slow
def test_a_deprecated_hook_is_told_of(package: Path, tmp_path: Path) -> None:
    """None is yet: this one is made so for the run."""
    good.install(package, tmp_path / "site")
    (tmp_path / "conftest.py").write_text(
        "from msgspec.structs import replace\n"
        "from highstreet.purchases.hooks import PurchaseHooks\n"
        "hook = PurchaseHooks.purchase_claimed\n"
        "hook.highstreet_hook = replace(hook.highstreet_hook, deprecated='Answer another one.')\n"
    )
    only = ("-k", "hooks-deprecated")
    said = judging.judge(good.NAME, tmp_path / "site", tmp_path, *only, fails=True)
    assert list(said.failed) == ["hooks-deprecated"]
    assert "MEND   Answer another one." in said.text
