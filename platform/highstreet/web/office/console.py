"""All pages of a head-office console: importing them puts them on its blueprint."""

from highstreet.web.office import (
    campaigns,
    contactrules,
    factor,
    mail,
    onboarding,
    policy,
    prints,
    results,
    storelist,
    toolhealth,
)
from highstreet.web.office.pages import office

__all__ = [
    "campaigns",
    "contactrules",
    "factor",
    "mail",
    "office",
    "onboarding",
    "policy",
    "prints",
    "results",
    "storelist",
    "toolhealth",
]
