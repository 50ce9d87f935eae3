"""Mail jobs: planned, selected, approved, released. The mailing is the core's; a job adds prices,
the offer, and how long its codes count."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.sdk import Conflict, Ctx, Invalid, MailingIn, NotFound, new_id
from highstreet.sdk import gettext as _
from highstreet_direct_mail import filters as asked
from highstreet_direct_mail.models import Posting

_PLANNED = ("draft", "selected", "approved")


class Plan(Struct, frozen=True):
    """A job as somebody plans it. filters: see `filters`. design_id: of the print design, None for
    a list alone. holdout: percent of households. offer: what an answer brings, in words."""

    name: str
    filters: Mapping[str, Any]
    design_id: UUID | None = None
    holdout: int = 0
    offer: str = ""
    response_days: int = 28


class Whole(NamedTuple):
    """A job with its mailing, as `ctx.mailings.get` gives it."""

    job: Posting
    mailing: Any

    @property
    def planned(self) -> bool:
        """Whether it can still be changed."""
        return self.mailing.status in _PLANNED


def plan(ctx: Ctx, given: Plan) -> UUID:
    """Plan a job; gives its id. Raises Invalid, NotFound, Conflict where head office has no
    customers to write to."""
    _known(ctx, given)
    mailing_id = ctx.mailings.draft(mailing_of(ctx, given, asked.audience(given.filters)))
    return _keep(ctx, given, mailing_id).id


def change(ctx: Ctx, posting_id: UUID, given: Plan) -> None:
    """Change a plan; people are selected anew, by the prices of now. Raises NotFound, Invalid,
    Conflict once it was released."""
    _known(ctx, given)
    whole = get(ctx, posting_id)
    ctx.mailings.change(whole.mailing.id, mailing_of(ctx, given, asked.audience(given.filters)))
    _fill(ctx, whole.job, given)


def _known(ctx: Ctx, given: Plan) -> None:
    """Raise NotFound for a segment that is not here: in a rule it would turn out later."""
    if segment := given.filters.get("segment"):
        ctx.segments.get(UUID(segment))


def mailing_of(ctx: Ctx, given: Plan, audience: Mapping[str, Any], **more: Any) -> MailingIn:
    """The mailing of a plan. Raises Invalid for an offer or days that are out of bounds."""
    errors: dict[str, list[str]] = {}
    if len(given.offer) > 200:
        errors["offer"] = [_("At most 200 letters.")]
    if not 1 <= given.response_days <= 366:
        errors["response_days"] = [_("Say in how many days, from 1 to 366.")]
    if not 0 <= given.holdout <= 50:
        errors["holdout"] = [_("Hold out from 0 to 50 percent.")]
    if errors:
        raise Invalid(_("Some of it can’t be taken as it is."), fields=errors)
    return MailingIn(
        name=given.name,
        purpose=ctx.settings()["purpose"],
        channel="post",
        content={"design": str(given.design_id)} if given.design_id else {},
        holdout=given.holdout * 100,
        **audience,
        **more,
    )


def keep(
    ctx: Ctx, given: Plan, mailing_id: UUID, *, trigger_id: UUID | None = None,
    day: date | None = None,
) -> Posting:  # fmt: skip
    """The row of a job whose mailing is drafted. trigger_id, day: the standing order's."""
    row = _keep(ctx, given, mailing_id)
    row.trigger_id, row.day = trigger_id, day
    return row


def _keep(ctx: Ctx, given: Plan, mailing_id: UUID) -> Posting:
    row = Posting(
        brand_id=ctx.scope.brand_id, id=new_id(), store_id=ctx.store_id, mailing_id=mailing_id
    )
    _fill(ctx, row, given)
    ctx.s.add(row)
    ctx.s.flush()
    return row


def _fill(ctx: Ctx, row: Posting, given: Plan) -> None:
    prices = ctx.settings()
    row.name = ctx.mailings.get(row.mailing_id).name
    row.filters, row.offer = dict(given.filters), given.offer.strip()
    row.response_days = given.response_days
    row.piece_minor, row.fixed_minor = prices["piece_minor"], prices["fixed_minor"]


def _row(ctx: Ctx, posting_id: UUID) -> Posting:
    query = sa.select(Posting).where(Posting.id == posting_id, Posting.store_id == ctx.store_id)
    found = ctx.s.scalar(query)
    if found is None:
        raise NotFound(_("There is no such mail job here."))
    return found


def get(ctx: Ctx, posting_id: UUID) -> Whole:
    """A job of this place. Raises NotFound."""
    row = _row(ctx, posting_id)
    return Whole(row, ctx.mailings.get(row.mailing_id))


