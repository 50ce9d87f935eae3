"""The points club: members earn with each purchase and spend on rewards or money off.

ledger and programme are pure; accounts, writing and the verbs beside them keep the tables;
hooks, till, screens and api are what others see of it.
"""

from highstreet.sdk import Plugin
from highstreet_points_club import hooks, jobs, models
from highstreet_points_club.settings import ProgrammeSchema

plugin = Plugin(
    name="points_club",
    hooks=hooks.Hooks(),
    settings=ProgrammeSchema,
    migrations="highstreet_points_club.migrations",
    jobs=jobs.JOBS,
    periodic=jobs.PERIODIC,
)

__all__ = ["models", "plugin"]
