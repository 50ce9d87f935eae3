"""What the points club answers when the core asks; the work is done in the modules beside this."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec import Struct

from highstreet.sdk import (
    Audited,
    Club,
    Ctx,
    CustomerFact,
    Deeds,
    Difference,
    Figure,
    Owed,
    PurchaseFact,
    PurchaseIn,
    ReturnFact,
    SummaryRow,
    Sums,
    hookimpl,
)
from highstreet.sdk import gettext as _
from highstreet_points_club import audit as audits
from highstreet_points_club import (
    award,
    batch,
    gains,
    gifts,
    history,
    merging,
    owing,
    people,
    returns,
    rules,
    showcase,
    terms,
    till,
    unmerging,
    words,
)
from highstreet_points_club import often as oftens
from highstreet_points_club.programme import NOTHING, earned
from highstreet_points_club.writing import business_date


class PurchaseAnswer(Struct, frozen=True):
    """What a purchase brought its member. rewards: ids of those that it issued.

    unusual: it is one more in a day than the programme takes for usual; `words` say so too.
    """

    points: int
    balance: int
    unit: str
    rewards: tuple[UUID, ...]
    created: bool
    unusual: bool
    words: str


class BatchAnswer(Struct, frozen=True):
    """What the purchases of an import brought: how many earned, points, rewards issued."""

    purchases: int
    points: int
    rewards: int


class ReturnAnswer(Struct, frozen=True):
    """What a return took back. given_back: names of rewards whose points returned."""

    points: int
    balance: int
    unit: str
    given_back: tuple[str, ...]
    words: str


class PreviewAnswer(Struct, frozen=True):
    """What a basket would earn. why: each rule that counts, in words."""

    points: int
    unit: str
    balance_after: int | None
    why: tuple[str, ...]
    words: str


class Hooks:
    """Answers of the points club."""

    @hookimpl
    def purchases_recorded(
        self, ctx: Ctx, purchases: Sequence[PurchaseFact]
    ) -> PurchaseAnswer | BatchAnswer | None:
        """Give the points."""
        if len(purchases) != 1:
            return BatchAnswer(*batch.award_batch(ctx, purchases))
        done = award.award(ctx, purchases[0])
        if done is None:
            return None
        programme = rules.programme(ctx, purchases[0].store_id)
        return PurchaseAnswer(
            done.points,
            done.balance,
            programme.unit(done.points),
            tuple(reward.id for reward in done.rewards),
            done.created,
            done.often is not None,
            words.of_award(programme, done),
        )

    @hookimpl
    def purchase_claimed(self, ctx: Ctx, purchase: PurchaseFact) -> Any:
        """Give the points that it would have brought."""
        return self.purchases_recorded(ctx, [purchase])

    @hookimpl
    def purchase_returned(self, ctx: Ctx, returned: ReturnFact) -> ReturnAnswer | None:
        """Take them back."""
        done = returns.reverse(ctx, returned)
        if done is None:
            return None
        programme = rules.programme(ctx, returned.purchase.store_id)
        return ReturnAnswer(
            done.points,
            done.balance,
            programme.unit(done.points),
            done.given_back,
            words.of_return(programme, done),
        )

    @hookimpl
    def basket_preview(self, ctx: Ctx, basket: PurchaseIn) -> PreviewAnswer:
        """Say what a basket would earn."""
        place = rules.place(ctx, basket.store_id)
        at = basket.occurred_at
        earning = rules.earning(ctx, basket.store_id, at)
        programme = earning.usual
        result = earned(programme, basket, place.zone)
        if (
            result.points
            and earning.welcomes
            and basket.customer_id is not None
            and gains.is_new(ctx, basket.customer_id)
        ):
            programme = earning.first
            result = earned(programme, basket, place.zone)
        after, often = None, None
        if basket.customer_id is not None:
            day = business_date(basket.occurred_at, place.zone)
            often = oftens.of_basket(ctx, programme, basket.customer_id, day)
            if often is not None and often.blocked:
                result = NOTHING
            after = history.balance(ctx, basket.customer_id).balance + result.points
        why = terms.of_result(programme, result, place)
        if often is not None:
            why = (*why, words.unusual(programme, often))
        return PreviewAnswer(
            result.points, programme.unit(result.points), after, why, " ".join(why)
        )

    @hookimpl
    def customers_enrolled(self, ctx: Ctx, customers: Sequence[CustomerFact]) -> None:
        """Open the accounts, so that the first purchases find them, and say welcome."""
        people.open_accounts(ctx, customers)
        gifts.welcome(ctx, customers)

    @hookimpl
    def customers_merged(self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact) -> Any:
        """Put both accounts together."""
        return merging.merge(ctx, kept, gone)

    @hookimpl
    def customers_unmerged(
        self, ctx: Ctx, kept: CustomerFact, gone: CustomerFact
    ) -> Sequence[SummaryRow] | None:
        """Part them again, exactly or not at all."""
        return unmerging.unmerge(ctx, kept, gone)

    @hookimpl
    def export_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """Give all that is held."""
        return people.export(ctx, customer)

    @hookimpl
    def erase_customer(self, ctx: Ctx, customer: CustomerFact) -> dict[str, Any]:
        """Let points go, cut the account off from the person."""
        return dict(people.erase(ctx, customer))

    @hookimpl
    def customer_summary(self, ctx: Ctx, customer: CustomerFact) -> list[SummaryRow]:
        """Balance and next reward for a customer's page."""
        return words.summary(history.balance(ctx, customer.id))

    @hookimpl
    def member_club(self, ctx: Ctx, customer: CustomerFact) -> Club:
        """What the till and the member's page show."""
        return till.club(ctx, customer)

    @hookimpl
    def till_deeds(self, ctx: Ctx, purchases: Sequence[UUID], limit: int) -> Deeds:
        """What was given for purchases, and rewards handed over lately."""
        return till.deeds(ctx, purchases, limit)

    @hookimpl
    def day_figures(self, ctx: Ctx, on: date) -> Sequence[Figure]:
        """Points given and rewards handed over on a day."""
        return till.day_figures(ctx, on)

    @hookimpl
    def period_figures(self, ctx: Ctx, first: date, last: date) -> Sequence[Figure]:
        """Points given and redeemed in a span of days."""
        return till.period_figures(ctx, first, last)

    @hookimpl
    def tool_facts(self, ctx: Ctx) -> Sequence[str]:
        """A line or two for the list of tools."""
        return till.facts(ctx)

    @hookimpl
    def audit(self, ctx: Ctx) -> Audited:
        """Derive every balance again."""
        checked, found = audits.audit(ctx.s)
        return Audited(
            checked,
            [
                Difference(
                    _("%(what)s: %(about)s %(id)s", what=one.what, about=one.about, id=one.id),
                    str(one.found),
                    str(one.expected),
                )
                for one in found
            ],
        )

    @hookimpl
    def store_owes(self, ctx: Ctx) -> Sequence[Owed]:
        """Points and rewards that are still open in a store."""
        return list(owing.owed(ctx))

    @hookimpl
    def brand_sums(self, ctx: Ctx) -> Sums:
        """Points earned and rewards, all in all."""
        return showcase.sums(ctx)

    @hookimpl
    def demo_day(self, ctx: Ctx, buyers: Sequence[UUID]) -> None:
        """Let some members take a reward."""
        showcase.day(ctx, buyers)
