"""All pages of mailings: importing them puts them on their blueprint."""

from highstreet.web.mailings import deeds, form, pages, papers, scan
from highstreet.web.mailings.pages import mailings

__all__ = ["deeds", "form", "mailings", "pages", "papers", "scan"]
