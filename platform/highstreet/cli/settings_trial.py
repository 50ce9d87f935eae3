"""``highstreet plugins try``: settings tried on the last month before they are saved."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click
import sqlalchemy as sa
from babel.numbers import format_decimal

from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.i18n import format_locale
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid
from highstreet_tenants.models import Store
from highstreet_tenants.money import format_minor
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.settings import Proposal
    from highstreet.host.trial_sums import Row, Summed, Tried
    from highstreet.host.trying import TriedStores
    from highstreet.house import House

_UNKNOWN = "–"


@click.command("try")
@click.argument("plugin")
@brand_option
@click.option("--store", "store_slug", help="Slug or code; without it the brand's, in each store.")
@click.option(
    "--set",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting as JSON or text; accruals.0.points=3 changes one thing within it.",
)
@click.option("--clear", multiple=True, metavar="KEY", help="A setting to take back.")
@json_option
def try_settings(
    plugin: str,
    brand_slug: str,
    store_slug: str | None,
    given: Sequence[str],
    clear: Sequence[str],
    as_json: bool,
) -> None:
    """Try a tool's settings on last month's purchases; nothing is saved.

    Such as: plugins try points_club --brand B --set accruals.0.points=3. It says what saving them
    would refuse. Exit code 1 where the tool failed at it.
    """
    from highstreet.host import settings, trying
    from highstreet.host.trial_sums import summed

    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with operating(house, brand) as s:
            store = find_store(s, store_slug) if store_slug is not None else None
            at = store.id if store is not None else None
            if trying.offered(s, plugin) is None:
                raise Invalid(_("The settings of this tool can't be tried."))
            values = _values(s, plugin, at, given)
            proposal = settings.propose(s, plugin, values, store_id=at, clear=clear)
            ids = [at] if at else list(s.scalars(sa.select(Store.id).order_by(Store.slug)))
        done = _tried(house, brand.id, ids, proposal, one=at is not None)
        good = [one for one in done.tried if one.outcome is not None]
        if done.tried and not good:
            raise trying.failed(house.host.title(plugin))
        found = summed(good)
        if as_json:
            print_json(_facts(plugin, brand_slug, proposal, done, found))
        else:
            _print(done, good, found, proposal, brand.locale, one=at is not None)
    raise SystemExit(1 if len(good) < len(done.tried) else 0)


def _tried(
    house: House, brand_id: UUID, stores: Sequence[UUID], proposal: Proposal, *, one: bool
) -> TriedStores:
    """In one store it is an error that the tool is off; of many those where it is on are tried."""
    from highstreet.host import trying

    def opened(store_id: UUID) -> AbstractContextManager[ScopedSession]:
        return house.tenancy.session(Scope.store(brand_id, store_id, OPERATOR))

    if not one:
        return trying.run_many(opened, stores, proposal)
    with opened(stores[0]) as s:
        return trying.TriedStores([trying.run(s, proposal)])


def _values(
    s: ScopedSession, plugin: str, store_id: UUID | None, given: Sequence[str]
) -> dict[str, Any]:
    """What was given, as the settings' schema takes it. Raises Invalid."""
    from highstreet import host as hosts
    from highstreet.host import settings

    schema = hosts.of(s).plugins[plugin].plugin.settings
    found: dict[str, Any] = {}
    for one in given:
        path, sign, text = one.partition("=")
        key, *rest = path.split(".")
        if not sign or not key:
            raise Invalid(_("Write settings like expiry_days=90, not “%(text)s”.", text=one[:40]))
        if rest and key not in found and schema is not None and key in schema().fields:
            dumped = schema(only=(key,)).dump(dict(settings.resolve(s, plugin, store_id)))
            found[key] = copy.deepcopy(dumped[key])
        found[key] = _put(found.get(key), rest, _value(text), one)
    return found


