"""Ears of the probe's tool: whoever listens is told of every hook and job that reaches it."""

from collections.abc import Callable, Mapping
from typing import Any

from highstreet import rooms
from highstreet.host.spec import Hook, hooks_in
from highstreet.sdk import hookimpl
from highstreet.web.slots import SLOTS

#: Gets `ctx`, what reached the tool ("hook:audit", "job:chore"), and what it was told.
Ear = Callable[[Any, str, tuple[Any, ...]], None]
_ears: list[Ear] = []


class Listening:
    """`with Listening(ear):` calls `ear(ctx, what, given)` whenever the tool is reached."""

    def __init__(self, ear: Ear) -> None:
        self._ear = ear

    def __enter__(self) -> None:
        _ears.append(self._ear)

    def __exit__(self, *_error: object) -> None:
        _ears.remove(self._ear)


def tell(ctx: Any, what: str, *given: Any) -> None:
    """Tell everybody who listens."""
    for ear in list(_ears):
        ear(ctx, what, given)


def every_hook() -> object:
    """An object that answers every hook of every room, and gives nothing."""
    found: dict[str, Any] = {}
    for room in rooms.specs():
        for hook in hooks_in(room):
            found[hook.name] = _answer(hook)
    return type("EveryHook", (), found)()


def _answer(hook: Hook) -> Any:
    # pluggy reads the names of the arguments, so each answer is written out.
    names = ", ".join(("ctx", *hook.arguments))
    given: dict[str, Any] = {"tell": tell}
    told = ", ".join(("ctx", f"'hook:{hook.name}'", *hook.arguments))
    exec(f"def {hook.name}(self, {names}):\n    tell({told})", given)
    return hookimpl(given[hook.name])


def every_slot() -> Mapping[str, str]:
    """Every slot that pages have."""
    return SLOTS
