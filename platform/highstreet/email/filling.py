"""Filling in what a message says of each person: the house's texts with merge fields."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from highstreet import templating
from highstreet.email.cleaning import LINKS, LIQUID
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

_TAG = re.compile(r"\{%-?\s*(\w+)\s*([\w.]*)")


def check(text: str, fields: Collection[str], where: str) -> None:
    """Raises Invalid for a template that can't be filled, or asks for what there is not."""
    if wrong := templating.check(text, fields):
        raise Invalid(" ".join(wrong), fields={where: wrong})


def check_html(html: str) -> None:
    """Raises Invalid for Liquid that would go past the cleaning: text printed as it stands, or
    another address under the name of one of ours."""
    for found in LIQUID.finditer(html):
        tag = _TAG.match(found[0])
        if tag is None:
            continue
        if tag[1] == "raw" or tag[2] in LINKS:
            words = _("This can't stand in a message’s HTML: %(what)s", what=found[0][:80])
            raise Invalid(words, fields={"html": [words]})


def plain(text: str, values: Mapping[str, Any]) -> str:
    """A template filled in, for plain text. Raises Invalid."""
    return templating.render(text, values)


def html(text: str, values: Mapping[str, Any]) -> str:
    """A template filled in, for HTML: values are escaped. Raises Invalid."""
    return templating.render(text, values, html=True)
