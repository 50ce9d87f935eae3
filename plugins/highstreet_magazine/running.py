"""An issue's run: whom it goes to, approval, release; one core mailing for each form and edition.

Everybody of the brand is in exactly one of these mailings: whoever gets it by e-mail in one of the
e-mail's, all others (also those who want nothing) in one of the printed. So what was selected adds
up over the issue. The printed ones are worked out first, and a household that gets a copy gets no
other, in whatever form or edition.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import Conflict, Ctx, HighstreetError, LeaveOut, MailingIn, new_id
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import copies, issues, publications
from highstreet_magazine.models import Copy, Edition, Issue, Publication, Run, Share
from highstreet_magazine.names import EMAIL, NONE, PRINT, field

_ANOTHER = _l("Somebody else of the household gets another edition.")
_IN_PRINT = _l("Somebody else of the household gets the printed one.")
_NOT_WANTED = _l("They do not want it.")
_LAPSED = _l("They have not been seen for too long, and have not asked to keep it.")
_YEAR, _MONTHS = 365, 12
_ALIVE = ("running", "paused")


def order(ctx: Ctx, issue_id: UUID) -> None:
    """Have a job work out who gets it. Raises NotFound, Conflict before its cut-off, or once it was
    approved."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state not in ("planned", "selected"):
        raise Conflict(_("People are worked out before an issue is approved."))
    if row.cutoff_at > ctx.now():
        raise Conflict(_("People are worked out at the cut-off: until then, more may join."))
    row.state, row.problem = "selecting", ""
    ctx.s.flush()
    ctx.jobs.enqueue("magazine.select", {"issue": str(row.id)}, subject=str(row.number))


def select(ctx: Ctx, issue_id: UUID) -> Issue:
    """Work out who gets it and why others do not; what was worked out before falls. What keeps it
    from being done is written down as `problem`. Raises NotFound, Conflict before its cut-off, or
    once it was approved."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state not in ("planned", "selecting", "selected"):
        raise Conflict(_("People are worked out before an issue is approved."))
    if row.cutoff_at > ctx.now():
        raise Conflict(_("People are worked out at the cut-off: until then, more may join."))
    row.problem = ""
    try:
        with ctx.s.begin_nested():
            _clear(ctx, row)
            _select(ctx, row)
            row.state, row.selected_at = "selected", ctx.now()
            ctx.s.flush()
    except HighstreetError as refusal:
        row = issues.get(ctx, issue_id, lock=True)
        row.state, row.problem = "planned", refusal.detail[:500]
        ctx.s.flush()
    return row


def manifest(ctx: Ctx, issue_id: UUID) -> str:
    """The digest of all that would go out: sha256 over the manifests of its mailings."""
    told = [ctx.mailings.get(run.mailing_id).manifest for run in issues.runs(ctx, issue_id)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest() if told else ""


def approve(ctx: Ctx, issue_id: UUID, seen: str) -> Issue:
    """Let it go out as it was looked at; seen: its manifest. Raises NotFound, Conflict."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state != "selected":
        raise Conflict(_("Work people out first; then what was worked out is approved."))
    if seen != manifest(ctx, issue_id):
        raise Conflict(_("Others were worked out meanwhile. Look at them before you approve."))
    for run in issues.runs(ctx, issue_id):
        ctx.mailings.approve(run.mailing_id, ctx.mailings.get(run.mailing_id).manifest)
    row.state = "approved"
    ctx.s.flush()
    ctx.record("magazine.approved", "issue", row.id, issues.named(ctx, row))
    return row


