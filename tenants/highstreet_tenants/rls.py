"""Wall three: PostgreSQL's row-level security on brand and store.

The application signs in as a role that cannot bypass it; migrations run as the owner, who then
calls `apply`. The sub-select around current_setting lets PostgreSQL ask once per statement
(1.10x instead of 1.36x over 4,000,000 rows).
"""

import re
from collections.abc import Sequence

import sqlalchemy as sa

from highstreet_tenants.base import Base
from highstreet_tenants.control import CONTROL_TABLES
from highstreet_tenants.errors import Unavailable
from highstreet_tenants.words import gettext as _

_ROLE_LOCK = 0x48535453  # "HSTS": roles are cluster-wide, so creating one is serialised
_ESCAPES = """
SELECT (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user)
    OR EXISTS (
        SELECT 1 FROM pg_class
        WHERE relkind = 'r' AND relname = ANY(:tables) AND pg_has_role(relowner, 'USAGE')
    )
"""
_MAY_CREATE = "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
_BRAND = "brand_id = (SELECT NULLIF(current_setting('hs.brand', true), '')::uuid)"
_STORE = "(SELECT NULLIF(current_setting('hs.store', true), '')::uuid)"
_REACH = "(SELECT current_setting('hs.stores', true))"


def policy(table: sa.Table) -> str:
    """The condition that a row of `table` must meet to be seen or written."""
    if "store_id" not in table.c:
        return _BRAND
    reaches = "('all')" if table.info.get("personal", True) else "('all', 'facts')"
    return f"{_BRAND} AND (store_id IS NULL OR store_id = {_STORE} OR {_REACH} IN {reaches})"


def ensure_role(connection: sa.Connection, role: str) -> None:
    """Create the application's role once, able to sign in and bound by every policy.

    Raises Unavailable, naming what an administrator has to do, where the owner may not create one.
    """
    name = _identifier(role)
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ROLE_LOCK})
    known = connection.scalar(sa.text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role})
    if known:
        return
    if not connection.scalar(sa.text(_MAY_CREATE)):
        raise Unavailable(
            _(
                "The database has no role %(role)s, and its owner may not make one. Let an "
                "administrator of PostgreSQL say: CREATE ROLE \"%(role)s\" LOGIN PASSWORD '…'",
                role=role,
            )
        )
    connection.execute(sa.text(f"CREATE ROLE {name} LOGIN NOSUPERUSER NOBYPASSRLS"))


def apply(connection: sa.Connection, role: str) -> None:
    """Put policies and grants on every known table; safe to repeat. SQLite has none: no-op."""
    if connection.dialect.name != "postgresql":
        return
    name = _identifier(role)
    ensure_role(connection, role)
    present = set(sa.inspect(connection).get_table_names())
    connection.execute(sa.text(f"GRANT USAGE ON SCHEMA public TO {name}"))
    for table in Base.metadata.sorted_tables:
        if table.name not in present:
            continue
        connection.execute(
            sa.text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table.name} TO {name}")
        )
        if "brand_id" not in table.c or table.name in CONTROL_TABLES:
            continue
        condition = policy(table)
        for statement in (
            f"ALTER TABLE {table.name} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS tenant ON {table.name}",
            f"CREATE POLICY tenant ON {table.name} USING ({condition}) WITH CHECK ({condition})",
        ):
            connection.exec_driver_sql(statement)


def let_read(
    connection: sa.Connection, role: str, tables: Sequence[str], columns: Sequence[str] = ()
) -> None:
    """Let the application read tables that are nobody's rows: how far the schema is. columns: those
    alone."""
    if connection.dialect.name != "postgresql":
        return
    present = set(sa.inspect(connection).get_table_names())
    for table in present.intersection(tables):
        only = f" ({', '.join(map(_identifier, columns))})" if columns else ""
        connection.exec_driver_sql(
            f"GRANT SELECT{only} ON {_identifier(table)} TO {_identifier(role)}"
        )


def escapes(connection: sa.Connection) -> bool:
    """Whether the role that is signed in passes by every policy: a superuser, one that may bypass
    them, or the owner of the tables, itself or as a member of the owner."""
    if connection.dialect.name != "postgresql":
        return False
    return bool(connection.scalar(sa.text(_ESCAPES), {"tables": list(Base.metadata.tables)}))


def unprotected(connection: sa.Connection) -> list[str]:
    """Tenant tables of this database without row-level security; for `highstreet check`."""
    if connection.dialect.name != "postgresql":
        return []
    rows = connection.execute(
        sa.text("SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relrowsecurity")
    )
    return sorted(
        name
        for (name,) in rows
        if name in Base.metadata.tables
        and name not in CONTROL_TABLES
        and "brand_id" in Base.metadata.tables[name].c
    )


def _identifier(role: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", role):
        raise ValueError(f"not a role's name: {role!r}")
    return f'"{role}"'
