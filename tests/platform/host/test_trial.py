"""A tool whose import takes the process with it is found out in another, once."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from highstreet.host import trial
from highstreet.host.candidates import Candidate

SOURCES = {
    "trial_fine": "from highstreet.sdk import Plugin",
    "trial_exits": "import os\nos._exit(3)",
    "trial_raises": "import sys\nsys.exit(1)",
    "trial_crashes": "import ctypes\nctypes.string_at(0)",
}
DEADLY = {"trial_exits": "exit code 3", "trial_crashes": "SIGSEGV"}


def test_what_ends_the_process_is_left_out_until_its_files_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, folder = tmp_path / "site", tmp_path / "instance"
    folder.mkdir()
    for name, source in SOURCES.items():
        (site / name).mkdir(parents=True)
        (site / name / "__init__.py").write_text(source)
        (site / name / "plugin.toml").touch()
    monkeypatch.syspath_prepend(str(site))
    found = [Candidate(name, name, "a stranger's 1.0") for name in SOURCES]
    assert trial.deadly(folder, found) == DEADLY
    assert not {*SOURCES} & {*sys.modules}

    def run(*_words: Any, **_named: Any) -> None:
        raise AssertionError("what was tried is not tried again")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "run", run)
        assert trial.deadly(folder, found) == DEADLY
        ours = Candidate("ours", "trial_fine", "highstreet 0.1.0")
        assert trial.deadly(tmp_path / "nowhere", [ours, *found]) == {}
    changed = site / "trial_exits" / "__init__.py"
    changed.write_text("")
    os.utime(changed, (1, 1))
    assert trial.deadly(folder, found) == {"trial_crashes": "SIGSEGV"}