def _put(whole: Any, path: Sequence[str], value: Any, said: str) -> Any:
    """`whole` with `value` in the place that `path` names. Raises Invalid for one that is not."""
    if not path:
        return value
    name, *rest = path
    if isinstance(whole, dict):
        return whole | {name: _put(whole.get(name), rest, value, said)}
    if isinstance(whole, list) and name.isdecimal() and int(name) < len(whole):
        number = int(name)
        return [*whole[:number], _put(whole[number], rest, value, said), *whole[number + 1 :]]
    raise Invalid(_("There is no such place in the settings: %(text)s", text=said[:80]))


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _facts(
    plugin: str, brand: str, proposal: Proposal, done: TriedStores, found: Summed
) -> dict[str, Any]:
    return {
        "tool": plugin,
        "brand": brand,
        "changes": {one.key: one.value if one.given else None for one in proposal.changes},
        "facts": [_fact(one) for one in (*found.facts, *found.changes)],
        "lines": [_compared(one) for one in found.lines],
        "parts": [_compared(one) for one in found.parts],
        "notes": found.notes,
        "read": found.read,
        "there": found.there,
        "stores": [_of_store(one) for one in done.tried],
        "not_tried": done.waiting,
    }


def _of_store(one: Tried) -> dict[str, Any]:
    from highstreet.host.trial_sums import summed

    return {
        "store": one.place.slug,
        "first": one.period.first,
        "last": one.period.last,
        "failed": one.outcome is None,
        "unchanged": one.unchanged,
        "lines": [_compared(row) for row in summed([one]).lines],
    }


def _fact(row: Row) -> dict[str, Any]:
    return {"label": row.label, "kind": row.kind, "currency": row.currency, "value": row.now}


def _compared(row: Row) -> dict[str, Any]:
    named = {"label": row.label, "kind": row.kind, "currency": row.currency}
    return {**named, "now": row.now, "proposed": row.proposed, "change": row.change}


def _print(
    done: TriedStores,
    good: Sequence[Tried],
    found: Summed,
    proposal: Proposal,
    locale: str,
    *,
    one: bool,
) -> None:
    from highstreet.host import trial_words
    from highstreet.host.trial_sums import summed

    spans = dict.fromkeys(f"{tried.period.first} – {tried.period.last}" for tried in good)
    if spans:
        click.echo(_("Tried on %(month)s", month=" / ".join(spans)))
    said = [] if one else trial_words.about_stores(done)
    if not proposal.changes:
        said.append(_("Nothing is changed, so both sides are alike."))
    for words in (*said, *trial_words.capped(found)):
        click.echo(words)
    for row in (*found.facts, *found.changes):
        click.echo(f"{row.label}: {_written(row.now, row, locale)}")
    columns = ("", "now", "proposed", "change")
    for rows in (found.lines, found.parts if len(found.parts) > 1 else []):
        if rows:
            click.echo()
            print_table(columns, [(row.label, *_sides(row, locale)) for row in rows], "")
    firsts = [] if one else [(tried, summed([tried]).lines[:1]) for tried in good]
    if any(rows for _tried_one, rows in firsts):
        click.echo()
        lead: Mapping[str, None] = dict.fromkeys(rows[0].label for _one, rows in firsts if rows)
        click.echo(_("By store: %(what)s", what=" / ".join(lead)))
        print_table(
            ("store", *columns[1:]),
            [(tried.place.slug, *_sides(rows[0], locale)) for tried, rows in firsts if rows],
            "",
        )
    for note in found.notes:
        click.echo(note)


def _sides(row: Row, locale: str) -> tuple[str, str, str]:
    change = _written(row.change, row, locale)
    sign = "+" if row.change is not None and row.change > 0 else ""
    return _written(row.now, row, locale), _written(row.proposed, row, locale), f"{sign}{change}"


def _written(value: int | None, row: Row, locale: str) -> str:
    if value is None:
        return _UNKNOWN
    written = format_locale(locale)
    if row.kind == "money":
        return format_minor(value, row.currency, str(written))
    return str(format_decimal(value, locale=written)).replace("-", "−")
