"""The rooms of the core, for whoever must know them all: their tables, hooks and jobs."""

import importlib
from collections.abc import Iterator

from highstreet.jobs import JobHandler, Periodic

TABLES = (
    "highstreet_tenants.models",
    "highstreet_tenants.people.models",
    "highstreet_tenants.trail.models",
    "highstreet.jobs.models",
    "highstreet.host.models",
    "highstreet.webhooks.models",
    "highstreet.campaigns.models",
    "highstreet.printing.models",
    "highstreet.customers.models",
    "highstreet.addresses.models",
    "highstreet.timeline.models",
    "highstreet.consent.models",
    "highstreet.purchases.models",
    "highstreet.segments.models",
    "highstreet.results.models",
    "highstreet.mailings.models",
    "highstreet.imports.models",
    "highstreet.rest.models",
    "highstreet.members.models",
    "highstreet.email.models",
)
"""Modules that declare the core's tables."""

HOOKS = (
    ("highstreet.customers.hooks", "CustomerHooks"),
    ("highstreet.purchases.hooks", "PurchaseHooks"),
    ("highstreet.results.hooks", "ResultHooks"),
    ("highstreet.till.hooks", "TillHooks"),
    ("highstreet.audits.hooks", "AuditHooks"),
    ("highstreet.stores.hooks", "StoreHooks"),
    ("highstreet.showcase", "ShowcaseHooks"),
)
"""Classes of hookspecs."""

JOBS = (
    "highstreet.host.retry",
    "highstreet.campaigns.launching",
    "highstreet.webhooks.spreading",
    "highstreet.email.posting",
    "highstreet.mailings.releasing",
    "highstreet.mailings.pressing",
    "highstreet.customers.forgetting",
    "highstreet.rest.sweep",
)
"""Modules whose `JOBS` are the core's own background work."""


def load() -> None:
    """Declare the core's tables. Call it before any plugin is looked at."""
    for name in TABLES:
        importlib.import_module(name)


def specs() -> list[type]:
    """The hookspecs of all rooms."""
    return [getattr(importlib.import_module(module), name) for module, name in HOOKS]


def jobs() -> Iterator[JobHandler | Periodic]:
    """The core's own job handlers and periodic work."""
    for name in JOBS:
        yield from importlib.import_module(name).JOBS
