"""What the magazine shows in a demonstration: some members have chosen a form."""

from collections.abc import Sequence
from uuid import UUID

from highstreet.sdk import Ctx
from highstreet_magazine import forms, publications
from highstreet_magazine.forms import Wish
from highstreet_magazine.names import EMAIL, NONE, PRINT

#: Of the day's buyers in turn: what they choose; most choose nothing and get what is usual.
_CHOICES = ((EMAIL, 1), (PRINT, 1), (NONE, 1), (PRINT, 3))
_EVERY = 3


def day(ctx: Ctx, buyers: Sequence[UUID]) -> None:
    """Let some members choose, in this store."""
    for publication in publications.listed(ctx):
        wishes = [
            Wish(who, *_CHOICES[place % len(_CHOICES)])
            for place, who in enumerate(buyers[::_EVERY])
        ]
        forms.choose_many(ctx, publication.id, wishes)
