"""Walls one and two around what goes through the ORM; `walls` judges, this listens."""

from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy import event, orm

from highstreet_tenants import walls
from highstreet_tenants.base import BrandOwned
from highstreet_tenants.control import CONTROL_TABLES
from highstreet_tenants.errors import WallBreach
from highstreet_tenants.scopes import Scope


class Scoped(Protocol):
    """What the walls ask of a session: `ScopedSession` has it."""

    scope: Scope
    writing: bool
    customers: str

    @property
    def new(self) -> Any: ...

    @property
    def dirty(self) -> Any: ...

    @property
    def deleted(self) -> Any: ...

    def expire_all(self) -> None: ...


def stand_around(kind: type[orm.Session]) -> None:
    """Listen to all sessions of a class."""
    event.listen(kind, "do_orm_execute", _hold_to_scope)
    event.listen(kind, "before_attach", _refuse_to_add)
    event.listen(kind, "before_flush", _check_owners)


def _hold_to_scope(state: orm.ORMExecuteState) -> None:
    """Wall one: entities get their scope's criteria; what has none is judged by its text."""
    session: Any = state.session
    if state.is_select or state.is_update or state.is_delete:
        scope: Scope = session.scope
        state.statement = state.statement.options(
            *(
                orm.with_loader_criteria(
                    mapper.class_, sa.and_(*scope.owns(mapper.class_)), include_aliases=True
                )
                for mapper in state.all_mappers
                if issubclass(mapper.class_, BrandOwned)
                and getattr(mapper.class_, "__tablename__", "") not in CONTROL_TABLES
            )
        )


def _refuse_to_add(session: Scoped, _row: object) -> None:
    """Where it is added, not at whoever's query that would flush it."""
    if not session.writing:
        raise WallBreach("a reading session cannot write: open it with write=True")


def _check_owners(session: Scoped, _context: Any, _objects: Any) -> None:
    """Wall two."""
    rows = [*session.new, *session.dirty, *session.deleted]
    if rows and not session.writing:
        session.expire_all()  # told once: what was changed must not meet the next query as well
        raise WallBreach("a reading session cannot write: open it with write=True")
    walls.check_rows(session.scope, rows, session.customers)
