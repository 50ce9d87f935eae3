"""A line chart as an SVG file: drawn here, shown by <img>, its figures in a table beneath.

The image follows the page's light or dark by its own `prefers-color-scheme`, which <img> passes on.
"""

from collections.abc import Sequence

from markupsafe import escape
from msgspec import Struct

from highstreet.web import accent, formats

# Grounds and lines of the look, section 1 of highstreet.css.
_LINES = {"light": ("#e0ddd5", "#0b5c69"), "dark": ("#2f3539", "#6cc6d0")}
_FONT = "-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',Arial,sans-serif"


class Line(Struct, frozen=True):
    """One line: its name, its points (None: a gap), and whether it is the one that matters."""

    name: str
    points: Sequence[float | None]
    main: bool = False


def line_chart(
    title: str, labels: Sequence[str], lines: Sequence[Line], colour: str | None, *, narrow: bool
) -> str:
    """The SVG. `colour`: the brand's accent. The axis begins at zero."""
    width, height = (340, 220) if narrow else (640, 240)
    left, right, top, bottom = 46, 84 if not narrow else 16, 20, 34
    most = max((p for line in lines for p in line.points if p is not None), default=0) or 1
    step = _nice(most / 4)
    ceiling = step * -(-most // step)
    inner_w, inner_h = width - left - right, height - top - bottom

    def x(i: int) -> float:
        return round(left + inner_w * (i + 0.5) / max(len(labels), 1), 1)

    def y(value: float) -> float:
        return round(top + inner_h * (1 - value / ceiling), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        f' font-family="{_FONT}" font-size="13"><title>{escape(title)}</title>{_style(colour)}'
    ]
    value = 0.0
    while value <= ceiling:
        parts.append(
            f'<path class="g" d="M{left} {y(value)}H{width - right}"/>'
            f'<text x="{left - 8}" y="{y(value) + 4}" text-anchor="end">{formats.num(value)}</text>'
        )
        value += step
    every = -(-len(labels) // (4 if narrow else 6)) or 1
    for i, label in enumerate(labels):
        if i % every == 0:
            parts.append(
                f'<text x="{x(i)}" y="{height - 10}" text-anchor="middle">{escape(label)}</text>'
            )
    labels_at: list[float] = []
    for line in lines:
        parts += _line(line, x, y, labels_at, narrow=narrow)
    return "".join([*parts, "</svg>"])


def _line(line: Line, x, y, labels_at: list[float], *, narrow: bool) -> list[str]:  # type: ignore[no-untyped-def]  # two local functions
    look = "a" if line.main else "b"
    runs: list[list[str]] = [[]]
    last: tuple[float, float] | None = None
    for i, point in enumerate(line.points):
        if point is None:
            runs.append([])
            continue
        last = (x(i), y(point))
        runs[-1].append(f"{last[0]},{last[1]}")
    parts = [f'<polyline class="{look}" points="{" ".join(run)}"/>' for run in runs if run]
    if last is not None:
        parts.append(f'<circle class="d{look}" cx="{last[0]}" cy="{last[1]}" r="4"/>')
        if not narrow:
            # Names of lines that end close together stand one below the other.
            at = last[1] + 5
            while any(abs(at - other) < 16 for other in labels_at):
                at += 4
            labels_at.append(at)
            parts.append(f'<text class="t" x="{last[0] + 10}" y="{at}">{escape(line.name)}</text>')
    return parts


def _style(colour: str | None) -> str:
    sets = []
    for theme in (accent.LIGHT, accent.DARK):
        rule, usual = _LINES[theme.name]
        main = accent.work_out(colour, theme).accent if colour else usual
        sets.append(
            f"text{{fill:{theme.ink_2}}}.g{{stroke:{rule}}}"
            f".a{{fill:none;stroke:{main};stroke-width:3}}.da{{fill:{main}}}"
            f".b{{fill:none;stroke:{theme.ink_2};stroke-width:2;stroke-dasharray:6 4}}"
            f".db{{fill:{theme.ink_2}}}.t{{font-weight:600;fill:{theme.ink}}}"
        )
    light, dark = sets
    return f"<style>{light}@media (prefers-color-scheme:dark){{{dark}}}</style>"


def _nice(value: float) -> float:
    """A round step: 1, 2 or 5 times a power of ten, not below one."""
    size = 1.0
    while size * 10 <= value:
        size *= 10
    return next((size * n for n in (1, 2, 5) if size * n >= value), size * 10)
