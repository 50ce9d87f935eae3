"""What direct mail answers when the core asks; the work is done in the modules beside this."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import (
    Ctx,
    CustomerFact,
    Deeds,
    Figure,
    SummaryRow,
    Sums,
    hookimpl,
    ngettext,
)
from highstreet.sdk import gettext as _
from highstreet_direct_mail import people, posting, results, showcase, till, triggers
from highstreet_direct_mail.models import Posting


class Hooks:
    """Answers of direct mail."""

    @hookimpl
    def customers_merged(self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> None:
        """Codes of the one are the other's."""
        people.merge(ctx, kept.id, gone.id)

    @hookimpl
    def customers_unmerged(
        self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact
    ) -> Sequence[SummaryRow] | None:
        """They go back with whom they came."""
        back = people.unmerge(ctx, kept.id, gone.id)
        return [SummaryRow(_("Mail codes"), str(back))] if back else None

    @hookimpl
    def export_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """Everything that is held."""
        return people.export(ctx, customer.id)

    @hookimpl
    def erase_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """Cut off from the person."""
        return {"scans": people.erase(ctx, customer.id)}

    @hookimpl
    def till_deeds(self, ctx: Ctx, purchases: Sequence[UUID], limit: int) -> Deeds:
        """Codes taken lately."""
        return till.deeds(ctx, limit)

    @hookimpl
    def day_figures(self, ctx: Ctx, on: date) -> Sequence[Figure]:
        """Codes taken on a day."""
        return _figures(ctx, on, on)

    @hookimpl
    def period_figures(self, ctx: Ctx, first: date, last: date) -> Sequence[Figure]:
        """Codes taken in a span of days."""
        return _figures(ctx, first, last)

    @hookimpl
    def tool_facts(self, ctx: Ctx) -> Sequence[str]:
        """How many jobs and standing orders there are."""
        jobs = posting.count(ctx)
        orders = len(triggers.listed(ctx, active=True))
        found = [ngettext("%(num)d mail job", "%(num)d mail jobs", jobs)] if jobs else []
        if orders:
            found.append(ngettext("%(num)d standing order", "%(num)d standing orders", orders))
        return found

    @hookimpl
    def brand_sums(self, ctx: Ctx) -> Sums:
        """Jobs and answers, all in all."""
        jobs = ctx.s.scalar(sa.select(sa.func.count(Posting.id))) or 0
        return Sums(more={"mail_jobs": jobs, "mail_answers": results.answers(ctx)})

    @hookimpl
    def demo_day(self, ctx: Ctx, buyers: Sequence[UUID]) -> None:
        """Write to those who have not been here for long, and let some of them answer."""
        showcase.day(ctx)


def _figures(ctx: Ctx, first: date, last: date) -> list[Figure]:
    if ctx.store_id is None:
        return []
    taken = results.taken(ctx, first, last)
    return [Figure(_("Mail codes taken"), str(taken))] if taken else []
