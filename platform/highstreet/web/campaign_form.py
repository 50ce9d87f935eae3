"""The form in which head office writes a campaign, and a store changes what it may of the terms.

Terms are made from the action's marshmallow schema, as settings are from a tool's.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from marshmallow import fields, missing
from msgspec import Struct, field
from werkzeug.datastructures import MultiDict

from highstreet.campaigns import standing
from highstreet.campaigns.drafting import CampaignIn
from highstreet.campaigns.models import Campaign
from highstreet.host.campaign_actions import CampaignAction
from highstreet.i18n import gettext as _
from highstreet.web import settings_form, settings_read
from highstreet.web.forms import Form
from highstreet.web.settings_form import Item
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Region, Store
from highstreet_tenants.sessions import ScopedSession

NAMES = ("name", "description", "first_day", "last_day", "participation", "reach", "stores", "seen")


class Bound(Struct):
    """A term that stores may change: whether they do, and from where to where (numbers only)."""

    item: Item
    given: bool
    low: Item | None = None
    high: Item | None = None


class Page(Struct):
    """What the form shows. regions: (id, name, ticked)."""

    action: CampaignAction
    form: Form
    items: list[Item]
    bounds: list[Bound]
    regions: list[tuple[str, str, bool]]
    stores: int
    unread: dict[str, list[str]] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, tuple[str, str]]:
        """Fields in errors → (id of the input, what it is called)."""
        found = {
            "name": ("name", _("Name")),
            "description": ("description", _("What it is about")),
            "first_day": ("first_day", _("First day")),
            "last_day": ("last_day", _("Last day")),
            "participation": ("participation-opt_out", _("Taking part")),
            "reach": ("reach-brand", _("Which stores")),
            "regions": ("reach-regions", _("Regions")),
            "stores": ("stores", _("Stores")),
        }
        for one in self.items:
            found[f"terms.{one.path}"] = (one.id, one.label)
        for bound in self.bounds:
            found[f"bounds.{bound.item.path}"] = (f"bound-{bound.item.path}", bound.item.label)
        return found


def items_of(action: CampaignAction, values: Mapping[str, Any], currency: str) -> list[Item]:
    """Inputs for an action's terms, with values or the schema's own."""
    found = []
    for name, one in action.terms().fields.items():
        value = values.get(name, missing)
        if value is missing:
            value = one.load_default
            value = None if value is missing else value() if callable(value) else value
        found.append(settings_form.make(name, one, value, currency))
    return found


def page(
    s: ScopedSession, action: CampaignAction, campaign: Campaign | None, currency: str
) -> Page:
    """The form of a campaign, or of a new one."""
    form = Form({}, NAMES)
    values: Mapping[str, Any] = {}
    store_fields: Mapping[str, Any] = {}
    ticked: frozenset[UUID] = frozenset()
    if campaign is None:
        form.values |= {"participation": "opt_out", "reach": "brand"}
    else:
        values, store_fields = campaign.terms, campaign.store_fields
        reach = standing.reach_of(s, campaign)
        ticked = reach.regions
        codes = sa.select(Store.code).where(Store.id.in_(reach.stores)).order_by(Store.code)
        form.values |= {
            "name": campaign.name,
            "description": campaign.description,
            "first_day": campaign.first_day.isoformat(),
            "last_day": campaign.last_day.isoformat(),
            "participation": campaign.participation,
            "reach": campaign.reach,
            "stores": "\n".join(s.scalars(codes)) if reach.stores else "",
            "seen": campaign.changed_at.isoformat(),
        }
    items = items_of(action, values, currency)
    bounds = [
        _bound(one, store_fields.get(one.path), currency)
        for one in items
        if one.path in action.store_may
    ]
    regions = [
        (str(row.id), row.name, row.id in ticked)
        for row in s.execute(sa.select(Region.id, Region.name).order_by(Region.name))
    ]
    stores = s.scalar(sa.select(sa.func.count(Store.id))) or 0
    return Page(action, form, items, bounds, regions, stores)


def _bound(item: Item, given: Mapping[str, Any] | None, currency: str) -> Bound:
    if not isinstance(item.one, fields.Integer):
        return Bound(item, given is not None)
    low, high = (
        settings_form.make(f"{key}.{item.path}", item.one, (given or {}).get(side), currency)
        for key, side in (("low", "min"), ("high", "max"))
    )
    low.label, high.label, low.hint, high.hint = _("from"), _("to"), "", ""
    return Bound(item, given is not None, low, high)


def read(s: ScopedSession, shown: Page, sent: MultiDict[str, str]) -> CampaignIn:
    """What was sent; notes what can't be read in the page's errors. Raises Invalid for it."""
    shown.form.values |= Form(sent, NAMES).values
    form = shown.form
    days: dict[str, date] = {}
    for name in ("first_day", "last_day"):
        with form.noting(name):
            day = form.date_of(name)
            if day is None:
                words = _("This is needed.")
                raise Invalid(words, fields={name: [words]})
            days[name] = day
    values = terms_sent(shown.items, sent, form)
    bounds = {
        bound.item.path: _bounds_sent(bound, sent, form)
        for bound in shown.bounds
        if f"bound-{bound.item.path}" in sent
    }
    ticked = set(sent.getlist("regions"))
    shown.regions = [(key, name, key in ticked) for key, name, _was in shown.regions]
    for bound in shown.bounds:
        bound.given = f"bound-{bound.item.path}" in sent
    stores = _stores_sent(s, form) if form["reach"] == "stores" else []
    if form.errors:
        raise Invalid(_("The campaign can’t be so. Nothing was saved."))
    return CampaignIn(
        name=form["name"],
        action=shown.action.name,
        first_day=days["first_day"],
        last_day=days["last_day"],
        participation=form["participation"],
        terms=values,
        description=form["description"],
        bounds=bounds,
        reach=form["reach"],
        regions=[UUID(key) for key, _name, on in shown.regions if on],
        stores=stores,
    )


def terms_sent(items: Sequence[Item], sent: MultiDict[str, str], form: Form) -> dict[str, Any]:
    """Values of terms as the schema takes them; what can't be read is noted in the form."""
    values = {}
    for item in items:
        value, wrong = _sent(item, sent)
        if wrong:
            form.errors.setdefault(f"terms.{item.path}", []).extend(wrong)
        if value is not missing:
            values[item.path] = value
    settings_read.fill(items, sent)
    return values


