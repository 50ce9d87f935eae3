"""What members do with the tool in the kit's town."""

from datetime import timedelta
from typing import Any

from highstreet_magazine import forms, issues, publications
from highstreet_magazine.names import PRINT


def fill(town: Any) -> None:
    """Each brand has a publication, and its members choose."""
    for office in {id(shop.office): shop.office for shop in town.shops}.values():
        with office.ctx(write=True) as ctx:
            made = publications.create(ctx, "Club news", "magazine", PRINT)
            if office.customers == "brand":
                at = ctx.now() + timedelta(days=30)
                issues.plan(ctx, made.id, title="Spring", cutoff_at=at, in_home_on=at.date())
    for shop in town.shops:
        for place, member in enumerate(shop.members):
            with shop.ctx(write=True) as ctx:
                publication = publications.numbered(ctx, 1)
                forms.choose(ctx, member.id, publication.id, PRINT, 2 + place)
