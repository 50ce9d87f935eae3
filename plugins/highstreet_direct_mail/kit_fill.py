"""What members do with direct mail in the kit's town: they bring codes, and post comes back."""

from typing import Any

from highstreet.sdk import Ctx
from highstreet_direct_mail import posting, scanning, triggers
from highstreet_direct_mail.models import ANSWERED, RETURNED, Posting


def fill(town: Any) -> None:
    """A job and a standing order in each place that writes, scans in each store. Nobody has an
    address there, so the codes are made up."""
    for office in town.brands.values():
        if office.customers == "brand":
            with office.ctx(write=True) as ctx:
                _begin(ctx, office.slug)
    for shop in town.shops:
        with shop.ctx(write=True) as ctx:
            job = _begin(ctx, shop.slug)
            for number, member in enumerate(shop.members):
                for kind in (ANSWERED, RETURNED):
                    code = f"{shop.slug}-{number}{kind[:1]}"[-12:].upper()
                    scanning.write(ctx, kind, code, job, member.id)


def _begin(ctx: Ctx, name: str) -> Posting:
    plan = posting.Plan(f"Letter of {name}", {"not_seen": 60}, offer="A free coffee")
    job = posting.get(ctx, posting.plan(ctx, plan)).job
    posting.select(ctx, job.id)
    triggers.save(ctx, triggers.Order(f"Order of {name}", "birthday", 7))
    return job
