"""The command line, called as an operator calls it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from highstreet.cli import main


@dataclass(frozen=True)
class Called:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value on standard output."""
        return json.loads(self.out)


Call = Callable[..., Called]


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the local files of one installation."""
    return tmp_path_factory.mktemp("instance")


@pytest.fixture
def call(
    instance: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Call:
    """Calls ``highstreet`` with these arguments on the module's installation."""
    for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "REDIS_URL", "CONFIG"):
        monkeypatch.delenv(f"HIGHSTREET_{name}", raising=False)

    def run(*arguments: object, debug: bool = False) -> Called:
        capsys.readouterr()
        before = ("--debug",) if debug else ()
        with pytest.raises(SystemExit) as ended:
            main([*before, "--instance", str(instance), *(str(one) for one in arguments)])
        printed = capsys.readouterr()
        return Called(int(ended.value.code or 0), printed.out, printed.err)

    return run
