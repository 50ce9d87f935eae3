"""What others may know of a customer's answers, by name."""

from typing import Any

import sqlalchemy as sa

from highstreet.sdk import Ctx, CustomerField
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail import results
from highstreet_direct_mail.models import ANSWERED, Scan


def _answers(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    return results.answered_by(ctx)


def _answered_at(_ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Scan.customer_id, sa.func.max(Scan.at))
        .where(Scan.kind == ANSWERED, Scan.undone_at.is_(None), Scan.customer_id.is_not(None))
        .group_by(Scan.customer_id)
    )


FIELDS = (
    CustomerField("direct_mail.responses", _l("Mail answered, times"), "number", _answers),
    CustomerField("direct_mail.responded_at", _l("Mail answered last"), "moment", _answered_at),
)
