"""How a tool is doing in all stores of the brand."""

import sqlalchemy as sa
from flask import render_template

from highstreet.host import state
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import toolfaces, usage
from highstreet.web.current import current
from highstreet.web.office.pages import here, office
from highstreet_tenants.models import Store


@office.get("/tools/<tool>/health")
@requires("policy.view")
def health(brand: str, tool: str) -> str:
    """What its hooks cost in all stores together, and where they failed."""
    host = current.house.host
    with current.session() as s:
        face = toolfaces.face(host, tool, state.explain(s, tool))
        lines, failing = usage.lines(s, tool), usage.failing(s, tool)
        stores = {
            row.id: row
            for row in s.scalars(
                sa.select(Store).where(Store.id.in_([node for node, _n in failing]))
            )
        }
    return render_template(
        "shared/tool_health.html",
        tool=face,
        lines=lines,
        slow_ms=host.slow_ms,
        back_href=here("office.tools"),
        faults_href="",
        failing=[
            {
                "name": stores[node].name if node in stores else _("Head office"),
                "href": here("office.store", slug=stores[node].slug)
                if node in stores and current.may("stores.view")
                else "",
                "failures": failures,
            }
            for node, failures in failing
        ],
    )
