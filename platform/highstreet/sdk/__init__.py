"""All that a tool may import; what is not here is not public and may change without notice.

Names are loaded when first used, so that importing the sdk costs next to nothing: a tool's models
need neither Flask nor the rooms. `docs/reference/sdk.md` lists all with their arguments,
`docs/plugins.md` shows them in use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from highstreet.audits.hooks import Audited, Difference
    from highstreet.campaigns.running import Running
    from highstreet.customers.facts import CustomerFact
    from highstreet.customers.hooks import SummaryRow
    from highstreet.host.access import public, requires
    from highstreet.host.campaign_actions import CampaignAction
    from highstreet.host.customer_fields import CustomerField
    from highstreet.host.dispatch import Refused
    from highstreet.host.event_types import EventType
    from highstreet.host.facts import BrandFacts
    from highstreet.host.notices import Notice
    from highstreet.host.plans import Answer
    from highstreet.host.plugin import Finding, NavEntry, Plugin, Verb
    from highstreet.host.settings import Resolved
    from highstreet.host.settings_trial import (
        SettingsTrial,
        TrialFact,
        TrialLine,
        TrialOutcome,
        TrialPeriod,
    )
    from highstreet.host.shops import Shop
    from highstreet.host.snapshot import Place
    from highstreet.host.spec import hookimpl
    from highstreet.host.taking import Cells, ImportDone, ImportKind, ImportRow
    from highstreet.i18n import (
        LazyText,
        format_day,
        format_locale,
        gettext,
        lazy_gettext,
        ngettext,
        parse_amount,
        pgettext,
    )
    from highstreet.jobs import JobError, JobHandler, Periodic
    from highstreet.mailings.facts import LeaveOut, MailingIn
    from highstreet.purchases.facts import (
        LineFact,
        LineIn,
        PurchaseFact,
        PurchaseIn,
        ReturnFact,
        ReturnIn,
        ReturnLineIn,
    )
    from highstreet.purchases.source import bought
    from highstreet.results.hooks import Figure, Sums
    from highstreet.sdk.blueprints import api, screens
    from highstreet.sdk.context import Ctx, ctx_of
    from highstreet.sdk.requests import current, open_ctx, open_totals
    from highstreet.sdk.ways import address, go_on
    from highstreet.spreadsheet import as_csv
    from highstreet.stores.hooks import Owed
    from highstreet.till.hooks import Club, Deed, Deeds, Reward
    from highstreet.timeline.queries import Entry
    from highstreet.timeline.service import EntryIn
    from highstreet.webhooks.outbox import Happened
    from highstreet_tenants import aggregates, append_only, bulk, clock, ids, money
    from highstreet_tenants.base import Base, BrandOwned, StoreOwned, UTCDateTime, brand_fk
    from highstreet_tenants.cards import refuse_payment_cards
    from highstreet_tenants.clock import business_date, now
    from highstreet_tenants.errors import (
        Conflict,
        Forbidden,
        HighstreetError,
        Invalid,
        NotFound,
        ToolOff,
        TooMany,
        Unauthenticated,
        Unavailable,
        WallBreach,
    )
    from highstreet_tenants.ids import new_id
    from highstreet_tenants.money import Money, format_minor, minor_digits, parse_minor
    from highstreet_tenants.scopes import Actor, Scope
    from highstreet_tenants.sessions import ScopedSession
    from highstreet_tenants.statements import Statement, own

_TENANTS = "highstreet_tenants"
_ERRORS = f"{_TENANTS}.errors"

#: Where each name lives. A whole module is given as itself.
_PLACES: dict[str, str] = {
    **dict.fromkeys(("aggregates", "append_only", "bulk", "clock", "ids", "money"), _TENANTS),
    **dict.fromkeys(
        ("Base", "BrandOwned", "StoreOwned", "UTCDateTime", "brand_fk"), f"{_TENANTS}.base"
    ),
    "refuse_payment_cards": f"{_TENANTS}.cards",
    **dict.fromkeys(("business_date", "now"), f"{_TENANTS}.clock"),
    **dict.fromkeys(
        (
            "Conflict",
            "Forbidden",
            "HighstreetError",
            "Invalid",
            "NotFound",
            "ToolOff",
            "TooMany",
            "Unauthenticated",
            "Unavailable",
            "WallBreach",
        ),
        _ERRORS,
    ),
    "new_id": f"{_TENANTS}.ids",
    **dict.fromkeys(("Money", "format_minor", "minor_digits", "parse_minor"), f"{_TENANTS}.money"),
    **dict.fromkeys(("Actor", "Scope"), f"{_TENANTS}.scopes"),
    "ScopedSession": f"{_TENANTS}.sessions",
    **dict.fromkeys(("Statement", "own"), f"{_TENANTS}.statements"),
    **dict.fromkeys(("Audited", "Difference"), "highstreet.audits.hooks"),
    "Running": "highstreet.campaigns.running",
    "CustomerFact": "highstreet.customers.facts",
    "SummaryRow": "highstreet.customers.hooks",
    **dict.fromkeys(("public", "requires"), "highstreet.host.access"),
    "CampaignAction": "highstreet.host.campaign_actions",
    "CustomerField": "highstreet.host.customer_fields",
    "Refused": "highstreet.host.dispatch",
    "EventType": "highstreet.host.event_types",
    "BrandFacts": "highstreet.host.facts",
    "Notice": "highstreet.host.notices",
    "Answer": "highstreet.host.plans",
    **dict.fromkeys(("Finding", "NavEntry", "Plugin"), "highstreet.host.plugin"),
    "Resolved": "highstreet.host.settings",
    **dict.fromkeys(
        ("SettingsTrial", "TrialFact", "TrialLine", "TrialOutcome", "TrialPeriod"),
        "highstreet.host.settings_trial",
    ),
    "Place": "highstreet.host.snapshot",
    "Shop": "highstreet.host.shops",
    "hookimpl": "highstreet.host.spec",
    "Verb": "highstreet.host.verbs",
    **dict.fromkeys(("Cells", "ImportDone", "ImportKind", "ImportRow"), "highstreet.host.taking"),
    **dict.fromkeys(
        (
            "LazyText",
            "format_day",
            "format_locale",
            "gettext",
            "lazy_gettext",
            "ngettext",
            "parse_amount",
            "pgettext",
        ),
        "highstreet.i18n",
    ),
    **dict.fromkeys(("JobError", "JobHandler", "Periodic"), "highstreet.jobs"),
    **dict.fromkeys(("LeaveOut", "MailingIn"), "highstreet.mailings.facts"),
    **dict.fromkeys(
        (
            "LineFact",
            "LineIn",
            "PurchaseFact",
            "PurchaseIn",
            "ReturnFact",
            "ReturnIn",
            "ReturnLineIn",
        ),
        "highstreet.purchases.facts",
    ),
    "bought": "highstreet.purchases.source",
    **dict.fromkeys(("Figure", "Sums"), "highstreet.results.hooks"),
    **dict.fromkeys(("api", "screens"), "highstreet.sdk.blueprints"),
    **dict.fromkeys(("Ctx", "ctx_of"), "highstreet.sdk.context"),
    **dict.fromkeys(("current", "open_ctx", "open_totals"), "highstreet.sdk.requests"),
    **dict.fromkeys(("address", "go_on"), "highstreet.sdk.ways"),
    "as_csv": "highstreet.spreadsheet",
    "Owed": "highstreet.stores.hooks",
    **dict.fromkeys(("Club", "Deed", "Deeds", "Reward"), "highstreet.till.hooks"),
    "Entry": "highstreet.timeline.queries",
    "EntryIn": "highstreet.timeline.service",
    "Happened": "highstreet.webhooks.outbox",
}

__all__ = [
    "Actor",
    "Answer",
    "Audited",
    "Base",
    "BrandFacts",
    "BrandOwned",
    "CampaignAction",
    "Cells",
    "Club",
    "Conflict",
    "Ctx",
    "CustomerFact",
    "CustomerField",
    "Deed",
    "Deeds",
    "Difference",
    "Entry",
    "EntryIn",
    "EventType",
    "Figure",
    "Finding",
    "Forbidden",
    "Happened",
    "HighstreetError",
    "ImportDone",
    "ImportKind",
    "ImportRow",
    "Invalid",
    "JobError",
    "JobHandler",
    "LazyText",
    "LeaveOut",
    "LineFact",
    "LineIn",
    "MailingIn",
    "Money",
    "NavEntry",
    "NotFound",
    "Notice",
    "Owed",
    "Periodic",
    "Place",
    "Plugin",
    "PurchaseFact",
    "PurchaseIn",
    "Refused",
    "Resolved",
    "ReturnFact",
    "ReturnIn",
    "ReturnLineIn",
    "Reward",
    "Running",
    "Scope",
    "ScopedSession",
    "SettingsTrial",
    "Shop",
    "Statement",
    "StoreOwned",
    "SummaryRow",
    "Sums",
    "TooMany",
    "ToolOff",
    "TrialFact",
    "TrialLine",
    "TrialOutcome",
    "TrialPeriod",
    "UTCDateTime",
    "Unauthenticated",
    "Unavailable",
    "Verb",
    "WallBreach",
    "address",
    "aggregates",
    "api",
    "append_only",
    "as_csv",
    "bought",
    "brand_fk",
    "bulk",
    "business_date",
    "clock",
    "ctx_of",
    "current",
    "format_day",
    "format_locale",
    "format_minor",
    "gettext",
    "go_on",
    "hookimpl",
    "ids",
    "lazy_gettext",
    "minor_digits",
    "money",
    "new_id",
    "ngettext",
    "now",
    "open_ctx",
    "open_totals",
    "own",
    "parse_amount",
    "parse_minor",
    "pgettext",
    "public",
    "refuse_payment_cards",
    "requires",
    "screens",
]


def __getattr__(name: str) -> Any:
    try:
        place = _PLACES[name]
    except KeyError:
        raise AttributeError(
            f"the sdk has no {name!r}; docs/reference/sdk.md lists what it has"
        ) from None
    value = (
        import_module(f"{place}.{name}")
        if place == _TENANTS
        else getattr(import_module(place), name)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
