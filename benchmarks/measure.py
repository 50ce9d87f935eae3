"""Measuring fairly: two sides in turn, so that a busy machine is busy for both; medians compared."""

from __future__ import annotations

import gc
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One claim. `value` and `floor` are in `unit`; `ratio` is what the claim is about.

    demand: ("<=" or ">=", number) that the ratio must meet, or None for a figure told for interest.
    """

    name: str
    value: float
    floor: float | None
    unit: str
    ratio: float | None
    demand: tuple[str, float] | None
    note: str = ""

    @property
    def kept(self) -> bool:
        """Whether the demand is met."""
        if self.demand is None or self.ratio is None:
            return True
        sign, bound = self.demand
        return self.ratio <= bound if sign == "<=" else self.ratio >= bound


def seconds(work: Callable[[], object]) -> float:
    """Wall seconds of one call, with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    finally:
        gc.enable()


def in_turn(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each side over `rounds`, run in turn and in alternating order."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for name in sides:
        sides[name]()  # warm
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in order:
            times[name].append(seconds(sides[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def rate(
    name: str, times: dict[str, float], *, ours: str, floor: str, count: int, at_least: float
) -> Figure:
    """A figure of work per second: ours against the floor's, demanded to be at least a share."""
    mine, theirs = count / times[ours], count / times[floor]
    return Figure(name, mine, theirs, "per second", mine / theirs, (">=", at_least))


def cost(
    name: str, times: dict[str, float], *, ours: str, floor: str, count: int, at_most: float
) -> Figure:
    """A figure of microseconds per piece: ours against the floor's, demanded to be at most."""
    mine, theirs = times[ours] / count * 1e6, times[floor] / count * 1e6
    return Figure(name, mine, theirs, "µs", mine / theirs, ("<=", at_most))


def save(figures: list[Figure]) -> Path:
    """Write the figures as JSON beside this module; gives the file."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    data = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(figure) | {"kept": figure.kept} for figure in figures],
    }
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return path
