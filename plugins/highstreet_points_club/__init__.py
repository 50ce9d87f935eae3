"""The points club: members earn with each purchase and spend on rewards or money off.

ledger and programme are pure; accounts, writing and the verbs beside them keep the tables;
hooks, till, slots, screens and api are what others see of it.
"""

from highstreet.sdk import NavEntry, Plugin
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import (
    api,
    books,
    campaigns,
    events,
    fields,
    hooks,
    jobs,
    models,
    notices,
    office,
    openings,
    screens,
    slots,
    statements,
    trial,
    typesetting,
    verbs,
)
from highstreet_points_club.settings import ProgrammeSchema

plugin = Plugin(
    name="points_club",
    hooks=hooks.Hooks(),
    settings=ProgrammeSchema,
    trial=trial.TRIAL,
    migrations="highstreet_points_club.migrations",
    screens=(screens.store, office.office, statements.member),
    api=(api.blueprint,),
    jobs=jobs.JOBS,
    periodic=jobs.PERIODIC,
    nav=(
        NavEntry(_l("Points club"), "points_club-store.overview", "today.view", "star", "store"),
        NavEntry(
            _l("Points club"),
            "points_club-office.office_overview",
            "results.view",
            "star",
            "office",
        ),
    ),
    slots=slots.SLOTS,
    imports=(openings.BALANCES,),
    verbs=verbs.VERBS,
    campaigns=campaigns.ACTIONS,
    checks=(typesetting.fonts,),
    fields=fields.FIELDS,
    events=events.EVENTS,
    notices=notices.NOTICES,
    actions={"points_club.corrected": _l("Points corrected")},
    translations="translations",
)

__all__ = ["books", "models", "plugin"]
