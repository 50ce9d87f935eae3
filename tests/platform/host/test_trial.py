"""A tool whose import ends or harms the process is found out in another, once."""

import builtins
import json
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from highstreet.host import harm, import_trial, importing, trial
from highstreet.host.candidates import Candidate

SOURCES = {
    "trial_fine": "from highstreet.sdk import Plugin",
    "trial_raises": "import sys\nsys.exit(1)",
    "trial_forks": "import os, time\nif os.fork() == 0:\n    time.sleep(600)",
    "trial_exits": "import os\nos._exit(3)",
    "trial_crashes": "import ctypes\nctypes.string_at(0)",
    "trial_eats": "x = []\nwhile True: x.append(bytes(50_000_000))",
    "trial_closes": "import os\nos.close(1)",
    "trial_waits": "from threading import Timer\nTimer(99, print).start()",
    "trial_patches": "import flask\nflask.Flask.get = None",
}
DEADLY = {
    "trial_exits": "it ends it (exit code 3)",
    "trial_crashes": "it ends it (SIGSEGV)",
    "trial_eats": "it takes more than 1024 MB of memory",
    "trial_closes": "it closes the process's file 1 (0: input, 1: output, 2: errors)",
    "trial_waits": "it starts a thread that keeps the process from ending (use daemon=True)",
    "trial_patches": "with it no page can be served any more:"
    " TypeError: 'NoneType' object is not callable",
}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    folder = tmp_path / "site"

    def write(name: str, source: str) -> Candidate:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(source)
        (folder / name / "plugin.toml").touch()
        return Candidate(name, name, "a stranger's 1.0")

    monkeypatch.syspath_prepend(str(folder))
    yield write
    for name in [one for one in sys.modules if one.startswith("trial_")]:
        del sys.modules[name]


def test_what_ends_or_harms_the_process_is_left_out_until_its_files_change(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "instance"
    folder.mkdir()
    found = [site(name, source) for name, source in SOURCES.items()]
    assert trial.deadly(folder, found) == DEADLY
    assert not {*SOURCES} & {*sys.modules}

    def tried(*_words: Any) -> None:
        raise AssertionError("what was tried is not tried again")

    with monkeypatch.context() as patch:
        patch.setattr(import_trial, "tried", tried)
        assert trial.deadly(folder, found) == DEADLY
        ours = Candidate("ours", "trial_fine", "highstreet 0.1.0")
        assert trial.deadly(tmp_path / "nowhere", [ours, *found]) == {}
    changed = tmp_path / "site" / "trial_exits" / "__init__.py"
    changed.write_text("")
    os.utime(changed, (1, 1))
    assert trial.deadly(folder, found) == {k: v for k, v in DEADLY.items() if k != "trial_exits"}


@pytest.mark.slow
def test_an_import_that_hangs_costs_one_start_and_no_other(site: Any, tmp_path: Path) -> None:
    found = [site(f"trial_sleeps_{n}", "import time\ntime.sleep(999)") for n in range(3)]
    began = monotonic()
    deadly = trial.deadly(tmp_path, found)
    assert set(deadly.values()) == {f"it takes longer than {importing.LIMIT:g} s"}
    assert monotonic() - began < 2 * importing.LIMIT, "side by side"
    kept = json.loads((tmp_path / trial.FILE).read_text())
    assert {name: one["why"] for name, one in kept.items()} == deadly


def test_what_an_import_takes_away_is_put_back(site: Any) -> None:
    site(
        "trial_takes",
        "import builtins, json, logging, os, signal, sys\n"
        "builtins.len = None\nsys.modules['json'] = None\nsys.modules.pop('flask')\n"
        "sys.stdout = sys.stderr = sys.stdin = None\nlogging.disable(logging.CRITICAL)\n"
        "import warnings; warnings.simplefilter('error')\n"
        "os.chdir('/')\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
    )
    streams, filters = (sys.stdin, sys.stdout, sys.stderr), list(warnings.filters)
    flask, length, folder = sys.modules["flask"], builtins.len, os.getcwd()
    importing.load("trial_takes")
    assert (sys.stdin, sys.stdout, sys.stderr) == streams
    assert (builtins.len, sys.modules["flask"], sys.modules["json"]) == (length, flask, json)
    assert (logging.root.manager.disable, warnings.filters) == (0, filters)
    assert os.getcwd() == folder
    assert harm.Before().harmed() == ""
