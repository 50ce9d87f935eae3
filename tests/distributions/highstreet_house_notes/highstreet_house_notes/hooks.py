"""What the tool does when something happens in the store."""

from collections.abc import Sequence

from highstreet.sdk import Ctx, CustomerFact, hookimpl
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
