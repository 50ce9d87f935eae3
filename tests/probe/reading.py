"""Reading every tenant table in every way there is, as a careless tool would."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.kit.rows import tenant_tables
from highstreet_tenants.base import Base
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.statements import Statement, own
from probe.world import Site, World

_statements: dict[str, Statement] = {}
_entities: dict[str, Any] = {}


@dataclass
class Reach:
    """What a scope may see: its brand, and of which stores rows about people and others.

    `findings` are rows seen beyond that, `counts` what was tried and what a wall stopped.
    """

    world: World
    home: Site
    where: str
    findings: list[str] = field(default_factory=list)
    tried: int = 0
    stopped: int = 0
    met: set[str] = field(default_factory=set)

    def may_see(self, table: sa.Table, brand: UUID, store: UUID | None) -> bool:
        """Whether a row is within reach."""
        if brand != self.home.brand.id:
            return False
        if store is None:
            return True
        if self.home.store is not None:
            return store == self.home.store.id
        return self.home.brand.customers == "brand" or not table.info.get("personal", True)

    def read(self, s: Any, *, deep: bool = True) -> None:
        """Read everything in the session's scope; deep: with foreign ids and tautologies too."""
        for table in tenant_tables():
            for way, run in self._ways(s, table, deep):
                self.tried += 1
                try:
                    rows = run()
                except WallBreach:
                    self.stopped += 1
                    continue
                except Exception as error:
                    self.findings.append(
                        f"{self.where}: {way} of {table.name} raised {type(error).__name__}: "
                        f"{str(error)[:120]}"
                    )
                    continue
                for brand, store in rows:
                    if not self.may_see(table, _uuid(brand), _uuid(store) if store else None):
                        self.findings.append(f"{self.where}: {way} shows others' {table.name}")
                        break
                if rows:
                    self.met.add(table.name)

    def _ways(
        self, s: Any, table: sa.Table, deep: bool
    ) -> Iterator[tuple[str, Callable[[], list[tuple[Any, Any]]]]]:
        entity = entities().get(table.name)
        columns = _owner(table)
        held = own("t") if "store_id" in table.c else "t.brand_id = :brand_id"
        yield (
            "core, held",
            lambda: _pairs(s.execute(sa.select(*columns).distinct().where(*s.scope.owns(table)))),
        )
        yield "core, loose", lambda: _pairs(s.execute(sa.select(*columns).distinct()))
        yield "statement", lambda: _pairs(_statement(table, held)(s))
        if entity is not None:
            loose = sa.select(entity.brand_id, getattr(entity, "store_id", sa.null())).distinct()
            yield "orm, columns", lambda: _pairs(s.execute(loose))
        if not deep:
            return
        if entity is not None:
            yield (
                "orm",
                lambda: [
                    (one.brand_id, getattr(one, "store_id", None))
                    for one in s.scalars(sa.select(entity))
                ],
            )
        yield "text, loose", lambda: _pairs(s.execute(sa.text(_sql(table, "1 = 1"))))
        yield "driver", lambda: _pairs(s.connection().exec_driver_sql(_sql(table, "1 = 1")))
        yield "statement, loose", lambda: _pairs(Statement(_sql(table, "1 = 1"))(s))
        for stranger in self._strangers():
            yield from self._foreign(s, table, entity, stranger)
        if "store_id" in table.c:
            brand = table.c.brand_id == s.scope.brand_id
            yield (
                "core, any store",
                lambda: _pairs(
                    s.execute(
                        sa.select(*columns).distinct().where(brand, table.c.store_id.is_not(None))
                    )
                ),
            )
            yield (
                "core, other stores",
                lambda: _pairs(
                    s.execute(
                        sa.select(*columns)
                        .distinct()
                        .where(brand, table.c.store_id != s.scope.store_id)
                    )
                ),
            )
            if entity is not None:
                yield (
                    "orm, any store",
                    lambda: [
                        (one.brand_id, one.store_id)
                        for one in s.scalars(sa.select(entity).where(entity.store_id.is_not(None)))
                    ],
                )
            yield (
                "text, all stores",
                lambda: _pairs(
                    s.execute(
                        sa.text(_sql(table, held)).bindparams(
                            sa.bindparam("brand_id", s.scope.brand_id, sa.Uuid()),
                            sa.bindparam("store_id", s.scope.store_id, sa.Uuid()),
                            sa.bindparam("all_stores", True, sa.Boolean()),
                        )
                    )
                ),
            )

    def _foreign(
        self, s: Any, table: sa.Table, entity: Any, stranger: Site
    ) -> Iterator[tuple[str, Callable[[], list[tuple[Any, Any]]]]]:
        """The same, naming somebody else's brand or store."""
        who, columns = stranger.owner, _owner(table)
        theirs = table.c.brand_id == stranger.brand.id
        yield (
            f"core, {who}'s brand",
            lambda: _pairs(
                s.execute(sa.select(*columns).distinct().where(theirs, *s.scope.owns(table)[1:]))
            ),
        )
        if entity is not None:
            yield (
                f"orm, {who}'s brand",
                lambda: [
                    (one.brand_id, getattr(one, "store_id", None))
                    for one in s.scalars(
                        sa.select(entity).where(entity.brand_id == stranger.brand.id)
                    )
                ],
            )
        if "store_id" not in table.c or stranger.store is None:
            return
        store = stranger.store.id
        yield (
            f"core, {who}'s store",
            lambda: _pairs(
                s.execute(
                    sa.select(*columns)
                    .distinct()
                    .where(table.c.brand_id == s.scope.brand_id, table.c.store_id == store)
                )
            ),
        )
        yield (
            f"core, {who} among stores",
            lambda: _pairs(
                s.execute(
                    sa.select(*columns)
                    .distinct()
                    .where(table.c.brand_id == s.scope.brand_id, table.c.store_id.in_([store]))
                )
            ),
        )
        yield (
            f"statement, {who}'s store",
            lambda: _pairs(
                _statement(table, "t.brand_id = :brand_id AND t.store_id = :at_store")(
                    s, at_store=store
                )
            ),
        )

    def _strangers(self) -> list[Site]:
        sites = [one for one in self.world.sites.values() if one is not self.home and one.store]
        sister = [one for one in sites if one.brand is self.home.brand]
        return [sister[-1], next(one for one in sites if one.brand is not self.home.brand)]


def entities() -> dict[str, Any]:
    """Mapped classes by table."""
    if not _entities:
        for mapper in Base.registry.mappers:
            _entities[mapper.local_table.name] = mapper.class_
    return _entities


def _owner(table: sa.Table) -> tuple[Any, Any]:
    store = table.c.store_id if "store_id" in table.c else sa.null().label("store_id")
    return table.c.brand_id, store


def _sql(table: sa.Table, condition: str) -> str:
    store = "t.store_id" if "store_id" in table.c else "NULL"
    return f"SELECT DISTINCT t.brand_id, {store} FROM {table.name} AS t WHERE {condition}"


def _statement(table: sa.Table, condition: str) -> Statement:
    sql = _sql(table, condition)
    if sql not in _statements:
        _statements[sql] = Statement(sql)
    return _statements[sql]


def _pairs(rows: Any) -> list[tuple[Any, Any]]:
    return [(row[0], row[1]) for row in rows]


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))
