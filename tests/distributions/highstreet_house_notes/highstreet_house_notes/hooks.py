"""What the tool does when something happens in the store."""

from highstreet.sdk import Ctx, CustomerFact, hookimpl
from highstreet_house_notes.models import Note


@hookimpl
def customer_enrolled(ctx: Ctx, customer: CustomerFact) -> None:
    """Leave a note for the staff. It does not say who joined, so nothing is left to erase."""
    text = ctx.settings()["welcome"]
    if text:
        ctx.s.add(Note(brand_id=ctx.scope.brand_id, store_id=customer.home_store_id, text=text))
