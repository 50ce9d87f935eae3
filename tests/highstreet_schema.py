"""Imports every module that declares tables (rooms that exist; app.py does the same at start)."""

import importlib
import importlib.util

MODELS = (
    "highstreet_tenants.models",
    "highstreet_tenants.people.models",
    "highstreet.jobs.models",
    "highstreet.host.models",
    "highstreet.campaigns.models",
    "highstreet.printing.models",
    "highstreet.customers.models",
    "highstreet.purchases.models",
    "highstreet.timeline.models",
    "highstreet.consent.models",
    "highstreet.segments.models",
    "highstreet.results.models",
    "highstreet.mailings.models",
    "highstreet.imports.models",
    "highstreet.rest.models",
    "highstreet.members.models",
    "highstreet.email.models",
    "highstreet_points_club.models",
)

for name in MODELS:
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    if found is not None:
        importlib.import_module(name)
