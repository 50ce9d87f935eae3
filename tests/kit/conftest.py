"""The good tool, written once."""

from pathlib import Path

import pytest

from . import good


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of a tool in which nothing is wrong."""
    return good.write(tmp_path_factory.mktemp("good"))
