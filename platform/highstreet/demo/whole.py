"""The whole Complete Journey as one brand more: every household, purchase, campaign and answer.

Takes the folder of the original files, and goes in as any chain's own files would: by imports.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from highstreet.blueprints import apply as blueprints
from highstreet.demo import history
from highstreet.demo.extract import DATA
from highstreet.demo.replay import DEMO
from highstreet.host import policy
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet.imports.mapping import FileMapping
from highstreet.imports.opening import Beside
from highstreet.imports.run import run
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Scope

BLUEPRINT = DATA / "whole.toml"
SLUG = "complete-journey"
NEEDED = (
    "households.csv", "baskets.csv.gz", "lines.csv.gz", "products.csv.gz", "campaigns.csv",
    "campaign_households.csv", "coupon_redemptions.csv",
)  # fmt: skip

Tell = Callable[[str], None]


def build(house: House, folder: Path, tell: Tell = lambda _what: None) -> Brand:
    """Make the brand, or go on where a run was stopped; ``tell`` hears what is done next.

    Raises Invalid for a folder in which a file is missing.
    """
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise Invalid(
            _(
                "%(folder)s is not the Complete Journey: %(files)s is not there.",
                folder=folder,
                files=", ".join(missing),
            )
        )
    tell(SLUG)
    blueprints.apply(house.tenancy, house.host, BLUEPRINT, actor=DEMO)
    with house.tenancy.control() as s:
        brand = s.scalars(sa.select(Brand).where(Brand.slug == SLUG)).one()
    with house.tenancy.session(Scope.brand(brand, DEMO), write=True) as s:
        for tool in house.host.plugins:
            policy.set_policy(s, tool, "default_on")
    tell("households.csv")
    home = FileMapping(defaults={"store": "367"})
    run(house.tenancy, brand, "customers", folder / "households.csv", mapping=home, actor=DEMO)
    tell("baskets.csv.gz")
    beside = Beside(lines=folder / "lines.csv.gz", products=folder / "products.csv.gz")
    run(
        house.tenancy, brand, "purchases", folder / "baskets.csv.gz", beside=beside,
        create_stores=True, actor=DEMO,
    )  # fmt: skip
    tell("campaigns.csv")
    history.take_over(house, brand, history.pieces(folder), DEMO)
    return brand
