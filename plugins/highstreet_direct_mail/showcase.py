"""What direct mail shows in a demonstration: a job to lapsed customers, with some answers."""

from highstreet.sdk import Ctx
from highstreet.sdk import gettext as _
from highstreet_direct_mail import answers, posting, triggers
from highstreet_direct_mail.models import ANSWERED
from highstreet_direct_mail.scanning import counts

DAYS = 60
#: One of so many pieces is answered.
ANSWERS_OF = 12


def day(ctx: Ctx) -> None:
    """Send one job of this store's, where it owns its customers, and take some of its codes."""
    if ctx.store_id is None or ctx.brand.customers != "store":
        return
    if posting.listed(ctx):
        return
    plan = posting.Plan(
        _("We miss you"),
        {"not_seen": DAYS},
        holdout=10,
        offer=_("A second rental free"),
        response_days=ctx.settings()["response_days"],
    )
    posting_id = posting.plan(ctx, plan)
    posting.select(ctx, posting_id)
    mailing = posting.get(ctx, posting_id).mailing
    if not ctx.mailings.waterfall(mailing.id).ready:
        posting.discard(ctx, posting_id)
        return
    posting.approve(ctx, posting_id, mailing.manifest)
    posting.release(ctx, posting_id)
    while ctx.mailings.go_on(mailing.id):
        pass
    sent = [one for one in ctx.mailings.pieces(mailing.id) if one.state == "sent"]
    for piece in sent[::ANSWERS_OF]:
        if piece.code and not counts(ctx, ANSWERED, piece.code):
            answers.redeem(ctx, piece.code)
    triggers.save(
        ctx,
        triggers.Order(_("Not seen for 90 days"), "not_seen", 90, offer=_("A second rental free")),
    )
