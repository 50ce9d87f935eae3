"""Chance that can be done again: a number for each id, the same for the same seed, everywhere.

sha256 of the seed and the id's 32 hex digits; its first 28 bits, modulo 10,000. Python, SQLite and
PostgreSQL give the same, so a draw can be done in one statement and looked at by anybody.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

#: A draw is one of so many numbers, 0 among them: a share is counted in hundredths of a percent.
OF: Final = 10_000
_SQLITE = "highstreet_draw"


def draw(seed: str, id_: UUID) -> int:
    """The number of an id, 0 to 9,999."""
    number: int = _draw(seed, id_.hex)
    return number


class Drawn(FunctionElement[int]):
    """`draw` as SQL: of a seed and a column of ids. NULL for no id."""

    type = sa.Integer()
    inherit_cache = True

    def __init__(self, seed: str, column: Any) -> None:
        super().__init__(sa.bindparam(None, seed, sa.String()), column)


@compiles(Drawn, "sqlite")
def _for_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"{_SQLITE}({compiler.process(element.clauses, **kw)})"


@compiles(Drawn, "postgresql")
def _for_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    seed, column = (compiler.process(one, **kw) for one in element.clauses)
    text = f"convert_to({seed} || replace(({column})::text, '-', ''), 'UTF8')"
    return f"mod(('x' || left(encode(sha256({text}), 'hex'), 7))::bit(28)::int, {OF})"


def prepare_sqlite(driver: Any) -> None:
    """Teach a connection of SQLite's the function."""
    driver.create_function(_SQLITE, 2, _draw, deterministic=True)


def _draw(seed: str, digits: str | None) -> Any:
    if digits is None:
        return None
    found = hashlib.sha256(f"{seed}{digits}".encode()).hexdigest()
    return int(found[:7], 16) % OF