def listed(ctx: Ctx) -> list[Whole]:
    """The jobs of this place, the newest first."""
    rows = {
        one.mailing_id: one
        for one in ctx.s.scalars(sa.select(Posting).where(Posting.store_id == ctx.store_id))
    }
    return [Whole(rows[one.id], one) for one in ctx.mailings.listed() if one.id in rows]


def count(ctx: Ctx) -> int:
    """How many jobs of this place there are."""
    query = sa.select(sa.func.count(Posting.id)).where(Posting.store_id == ctx.store_id)
    return ctx.s.scalar(query) or 0


def quote(job: Posting, pieces: int) -> int:
    """What so many pieces cost, minor units; nothing is due for none."""
    return pieces * job.piece_minor + job.fixed_minor if pieces else 0


def select(ctx: Ctx, posting_id: UUID) -> None:
    """Work out whom it goes to. Raises NotFound, Conflict, Invalid."""
    ctx.mailings.select(get(ctx, posting_id).mailing.id)


def approve(ctx: Ctx, posting_id: UUID, manifest: str) -> None:
    """Let it go out as it was shown: to those of `manifest`. Raises NotFound, Conflict where others
    were selected meanwhile, or where nobody gets anything."""
    mailing_id = get(ctx, posting_id).mailing.id
    if not ctx.mailings.waterfall(mailing_id).ready:
        raise Conflict(_("Nobody gets a piece of it."))
    ctx.mailings.approve(mailing_id, manifest)


def release(ctx: Ctx, posting_id: UUID) -> None:
    """Send it, and write the quote against it as its cost. Raises NotFound, Conflict."""
    job, mailing = get(ctx, posting_id)
    pieces = ctx.mailings.waterfall(mailing.id).ready
    ctx.mailings.release(mailing.id)
    ctx.mailings.put_cost(mailing.id, quote(job, pieces))


def discard(ctx: Ctx, posting_id: UUID) -> None:
    """Throw a plan away. Raises NotFound, Conflict once it was released."""
    ctx.mailings.discard(get(ctx, posting_id).mailing.id)


def steer(ctx: Ctx, posting_id: UUID, deed: str) -> None:
    """Pause, resume or stop what was released. Raises NotFound, Conflict."""
    mailing_id = get(ctx, posting_id).mailing.id
    {"pause": ctx.mailings.pause, "resume": ctx.mailings.resume, "stop": ctx.mailings.stop}[deed](
        mailing_id
    )


def put_cost(ctx: Ctx, posting_id: UUID, cost_minor: int) -> None:
    """What it really cost, minor units. Raises NotFound, Invalid."""
    ctx.mailings.put_cost(get(ctx, posting_id).mailing.id, cost_minor)


#: Labels in one file; who has more to stick hands the work to a mail house.
MOST_LABELS = 2_000


def addresses(ctx: Ctx, posting_id: UUID) -> tuple[Whole, list[list[Any]]]:
    """What the mail house gets: headings, then code, name, lines and batch of each piece that went
    out; written into the trail. Raises NotFound, Conflict as long as nothing went out."""
    whole = get(ctx, posting_id)
    rows = list(ctx.mailings.rows(whole.mailing.id))
    if len(rows) < 2:
        raise Conflict(_("Nothing of it went out yet."))
    ctx.record(
        "direct_mail.addresses_taken", "direct_mail_posting", whole.job.id, whole.job.name,
        details={"count": len(rows) - 1},
    )  # fmt: skip
    return whole, rows


def labels(ctx: Ctx, posting_id: UUID, sheet: str, start: int) -> bytes:
    """The same as sheets of labels. Raises as `addresses`, and Invalid, Unprintable."""
    whole, rows = addresses(ctx, posting_id)
    if len(rows) - 1 > MOST_LABELS:
        raise Conflict(
            _("More than %(most)s labels: take the file for a mail house.", most=MOST_LABELS)
        )
    return ctx.mailings.labels(whole.mailing.id, sheet, start=start)


def proof(ctx: Ctx, posting_id: UUID) -> bytes:
    """A PDF of the pieces that are likeliest to go wrong, as `ctx.mailings.proof`; written into the
    trail."""
    job, mailing = get(ctx, posting_id)
    made = ctx.mailings.proof(mailing.id)
    _note(ctx, job)
    return made


def print_file(ctx: Ctx, posting_id: UUID, which: int) -> Path:
    """Where a file for the printer lies, from 1; written into the trail. Raises NotFound."""
    job, mailing = get(ctx, posting_id)
    there = ctx.mailings.print_files(mailing.id)
    if not 0 < which <= len(there):
        raise NotFound(_("This file is not there any more."))
    _note(ctx, job)
    return there[which - 1][0]


def _note(ctx: Ctx, job: Posting) -> None:
    ctx.record("direct_mail.addresses_taken", "direct_mail_posting", job.id, job.name)
