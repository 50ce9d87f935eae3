"""Addresses: an application whose rules cost a start nothing that no request has asked for yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

#: Names that the URL grammar lets through and Python does not.
_NO_NAMES = frozenset({"None", "True", "False", "__debug__"})


class LateRule(Rule):
    """A rule that is parsed and checked at once, and learns to build its URL with the first one.

    Werkzeug compiles two functions for each rule; for our two hundred that is a sixth of a start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder
        if self.defaults or not self._sound():
            return compiled(append_unknown)  # it could fail, so that must be seen now

        def build(rule: LateRule, /, **values: Any) -> tuple[str, str]:
            builder: Callable[..., tuple[str, str]] = compiled(append_unknown).__get__(rule)
            if append_unknown:
                rule._build_unknown = builder
            else:
                rule._build = builder
            return builder(**values)

        return build

    def _sound(self) -> bool:
        """Whether its variables can be the arguments of a function: different, no constants."""
        names = [name for is_variable, name in self._trace if is_variable]
        return len(set(names)) == len(names) and _NO_NAMES.isdisjoint(names)


class Application(Flask):
    """Flask with such rules."""

    url_rule_class = LateRule
