"""`python -m benchmarks [NAME …]`: run all or the named ones, print each beside its floor."""

from __future__ import annotations

import importlib
import sys

from rich.console import Console
from rich.table import Table

from benchmarks import measure

ALL = ("dispatch", "start", "award", "rest_award", "import_year", "lookup")


def main(names: list[str]) -> int:
    """Run benchmarks; exit code 1 if a demand is missed."""
    unknown = sorted(set(names) - set(ALL))
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}", file=sys.stderr)
        return 2
    console = Console()
    figures: list[measure.Figure] = []
    for name in names or ALL:
        console.print(f"[dim]{name} …[/dim]")
        figures += importlib.import_module(f"benchmarks.{name}").run()
    table = Table("what", "ours", "floor", "unit", "ratio", "asked", "", title="Highstreet")
    for figure in figures:
        table.add_row(
            figure.name,
            f"{figure.value:,.2f}",
            "" if figure.floor is None else f"{figure.floor:,.2f}",
            figure.unit,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.demand is None else f"{figure.demand[0]} {figure.demand[1]}",
            "kept" if figure.kept else "MISSED",
        )
    console.print(table)
    console.print(f"written to {measure.save(figures)}")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
