"""`pytest --highstreet-plugin NAME`. Without that option nothing happens, and nothing is loaded."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option, and nothing else, is known to every run of pytest."""
    group = parser.getgroup("highstreet", "Highstreet's kit for authors of tools")
    group.addoption(
        "--highstreet-plugin",
        metavar="NAME",
        help="fixtures for this installed tool, and every check that a tool has to pass",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load the kit for the tool that the option names."""
    if config.getoption("highstreet_plugin"):
        from highstreet.kit import session

        session.begin(config)
