"""What others may know of a subscription, by name. A member without a row has no value: they get
what is usual for the publication."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from highstreet.sdk import Ctx, CustomerField
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine.models import Publication, Subscription
from highstreet_magazine.names import FORMS, MOST_PUBLICATIONS, PRINT, field

_PUBLICATION: Any = Publication.__table__


def _of(number: int, column: Any, *where: Any) -> Callable[[Ctx], sa.Select[*tuple[Any, ...]]]:
    def query(ctx: Ctx) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(Subscription.customer_id, column)
            .join(
                Publication,
                sa.and_(
                    Publication.brand_id == Subscription.brand_id,
                    Publication.id == Subscription.publication_id,
                    *ctx.scope.owns(_PUBLICATION),
                ),
            )
            .where(Publication.number == number, *where)
        )

    return query


def _fields(number: int) -> tuple[CustomerField, ...]:
    which = {"number": number}
    first = number == 1
    return (
        CustomerField(
            field("form", number),
            _l("Form of the magazine") if first else _l("Form of magazine %(number)s", **which),
            "choice",
            _of(number, Subscription.form),
            choices=FORMS,
        ),
        CustomerField(
            field("copies", number),
            _l("Printed copies") if first else _l("Printed copies of magazine %(number)s", **which),
            "number",
            _of(number, Subscription.copies, Subscription.form == PRINT),
        ),
        CustomerField(
            field("since", number),
            _l("In this form since")
            if first
            else _l("Magazine %(number)s in this form since", **which),
            "date",
            _of(number, Subscription.since),
        ),
        CustomerField(
            field("kept", number),
            _l("Asked to keep the magazine")
            if first
            else _l("Asked to keep magazine %(number)s", **which),
            "date",
            _of(number, Subscription.kept_on),
        ),
    )


FIELDS = tuple(one for number in range(1, MOST_PUBLICATIONS + 1) for one in _fields(number))
