"""A proof of the worst cases, for whoever approves: the longest name, the most lines, and so on."""

from collections.abc import Iterable

from highstreet.i18n import gettext as _
from highstreet.printing.designs import Design, fields_of, fill
from highstreet.printing.pieces import Piece
from highstreet.printing.typesetting import Press
from highstreet_tenants.errors import Invalid

MOST = 40
"""Pieces in a proof."""


def worst(design: Design, pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces that are likeliest to go wrong: the first; the longest name, line, and value of
    each field; the most lines; fields left empty; letters beyond Latin. Up to `MOST`, each once.
    """
    names = sorted(fields_of(design))
    best: dict[str, tuple[float, int, Piece]] = {}
    for number, piece in enumerate(pieces):
        for why, weight in _weights(piece, names):
            held = best.get(why)
            if weight > 0 and (held is None or weight > held[0]):
                best[why] = (weight, number, piece)
    found = {number: piece for _weight, number, piece in best.values()}
    return [found[number] for number in sorted(found)][:MOST]


def proof(
    design: Design, pieces: Iterable[Piece], *, fonts: tuple[str, ...] = (), every: bool = False
) -> bytes:
    """A PDF of the worst of the pieces, or of all (at most `MOST`) with `every`.

    Raises Invalid where there is none, Unprintable.
    """
    chosen = list(pieces)[:MOST] if every else worst(design, pieces)
    if not chosen:
        raise Invalid(_("There is no piece to show."))
    with Press("press.typ", fonts) as press:
        design.lay_pictures(press)
        return press.pdf(
            design.data(fill(design, n, one, fonts)[0] for n, one in enumerate(chosen))
        )


def preview(
    design: Design, piece: Piece, *, fonts: tuple[str, ...] = (), ppi: float = 110
) -> list[bytes]:
    """The sides of one piece as PNG. An empty box stands for a letter that no font has."""
    with Press("press.typ", fonts) as press:
        design.lay_pictures(press)
        return press.png(design.data([fill(design, 0, piece, fonts)[0]]), ppi)


def _weights(piece: Piece, names: list[str]) -> list[tuple[str, float]]:
    """(why it may be the worst, how bad it is)."""
    lines = piece.address
    found: list[tuple[str, float]] = [
        ("first", 1),
        ("name", len(lines[0]) if lines else 0),
        ("lines", len(lines)),
        ("line", max(map(len, lines), default=0)),
        ("code", len(piece.code)),
        ("letters", sum(ord(sign) > 0x24F for sign in "".join(lines))),
    ]
    for name in names:
        value = piece.values.get(name)
        found.append((f"longest {name}", len(str(value)) if value is not None else 0))
        found.append((f"empty {name}", 1 if value in (None, "") else 0))
    return found
