"""`pytest --highstreet-plugin NAME`. Without that option nothing happens, and nothing is loaded."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option and its settings, and nothing else, are known to every run of pytest."""
    group = parser.getgroup("highstreet", "Highstreet's kit for authors of tools")
    group.addoption(
        "--highstreet-plugin",
        metavar="NAME",
        help="fixtures for this installed tool, and every check that a tool has to pass"
        " (unless files are named; `-m highstreet` runs the checks alone)",
    )
    parser.addini(
        "highstreet_fill",
        "module:function that gets the kit's town and lets members use the tool",
        default="",
    )
    parser.addini("highstreet_batch", "how many purchases a batch has", default="1000")


def pytest_configure(config: pytest.Config) -> None:
    """Load the kit for the tool that the option names."""
    if config.getoption("highstreet_plugin"):
        from highstreet.kit import session

        config.addinivalue_line("markers", "highstreet: a check of Highstreet's kit")
        session.begin(config)
