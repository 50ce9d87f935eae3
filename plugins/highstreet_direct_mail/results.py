"""What came of a job: answers by code and buyers by household, named apart, for they prove
different things. What customers spent is read from receipts as they are now, returns taken off.
"""

from datetime import date
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from highstreet.sdk import Ctx, Scope, Statement, aggregates, bought, own
from highstreet_direct_mail import posting
from highstreet_direct_mail.models import ANSWERED, Scan
from highstreet_direct_mail.posting import Whole

_GOOD = "a.posting_id = :posting_id AND a.kind = 'answered' AND a.undone_at IS NULL"
_COUNTED = Statement(
    "SELECT COUNT(*), COUNT(DISTINCT a.customer_id) FROM direct_mail_scan AS a"
    f" WHERE {_GOOD} AND {own('a')}",
    returns="row",
)
_PAID = "SELECT p.id, p.total_minor - p.returned_minor AS spent FROM direct_mail_scan AS a"
# Receipts that were named or found at the till; else what the customer bought there that day, which
# is often rung up after the code was taken; of answers that were taken over from a file, which does
# not say where, what they bought that day in any store. Each counts once.
_SPENT = Statement(
    "SELECT COUNT(*), CAST(COALESCE(SUM(r.spent), 0) AS bigint) FROM ("
    f"{_PAID} JOIN {bought('p')} ON p.brand_id = a.brand_id AND p.id = a.purchase_id"
    f" WHERE {_GOOD} AND {own('a')} AND {own('p')}"
    f" UNION {_PAID} JOIN {bought('p')} ON p.brand_id = a.brand_id AND p.store_id = a.at_store_id"
    " AND p.business_date = a.day AND p.customer_id = a.customer_id"
    f" WHERE a.purchase_id IS NULL AND {_GOOD} AND {own('a')} AND {own('p')}"
    f" UNION {_PAID} JOIN {bought('p')} ON p.brand_id = a.brand_id"
    " AND p.customer_id = a.customer_id AND p.business_date = a.day"
    f" WHERE a.purchase_id IS NULL AND a.at_store_id IS NULL"
    f" AND {_GOOD} AND {own('a')} AND {own('p')}) AS r",
    returns="row",
)
_TAKEN = Statement(
    "SELECT COUNT(*) FROM direct_mail_scan AS a WHERE a.at_store_id = :at_store"
    " AND a.kind = 'answered' AND a.undone_at IS NULL AND a.day >= :first AND a.day <= :last"
    f" AND {own('a')}",
    returns="value",
)


class ByCode(Struct, frozen=True):
    """Answers by code. people: customers whose codes they are; purchases, spent_minor: their
    receipts of that moment, less what came back."""

    answers: int
    people: int
    purchases: int
    spent_minor: int


class Results(Struct, frozen=True):
    """What came of a job. waterfall, match_back: as `ctx.mailings` gives them. cost_minor: what is
    written against it, else the quote; per_answer_minor: of that, for each answer, None for none.
    """

    waterfall: Any
    by_code: ByCode
    match_back: Any
    cost_minor: int
    per_answer_minor: int | None


def of(ctx: Ctx, whole: Whole) -> Results:
    """The results of a job as they stand."""
    job, mailing = whole
    told = ctx.mailings.waterfall(mailing.id)
    answers, people = _COUNTED(ctx.s, posting_id=job.id)
    purchases, spent = _SPENT(ctx.s, posting_id=job.id)
    cost = mailing.cost_minor
    if cost is None:
        cost = posting.quote(job, told.sent + told.ready)
    return Results(
        told,
        ByCode(int(answers), int(people), int(purchases), int(spent)),
        ctx.mailings.match_back(mailing.id, job.response_days),
        cost,
        -(-cost // int(answers)) if answers else None,
    )


def taken(ctx: Ctx, first: date, last: date) -> int:
    """Codes that counted in this store from one of its days to another."""
    return int(_TAKEN(ctx.s, at_store=ctx.store_id, first=first, last=last))


@aggregates.aggregate(
    "direct_mail.by_store", people="people", keys=("store_id",), across="store_id"
)
def by_store(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    """Answers by code, store by store, for head office."""
    return (
        sa.select(
            Scan.at_store_id.label("store_id"),
            sa.func.count(sa.distinct(Scan.customer_id)).label("people"),
            sa.func.count(Scan.id).label("answers"),
        )
        .where(Scan.kind == ANSWERED, Scan.undone_at.is_(None), Scan.at_store_id.is_not(None))
        .group_by(Scan.at_store_id)
    )


def answers(ctx: Ctx) -> int:
    """Answers by code within the session's reach."""
    query = sa.select(sa.func.count(Scan.id)).where(Scan.kind == ANSWERED, Scan.undone_at.is_(None))
    return ctx.s.scalar(query) or 0


def answered_by(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    """Customers with how many codes of theirs were taken."""
    return (
        sa.select(Scan.customer_id, sa.func.count(Scan.id))
        .where(Scan.kind == ANSWERED, Scan.undone_at.is_(None), Scan.customer_id.is_not(None))
        .group_by(Scan.customer_id)
    )
