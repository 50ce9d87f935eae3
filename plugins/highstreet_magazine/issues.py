"""Issues as head office plans them, and what is written on their wrappers and in their e-mails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Conflict, Ctx, Invalid, NotFound, new_id
from highstreet.sdk import gettext as _
from highstreet_magazine import publications
from highstreet_magazine.models import Issue, Publication, Run

_PLANNED = ("planned", "selected")


def listed(ctx: Ctx, publication_id: UUID | None = None, most: int = 50) -> Sequence[Issue]:
    """The latest issues, those of the future first."""
    query = sa.select(Issue).where(Issue.state != "discarded")
    if publication_id is not None:
        query = query.where(Issue.publication_id == publication_id)
    return ctx.s.scalars(query.order_by(Issue.cutoff_at.desc(), Issue.id).limit(most)).all()


def get(ctx: Ctx, issue_id: UUID, *, lock: bool = False) -> Issue:
    """One of them; lock: until the transaction ends. Raises NotFound."""
    query = sa.select(Issue).where(Issue.id == issue_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = ctx.s.scalar(query)
    if found is None:
        raise NotFound(_("There is no such issue."))
    return found


def runs(ctx: Ctx, issue_id: UUID) -> Sequence[Run]:
    """The mailings of an issue, in the order that they were worked out in: print before e-mail."""
    return ctx.s.scalars(sa.select(Run).where(Run.issue_id == issue_id).order_by(Run.place)).all()


def standing(ctx: Ctx, row: Issue) -> str:
    """Its state as people see it: as kept, and of what is released "running", "paused" or
    "finished"."""
    if row.state != "released":
        return row.state
    there = {status for _id, status in statuses(ctx, row.id)}
    return next((one for one in ("paused", "running") if one in there), "finished")


def statuses(ctx: Ctx, issue_id: UUID) -> list[tuple[UUID, str]]:
    """The mailings of an issue, each with its status."""
    return [
        (run.mailing_id, ctx.mailings.get(run.mailing_id).status) for run in runs(ctx, issue_id)
    ]


def named(ctx: Ctx, issue: Issue, publication: Publication | None = None) -> str:
    """Publication, number and title, as people say it."""
    publication = publication or publications.get(ctx, issue.publication_id)
    words = _("%(name)s, no. %(number)s", name=publication.name, number=issue.number)
    return f"{words}: {issue.title}" if issue.title else words


def plan(
    ctx: Ctx,
    publication_id: UUID,
    *,
    title: str,
    cutoff_at: datetime,
    in_home_on: date,
    number: int | None = None,
) -> Issue:
    """Plan the next issue; it begins with the wrapper line of the settings. At its cut-off people
    are worked out by themselves. Raises NotFound, Invalid, Conflict for a number that is taken."""
    ctx.take_turn("issues", publication_id)
    publication = publications.get(ctx, publication_id)
    number = number or publications.last_number(ctx, publication_id) + 1
    taken = ctx.s.scalar(
        sa.select(Issue.id).where(Issue.publication_id == publication_id, Issue.number == number)
    )
    if taken is not None:
        words = _("There is an issue with this number.")
        raise Conflict(words, fields={"number": [words]})
    row = Issue(
        brand_id=ctx.scope.brand_id,
        id=new_id(),
        publication_id=publication.id,
        number=number,
        wrapper=str(ctx.settings()["wrapper"]),
        currency=ctx.brand.currency,
    )
    _fill(row, title, cutoff_at, in_home_on)
    ctx.s.add(row)
    ctx.s.flush()
    ctx.record("magazine.planned", "issue", row.id, named(ctx, row, publication))
    _await_cutoff(ctx, row)
    return row


def change(
    ctx: Ctx,
    issue_id: UUID,
    *,
    title: str,
    cutoff_at: datetime,
    in_home_on: date,
    wrapper: str,
) -> Issue:
    """Plan it otherwise. Raises NotFound, Invalid, Conflict once it was approved."""
    row = _planned(ctx, issue_id)
    if row.state == "selected" and cutoff_at > ctx.now():
        raise Conflict(_("Its cut-off has passed, and people were worked out."))
    _fill(row, title, cutoff_at, in_home_on)
    line = " ".join(wrapper.split())
    wrong = ctx.fields.wrong_with(line) if line else []
    if len(line) > 300:
        wrong = [_("Use %(most)s letters at most.", most=300)]
    if wrong:
        raise Invalid(wrong[0], fields={"wrapper": wrong})
    row.wrapper = line
    ctx.s.flush()
    ctx.record("magazine.planned", "issue", row.id, named(ctx, row))
    _await_cutoff(ctx, row)
    return row


def write(ctx: Ctx, issue_id: UUID, edition_id: UUID, content: Mapping[str, str]) -> None:
    """What an edition of it is: design (the id of a print design; "": it comes from the printer),
    subject and text of the e-mail, in Liquid. Empty ones are those of the usual edition. Raises
    NotFound, Invalid, Conflict once it was approved."""
    row = _planned(ctx, issue_id)
    if edition_id not in {one.id for one in publications.editions(ctx, row.publication_id)}:
        raise NotFound(_("There is no such edition."))
    design = content.get("design", "")
    if design and design not in {str(one[0]) for one in ctx.printing.designs()}:
        words = _("Choose a design that is in use.")
        raise Invalid(words, fields={"design": [words]})
    said = {"design": design}
    for name, most in (("subject", 200), ("text", 10_000)):
        said[name] = text = content.get(name, "").strip()[:most]
        if text and (wrong := [w for w in ctx.fields.wrong_with(text) if "unsubscribe" not in w]):
            raise Invalid(wrong[0], fields={name: wrong})
    row.contents = {**row.contents, str(edition_id): said}
    ctx.s.flush()


def content(ctx: Ctx, row: Issue, edition_id: UUID) -> dict[str, str]:
    """What an edition of it is, with what it leaves to the usual one filled in."""
    usual = next(one for one in publications.editions(ctx, row.publication_id) if one.usual)
    own, general = (
        row.contents.get(str(each)) or {"design": "", "subject": "", "text": ""}
        for each in (edition_id, usual.id)
    )
    return {name: own[name] or general[name] for name in ("design", "subject", "text")}


def discard(ctx: Ctx, issue_id: UUID) -> None:
    """Throw a plan away. Raises NotFound, Conflict once it has been released."""
    row = get(ctx, issue_id, lock=True)
    if row.state not in ("planned", "selected", "approved"):
        raise Conflict(_("It was released already; it can be stopped."))
    for run in runs(ctx, row.id):
        ctx.mailings.discard(run.mailing_id)
    row.state = "discarded"
    # Its number may be given again.
    row.number = -_unused(ctx, row.publication_id)
    ctx.s.flush()
    ctx.record("magazine.discarded", "issue", row.id, row.title)


def _unused(ctx: Ctx, publication_id: UUID) -> int:
    lowest: int | None = ctx.s.scalar(
        sa.select(sa.func.min(Issue.number)).where(Issue.publication_id == publication_id)
    )
    return 1 - min(lowest or 0, 0)


def _planned(ctx: Ctx, issue_id: UUID) -> Issue:
    row = get(ctx, issue_id, lock=True)
    if row.state not in _PLANNED:
        raise Conflict(_("It was approved: nothing of it changes any more."))
    return row


def _fill(row: Issue, title: str, cutoff_at: datetime, in_home_on: date) -> None:
    row.title = " ".join(title.split())
    if len(row.title) > 60:
        words = _("Use %(most)s letters at most.", most=60)
        raise Invalid(words, fields={"title": [words]})
    if cutoff_at.tzinfo is None or not 2000 <= cutoff_at.year <= 2200:
        words = _("Say a day and a time.")
        raise Invalid(words, fields={"cutoff_at": [words]})
    if in_home_on < cutoff_at.date():
        words = _("It can't be in the homes before its cut-off.")
        raise Invalid(words, fields={"in_home_on": [words]})
    row.cutoff_at, row.in_home_on = cutoff_at, in_home_on


def _await_cutoff(ctx: Ctx, row: Issue) -> None:
    """Work people out at the cut-off, by itself."""
    if row.state == "planned" and row.cutoff_at > ctx.now():
        payload: dict[str, Any] = {"issue": str(row.id)}
        ctx.jobs.enqueue("magazine.due", payload, run_at=row.cutoff_at, subject=str(row.number))
