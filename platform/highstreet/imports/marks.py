"""How far each file got: a mark, moved in the transaction of every chunk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from highstreet.i18n import gettext as _
from highstreet.imports.columns import Kind
from highstreet.imports.models import Import
from highstreet.imports.survey import Survey
from highstreet_tenants import turns
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Conflict
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

_KEPT = (
    "updated_at",
    "finished_at",
    "records",
    "created",
    "known",
    "refused",
    "customers",
    "error_bytes",
)


def begin(
    tenancy: Tenancy,
    scope: Scope,
    kind: Kind,
    found: Survey,
    how: Mapping[str, Any],
    actor: Actor,
    *,
    dry_run: bool,
) -> Import:
    """The mark of the file's unfinished run, or of a new one.

    ``how`` is all that decides what the same bytes mean: with another mapping, or another file of
    lines, it is another import.
    """
    digest = sha256(json.dumps(how, sort_keys=True, default=dict).encode()).hexdigest()
    if dry_run:
        return _new(scope, kind, found, digest, actor)
    with tenancy.session(scope, write=True) as s:
        mark = s.scalar(
            sa.select(Import)
            .where(
                Import.kind == kind,
                Import.sha256 == found.sha256,
                Import.mapping_sha256 == digest,
                Import.finished_at.is_(None),
            )
            .order_by(Import.started_at.desc())
            .limit(1)
        )
        if mark is None:
            mark = _new(scope, kind, found, digest, actor)
            s.add(mark)
            s.flush()
        s.expunge(mark)
    return mark


def _new(scope: Scope, kind: Kind, found: Survey, digest: str, actor: Actor) -> Import:
    at = now()
    return Import(
        brand_id=scope.brand_id,
        id=new_id(),
        kind=kind,
        file_name=found.path.name[:255],
        sha256=found.sha256,
        mapping_sha256=digest,
        actor=actor.name[:120],
        started_at=at,
        updated_at=at,
        records=0,
        created=0,
        known=0,
        refused=0,
        customers=0,
        error_bytes=0,
    )


def keep(s: ScopedSession, mark: Import) -> None:
    """Write down how far the file is, in the session's transaction."""
    mark.updated_at = now()
    s.execute(
        sa.update(Import)
        .where(Import.id == mark.id)
        .values({name: getattr(mark, name) for name in _KEPT})
    )


def take_turns(s: ScopedSession) -> None:
    """Let the imports of a brand write one chunk after another.

    Two files that name the same new customer would otherwise each take them on. SQLite has one
    writer anyway; tills are not kept waiting on PostgreSQL.
    """
    turns.take(s, "imports")


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep a second run off the same file while this one works.

    The system lets go of the lock when a run dies. Where there is no flock nothing is kept off:
    rows would still go in once, but both runs would write the errors file. Raises Conflict.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    if not path.is_file():
        yield  # whoever looks at it will say what is wrong
        return
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Conflict(
                _("%(path)s is being imported by another process; let it finish.", path=path)
            ) from error
        yield


__all__ = ["alone", "begin", "keep", "take_turns"]
