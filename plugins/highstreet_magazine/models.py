"""Tables of the magazine.

Only a subscription names somebody. A copy knows its piece by its place in the mailing, so that
counts and costs stay when somebody is erased.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet.sdk import Base, BrandOwned, StoreOwned, brand_fk, clock

FORMS = ("print", "email", "none")
STATES = ("planned", "selecting", "selected", "approved", "released", "stopped", "discarded")


def _one_of(column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        f"{column} IN ({', '.join(repr(value) for value in values)})", name=column
    )


class Publication(BrandOwned, Base):
    """Something that comes out again and again. number: from 1, by which its fields are called.

    purpose: of consent. default_form: what those get of whom nothing is written down.
    """

    __tablename__ = "magazine_publication"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "number"),
        _one_of("default_form", FORMS),
    )

    number: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(60))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    default_form: Mapped[str] = mapped_column(sa.String(5))
    created_at: Mapped[datetime] = mapped_column(default=clock.now)


class Edition(BrandOwned, Base):
    """Who gets which version: rules in order of `position`, the first that fits.

    stores, regions: ids, whose home store it is; language: what the customer's begins with. The
    last of all, `usual`, fits everybody.
    """

    __tablename__ = "magazine_edition"
    __constraints__ = (
        brand_fk("publication_id", "magazine_publication"),
        sa.UniqueConstraint("brand_id", "publication_id", "position"),
    )

    publication_id: Mapped[UUID]
    position: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(60))
    usual: Mapped[bool] = mapped_column(default=False)
    stores: Mapped[list[str]] = mapped_column(default=list)
    regions: Mapped[list[str]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(sa.String(20), default="")


class Issue(BrandOwned, Base):
    """One issue. cutoff_at: whoever joins later gets the next one. in_home_on: planned.

    wrapper: a line for each member on the wrapper, in Liquid. contents: by the edition's id
    {"design", "subject", "text"}. problem: why the people could not be worked out. told: every
    member's story says that it went out. cost_minor: minor units of `currency`.
    """

    __tablename__ = "magazine_issue"
    __constraints__ = (
        brand_fk("publication_id", "magazine_publication"),
        sa.UniqueConstraint("brand_id", "publication_id", "number"),
        _one_of("state", STATES),
        sa.CheckConstraint("cost_minor >= 0", name="cost"),
    )

    publication_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(60))
    cutoff_at: Mapped[datetime]
    in_home_on: Mapped[date]
    wrapper: Mapped[str] = mapped_column(sa.String(300), default="")
    contents: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(sa.String(9), default="planned")
    problem: Mapped[str] = mapped_column(sa.String(500), default="")
    selected_at: Mapped[datetime | None] = mapped_column(default=None)
    released_at: Mapped[datetime | None] = mapped_column(default=None)
    told: Mapped[bool] = mapped_column(default=False)
    cost_minor: Mapped[int | None] = mapped_column(default=None)
    currency: Mapped[str] = mapped_column(sa.String(3))


class Run(BrandOwned, Base):
    """A core mailing of an issue: one for each form and edition, in the order that they were worked
    out in. edition: its name as it was then."""

    __tablename__ = "magazine_run"
    __constraints__ = (
        brand_fk("issue_id", "magazine_issue"),
        sa.UniqueConstraint("brand_id", "issue_id", "place"),
        _one_of("form", ("print", "email")),
    )

    issue_id: Mapped[UUID]
    place: Mapped[int]
    form: Mapped[str] = mapped_column(sa.String(5))
    edition_id: Mapped[UUID]
    edition: Mapped[str] = mapped_column(sa.String(60))
    mailing_id: Mapped[UUID]


class Copy(BrandOwned, Base):
    """How many printed copies a piece is. place: of the piece in its mailing. home_store_id: whose
    member they were when people were selected; NULL: nobody's."""

    __tablename__ = "magazine_copy"
    __constraints__ = (
        brand_fk("run_id", "magazine_run"),
        brand_fk("home_store_id", "core_store"),
        sa.UniqueConstraint("brand_id", "run_id", "place"),
        sa.CheckConstraint("copies BETWEEN 1 AND 20", name="copies"),
    )

    run_id: Mapped[UUID]
    place: Mapped[int]
    home_store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)
    copies: Mapped[int] = mapped_column(default=1)


class Share(StoreOwned, Base):
    """What a store bears of an issue's cost; store_id NULL: head office, for members without a
    store. minor: minor units of the issue's currency."""

    __personal__ = False
    __tablename__ = "magazine_share"
    __constraints__ = (
        brand_fk("issue_id", "magazine_issue"),
        sa.Index(None, "brand_id", "issue_id"),
    )

    issue_id: Mapped[UUID]
    copies: Mapped[int]
    minor: Mapped[int]


class Returned(BrandOwned, Base):
    """A copy that the post brought back: the code that was scanned, when and by whom."""

    __tablename__ = "magazine_returned"
    __constraints__ = (
        brand_fk("run_id", "magazine_run"),
        sa.UniqueConstraint("brand_id", "code"),
        sa.Index(None, "brand_id", "run_id", "at"),
    )

    run_id: Mapped[UUID]
    code: Mapped[str] = mapped_column(sa.String(12))
    at: Mapped[datetime] = mapped_column(default=clock.now)
    by: Mapped[str] = mapped_column(sa.String(120))


class Subscription(StoreOwned, Base):
    """In what form a member gets a publication. since: of this form; kept_on: they said last that
    they want to keep it. merged: what the merges that came to this row began with."""

    __tablename__ = "magazine_subscription"
    __constraints__ = (
        brand_fk("publication_id", "magazine_publication"),
        brand_fk("customer_id", "core_customer"),
        sa.UniqueConstraint("brand_id", "publication_id", "customer_id"),
        sa.Index(None, "brand_id", "customer_id"),
        _one_of("form", FORMS),
        sa.CheckConstraint("copies BETWEEN 1 AND 20", name="copies"),
    )

    publication_id: Mapped[UUID]
    customer_id: Mapped[UUID]
    form: Mapped[str] = mapped_column(sa.String(5))
    copies: Mapped[int] = mapped_column(default=1)
    since: Mapped[date]
    kept_on: Mapped[date | None] = mapped_column(default=None)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)
    merged: Mapped[list[Any]] = mapped_column(default=list)
