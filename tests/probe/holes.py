"""Gates left open on purpose: what the off matrix must find, or it is no matrix."""

from typing import Any

from flask import Blueprint, Flask

from highstreet.host import state
from highstreet.host.access import requires
from highstreet.host.pages import FACE, TOOL
from highstreet.host.plans import Active, Plan, plan_for
from highstreet.sdk.blueprints import Operations
from probe import tool
from probe.world import TOOL as NAME

STORE = "/store/<brand>/<store>/t/probe_tool/hole"
API = "/api/v1/tools/probe_tool/hole"


@requires(tool.LOOK)
def look(brand: str, store: str) -> str:
    """A page of the tool's."""
    return "works"


@requires("till.read")
def ask() -> Any:
    """An operation of the tool's."""
    return {"said": "works"}


def leave_open(app: Flask) -> None:
    """A page and an operation of the probe's tool, mounted as the core mounts its own."""
    page = Blueprint("probe_tool-hole", __name__)
    page.add_url_rule(STORE, "look", look)
    operations = Operations("probe_tool-hole-api", __name__)
    operations.add_url_rule("/hole", "ask", ask)
    for blueprint, face in ((page, "store"), (operations, "api")):
        setattr(blueprint, TOOL, NAME)
        setattr(blueprint, FACE, face)
    app.register_blueprint(page)
    app.extensions["highstreet-api"].mount(operations, prefix="/api/v1/tools/probe_tool")


def stray(app: Flask) -> None:
    """A page of the tool's that nobody knows as one."""
    app.add_url_rule("/store/<brand>/<store>/stray", "stray", tool.look)


def plan_for_all(host: Any, active: Active, name: str) -> Plan:
    """A plan that asks every tool, on or off."""
    everyone = Active(frozenset(host.plugins), frozenset(), {})
    return plan_for(host, everyone, name)


def here_with_all(s: Any, store_id: Any = None) -> state.Here:
    """A place where every tool is on."""
    found = state.Here(state._work_out(s, store_id or s.scope.store_id))
    found.active = Active(frozenset(s.info["host"].plugins), frozenset(), {})
    return found
