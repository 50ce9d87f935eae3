"""An issue in numbers: where everybody went, what the printer prints, what the post office counts,
and what each store has of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx
from highstreet_magazine import issues, publications
from highstreet_magazine.models import Copy, Returned, Run, Share
from highstreet_magazine.names import FORMS, PRINT


class Reason(NamedTuple):
    """So many people get nothing for a reason; late: found only at the release."""

    reason: str
    words: str
    people: int
    late: bool


class Totals(NamedTuple):
    """selected = ready + sent + failed + Σ reasons, over all forms and editions of an issue."""

    selected: int
    reasons: Sequence[Reason]
    ready: int
    sent: int
    failed: int
    returned: int

    @property
    def reconciles(self) -> bool:
        """Whether everybody is accounted for."""
        out = sum(one.people for one in self.reasons)
        return self.selected == self.ready + self.sent + self.failed + out


class Part(NamedTuple):
    """A form and edition of an issue. pieces: that go or went; copies: of these."""

    run: Run
    selected: int
    pieces: int
    copies: int


class OfStore(NamedTuple):
    """What a store has of an issue; minor: None while no cost is written down."""

    store_id: UUID | None
    code: str
    name: str
    copies: int
    minor: int | None


def totals(ctx: Ctx, issue_id: UUID) -> Totals:
    """Where everybody went. Raises NotFound."""
    issues.get(ctx, issue_id)
    summed: dict[tuple[bool, str], list[Any]] = {}
    figures = [0, 0, 0, 0, 0]
    for run in issues.runs(ctx, issue_id):
        told = ctx.mailings.waterfall(run.mailing_id)
        counts = (told.selected, told.ready, told.sent, told.failed, told.returned)
        figures = [one + more for one, more in zip(figures, counts, strict=True)]
        for step in told.steps:
            held = summed.setdefault((step.late, step.reason), [step.words, 0])
            held[1] += step.people
    reasons = [
        Reason(reason, words, people, late)
        for (late, reason), (words, people) in sorted(
            summed.items(), key=lambda item: (item[0][0], -item[1][1], item[0][1])
        )
    ]
    selected, ready, sent, failed, returned = figures
    return Totals(selected, reasons, ready, sent, failed, returned)


def parts(ctx: Ctx, issue_id: UUID) -> list[Part]:
    """Each form and edition, for the printer: pieces and copies. Raises NotFound."""
    issues.get(ctx, issue_id)
    runs = issues.runs(ctx, issue_id)
    copies = {
        run_id: int(number)
        for run_id, number in ctx.s.execute(
            sa.select(Copy.run_id, sa.func.sum(Copy.copies))
            .where(Copy.run_id.in_([run.id for run in runs]))
            .group_by(Copy.run_id)
        )
    }
    found = []
    for run in runs:
        told = ctx.mailings.waterfall(run.mailing_id)
        pieces = told.ready + told.sent
        number = copies.get(run.id, 0) if run.form == PRINT else pieces
        found.append(Part(run, told.selected, pieces, number))
    return found


def postcodes(ctx: Ctx, issue_id: UUID) -> list[tuple[str, str, int]]:
    """Printed pieces by country and postal code, for the post office. Raises NotFound."""
    issues.get(ctx, issue_id)
    summed: dict[tuple[str, str], int] = {}
    for run in issues.runs(ctx, issue_id):
        if run.form == PRINT:
            for one in ctx.mailings.by_postcode(run.mailing_id):
                key = (one.country, one.postal_code)
                summed[key] = summed.get(key, 0) + one.pieces
    return [(country, code, summed[country, code]) for country, code in sorted(summed)]


def copies_by_store(ctx: Ctx, issue_id: UUID) -> dict[UUID | None, int]:
    """Printed copies by the members' home stores; None: of members without one."""
    rows = ctx.s.execute(
        sa.select(Copy.home_store_id, sa.func.sum(Copy.copies))
        .join(Run, sa.and_(Run.brand_id == Copy.brand_id, Run.id == Copy.run_id))
        .where(Run.issue_id == issue_id, *ctx.scope.owns(Run))
        .group_by(Copy.home_store_id)
    )
    return {store_id: int(copies) for store_id, copies in rows}


def by_store(ctx: Ctx, issue_id: UUID) -> list[OfStore]:
    """What each store has of an issue, in the order of their numbers; head office's part is last.
    Raises NotFound."""
    issues.get(ctx, issue_id)
    copies = copies_by_store(ctx, issue_id)
    shares = {
        one.store_id: one.minor
        for one in ctx.s.scalars(sa.select(Share).where(Share.issue_id == issue_id))
    }
    found = [
        OfStore(shop.id, shop.code, shop.name, copies.get(shop.id, 0), shares.get(shop.id))
        for shop in ctx.all_shops()
        if shop.id in copies or shop.id in shares
    ]
    if None in copies or None in shares:
        found.append(OfStore(None, "", "", copies.get(None, 0), shares.get(None)))
    return found


def of_store(ctx: Ctx) -> dict[UUID, Share]:
    """What this store bears of issues, by issue, once their cost is written down."""
    rows = ctx.s.scalars(sa.select(Share).where(Share.store_id == ctx.store_id))
    return {one.issue_id: one for one in rows}


def returned(ctx: Ctx, issue_id: UUID) -> int:
    """How many copies the post brought back of an issue."""
    return (
        ctx.s.scalar(
            sa.select(sa.func.count(Returned.id))
            .join(Run, sa.and_(Run.brand_id == Returned.brand_id, Run.id == Returned.run_id))
            .where(Run.issue_id == issue_id, *ctx.scope.owns(Run))
        )
        or 0
    )


def forms_here(ctx: Ctx) -> list[tuple[str, dict[str, int]]]:
    """By the publication's name how many members get it in which form: of a store those whose home
    it is, of head office all. Where head office may not see them, nothing."""
    if ctx.store_id is None and ctx.brand.customers == "store":
        return []
    here: list[dict[str, Any]] = []
    if ctx.store_id is not None:
        home = {"is": "field", "name": "customer.home_store", "op": "one_of"}
        here = [{**home, "value": [str(ctx.store_id)]}]
    found = []
    for one in publications.listed(ctx):
        counts = {}
        for form in FORMS:
            rule = {"is": "all", "of": [*here, publications.form_is(one, form)]}
            counts[form] = ctx.segments.counted(rule).people
        found.append((one.name, counts))
    return found
