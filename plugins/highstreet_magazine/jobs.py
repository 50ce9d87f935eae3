"""Work in the background: people at the cut-off, and what follows once an issue has gone out."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from highstreet.sdk import JobHandler, NotFound, ScopedSession, ctx_of
from highstreet_magazine import copies, issues, running
from highstreet_magazine.names import NAME


def _select(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    ctx = ctx_of(s, NAME)
    row = issues.get(ctx, UUID(str(payload["issue"])))
    if row.state == "selecting":
        running.select(ctx, row.id)


def _due(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """Its cut-off has come; one that was moved meanwhile has a job of its own."""
    ctx = ctx_of(s, NAME)
    row = issues.get(ctx, UUID(str(payload["issue"])))
    if row.state == "planned" and row.cutoff_at <= ctx.now():
        running.order(ctx, row.id)


def _follow(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    copies.followed(ctx_of(s, NAME), payload)


def _asked(run: Any) -> Any:
    """Jobs of nothing, as tests run them, do nothing."""

    def asked(s: ScopedSession, payload: Mapping[str, Any]) -> None:
        try:
            UUID(str(payload.get("issue")))
        except ValueError:
            return
        try:
            run(s, payload)
        except NotFound:
            return

    return asked


JOBS = (
    JobHandler(f"{NAME}.select", _asked(_select), max_seconds=3600),
    JobHandler(f"{NAME}.due", _asked(_due)),
    JobHandler(f"{NAME}.follow", _asked(_follow), max_seconds=600),
)
