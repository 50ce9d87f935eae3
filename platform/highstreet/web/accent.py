"""A brand's accent: the five colours of the look worked out from one, for light and dark.

Contrast is WCAG 2.2's: 4.5:1 for words (1.4.3), 3:1 for what must be seen, such as a button's edge
or a bar (1.4.11). Lightness moves in OKLab (Ottosson 2020), which keeps the hue that the eye sees.
"""

import math
import re
from collections.abc import Callable

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

WORDS = 4.5
SHAPES = 3.0

RGB = tuple[float, float, float]


class Theme(Struct, frozen=True):
    """What the stylesheet of a theme gives: the grounds an accent is seen on, the words on it."""

    name: str
    paper: str
    surface: str
    ink: str
    ink_2: str


# As in section 1 of highstreet.css; a test compares them.
LIGHT = Theme("light", "#f5f4f0", "#ffffff", "#1b1f23", "#555c63")
DARK = Theme("dark", "#111416", "#1a1e21", "#eceae4", "#abb1b5")


class Accent(Struct, frozen=True):
    """The five values that a brand may replace, as "#rrggbb"."""

    accent: str
    strong: str
    soft: str
    text: str
    on: str


def work_out(colour: str, theme: Theme) -> Accent:
    """The accent of `theme` for a brand's `colour` ("#rrggbb").

    The colour is kept as it is where it can be seen, else darkened or lightened just enough.
    Raises Invalid for anything but a colour.
    """
    light, chroma, hue = _oklch(_parse(colour))
    darker = theme is LIGHT
    grounds = (theme.paper, theme.surface)

    def shade(lightness: float, most: float = chroma) -> str:
        return _hex(_from_oklch(lightness, most, hue))

    def seen(least: float, on: tuple[str, ...]) -> Callable[[str], bool]:
        return lambda it: min(contrast(it, ground) for ground in on) >= least

    start = light if darker else max(light, 0.70)
    accent = _nearest(shade, start, darker, seen(SHAPES, grounds))
    soft = shade(0.95, min(chroma, 0.02)) if darker else shade(0.30, min(chroma, 0.035))
    on = _words_on(accent, shade)
    accent_light = _oklch(_parse(accent))[0]
    # Pressed: a step darker or lighter, whichever is seen and read as well.
    steps = (-0.07, 0.07) if darker else (0.07, -0.07)
    tried = (shade(_within(accent_light + step)) for step in steps)
    pressed = seen(SHAPES, grounds)
    strong = next((it for it in tried if pressed(it) and contrast(on, it) >= WORDS), accent)
    text = _nearest(shade, accent_light, darker, seen(WORDS, (*grounds, soft)))
    return Accent(accent, strong, soft, text, on)


def stylesheet(colour: str) -> str:
    """CSS with the five values for each theme, to be loaded after highstreet.css."""
    return "".join(
        f"{selector} {{ --hs-accent: {it.accent}; --hs-accent-strong: {it.strong};"
        f" --hs-accent-soft: {it.soft}; --hs-accent-text: {it.text}; --hs-on-accent: {it.on}; }}\n"
        for selector, it in (
            (':root, [data-bs-theme="light"]', work_out(colour, LIGHT)),
            ('[data-bs-theme="dark"]', work_out(colour, DARK)),
        )
    )


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    a, b = sorted((_luminance(_parse(one)), _luminance(_parse(other))), reverse=True)
    return (a + 0.05) / (b + 0.05)


def _words_on(accent: str, shade: Callable[[float, float], str]) -> str:
    """White, or a nearly black shade of the accent: whichever reads better."""
    dark = shade(0.2, 0.03)
    if contrast("#ffffff", accent) >= WORDS:
        return "#ffffff"
    if contrast(dark, accent) >= WORDS:
        return dark
    return max(("#ffffff", "#000000"), key=lambda it: contrast(it, accent))


def _nearest(
    shade: Callable[[float], str], start: float, darker: bool, fits: Callable[[str], bool]
) -> str:
    """The shade nearest to `start` that fits, going darker or lighter in small steps."""
    lightness = start
    while 0.0 < lightness < 1.0 and not fits(shade(lightness)):
        lightness += -0.01 if darker else 0.01
    return shade(_within(lightness))


def _within(lightness: float) -> float:
    return min(max(lightness, 0.0), 1.0)


def _parse(colour: str) -> RGB:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise Invalid(_("“%(colour)s” is not a colour. Write it like #0b5c69.", colour=colour[:20]))
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))  # type: ignore[return-value]  # three by the range


def _hex(rgb: RGB) -> str:
    return "#" + "".join(f"{round(min(max(part, 0.0), 1.0) * 255):02x}" for part in rgb)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _gamma(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _luminance(rgb: RGB) -> float:
    r, g, b = (_linear(part) for part in rgb)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _oklch(rgb: RGB) -> tuple[float, float, float]:
    """sRGB → lightness 0–1, chroma, hue in radians (https://bottosson.github.io/posts/oklab/)."""
    r, g, b = (_linear(part) for part in rgb)
    long = math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    mid = math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    light = 0.2104542553 * long + 0.7936177850 * mid - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * mid + 0.4505937099 * short
    bb = 0.0259040371 * long + 0.7827717662 * mid - 0.8086757660 * short
    return light, math.hypot(a, bb), math.atan2(bb, a)


def _from_oklch(light: float, chroma: float, hue: float) -> RGB:
    """The sRGB colour, with less chroma where the screen cannot show so much."""
    while True:
        a, bb = chroma * math.cos(hue), chroma * math.sin(hue)
        long = (light + 0.3963377774 * a + 0.2158037573 * bb) ** 3
        mid = (light - 0.1055613458 * a - 0.0638541728 * bb) ** 3
        short = (light - 0.0894841775 * a - 1.2914855480 * bb) ** 3
        rgb = (
            4.0767416621 * long - 3.3077115913 * mid + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * mid - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * mid + 1.7076147010 * short,
        )
        if chroma < 0.002 or all(-0.0005 <= part <= 1.0005 for part in rgb):
            return tuple(_gamma(min(max(part, 0.0), 1.0)) for part in rgb)  # type: ignore[return-value]  # three
        chroma *= 0.95
