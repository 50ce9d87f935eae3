"""What tables are made of: types that both databases keep exactly, keys that carry the brand."""

from datetime import UTC, date, datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from highstreet_tenants.ids import new_id


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware moment. PostgreSQL keeps timestamptz; SQLite drops zones: there it is UTC text."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """UTC for the database. Raises ValueError for a time without a zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Declarative base of the core and of plugins. Constraint names are fixed for migrations."""

    # On the registry, not on the class: Flask-SQLAlchemy derives a base of its own from this one.
    registry = orm.registry(
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={
            UUID: sa.Uuid(),
            datetime: UTCDateTime(),
            date: sa.Date(),
            int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            dict[str, Any]: sa.JSON(),
            list[Any]: sa.JSON(),
            list[str]: sa.JSON(),
        },
    )


def brand_fk(column: str, table: str) -> sa.ForeignKeyConstraint:
    """A foreign key that carries the brand, so that a row cannot point at another brand's row."""
    return sa.ForeignKeyConstraint(["brand_id", column], [f"{table}.brand_id", f"{table}.id"])


def table_alias(entity: type[Base]) -> Any:
    """The entity's table under a name of its own, for a subquery that says its scope by itself
    (`Scope.owns`): SQLAlchemy can't adapt the ORM's criteria to a join within one."""
    table: sa.FromClause = entity.__table__
    return table.alias()


class BrandOwned:
    """Rows of one brand, keyed (brand_id, id).

    Subclasses give constraints in `__constraints__` (a tuple), for `__table_args__` is made here.
    `__personal__` says whether a row is about a person; it matters only where a store owns rows.
    """

    __personal__: ClassVar[bool] = False
    __constraints__: ClassVar[tuple[sa.schema.SchemaItem, ...]] = ()

    @declared_attr
    def brand_id(self) -> Mapped[UUID]:
        """The brand that owns the row."""
        return mapped_column(sa.ForeignKey("core_brand.id"), primary_key=True, sort_order=-20)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-10)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - SQLAlchemy hands the class
        return (*cls.__constraints__, {"info": {"personal": cls.__personal__}})


class StoreOwned(BrandOwned):
    """Rows of one brand that belong to one store of it where `store_id` is set.

    Personal unless said otherwise: head office sees a store's rows only if the brand's policy
    gives customers to the brand.
    """

    __personal__: ClassVar[bool] = True

    store_id: Mapped[UUID | None] = mapped_column(sa.Uuid(), default=None)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805 - SQLAlchemy hands the class
        return (
            *cls.__constraints__,
            brand_fk("store_id", "core_store"),
            {"info": {"personal": cls.__personal__}},
        )
