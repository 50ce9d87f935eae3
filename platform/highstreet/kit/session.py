"""One run of pytest with the kit: fixtures for the author's tests."""

from __future__ import annotations

import pytest

from highstreet.kit import fixtures


def begin(config: pytest.Config) -> None:
    """Make the fixtures known."""
    config.pluginmanager.register(fixtures, "highstreet-fixtures")
