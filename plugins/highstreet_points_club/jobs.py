"""Work that comes round by itself."""

from collections.abc import Mapping
from typing import Any

from highstreet.sdk import JobHandler, Periodic, ScopedSession, ctx_of
from highstreet_points_club import lapse
from highstreet_points_club.rules import NAME

SWEEP = f"{NAME}.sweep"


def _sweep(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    ctx = ctx_of(s, NAME)
    if lapse.sweep(ctx).more:
        # In pieces, so that tills are not kept waiting; the next piece follows at once.
        ctx.jobs.enqueue(SWEEP, {"subject": payload.get("subject", "")})


JOBS = (JobHandler(SWEEP, _sweep, plugin=NAME, winddown=True),)
PERIODIC = (Periodic(SWEEP, every="day", at="02:30", scope="store"),)
