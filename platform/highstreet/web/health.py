"""For whoever watches the process: is it alive, and can it serve?"""

from typing import Any

from flask import Blueprint

from highstreet import jobs
from highstreet.host.access import public
from highstreet.web.current import current
from highstreet_tenants import trouble

health = Blueprint("health", __name__)


@health.get("/healthz")
@public("a watcher asks whether the process answers")
def alive() -> dict[str, str]:
    """200 as long as the process answers at all."""
    return {"status": "ok"}


@health.get("/readyz")
@public("a balancer asks whether requests may come; no tenant's data")
def ready() -> tuple[dict[str, Any], int]:
    """200 when the database answers, the core's tables are up to date and somebody runs jobs; else
    503. Tools that are left out let it serve all the same, and are named."""
    house = current.house
    problems: dict[str, Any] = {}
    try:
        if not house.look_at_tables():
            problems["migrations"] = ["core"]
        with house.tenancy.control() as c:
            if not jobs.runners(c):
                problems["jobs"] = "no runner has been seen for a minute"
    except Exception as error:
        if not trouble.is_of_database(error):
            raise
        problems["database"] = "does not answer"
    left_out = {"left_out": sorted(house.host.unready)} if house.host.unready else {}
    status = "not ready" if problems else "ok"
    return {"status": status, **problems, **left_out}, 503 if problems else 200
