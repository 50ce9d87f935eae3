"""Settings tried before they are saved, as the set-up pages of stores and head office show it."""

from contextlib import AbstractContextManager
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.host import settings, trial_words, trying
from highstreet.host.settings import Proposal
from highstreet.host.settings_trial import Kind
from highstreet.host.trial_sums import Row, Tried, summed
from highstreet.i18n import gettext as _
from highstreet.web import formats, toolfaces
from highstreet.web.current import current
from highstreet.web.settings_read import Answer
from highstreet_tenants.aggregates import SMALLEST_CELL
from highstreet_tenants.models import Region, Store
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

UNKNOWN = "–"


class Line(Struct, frozen=True):
    """A row of a table, as written: a label, both sides and the difference."""

    label: str
    now: str
    proposed: str
    change: str
    note: str = ""


class Shown(Struct):
    """A trial as the page shows it. lead: what the stores' table counts; stores: none in a store.

    said: what to know before the figures; notes: what is left out.
    """

    heading: str
    figures: list[dict[str, str]]
    lines: list[Line]
    parts: list[Line]
    notes: list[str]
    said: list[str] = field(default_factory=list)
    lead: str = ""
    stores: list[Line] = field(default_factory=list)


def offer(tool: str) -> str:
    """What the button says; empty where the tool offers no trial."""
    trial = current.house.host.plugins[tool].plugin.trial
    return str(trial.label) if trial is not None else ""


def in_store(tool: str, answer: Answer) -> Shown:
    """What was typed, tried in the store at hand. Raises what saving raises, and TrialFailed."""
    with current.session() as s:
        proposal = settings.propose(s, tool, answer.values, clear=answer.clear)
        # Head office may come here, too, also where the people are the store's.
        hide = not current.may("store.results")
        tried = trying.run(s, proposal, hide=hide)
    if tried.outcome is None:
        raise _failed(tool)
    shown = _shown([tried], proposal)
    if hide:
        shown.notes.append(_few())
    return shown


def in_stores(tool: str, answer: Answer, region: Region | None) -> Shown:
    """What was typed at head office or for a region, tried in each of the stores where the tool is
    on. Raises what saving raises, and TrialFailed where it failed in all of them."""
    place = current.place
    with current.session() as s:
        proposal = settings.propose(
            s,
            tool,
            answer.values,
            region_id=region.id if region else None,
            lock=answer.lock,
            unlock=answer.unlock,
            clear=answer.clear,
        )
        stores = sa.select(Store.id).order_by(Store.name, Store.id)
        if region is not None:
            stores = stores.where(Store.region_id == region.id)
        ids = list(s.scalars(stores))
    hide = not place.scope.reaches_stores(personal=True)
    done = trying.run_many(partial(_opened, place.brand.id), ids, proposal, hide=hide)
    good = [one for one in done.tried if one.outcome is not None]
    if done.tried and not good:
        raise _failed(tool)
    shown = _shown(good, proposal)
    shown.said += trial_words.about_stores(done)
    shown.stores = [_of_store(one) for one in good]
    if hide:
        shown.notes.append(_few())
    return shown


def _opened(brand_id: UUID, store_id: UUID) -> AbstractContextManager[ScopedSession]:
    scope = Scope.store(brand_id, store_id, current.actor)
    return current.house.tenancy.session(scope)


def _failed(tool: str) -> trying.TrialFailed:
    return trying.failed(toolfaces.face(current.house.host, tool).title)


def _few() -> str:
    return _("“–”: fewer than %(least)s people, so that nobody can be made out.",
             least=SMALLEST_CELL)  # fmt: skip


def _shown(tried: list[Tried], proposal: Proposal) -> Shown:
    found = summed(tried)
    months = list(dict.fromkeys(formats.month(one.period.first) for one in tried))
    heading = _("Tried on %(month)s", month=" / ".join(months)) if months else _("Tried")
    shown = Shown(
        heading,
        [
            {"label": one.label, "value": _written(one.now, one.kind, one.currency)}
            for one in (*found.facts, *found.changes)
        ],
        [_line(one) for one in found.lines],
        [_line(one) for one in found.parts] if len(found.parts) > 1 else [],
        list(found.notes),
        lead=found.lines[0].label if found.lines else "",
    )
    if not proposal.changes:
        shown.said.append(_("Nothing is changed in the form yet, so both sides are alike."))
    shown.said += trial_words.capped(found)
    return shown


def _of_store(one: Tried) -> Line:
    lines = summed([one]).lines
    note = _("set otherwise there") if one.unchanged else ""
    if not lines:
        return Line(one.place.name, UNKNOWN, UNKNOWN, UNKNOWN, note)
    row = _line(lines[0])
    return Line(one.place.name, row.now, row.proposed, row.change, note)


def _line(row: Row) -> Line:
    return Line(
        row.label,
        _written(row.now, row.kind, row.currency),
        _written(row.proposed, row.kind, row.currency),
        _changed(row),
    )


def _written(value: int | None, kind: Kind, currency: str) -> str:
    if value is None:
        return UNKNOWN
    return formats.money(value, currency) if kind == "money" else formats.num(value)


def _changed(row: Row) -> str:
    change = row.change
    if change is None:
        return UNKNOWN
    if row.kind != "money" or not change:
        return formats.signed(change) if row.kind != "money" else "0"
    sign = "+" if change > 0 else ""
    return f"{sign}{formats.money(change, row.currency)}"