def _sent(item: Item, sent: MultiDict[str, str]) -> tuple[Any, list[str]]:
    """(the value, `missing` for one that was left empty; what is wrong with it)."""
    answer = settings_read.read([Item(item.path, "", item.kind, item.one, currency=item.currency,
                                      options=item.options, items=item.items)], sent)  # fmt: skip
    value = answer.values.get(item.path, missing)
    if item.kind == "tick":
        value = item.id in sent
    elif value is None:
        value = missing
    return value, [word for words in answer.unread.values() for word in words]


def _bounds_sent(bound: Bound, sent: MultiDict[str, str], form: Form) -> dict[str, Any]:
    found = {}
    for side, item in (("min", bound.low), ("max", bound.high)):
        if item is None:
            continue
        answer = settings_read.read(
            [Item(item.path, "", item.kind, item.one, currency=item.currency)], sent
        )
        wrong = [word for words in answer.unread.values() for word in words]
        if wrong:
            form.errors.setdefault(f"bounds.{bound.item.path}", []).extend(wrong)
        found[side] = answer.values.get(item.name)
        item.value = sent.get(item.id, "")
    return found


def _stores_sent(s: ScopedSession, form: Form) -> list[UUID]:
    """Ids of the stores whose numbers were typed, one on each line or with commas."""
    codes = [one for one in form["stores"].replace(",", "\n").split() if one]
    known = {
        row.code: row.id
        for row in s.execute(sa.select(Store.code, Store.id).where(Store.code.in_(codes)))
    }
    strange = [code for code in codes if code not in known]
    if strange:
        words = _("There are no stores with these numbers: %(codes)s.", codes=", ".join(strange))
        form.errors.setdefault("stores", []).append(words)
    return [known[code] for code in codes if code in known]
