"""What the magazine answers when the core asks; the work is done in the modules beside this."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Ctx, CustomerFact, SummaryRow, Sums, hookimpl
from highstreet.sdk import gettext as _
from highstreet_magazine import forms, merging, showcase, words
from highstreet_magazine.models import Issue, Subscription


class Hooks:
    """Answers of the magazine."""

    @hookimpl
    def customer_summary(self, ctx: Ctx, customer: CustomerFact) -> list[SummaryRow]:
        """What they get, for a customer's page."""
        return [
            SummaryRow(one.publication.name, words.of_standing(one), 60)
            for one in forms.of_customer(ctx, customer.id)
        ]

    @hookimpl
    def customers_merged(self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> int:
        """Put both wishes together: the stricter, else the later one."""
        return merging.merge(ctx, kept, gone)

    @hookimpl
    def customers_unmerged(
        self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact
    ) -> Sequence[SummaryRow] | None:
        """Give each what it had."""
        back = merging.unmerge(ctx, kept, gone)
        return [SummaryRow(_("Magazine"), str(back))] if back else None

    @hookimpl
    def export_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """All that is written down."""
        return {"subscriptions": forms.export(ctx, customer.id)}

    @hookimpl
    def erase_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """Forget them; copies that went out name nobody and are counted on."""
        return {"subscriptions": forms.forget(ctx, customer.id)}

    @hookimpl
    def tool_facts(self, ctx: Ctx) -> Sequence[str]:
        """A line for the list of tools."""
        return words.facts(ctx)

    @hookimpl
    def brand_sums(self, ctx: Ctx) -> Sums:
        """Issues and subscriptions, all in all."""
        chosen = ctx.s.scalar(sa.select(sa.func.count(Subscription.id))) or 0
        issued = ctx.s.scalar(sa.select(sa.func.count(Issue.id))) or 0
        return Sums(more={"issues": issued, "subscriptions": chosen})

    @hookimpl
    def demo_day(self, ctx: Ctx, buyers: Sequence[UUID]) -> None:
        """Let some members choose a form."""
        showcase.day(ctx, buyers)
