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
    """200 when the database answers, its tables are up to date and somebody runs jobs; else 503."""
    house = current.house
    problems: dict[str, Any] = {}
    try:
        if behind := house.behind():
            problems["migrations"] = behind
        with house.tenancy.control() as c:
            if not jobs.runners(c):
                problems["jobs"] = "no runner has been seen for a minute"
    except Exception as error:
        if not trouble.is_of_database(error):
            raise
        problems["database"] = "does not answer"
    return {"status": "not ready" if problems else "ok", **problems}, 503 if problems else 200
