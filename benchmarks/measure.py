"""Measuring fairly: sides in turn, so that a busy machine is busy for all; medians compared."""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, NoReturn

RESULTS = Path(__file__).parent / "results"

Demand = tuple[Literal["<=", ">="], float]


@dataclass(frozen=True, slots=True)
class Figure:
    """One claim. `value` and `floor` are in `unit`.

    demand: ("<=" or ">=", number) that the ratio must meet (`of` "value": the value itself), or
    None for a figure told for interest. note: what the reader must know to read it rightly.
    """

    name: str
    value: float
    floor: float | None
    unit: str
    ratio: float | None
    demand: Demand | None
    note: str = ""
    of: Literal["ratio", "value"] = "ratio"

    @property
    def kept(self) -> bool:
        """Whether the demand is met."""
        number = self.ratio if self.of == "ratio" else self.value
        if self.demand is None or number is None:
            return True
        sign, bound = self.demand
        return number <= bound if sign == "<=" else number >= bound


def seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of one call by `clock` (wall), with the garbage collector out of the way."""
    gc.collect()
    gc.disable()
    try:
        start = clock()
        work()
        return clock() - start
    finally:
        gc.enable()


def in_turn(
    sides: Mapping[str, Callable[[], object]],
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, float]:
    """Median seconds of each side over `rounds`, run in turn and in alternating order.

    For work that waits for nothing, `time.process_time` is the clock that other processes on the
    machine do not disturb.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for name in sides:
        sides[name]()  # warm
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(sides))
        for name in order:
            times[name].append(seconds(sides[name], clock))
    return medians(times)


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each side."""
    return {name: statistics.median(values) for name, values in times.items()}


def in_runs(
    sides: Mapping[str, Callable[[], Callable[[], object]]], runs: int, pieces: int
) -> dict[str, float]:
    """Seconds that a piece of work takes: the median over `runs` of `pieces` each, sides in turn.

    A side prepares a piece and gives it; only doing it is timed, and all pieces of a run are
    prepared before its first. A run has many, for a pace counts all that keeping it up costs:
    every hundredth award or so, SQLite copies its log into the database. Two connections that
    wrote piece by piece in turn would empty each other's page cache, and after the other side's
    run it is empty too: so a fifth more pieces go before, and are not timed.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    warming = pieces // 5
    for number in range(1 + runs):
        prepared = {
            name: [prepare() for _piece in range(warming + pieces)]
            for name, prepare in sides.items()
        }
        for name in sides if number % 2 else reversed(sides):
            _do_all(prepared[name][:warming])
            took = seconds(partial(_do_all, prepared[name][warming:]))
            if number:  # the first is for plans, prepared statements, caches
                times[name].append(took / pieces)
    return medians(times)


def _do_all(works: Sequence[Callable[[], object]]) -> None:
    for work in works:
        work()


def rate(
    name: str,
    times: Mapping[str, float],
    *,
    ours: str,
    floor: str,
    count: int,
    at_least: float | None,
    note: str = "",
) -> Figure:
    """Work per second: ours against the floor's, demanded (or not: None) to be at least a share."""
    mine, theirs = count / times[ours], count / times[floor]
    demand: Demand | None = None if at_least is None else (">=", at_least)
    return Figure(name, mine, theirs, "per second", mine / theirs, demand, note)


def cost(
    name: str,
    times: Mapping[str, float],
    *,
    ours: str,
    floor: str,
    count: int,
    at_most: float | None,
    note: str = "",
) -> Figure:
    """Microseconds per piece: ours against the floor's, demanded (or not: None) to be at most."""
    mine, theirs = times[ours] / count * 1e6, times[floor] / count * 1e6
    demand: Demand | None = None if at_most is None else ("<=", at_most)
    return Figure(name, mine, theirs, "µs", mine / theirs, demand, note)


def quick() -> bool:
    """Whether HIGHSTREET_BENCH_QUICK=1 asks for smaller data."""
    return os.environ.get("HIGHSTREET_BENCH_QUICK", "") not in ("", "0")


class LeftOutError(Exception):
    """A benchmark cannot run here, and why."""


def skipped(name: str, why: str) -> NoReturn:
    """Leave a benchmark out. Raises LeftOutError."""
    raise LeftOutError(f"{name}: {why}")


@dataclass(frozen=True, slots=True)
class Done:
    """One benchmark that was run. left_out, failed: why it has no figures, else empty."""

    name: str
    seconds: float
    figures: Sequence[Figure]
    left_out: str = ""
    failed: str = ""
    stopped: bool = False

    @property
    def kept(self) -> bool:
        """Whether it ran to its end and every demand is met."""
        return not self.failed and all(figure.kept for figure in self.figures)


def results_file() -> Path:
    """Where the results of a run that begins now go."""
    RESULTS.mkdir(exist_ok=True)
    return RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"


def save(path: Path, done: Sequence[Done]) -> None:
    """Write what is there so far as JSON."""
    data = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "quick": quick(),
        "figures": [
            {"benchmark": one.name} | asdict(figure) | {"kept": figure.kept}
            for one in done
            for figure in one.figures
        ],
        "benchmarks": [
            {"name": one.name, "seconds": round(one.seconds, 1), "left_out": one.left_out,
             "failed": one.failed}
            for one in done
        ],
    }  # fmt: skip
    path.write_text(json.dumps(data, indent=1), encoding="utf-8")
