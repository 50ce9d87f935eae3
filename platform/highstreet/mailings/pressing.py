"""Printing a mailing: its pieces in the design that was approved with it, and the files of them.

Preflight, proof and labels are for looking, from when people are selected on; files for a printer
are of what was released. They hold names and addresses: they lie with the installation's files, a
folder for each mailing, and are to be taken away once they are printed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from babel import Locale

from highstreet import jobs, templating
from highstreet.addresses import formatting
from highstreet.addresses import queries as addresses
from highstreet.customers import anchors, filling, places
from highstreet.customers.text import bad
from highstreet.host import facts as hosts
from highstreet.i18n import gettext as _
from highstreet.jobs import JobError, Trip, handler
from highstreet.mailings import queries
from highstreet.mailings.designs import pinned
from highstreet.mailings.models import Mailing
from highstreet.mailings.models import Piece as Meant
from highstreet.printing import labels as sheets
from highstreet.printing import preflight as looking
from highstreet.printing import proofing, shop, writing
from highstreet.printing import queries as designs
from highstreet.printing.designs import Design, fields_of
from highstreet.printing.labels import Sheet
from highstreet.printing.pieces import Findings, Piece
from highstreet.printing.typesetting import Unprintable
from highstreet.printing.writing import PrintFile
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.sessions import ScopedSession

#: Pieces in one file.
FILE = writing.CHUNK
#: Pieces that are read at a time.
_READ = 1_000
_OUT = ("sent", "returned")
_MEANT = ("ready", *_OUT)
#: Statuses from which on something was handed over.
_RELEASED = ("running", "paused", "finished", "stopped")
Progress = Callable[[int, int], None]


def _unseen(_done: int, _total: int) -> None:
    """Nobody looks."""


def pieces(s: ScopedSession, mailing_id: UUID, *, sent: bool = False) -> Iterator[Piece]:
    """The pieces of a mailing by post in the order of its manifest, as they are printed: the
    address that was approved under today's name, merge fields of today, the code. sent: only those
    that are out of the house; else those that wait, too. Raises NotFound, Conflict for one by
    another channel."""
    row = _by_post(s, mailing_id)
    made = _design(s, row)
    after = -1
    while some := _page(s, row.id, made, after, _OUT if sent else _MEANT):
        after = some[-1][0]
        for _place, piece in some:
            yield piece


def preflight(s: ScopedSession, mailing_id: UUID, *, progress: Progress = _unseen) -> Findings:
    """What is to be mended before it is printed, piece by piece; keys are codes. Raises NotFound,
    Conflict before people were selected, and where it has no design."""
    made = design(s, mailing_id)
    some = _counted(pieces(s, mailing_id), count(s, mailing_id), progress)
    return looking.preflight(made, some, fonts=shop.of(s).fonts)


def proof(s: ScopedSession, mailing_id: UUID) -> bytes:
    """A PDF of the pieces that are likeliest to go wrong. Raises NotFound, Invalid where nobody
    gets one, Conflict as `preflight`, Unprintable."""
    made = design(s, mailing_id)
    return proofing.proof(made, pieces(s, mailing_id), fonts=shop.of(s).fonts)


def labels(s: ScopedSession, mailing_id: UUID, sheet: str, *, start: int = 1) -> bytes:
    """A PDF of address labels. sheet: the number on the box, see `printing.labels`; start: the
    first that is free. Raises NotFound, Conflict before people were selected, Invalid naming what
    is wrong, Unprintable."""
    row = _selected(_by_post(s, mailing_id))
    made: Sheet | None = sheets.SHEETS.get(sheet)
    if made is None:
        raise bad("sheet", _("Use one of: %(known)s.", known=", ".join(sheets.SHEETS)))
    if (many := count(s, row.id)) > sheets.MOST:
        raise Invalid(
            _(
                "Labels are for at most %(most)s; this mailing has %(many)s. Have it printed by a"
                " mail house: highstreet mailings export",
                most=sheets.MOST,
                many=many,
            )
        )
    lines = (piece.address for piece in pieces(s, row.id))
    return sheets.labels(made, lines, start=start, fonts=shop.of(s).fonts)


def design(s: ScopedSession, mailing_id: UUID) -> Design:
    """What it is printed in: the version that was approved with it, and the store's own words.
    Raises NotFound, Conflict as `preflight`."""
    return _printed(s, _by_post(s, mailing_id))


def count(s: ScopedSession, mailing_id: UUID, *, sent: bool = False) -> int:
    """How many `pieces` gives. Raises NotFound."""
    row = queries.row(s, mailing_id)
    return (
        s.scalar(
            sa.select(sa.func.count(Meant.id)).where(*_which(row.id, _OUT if sent else _MEANT))
        )
        or 0
    )


def order(s: ScopedSession, mailing_id: UUID) -> None:
    """Have a job write the files of what was released. Raises NotFound, Conflict as `write`."""
    row = _released(_by_post(s, mailing_id))
    _printed(s, row)
    jobs.enqueue(
        s,
        "core.mailings.print",
        {"mailing": str(row.id)},
        unique_key=f"core.mailings.print:{row.id}",
        subject=str(row.number),
        store_id=row.store_id,
    )


def write(
    session: Callable[[], AbstractContextManager[ScopedSession]],
    mailing_id: UUID,
    progress: Progress = _unseen,
) -> list[PrintFile]:
    """Write the files of what was released, a thousand pieces in each; gives them. Whoever was
    interrupted calls again: what is whole is not set again. session: opens one of the place.

    Raises NotFound, Conflict before it was released and where it has no design, Invalid for a piece
    that can't be printed, Unprintable naming the letters, DiskFull.
    """
    with session() as s:
        row = _released(_by_post(s, mailing_id))
        made = _printed(s, row)
        total = count(s, row.id, sent=True)
        folder, fonts = _folder(s, row), shop.of(s).fonts
    if not total:
        raise Conflict(_("Nothing of it was released."))

    def each() -> Iterator[Piece]:
        after = -1
        while True:
            with session() as s:  # a short one for each page: typesetting takes its time
                some = _page(s, mailing_id, made, after, _OUT)
            if not some:
                return
            after = some[-1][0]
            for _place, piece in some:
                if not piece.address:
                    raise Invalid(_("Piece %(code)s has no address.", code=piece.key))
                yield piece

    return writing.write(
        made, each(), folder, chunk=FILE, fonts=fonts, progress=lambda done: progress(done, total)
    )


def files(s: ScopedSession, mailing_id: UUID) -> list[tuple[Path, PrintFile]]:
    """The files that were written of a mailing. Raises NotFound."""
    folder = _folder(s, queries.row(s, mailing_id))
    return [(folder / one.name, one) for one in writing.listed(folder)]


def take_away(s: ScopedSession, mailing_id: UUID) -> int:
    """Delete its files; gives how many there were. Raises NotFound."""
    folder = _folder(s, queries.row(s, mailing_id))
    there = len(writing.listed(folder))
    shutil.rmtree(folder, ignore_errors=True)
    return there


def _by_post(s: ScopedSession, mailing_id: UUID) -> Mailing:
    row = queries.row(s, mailing_id)
    if row.channel != "post":
        raise Conflict(_("Only what goes by post is printed."))
    return row


def _selected(row: Mailing) -> Mailing:
    if row.selected is None:
        raise Conflict(_("Select people first; then it can be looked at."))
    return row


def _released(row: Mailing) -> Mailing:
    if row.status not in _RELEASED:
        raise Conflict(_("Files are made of what was released."))
    return row


def _printed(s: ScopedSession, row: Mailing) -> Design:
    """The design it is printed in."""
    made = _design(s, _selected(row))
    if made is None:
        raise Conflict(_("It has no design: a mail house prints it from the file of addresses."))
    return made


def _design(s: ScopedSession, row: Mailing) -> Design | None:
    found = pinned(row.content)
    if found is None:
        return None
    version = designs.version(s, found.version_id)
    return designs.design(s, shop.of(s).files, version.content, dict(found.own))


def _which(mailing_id: UUID, states: Collection[str]) -> list[sa.ColumnElement[bool]]:
    # Whoever was erased since has no lines any more, and gets nothing; what went out before the
    # house did it has no codes.
    return [
        Meant.mailing_id == mailing_id,
        Meant.state.in_(states),
        Meant.lines.is_not(None),
        Meant.code.is_not(None),
    ]


def _page(
    s: ScopedSession, mailing_id: UUID, made: Design | None, after: int, states: Collection[str]
) -> list[tuple[int, Piece]]:
    """(place, piece) of the next ones behind a place."""
    names = fields_of(made) if made is not None else set()
    # A design whose own QR code says the code, such as in a link, keeps it.
    links = made is not None and "code" in templating.fields_of(made.areas.get("code", ""))
    rows: Sequence[Any] = s.execute(
        sa.select(Meant.place, Meant.customer_id, Meant.reached_at, Meant.lines, Meant.code)
        .where(*_which(mailing_id, states), Meant.place > after)
        .order_by(Meant.place)
        .limit(_READ)
    ).all()
    people = [row.customer_id for row in rows]
    called = anchors.names(s, people)
    homes = addresses.by_ids(s, [UUID(row.reached_at) for row in rows if row.reached_at])
    said = filling.values(s, names, people, s.store_id)
    always, home = _of_place(s)
    found = []
    for row in rows:
        name = called.get(row.customer_id, "")
        there = homes.get(UUID(row.reached_at)) if row.reached_at else None
        if there is not None and list(there.lines) == list(row.lines):
            lines = formatting.envelope(there, name, home=home)
        else:  # the row is another's by now: what was approved stands, the name above it
            lines = (name, *row.lines) if name else tuple(row.lines)
        values = {**always, **said.get(row.customer_id, {}), "code": row.code}
        code = "" if links else row.code
        found.append((row.place, Piece(row.code, lines, values, code, _typed(row.code))))
    return found


def _typed(code: str) -> str:
    """A code as people read it off."""
    return f"{code[:5]}-{code[5:]}"


def _of_place(s: ScopedSession) -> tuple[Mapping[str, Any], str | None]:
    """Fields that say the same on each piece; the country that it is posted in, if it is known."""
    values = designs.sample(s).values
    always = {name: values[name] for name in ("brand.name", "store.name", "store.address")}
    if s.store_id is not None:
        return always, places.place(s, s.store_id).country
    return always, Locale.parse(hosts.brand(s).locale.replace("-", "_")).territory


def _folder(s: ScopedSession, row: Mailing) -> Path:
    place = str(row.store_id) if row.store_id else "office"
    return shop.of(s).files / str(s.brand_id) / "mailings" / place / str(row.number)


def _counted(some: Iterator[Piece], total: int, progress: Progress) -> Iterator[Piece]:
    for done, piece in enumerate(some, 1):
        yield piece
        if done % 100 == 0 or done == total:
            progress(done, total)


@handler("core.mailings.print", lease_seconds=60, max_seconds=3600, outside=True)
def print_job(trip: Trip, payload: Mapping[str, Any]) -> None:
    """Write the files of a mailing; what is whole already is not set again."""
    try:
        write(trip.session, UUID(str(payload["mailing"])), trip.report)
    except Unprintable as error:  # the letters may be out of somebody's name
        words = _("Some letters can't be printed: highstreet mailings preflight names them.")
        raise JobError(words, again=False) from error


JOBS = (print_job,)
