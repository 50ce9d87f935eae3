"""What the magazine shows in a demonstration: an issue that went out, the next one planned, and
members who have chosen a form."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from highstreet.sdk import Ctx, business_date
from highstreet.sdk import gettext as _
from highstreet_magazine import forms, issues, publications, running
from highstreet_magazine.forms import Wish
from highstreet_magazine.names import NONE, PRINT

#: Of those who have bought, every so many; what they choose in turn. Nobody chooses e-mail: a
#: demonstration has no mail server, and an issue waits for what it can't send.
_EVERY = 7
_CHOICES = ((NONE, 1), (PRINT, 1), (PRINT, 3))
_CLOSED = timedelta(days=28)


def day(ctx: Ctx, buyers: Sequence[UUID]) -> None:
    """Head office of a club sends an issue; members of a store choose."""
    if ctx.store_id is None:
        if ctx.brand.customers == "brand" and not publications.listed(ctx):
            _send(ctx, buyers)
        return
    for publication in publications.listed(ctx):
        _choose(ctx, publication.id, buyers[:_EVERY])


def _send(ctx: Ctx, buyers: Sequence[UUID]) -> None:
    publication = publications.create(ctx, _("Club magazine"), "magazine", PRINT)
    _choose(ctx, publication.id, buyers)
    at, today = ctx.now(), business_date(ctx.now(), ctx.brand.zone)
    issue = issues.plan(
        ctx,
        publication.id,
        title=_("The road ahead"),
        cutoff_at=at,
        in_home_on=today + timedelta(days=10),
    )
    running.select(ctx, issue.id)
    if not issue.problem:
        running.approve(ctx, issue.id, running.manifest(ctx, issue.id))
        running.release(ctx, issue.id)
    issues.plan(
        ctx,
        publication.id,
        title=_("Ready for winter"),
        cutoff_at=at + _CLOSED,
        in_home_on=today + _CLOSED + timedelta(days=14),
    )


def _choose(ctx: Ctx, publication_id: UUID, buyers: Sequence[UUID]) -> None:
    wishes = [
        Wish(who, *_CHOICES[place % len(_CHOICES)]) for place, who in enumerate(buyers[::_EVERY])
    ]
    forms.choose_many(ctx, publication_id, wishes)
