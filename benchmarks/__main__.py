"""Measure: all benchmarks or the named ones, each figure printed beside its floor.

Exit codes: 0 all demands are kept, 1 one is missed or a benchmark failed, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
import traceback
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks import databases, measure
from benchmarks.measure import Done, Figure

ALL = (
    "dispatch",
    "start",
    "many_tools",
    "award",
    "measures",
    "rest_award",
    "webhooks",
    "mail",
    "import_year",
    "lookup",
    "segments",
    "mailings",
    "printing",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for. One that fails, or is stopped by Ctrl-C, loses no other's figures."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(ALL)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}")
    console = Console()
    if asked.drop_kept:
        console.print(f"dropped: {', '.join(databases.drop_kept()) or 'nothing was kept'}")
        return 0
    for name, value in (("QUICK", asked.quick), ("KEEP", asked.keep), ("DATA", asked.data)):
        if value:
            os.environ[f"HIGHSTREET_BENCH_{name}"] = "1" if value is True else value
    done: list[Done] = []
    path = measure.results_file()
    for name in asked.names or ALL:
        console.print(f"[dim]{name} …[/dim]")
        one = _run(name)
        done.append(one)
        measure.save(path, done)  # after each, so that what is measured is not lost
        if one.stopped:
            break
    _print(console, done)
    console.print(f"written to {path}")
    return 0 if all(one.kept for one in done) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--quick", action="store_true", help="on smaller data")
    parser.add_argument("--keep", action="store_true", help="keep large databases for next time")
    parser.add_argument("--drop-kept", action="store_true", help="only drop those that were kept")
    parser.add_argument("--data", metavar="FOLDER", help="where the year's baskets.csv.gz lies")
    return parser


def _run(name: str) -> Done:
    began = time.perf_counter()
    figures: list[Figure] = []
    left_out = failed = ""
    stopped = False
    try:
        figures = importlib.import_module(f"benchmarks.{name}").run()
    except measure.LeftOutError as why:
        left_out = str(why)
    except KeyboardInterrupt:
        failed, stopped = "stopped", True
    except Exception:
        failed = traceback.format_exc()
    seconds = time.perf_counter() - began
    return Done(name, seconds, figures, left_out=left_out, failed=failed, stopped=stopped)


def _print(console: Console, done: Sequence[Done]) -> None:
    table = Table("what", "ours", "floor", "unit", "ratio", "asked", "", title="Highstreet")
    for figure in (figure for one in done for figure in one.figures):
        table.add_row(
            figure.name,
            f"{figure.value:,.2f}",
            "" if figure.floor is None else f"{figure.floor:,.2f}",
            figure.unit,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            _asked(figure),
            "" if figure.demand is None else "kept" if figure.kept else "MISSED",
        )
    console.print(table)
    for one in done:
        console.print(f"[dim]{one.name}: {one.seconds:.0f} s[/dim]")
        for figure in one.figures:
            if figure.note:
                console.print(f"[dim]  {escape(figure.name)}: {escape(figure.note)}[/dim]")
        if one.left_out:
            console.print(f"  left out: {escape(one.left_out)}")
        if one.failed:
            console.print(f"[red]  FAILED[/red]\n{escape(one.failed)}")


def _asked(figure: Figure) -> str:
    if figure.demand is None:
        return ""
    sign, bound = figure.demand
    return f"{sign} {bound}" if figure.of == "ratio" else f"{sign} {bound} {figure.unit}"


if __name__ == "__main__":
    raise SystemExit(main())
