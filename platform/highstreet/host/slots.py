"""Pieces that tools put into the core's pages."""

from typing import Any
from uuid import UUID

from highstreet import host as hosts
from highstreet.host import answers, guard, state
from highstreet.host.plans import Answer
from highstreet.host.plugin import Slot
from highstreet_tenants.sessions import ScopedSession


def render(
    s: ScopedSession, slot: str, store_id: UUID | None = None, **offered: Any
) -> list[Answer]:
    """What the tools that are on put into a slot, in the order they depend.

    offered: what the page gives them to work with. A piece that fails is left out and recorded.
    """
    host = hosts.of(s)
    on = state.enabled(s, store_id)
    found = []
    for name, loaded in host.plugins.items():
        piece = loaded.plugin.slots.get(slot)
        if piece is None or name not in on:
            continue
        well, markup = guard.call(
            s, name, f"slot:{slot}", _drawn(piece), named=offered, store_id=store_id,
            budget=host.slow_ms / 1000,
        )  # fmt: skip
        if well and markup is not None:
            found.append(Answer(name, markup))
    return found


def _drawn(piece: Slot) -> Slot:
    """The piece, drawn while the guard still stands; what is no markup is escaped."""

    def draw(ctx: Any, **offered: Any) -> Any:
        return answers.markup(piece(ctx, **offered))

    return draw
