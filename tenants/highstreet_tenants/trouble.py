"""What a database's error means for whoever waits: try again, or a defect.

An error comes through SQLAlchemy or, from a `Statement` or the start of a transaction, straight
from the driver.
"""

import sqlite3

import sqlalchemy as sa


def is_of_database(error: BaseException) -> bool:
    """Whether the database said it."""
    return isinstance(error, sa.exc.DBAPIError | sqlite3.Error) or hasattr(error, "sqlstate")


def is_lost_race(error: BaseException) -> bool:
    """Whether the database undid the transaction only because another one was first."""
    return _state(error) in ("40P01", "40001")  # deadlock, serialisation failure


def timed_out(error: BaseException) -> bool:
    """Whether the database gave a statement up because it took longer than it may."""
    if isinstance(error, sa.exc.DBAPIError):
        error = error.orig or error
    if isinstance(error, sqlite3.OperationalError):
        return str(error) == "interrupted"
    return _state(error) == "57014"


def name(error: BaseException, sql: str) -> None:
    """Note on the error of a statement that was given up which one it was: SQLAlchemy says so, a
    driver does not."""
    if timed_out(error):
        error.add_note(f"[SQL: {' '.join(sql.split())[:300]}]")


def said(error: BaseException) -> str:
    """What an error says, with the statement that `name` has noted: for the log."""
    return " ".join([str(error), *getattr(error, "__notes__", ())])


def passes(error: BaseException) -> bool:
    """Whether the database was busy or away, so that trying again later helps."""
    if not is_of_database(error) or timed_out(error):
        return False
    state = _state(error)
    words = str(error).lower()
    return (
        # Lost races, lock not available, too many connections; then whole classes: connection
        # trouble and operator intervention (shutting down).
        state in ("40P01", "40001", "55P03", "53300")
        or (state or "")[:2] in ("08", "57")
        or (state is None and any(w in words for w in ("locked", "busy", "connection")))
    )


def _state(error: BaseException) -> str | None:
    state = getattr(getattr(error, "orig", None) or error, "sqlstate", None)
    return state if isinstance(state, str) else None
