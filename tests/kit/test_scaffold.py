"""`highstreet plugins new`: what it writes installs, passes its own tests, and lint, and mypy."""

import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from highstreet.kit import scaffold
from highstreet_tenants.errors import Conflict, HighstreetError, Invalid

from .tools import ROOT, ROOTS, install, run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new tool with the longest words that it may have."""
    folder = tmp_path_factory.mktemp("new")
    title, chinese = "A club for " + "x" * 49, "俱乐部" * 20
    return scaffold.write("a_very_long_name_for_one_tool1", folder, title=title, title_zh=chinese)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new tool, written by the command, and nothing said but its name."""
    folder = tmp_path_factory.mktemp("plain")
    command = "from highstreet.cli import main; main()"
    printed = run(sys.executable, "-c", command, "plugins", "new", "cake", "--into", folder)
    assert "pip install -e" in printed
    return folder / "highstreet-cake"


@pytest.mark.slow
def test_its_own_tests_pass_once_it_is_installed(plain: Path, tmp_path: Path) -> None:
    """A till's purchase runs through it, on both databases."""
    install(plain, tmp_path / "site")
    printed = run(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"),
        cwd=plain,
        path=tmp_path / "site",
    )
    tests = (plain / "tests" / "test_tool.py").read_text("utf-8").count("\ndef test_")
    assert f"{tests * 2} passed" in printed


@pytest.mark.slow
def test_it_installs_from_its_folder_to_be_worked_on(plain: Path, tmp_path: Path) -> None:
    """`pip install -e .` in an environment of its own: the tool is found by its entry point."""
    subprocess.run(
        [sys.executable, "-m", "venv", "--system-site-packages", str(tmp_path / "venv")],
        check=True,
        capture_output=True,
    )
    python = tmp_path / "venv" / "bin" / "python"
    packages = Path(pytest.__file__).parents[1]
    env = {"PYTHONPATH": f"{':'.join(ROOTS)}:{packages}"}
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--no-index", "--disable-pip-version-check", "-e", plain, **env)
    code = (
        "from highstreet.app import create_app;"
        "host = create_app(faces=False).extensions['highstreet'].host;"
        "print(sorted(host.plugins), host.quarantined)"
    )
    printed = run(python, "-c", code, cwd=tmp_path, **env)
    assert "'cake'" in printed and printed.rstrip().endswith("{}")


@pytest.mark.slow
def test_lint_and_mypy_find_nothing(plain: Path, written: Path, tmp_path: Path) -> None:
    for source in (plain, written):
        run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=source)
        run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".", cwd=source)
    # As from site-packages: what is wrong in Highstreet itself is not the author's to read.
    quiet = ("--follow-imports=silent", "--cache-dir", tmp_path)
    run(sys.executable, "-m", "mypy", *quiet, cwd=written, MYPYPATH=":".join(ROOTS))


def test_both_languages_are_there_and_say_the_same(written: Path) -> None:
    from babel.messages.extract import extract_from_dir
    from babel.messages.frontend import parse_mapping_cfg
    from babel.messages.mofile import read_mo
    from babel.messages.pofile import read_po

    with (written / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {"_": None, "_l": None, "ngettext": (1, 2)}
    said = {one[2] for one in extract_from_dir(written, methods, options, keywords)}
    (path,) = written.rglob("messages.po")
    with path.open("rb") as file:
        chinese = {one.id: one.string for one in read_po(file, locale="zh_Hans") if one.id}
    with path.with_suffix(".mo").open("rb") as file:
        compiled = {one.id: one.string for one in read_mo(file) if one.id}
    assert said == set(chinese) and all(chinese.values())
    assert compiled == chinese


@pytest.mark.parametrize(
    ("name", "words"),
    (
        ("Cake", "small letters"),
        ("cake__club", "small letters"),
        ("9cakes", "small letters"),
        ("birthday-cake", "small letters"),
        ("x" * 31, "30"),
        ("", "small letters"),
        ("class", "Python keeps this word"),
        ("core", "the core's own"),
        ("customers", "the core's own"),
        ("tenants", "There is a package"),
        ("points_club", "installed here already"),
    ),
)
def test_a_name_that_cannot_be_is_refused_and_says_why(
    name: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(HighstreetError) as refused:
        scaffold.write(name, tmp_path)
    assert words in refused.value.detail
    assert not list(tmp_path.iterdir())


def test_a_tool_that_is_installed_keeps_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = EntryPoint("pie", "somebodys_pie", "highstreet.plugins")
    monkeypatch.setattr(scaffold, "entry_points", lambda group: [point])
    with pytest.raises(Conflict, match="installed here already"):
        scaffold.write("pie", tmp_path)


@pytest.mark.parametrize("title", ('a "quoted" one', "100 %", "{{ 1 }}", "a\nb", "x" * 61, "<b>"))
def test_a_title_that_would_break_a_file_is_refused(title: str, tmp_path: Path) -> None:
    for field in ("title", "title_zh"):
        with pytest.raises(Invalid) as refused:
            scaffold.write("pie", tmp_path, **{field: title})
        assert set(refused.value.fields) == {field}
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    target = tmp_path / "highstreet-pie"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="nothing in it was touched"):
        scaffold.write("pie", tmp_path)
    assert [one.name for one in target.rglob("*")] == ["mine.txt"]
    (tmp_path / "highstreet-tart").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Conflict):
        scaffold.write("tart", tmp_path)


def test_what_fails_halfway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaffold, "write_mo", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scaffold.write("pie", tmp_path)
    assert not list(tmp_path.iterdir())


def test_every_template_is_written_out_and_shipped() -> None:
    blank = ROOT / "platform/highstreet/kit/blank"
    there = {str(one.relative_to(blank).with_suffix("")) for one in blank.rglob("*.jinja")}
    assert there == set(scaffold.FILES)
    packaging = (ROOT / "setup.cfg").read_text("utf-8")
    shipped = re.search(r"\[options.package_data\](.*?)\n\n", packaging, re.S)
    assert shipped is not None and "blank/**" in shipped[1]
