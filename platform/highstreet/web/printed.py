"""What the consoles of head office and stores share for print: the form, pictures, PDFs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from flask import Response, make_response, request
from msgspec import Struct

from highstreet.customers import published
from highstreet.host.kept import Kept
from highstreet.i18n import gettext as _
from highstreet.printing import pictures, queries, shop
from highstreet.printing.designs import Design, fields_of
from highstreet.printing.kinds import KINDS, WINDOWS
from highstreet.printing.pieces import Piece
from highstreet.printing.preflight import preflight
from highstreet.printing.proofing import preview
from highstreet.web import formats
from highstreet.web.current import current
from highstreet.web.forms import Form
from highstreet_tenants.sessions import ScopedSession

#: Names that a design may ask for wherever it is printed.
OF_THE_PLACE = ("brand.name", "store.name", "store.address")
_sides: Kept[list[bytes]] = Kept(32)


class Area(Struct):
    """One area of a form. options: of pictures, (digest, name)."""

    name: str
    id: str
    label: str
    value: str
    lines: int
    most: int
    picture: bool
    open: bool
    theirs: str = ""


def files() -> Path:
    """Where the installation's pictures lie."""
    return shop.of_config(current.house.config).files


def fonts() -> tuple[str, ...]:
    """The operator's further folders of fonts."""
    return shop.of_config(current.house.config).fonts


def form_names(kind: str) -> list[str]:
    """Fields of a design's form."""
    areas = [f"area-{name}" for name in KINDS[kind].areas]
    return ["name", "size", "window", "marks", "language", "seen", *areas]


def read(kind: str, sent: Mapping[str, str]) -> Form:
    """What was sent, as it was typed."""
    form = Form(sent, form_names(kind))
    form.renamed = {f"areas.{name}": f"area-{name}" for name in KINDS[kind].areas}
    return form


def areas_of(form: Form, kind: str, names: Iterable[str] | None = None) -> dict[str, str]:
    """Texts and pictures by area, as the room takes them."""
    wanted = KINDS[kind].areas if names is None else names
    return {name: form[f"area-{name}"] for name in wanted}


def areas(
    kind: str, values: Mapping[str, str], store_areas: Iterable[str], theirs: Mapping[str, str] = {}
) -> list[Area]:
    """The form's areas. theirs: head office's words, where a store fills in its own."""
    may = set(store_areas)
    return [
        Area(name, f"area-{name}", str(one.label), values.get(name, ""),
             one.lines if one.lines > 1 else 0, one.most, one.holds == "picture", name in may,
             theirs.get(name, ""))
        for name, one in KINDS[kind].areas.items()
    ]  # fmt: skip


def labels(kind: str) -> dict[str, tuple[str, str]]:
    """Fields in errors → (id of the input, what it is called)."""
    found = {"name": ("name", _("What it is called")), "size": ("size", _("Size")),
             "window": ("window", _("Window")),
             "picture": ("upload", _("Add a picture"))}  # fmt: skip
    for name, one in KINDS[kind].areas.items():
        found[f"area-{name}"] = (f"area-{name}", str(one.label))
    return found


def choices(s: ScopedSession, kind: str) -> dict[str, Any]:
    """What can be chosen in a form."""
    made = KINDS[kind]
    return {
        "sizes": [(name, str(one.title)) for name, one in made.formats.items()],
        "windows": [(name, str(WINDOWS[name])) for name in made.windows],
        "pictures": [("", _("None")), *((one.digest, one.name) for one in pictures.listed(s))],
        "fields": known(s),
    }


def known(s: ScopedSession) -> list[tuple[str, str]]:
    """Merge fields that there are here, with what they are."""
    found = [("brand.name", _("Brand")), ("store.name", _("Store")),
             ("store.address", _("Address of the store"))]  # fmt: skip
    told = published.known(s, current.place.store_id, current.may)
    return [*found, *((name, str(one.label)) for name, one in told.items())]


def upload(s: ScopedSession) -> str:
    """Keep the picture that came with the form, if one did; gives its digest or "". Raises
    Invalid."""
    sent = request.files.get("upload")
    if sent is None or not sent.filename:
        return ""
    return pictures.add(s, files(), sent.read(), sent.filename).digest


def sample(s: ScopedSession, design: Design) -> Piece:
    """A piece to look at: whatever has no value here shows its name."""
    found = queries.sample(s)
    shown = {name: f"‹{name}›" for name in fields_of(design)}
    return Piece(found.key, found.address, {**shown, **found.values})


def findings(s: ScopedSession, design: Design, *, printed: bool) -> list[tuple[str, str]]:
    """(area, what to mend) of a design here. printed: it is printed as it is, for nobody, so that
    every field needs a value; otherwise people's values come later."""
    piece = queries.sample(s) if printed else sample(s, design)
    if printed:
        held = {name: one for name, one in piece.values.items() if name in OF_THE_PLACE}
        piece = Piece(piece.key, piece.address, held)
    found = preflight(design, [piece], fonts=fonts()).found
    titles = {name: str(one.label) for name, one in KINDS[design.kind].areas.items()}
    return [(titles.get(one.area, one.area), one.words) for one in found]


def picture_of(design: Design, piece: Piece, side: int) -> Response:
    """A side as a PNG file; those looked at last are kept, under all that they show."""
    key = (design.digest, piece.key, tuple(sorted(map(str, piece.values.items()))))
    pages = _sides.get(key, 0)
    if pages is None:
        pages = preview(design, piece, fonts=fonts(), ppi=_ppi(design))
        _sides.put(key, 0, pages)
    response = make_response(pages[min(max(side, 0), len(pages) - 1)])
    response.mimetype = "image/png"
    return response


def _ppi(design: Design) -> float:
    """So that a poster is no larger a picture than a card is."""
    form = KINDS[design.kind].formats[design.size]
    return min(220.0, 900 / (max(form.width, form.height) / 25.4))


def as_pdf(data: bytes, name: str) -> Response:
    """An answer that is saved as `name`.pdf."""
    response = make_response(data)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


def in_list(row: Any, href: str) -> dict[str, Any]:
    """A design as a list shows it."""
    kind = KINDS[row.kind]
    signs = {"draft": "waiting", "approved": "done"}
    words = {"draft": _("Draft"), "approved": _("Approved")}
    return {
        "name": row.name,
        "href": href,
        "kind": str(kind.title),
        "size": str(kind.formats[row.size].title),
        "sign": signs.get(row.status, "off"),
        "state": words.get(row.status, _("Out of use")),
        "changed": formats.joined(row.changed_by, formats.moment(row.changed_at)),
    }