def release(ctx: Ctx, issue_id: UUID) -> Issue:
    """Let it go out. Raises NotFound, Conflict where it is not approved."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state != "approved":
        raise Conflict(_("An issue is approved before it is released."))
    for run in issues.runs(ctx, issue_id):
        ctx.mailings.release(run.mailing_id)
    row.state, row.released_at = "released", ctx.now()
    ctx.s.flush()
    ctx.record("magazine.released", "issue", row.id, issues.named(ctx, row))
    copies.follow(ctx, row)
    return row


def pause(ctx: Ctx, issue_id: UUID) -> None:
    """Hand nothing more over until it is resumed. Raises NotFound, Conflict unless it runs."""
    row = _released(ctx, issue_id)
    at_work = [one for one in issues.statuses(ctx, row.id) if one[1] == "running"]
    if not at_work:
        raise Conflict(_("It does not run."))
    for mailing_id, _status in at_work:
        ctx.mailings.pause(mailing_id)
    ctx.record("magazine.paused", "issue", row.id, issues.named(ctx, row))


def resume(ctx: Ctx, issue_id: UUID) -> None:
    """Go on where it was paused. Raises NotFound, Conflict unless it is paused."""
    row = _released(ctx, issue_id)
    resting = [one for one in issues.statuses(ctx, row.id) if one[1] in _ALIVE]
    if not resting:
        raise Conflict(_("It is not paused."))
    for mailing_id, _status in resting:
        ctx.mailings.resume(mailing_id)
    ctx.record("magazine.resumed", "issue", row.id, issues.named(ctx, row))
    copies.follow(ctx, row)


def stop(ctx: Ctx, issue_id: UUID) -> None:
    """Hand nothing over any more, for good; what was sent stays sent. Raises NotFound, Conflict."""
    row = issues.get(ctx, issue_id, lock=True)
    if row.state not in ("approved", "released"):
        raise Conflict(_("Only what is approved or released can be stopped."))
    alive = [one for one in issues.statuses(ctx, row.id) if one[1] in ("approved", *_ALIVE)]
    if not alive:
        raise Conflict(_("All of it has gone out."))
    for mailing_id, _status in alive:
        ctx.mailings.stop(mailing_id)
    row.state = "stopped"
    ctx.s.flush()
    ctx.record("magazine.stopped", "issue", row.id, issues.named(ctx, row))
    copies.follow(ctx, row)


def _released(ctx: Ctx, issue_id: UUID) -> Issue:
    row = issues.get(ctx, issue_id, lock=True)
    if row.state != "released":
        raise Conflict(_("It does not run."))
    return row


def _clear(ctx: Ctx, row: Issue) -> None:
    for run in issues.runs(ctx, row.id):
        ctx.mailings.discard(run.mailing_id)
        ctx.s.execute(
            sa.delete(Copy)
            .where(Copy.run_id == run.id)
            .execution_options(synchronize_session=False)
        )
        ctx.s.delete(run)
    ctx.s.execute(
        sa.delete(Share)
        .where(Share.issue_id == row.id)
        .execution_options(synchronize_session=False)
    )
    ctx.s.flush()


def _select(ctx: Ctx, row: Issue) -> None:
    if ctx.brand.customers == "store":
        raise Conflict(_("The stores own their members: each store writes to its own."))
    publication = publications.get(ctx, row.publication_id)
    versions = publications.editions(ctx, publication.id)
    made: list[Run] = []
    for form in (PRINT, EMAIL):
        for one in versions:
            run = _mailing(ctx, row, publication, form, one, versions, made)
            if run is not None:
                made.append(run)
    if not made:
        raise Conflict(_("There is nobody yet to work out."))
    copies.count(ctx, publication, made)


def _mailing(
    ctx: Ctx,
    row: Issue,
    publication: Publication,
    form: str,
    one: Edition,
    versions: Sequence[Edition],
    before: Sequence[Run],
) -> Run | None:
    """The mailing of a form and edition, with its people; None where there are none."""
    by_email = publications.form_is(publication, EMAIL)
    theirs = by_email if form == EMAIL else {"is": "not", "of": by_email}
    rule = {"is": "all", "of": [theirs, publications.fits(ctx, one, versions)]}
    if not ctx.segments.counted(rule).people:
        return None
    mailing_id = ctx.mailings.draft(
        MailingIn(
            name=f"{publication.name[:30]} {row.number} · {one.name[:30]} · {form}"[:80],
            purpose=publication.purpose,
            channel="post" if form == PRINT else "email",
            rule=rule,
            content=_content(ctx, row, publication, one, form),
            leave_out=_left_out(ctx, publication, form, before),
        )
    )
    ctx.mailings.select(mailing_id)
    run = Run(
        brand_id=ctx.scope.brand_id,
        id=new_id(),
        issue_id=row.id,
        place=len(before),
        form=form,
        edition_id=one.id,
        edition=one.name,
        mailing_id=mailing_id,
    )
    ctx.s.add(run)
    ctx.s.flush()
    return run


def _content(
    ctx: Ctx, row: Issue, publication: Publication, one: Edition, form: str
) -> dict[str, str]:
    said = issues.content(ctx, row, one.id)
    if form == PRINT:
        return {"design": said["design"]} if said["design"] else {}
    if not said["subject"] or not said["text"]:
        raise Conflict(_("Some get it by e-mail: write its subject and text first."))
    return {"subject": said["subject"], "text": said["text"]}


def _left_out(
    ctx: Ctx, publication: Publication, form: str, before: Sequence[Run]
) -> list[LeaveOut]:
    found = []
    if form == PRINT:
        found.append(LeaveOut("form_none", _NOT_WANTED, publications.form_is(publication, NONE)))
    if lapsed := _lapsed(ctx, publication):
        found.append(LeaveOut("lapsed", _LAPSED, lapsed))
    printed = [run.mailing_id for run in before if run.form == PRINT]
    same = [run.mailing_id for run in before if run.form == form]
    if form == EMAIL and printed:
        found.append(LeaveOut("other_form", _IN_PRINT, mailings=printed))
    if same:
        found.append(LeaveOut("other_edition", _ANOTHER, mailings=same))
    return found


def _lapsed(ctx: Ctx, publication: Publication) -> dict[str, Any] | None:
    """Whoever has bought nothing for long (nor joined since) and has not asked to keep it."""
    settings = ctx.settings()
    months, keep = int(settings["lapse_months"]), int(settings["keep_months"])
    if not months:
        return None
    days = months * _YEAR // _MONTHS

    def asks(name: str, op: str, value: Any = None) -> dict[str, Any]:
        return {"is": "field", "name": name, "op": op, "value": value}

    away = {
        "is": "any",
        "of": [
            asks("customer.last_purchase_at", "not_in_last_days", days),
            {
                "is": "all",
                "of": [
                    asks("customer.last_purchase_at", "empty"),
                    asks("customer.joined_at", "not_in_last_days", days),
                ],
            },
        ],
    }
    kept = asks(field("kept", publication.number), "in_last_days", keep * _YEAR // _MONTHS)
    return {"is": "all", "of": [away, {"is": "not", "of": kept}] if keep else [away]}
