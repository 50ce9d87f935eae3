"""What the tool does when something happens in the store."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from highstreet.sdk import Ctx, CustomerFact, Sums, hookimpl
from highstreet_house_notes.models import Note


@hookimpl
def customers_enrolled(ctx: Ctx, customers: Sequence[CustomerFact]) -> None:
    """Leave a note for the staff. It does not say who joined, so nothing is left to erase.

    One customer at a till, thousands in an import: one note for each store, not for each person.
    """
    for store_id in dict.fromkeys(one.home_store_id for one in customers):
        text = ctx.settings(store_id)["welcome"]
        if text:
            ctx.s.add(Note(brand_id=ctx.scope.brand_id, store_id=store_id, text=text))


@hookimpl
def demo_day(ctx: Ctx, buyers: Sequence[UUID]) -> None:
    """Leave a note of the kind that a manager leaves."""
    text = f"{len(buyers)} members have bought here. Greet them by name."
    ctx.s.add(Note(brand_id=ctx.scope.brand_id, store_id=ctx.store_id, text=text))


@hookimpl
def brand_sums(ctx: Ctx) -> Sums:
    """How many notes there are."""
    return Sums(more={"notes_written": ctx.s.scalar(select(func.count(Note.id))) or 0})
