"""What goes to the mail house: the list with wrapper lines, labels, codes that came back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Conflict, Ctx, NotFound, new_id
from highstreet.sdk import gettext as _
from highstreet_magazine import copies, issues
from highstreet_magazine.models import Issue, Returned, Run
from highstreet_magazine.names import PRINT

_CHUNK = 2000
_LINES = 6
#: Labels in one file.
LABELS = 10_000
_SENT = ("sent", "returned")


class Line(NamedTuple):
    """A piece as it leaves the mail house. lines: of the address."""

    code: str
    copies: int
    edition: str
    wrapper: str
    name: str
    lines: Sequence[str]
    postal_code: str


class Came(NamedTuple):
    """A copy that came back."""

    code: str
    name: str
    edition: str
    at: Any
    by: str


def lines(ctx: Ctx, issue_id: UUID) -> Iterator[Line]:
    """The printed pieces that were handed over, edition by edition, in the order of postal codes.
    Read piece by piece, however many. Raises NotFound, Conflict before it was released."""
    row = issues.get(ctx, issue_id)
    if row.released_at is None:
        raise Conflict(_("The list is made once the issue has been released."))
    return _lines(ctx, row)


def _lines(ctx: Ctx, row: Issue) -> Iterator[Line]:
    wrapper = row.wrapper
    for run in issues.runs(ctx, row.id):
        if run.form != PRINT:
            continue
        after, run_id, edition, mailing_id = -1, run.id, run.edition, run.mailing_id
        while some := ctx.mailings.addressed(mailing_id, after=after, most=_CHUNK):
            after = some[-1].place
            many = copies.of_places(ctx, run_id, some[0].place, after)
            going = [one for one in some if one.state in _SENT]
            said = ctx.fields.filled(wrapper, [one.customer_id for one in going]) if wrapper else {}
            for one in going:
                yield Line(
                    one.code,
                    many.get(one.place, 1),
                    edition,
                    said.get(one.customer_id, ""),
                    one.name,
                    one.lines,
                    one.postal_code,
                )


def taken(ctx: Ctx, issue_id: UUID) -> None:
    """Write down that somebody takes the list, or labels. Raises as `lines` does."""
    lines(ctx, issue_id)
    row = issues.get(ctx, issue_id)
    ctx.record("magazine.listed", "issue", row.id, issues.named(ctx, row))


def headings() -> list[str]:
    """What stands over the columns of the list."""
    return [
        *(_("Code"), _("Copies"), _("Edition"), _("On the wrapper"), _("Name")),
        *(_("Line %(number)s", number=number) for number in range(1, _LINES + 1)),
        _("Postal code"),
    ]


def cells(line: Line) -> list[object]:
    """A piece as a row of the list."""
    address = [*line.lines][:_LINES]
    return [
        *(line.code, line.copies, line.edition, line.wrapper, line.name),
        *address,
        *[""] * (_LINES - len(address)),
        line.postal_code,
    ]


def labels(ctx: Ctx, issue_id: UUID, sheet: str, *, part: int = 1, start: int = 1) -> bytes:
    """A PDF of labels, `LABELS` of them in each part. start: the first that is free on the first
    sheet. Raises NotFound for a part that is empty, Invalid, Conflict before it was released."""
    first = (part - 1) * LABELS
    chosen = (
        [
            f"{line.name} ({line.copies} ×)" if line.copies > 1 else line.name,
            *line.lines,
        ]
        for number, line in enumerate(lines(ctx, issue_id))
        if first <= number < first + LABELS
    )
    held = list(chosen)
    if not held:
        raise NotFound(_("There are not so many labels."))
    return ctx.printing.labels(sheet, held, start=start if part == 1 else 1)


def came_back(ctx: Ctx, code: str) -> Came:
    """The post brought a copy back: nothing more goes to that address. Scanned twice it is the
    same. Raises NotFound, Conflict for what was not sent."""
    run = _run_of(ctx, code)
    piece = ctx.mailings.came_back(code)
    row = ctx.s.scalar(sa.select(Returned).where(Returned.code == piece.code))
    if row is None:
        row = Returned(
            brand_id=ctx.scope.brand_id,
            id=new_id(),
            run_id=run.id,
            code=piece.code,
            at=ctx.now(),
            by=ctx.scope.actor.name[:120],
        )
        ctx.s.add(row)
        ctx.s.flush()
    names = ctx.customers.names([piece.customer_id])
    return Came(row.code, names.get(piece.customer_id, ""), run.edition, row.at, row.by)


def undo(ctx: Ctx, code: str) -> None:
    """It was another one. Raises NotFound, Conflict unless it is written down."""
    _run_of(ctx, code)
    piece = ctx.mailings.undo_came_back(code)
    row = ctx.s.scalar(sa.select(Returned).where(Returned.code == piece.code))
    if row is not None:
        ctx.s.delete(row)
        ctx.s.flush()


def returned(ctx: Ctx, issue_id: UUID, most: int = 50) -> list[Came]:
    """The latest that came back of an issue, with names as far as they are within reach."""
    rows = ctx.s.execute(
        sa.select(Returned, Run.edition)
        .join(Run, sa.and_(Run.brand_id == Returned.brand_id, Run.id == Returned.run_id))
        .where(Run.issue_id == issue_id, *ctx.scope.owns(Run))
        .order_by(Returned.at.desc(), Returned.id)
        .limit(most)
    ).all()
    who = {row.code: ctx.mailings.piece(row.code).customer_id for row, _edition in rows}
    names = ctx.customers.names(who.values())
    return [
        Came(row.code, names.get(who[row.code], ""), edition, row.at, row.by)
        for row, edition in rows
    ]


def _run_of(ctx: Ctx, code: str) -> Run:
    piece = ctx.mailings.piece(code)
    found = ctx.s.scalar(sa.select(Run).where(Run.mailing_id == piece.mailing_id))
    if found is None:
        raise NotFound(_("No piece of ours bears this code."))
    return found
