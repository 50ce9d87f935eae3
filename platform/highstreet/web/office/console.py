"""All pages of a head-office console: importing them puts them on its blueprint."""

from highstreet.web.office import factor, onboarding, policy, results, storelist
from highstreet.web.office.pages import office

__all__ = ["factor", "office", "onboarding", "policy", "results", "storelist"]
