"""In what form members get a publication: read, chosen, kept, for one or for thousands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.sdk import (
    Ctx,
    EntryIn,
    Invalid,
    Statement,
    bulk,
    business_date,
    new_id,
    own,
)
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import publications
from highstreet_magazine.models import Publication, Subscription
from highstreet_magazine.names import EMAIL, FORMS, MOST_COPIES, NAME, NONE, PRINT

_TABLE = cast(sa.Table, Subscription.__table__)
_CHUNK = 2000
_CHANGE = Statement(
    "UPDATE magazine_subscription AS n SET form = :form, copies = :copies, since = :since,"
    f" kept_on = :kept_on, changed_at = :changed_at WHERE n.id = :id AND {own('n')}",
    returns="none",
)
#: What a member's story says, by form; a literal each, so that it can be translated when shown.
TOLD = {
    PRINT: _l("%(publication)s: to be sent in print, copies: %(copies)s"),
    EMAIL: _l("%(publication)s: to be sent by e-mail"),
    NONE: _l("%(publication)s: not wanted"),
}


class Standing(NamedTuple):
    """What somebody gets of a publication. since, kept_on: None where nothing is written down and
    they get what is usual."""

    publication: Publication
    form: str
    copies: int
    since: date | None = None
    kept_on: date | None = None


class Wish(NamedTuple):
    """What a member is to get."""

    customer_id: UUID
    form: str
    copies: int = 1


def of_customer(ctx: Ctx, customer_id: UUID) -> list[Standing]:
    """What somebody gets of each publication of the brand. Raises NotFound."""
    customer = ctx.customers.get(customer_id)
    rows = {
        one.publication_id: one
        for one in ctx.s.scalars(
            sa.select(Subscription).where(Subscription.customer_id == customer.id)
        )
    }
    found = []
    for one in publications.listed(ctx):
        row = rows.get(one.id)
        if row is None:
            found.append(Standing(one, one.default_form, 1))
        else:
            found.append(Standing(one, row.form, row.copies, row.since, row.kept_on))
    return found


def choose(
    ctx: Ctx, customer_id: UUID, publication_id: UUID, form: str, copies: int = 1
) -> Standing:
    """Let somebody have a publication in a form from now on; to choose is to say that one wants to
    keep it. Raises NotFound, Invalid."""
    customer = ctx.customers.get(customer_id)
    choose_many(ctx, publication_id, [Wish(customer.id, form, copies)])
    return next(
        one for one in of_customer(ctx, customer.id) if one.publication.id == publication_id
    )


def choose_many(ctx: Ctx, publication_id: UUID, wishes: Sequence[Wish]) -> int:
    """The same for many, the last wish of each; gives for how many it is another form (or number of
    copies) than before. Whoever is out of reach is left out. Raises NotFound, Invalid."""
    publication = publications.get(ctx, publication_id)
    checked = [check(ctx, one) for one in wishes]
    changed = 0
    for start in range(0, len(checked), _CHUNK):
        changed += _chosen(ctx, publication, checked[start : start + _CHUNK])
    return changed


def keep(ctx: Ctx, customer_id: UUID, publication_id: UUID) -> Standing:
    """“Keep me”: somebody who has not been here for long wants it all the same. Raises NotFound."""
    customer = ctx.customers.get(customer_id)
    now = next(
        (one for one in of_customer(ctx, customer.id) if one.publication.id == publication_id),
        None,
    )
    if now is None:
        publications.get(ctx, publication_id)  # says that it is not there
        raise AssertionError
    return choose(ctx, customer.id, publication_id, now.form, now.copies)


def export(ctx: Ctx, customer_id: UUID) -> list[dict[str, Any]]:
    """What is written down of somebody."""
    names = {one.id: one.name for one in publications.listed(ctx)}
    return [
        {
            "publication": names.get(row.publication_id, ""),
            "form": row.form,
            "copies": row.copies,
            "since": row.since.isoformat(),
            "kept_on": row.kept_on.isoformat() if row.kept_on else None,
            "changed_at": row.changed_at.isoformat(),
            "merged": row.merged,
        }
        for row in ctx.s.scalars(
            sa.select(Subscription)
            .where(Subscription.customer_id == customer_id)
            .order_by(Subscription.id)
        )
    ]


def forget(ctx: Ctx, customer_id: UUID) -> int:
    """Delete what is written down of somebody; gives how many rows that were."""
    rows = ctx.s.scalars(
        sa.select(Subscription).where(Subscription.customer_id == customer_id)
    ).all()
    for row in rows:
        ctx.s.delete(row)
    return len(rows)


def today(ctx: Ctx) -> date:
    """The day by the clock of the place."""
    zone = ctx.store().zone if ctx.store_id else ctx.brand.zone
    return business_date(ctx.now(), zone)


def check(ctx: Ctx, one: Wish) -> Wish:
    """The wish as it is kept. Raises Invalid."""
    if one.form not in FORMS:
        words = _("Say “print”, “email” or “none”.")
        raise Invalid(words, fields={"form": [words]})
    if one.form != PRINT:
        return one._replace(copies=1)
    most = min(MOST_COPIES, int(ctx.settings()["most_copies"]))
    if not 1 <= one.copies <= most:
        words = _("From 1 to %(most)s copies.", most=most)
        raise Invalid(words, fields={"copies": [words]})
    return one


def _chosen(ctx: Ctx, publication: Publication, wishes: Iterable[Wish]) -> int:
    wanted = {one.customer_id: one for one in wishes}
    roots = ctx.customers.roots(wanted)
    meant = {roots[who].id: one for who, one in wanted.items() if who in roots}
    owners = {root.id: root.store_id for root in roots.values()}
    before = {
        row.customer_id: row
        for row in ctx.s.execute(
            sa.select(
                Subscription.id,
                Subscription.customer_id,
                Subscription.form,
                Subscription.copies,
                Subscription.since,
            ).where(
                Subscription.publication_id == publication.id,
                Subscription.customer_id.in_(list(meant)),
            )
        )
    }
    day, at = today(ctx), ctx.now()
    made: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    told: list[EntryIn] = []
    for who, one in meant.items():
        row = before.get(who)
        same = row is not None and (row.form, row.copies) == (one.form, one.copies)
        values = {
            "form": one.form,
            "copies": one.copies,
            "since": row.since if row is not None and row.form == one.form else day,
            "kept_on": day if one.form != NONE else None,
            "changed_at": at,
        }
        if row is None:
            made.append(
                {
                    "id": new_id(),
                    "store_id": owners[who],
                    "publication_id": publication.id,
                    "customer_id": who,
                    **values,
                    "merged": [],
                }
            )
        else:
            changes.append({"id": row.id, **values})
        if not same:
            told.append(_told(ctx, publication, one, who, owners[who]))
    bulk.insert(ctx.s, _TABLE, made)
    if changes:
        _CHANGE.many(ctx.s, changes)
        ctx.s.expire_all()
    ctx.timeline.write_many(told)
    return len(told)


def _told(
    ctx: Ctx, publication: Publication, one: Wish, who: UUID, owner_id: UUID | None
) -> EntryIn:
    return EntryIn(
        who,
        f"{NAME}-{one.form}",
        TOLD[one.form],
        ctx.now(),
        owner_id,
        {"publication": publication.name, "copies": one.copies},
    )
