"""Tables of results. Who is held out is drawn, not kept: a seed says it of everybody."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from highstreet_tenants.base import Base, StoreOwned
from highstreet_tenants.clock import now


class Holdout(StoreOwned, Base):
    """A share of households that a use does not reach; see `holdouts`.

    used_for: "" for the brand's own, else such as "mailing:<id>". share: hundredths of a percent.
    """

    __personal__ = False
    __tablename__ = "core_holdout"
    __constraints__ = (
        sa.UniqueConstraint("brand_id", "used_for"),
        sa.CheckConstraint("share BETWEEN 0 AND 5000", name="share"),
    )

    used_for: Mapped[str] = mapped_column(sa.String(80))
    seed: Mapped[str] = mapped_column(sa.String(16))
    share: Mapped[int]
    since: Mapped[datetime] = mapped_column(default=now)
    until: Mapped[datetime | None] = mapped_column(default=None)
