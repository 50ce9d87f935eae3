"""Bad tools, each found by the very check that is for its fault: the kit is not blind."""

from pathlib import Path

import pytest

from . import judging
from .seeds import DEEDS, Bad


@pytest.mark.slow
@pytest.mark.parametrize("bad", DEEDS, ids=lambda bad: f"{bad.check}-{bad.file}")
def test_the_fault_is_found_by_its_check_alone(bad: Bad, package: Path, tmp_path: Path) -> None:
    judging.check(bad, package, tmp_path)
