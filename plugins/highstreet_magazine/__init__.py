"""The magazine: who gets it in which form and edition, one copy per household, and its cost.

forms keeps what members chose; running works an issue out as mailings of the core; counting,
listing and costs tell of it. screens, office and api are what others see.
"""

from highstreet.sdk import NavEntry, Plugin
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import (
    api,
    fields,
    hooks,
    imports,
    issue_pages,
    jobs,
    models,
    office,
    screens,
    slots,
    verbs,
)
from highstreet_magazine.settings import MagazineSchema

plugin = Plugin(
    name="magazine",
    hooks=hooks.Hooks(),
    settings=MagazineSchema,
    migrations="highstreet_magazine.migrations",
    screens=(screens.store, office.office, screens.member),
    api=(api.blueprint,),
    jobs=jobs.JOBS,
    nav=(
        NavEntry(_l("Magazine"), "magazine-store.overview", "magazine.read", "book", "store"),
        NavEntry(_l("Magazine"), "magazine-office.overview", "magazine.read", "book", "office"),
    ),
    slots=slots.SLOTS,
    imports=(imports.SUBSCRIPTIONS,),
    verbs=verbs.VERBS,
    fields=fields.FIELDS,
    actions={
        "magazine.publication": _l("Publication changed"),
        "magazine.edition": _l("Editions changed"),
        "magazine.planned": _l("Issue planned"),
        "magazine.discarded": _l("Issue thrown away"),
        "magazine.approved": _l("Issue approved"),
        "magazine.released": _l("Issue released"),
        "magazine.paused": _l("Issue paused"),
        "magazine.resumed": _l("Issue resumed"),
        "magazine.stopped": _l("Issue stopped"),
        "magazine.listed": _l("Mailing list or labels taken"),
        "magazine.cost": _l("Cost of an issue written down"),
    },
    translations="translations",
)

__all__ = ["issue_pages", "models", "plugin"]
