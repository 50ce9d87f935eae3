"""Direct mail in the probe's world: each place that writes has a job and a standing order, each
store codes that its people brought."""

from typing import Any

from highstreet.kit import marks
from highstreet.sdk import ctx_of
from highstreet_direct_mail import posting, scanning, triggers
from highstreet_direct_mail.models import ANSWERED, RETURNED

TOOL = "direct_mail"


def fill(s: Any, site: Any, firm: str) -> None:
    """Make them."""
    if s.store_id is None and s.customers == "store":
        return
    ctx = ctx_of(s, TOOL)
    plan = posting.Plan(f"{firm} letter", {"postcodes": ["LS1"]}, offer=f"{firm} offer")
    job = posting.get(ctx, posting.plan(ctx, plan)).job
    posting.select(ctx, job.id)
    order = triggers.Order(f"{firm} order", "birthday", 7, offer=f"{firm} gift")
    site.keep("posting", job.id)
    site.keep("trigger", triggers.save(ctx, order))
    if s.store_id is None:
        return
    for kind in (RETURNED, ANSWERED):
        for who in site.ids["customer"]:
            code = f"P{marks.number(site.people)}"[:12]
            scan = scanning.write(ctx, kind, code, job, who)
            assert scan is not None
            site.keep("scan", scan.id)
            site.keep("mail_code", code)
