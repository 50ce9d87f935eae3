"""What a tool's own SQL may read of purchases: for sums over days, which no list can carry."""

import sqlalchemy as sa
from msgspec import Struct

from highstreet_tenants.base import Base


class Source(Struct, frozen=True):
    """A table of the core that a tool's SQL may read: of its columns these, which stay.

    `bought("p")` is what stands after FROM or JOIN; the walls want `p` held to the scope by
    `own("p")` as any other. `bought.table` is the same for a select of SQLAlchemy's.
    """

    name: str
    columns: tuple[str, ...]

    def __call__(self, alias: str) -> str:
        """The source under an alias, as SQL."""
        return f"{self.name} AS {alias}"

    @property
    def table(self) -> sa.Table:
        """The source as SQLAlchemy knows it."""
        return Base.metadata.tables[self.name]


#: Receipts, found by (store_id, business_date) and by id. returned_minor: of total_minor, what came
#: back. business_date: the store's own day.
bought = Source(
    "core_purchase",
    (
        "brand_id", "id", "store_id", "customer_id", "occurred_at", "business_date", "total_minor",
        "currency", "returned_minor",
    ),
)  # fmt: skip
