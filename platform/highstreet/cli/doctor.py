"""``highstreet plugins show`` and ``doctor``: what a tool is, and all that is wrong with tools."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa
from jinja2 import Environment, TemplateSyntaxError
from msgspec import Struct
from msgspec.structs import asdict

from highstreet.cli.base import (
    find_brand,
    json_option,
    open_house,
    operating,
    print_json,
    print_table,
)
from highstreet.cli.base import telling_of_the_database as telling
from highstreet.host import agreements, counts, declared, faults, owed, settings, state
from highstreet.host.manifest import CAPABILITIES
from highstreet.host.registry import Loaded
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import HighstreetError, Unavailable
from highstreet_tenants.models import Brand
from highstreet_tenants.sessions import ScopedSession

#: Days that `show` looks back.
WEEK = 7
#: How each reason to set a tool aside is put right.
MEND = {
    "entry-point": "Its author names the package in setup.cfg (NAME = PACKAGE); install it anew.",
    "manifest": "Its author mends plugin.toml (docs: Writing a tool, plugin.toml).",
    "version": "Install a version of the tool, or of Highstreet, that fits.",
    "duplicate-entry-point": "Uninstall all but one (pip uninstall PACKAGE).",
    "duplicate-name": "Uninstall all but one (pip uninstall PACKAGE).",
    "name-mismatch": "Its author gives entry point, manifest and Plugin object one name.",
    "missing-dependency": "Install the tool that it needs, or mend that first.",
    "cycle": "Its author takes one of the needs away.",
    "import-error": "Install what it lacks; otherwise its author mends it.",
    "no-plugin": "Its author puts an object called plugin into the package.",
    "tables": "Its author mends the tables (docs: Writing a tool, Tables).",
    "contribution": "Its author mends what it brings (docs: Writing a tool).",
    "hooks": "Its author mends the hooks (docs: Writing a tool, Hooks).",
    "safe-mode": "Start without --safe-mode.",
    "unready": "Run highstreet migrate. Then wait half a minute.",
    "migration": "Install a version that is mended; then run highstreet migrate.",
}


class Ailment(Struct, frozen=True):
    """One thing that is wrong with a tool. what: a slug; where: a brand's slug, or empty."""

    tool: str
    what: str
    detail: str
    mend: str
    where: str = ""


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Everything that is wrong with every tool, and how to mend it.

    Exit code 1 if anything is.
    """
    with open_house(ready=False, faces=False) as house:
        found = list(_ailments(house))
    if as_json:
        print_json({"fine": not found, "found": [asdict(one) for one in found]})
    else:
        for one in found:
            where = f" ({one.where})" if one.where else ""
            click.echo(f"{one.tool}{where}: {one.what}: {one.detail}\n  → {one.mend}")
        if not found:
            click.echo(_("All tools are well."))
    raise SystemExit(1 if found else 0)


def _ailments(house: House) -> Iterator[Ailment]:
    try:
        with telling():
            core = house.look_at_tables()
    except HighstreetError as error:
        yield Ailment("core", "database", error.detail, "See: highstreet check")
        core = False
    failures = house.failures() if house.host.unready else {}
    for bad in house.host.quarantined.values():
        detail, mend = str(bad.detail), MEND[bad.reason]
        if bad.reason == "unready" and bad.name in failures:
            detail = f"its migration failed: {failures[bad.name].why}"
            mend = MEND["migration"]
        yield Ailment(bad.name, bad.reason, detail, mend)
    for loaded in house.host.plugins.values():
        yield from _of_loaded(loaded)
    if not core:
        yield Ailment("core", "tables", "the core's tables are not up to date", MEND["unready"])
        return
    with house.tenancy.control() as c:
        brands = list(c.scalars(sa.select(Brand).order_by(Brand.slug)))
    for brand in brands:
        with operating(house, brand) as s:
            yield from _in_brand(house, s, brand)


def _of_loaded(loaded: Loaded) -> Iterator[Ailment]:
    for check in loaded.plugin.checks:
        try:
            for finding in check():
                if not finding.fine:
                    yield Ailment(loaded.name, "check", finding.what, finding.advice)
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            yield Ailment(loaded.name, "check", detail, "Its author mends its check.")
    for blueprint in loaded.plugin.screens:
        if blueprint.template_folder is None:
            continue
        folder = Path(blueprint.root_path, blueprint.template_folder)
        for path in sorted(folder.rglob("*.html")):
            try:
                Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(
                    path.read_text(encoding="utf-8")
                )
            except (TemplateSyntaxError, UnicodeDecodeError) as error:
                at = f"{path.relative_to(folder)}:{getattr(error, 'lineno', '?')}: {error}"
                yield Ailment(loaded.name, "template", at, "Its author mends the template.")


def _in_brand(house: House, s: ScopedSession, brand: Brand) -> Iterator[Ailment]:
    mend = "Set it anew; until then the level above it holds."
    for name, loaded in house.host.plugins.items():
        if loaded.plugin.settings is not None:
            for key, why in settings.resolve(s, name).problems.items():
                yield Ailment(name, "setting", f"{key}: {why}", mend, brand.slug)
    for debt in owed.debts(s):
        if debt.tries > 1:
            yield Ailment(
                debt.plugin,
                "owed",
                f"{debt.parts} × {debt.hook}, tried {debt.tries} times",
                f"See: highstreet plugins faults {debt.plugin} --brand {brand.slug} --trace",
                brand.slug,
            )
    for name, still in state.standing_still(s).items():
        for word, mend in (
            ("held", f"highstreet plugins agree {name} --brand {brand.slug}"),
            ("paused", f"See why: highstreet plugins faults {name} --brand {brand.slug}"),
        ):
            if count := still.get(word, 0):
                places = "1 store" if count == 1 else f"{count} stores"
                yield Ailment(name, word, f"in {places}", mend, brand.slug)


@click.command()
@click.argument("plugin")
@click.option("--brand", "brand_slug", help="Slug: also what was agreed to, what failed, is owed.")
@json_option
def show(plugin: str, brand_slug: str | None, as_json: bool) -> None:
    """What a tool is and all that it declares; why it is left out, if it is."""
    with open_house(ready=False) as house:
        with suppress(Unavailable), telling():
            house.look_at_tables()
        host = house.host
        manifest = host.manifest(plugin)
        aside = host.quarantined.get(plugin)
        if plugin not in host.plugins and aside is None:
            raise state.no_tool(plugin)
        loaded = host.plugins.get(plugin)
        told: dict[str, Any] = {
            "name": plugin,
            "title": host.title(plugin),
            "summary": manifest.summary if manifest else "",
            "version": manifest.version if manifest else "",
            "author": manifest.author if manifest else "",
            "requires": str(manifest.requires) if manifest else "",
            "depends": [str(one) for one in manifest.depends] if manifest else [],
            "distribution": loaded.distribution
            if loaded
            else (aside.distribution if aside else ""),
            "state": aside.reason if aside else "loaded",
            "detail": str(aside.detail) if aside else "",
            "capabilities": [str(CAPABILITIES[c]) for c in sorted(manifest.capabilities)]
            if manifest
            else [],
            "declares": sorted(declared.shown(host, plugin)),
        }
        if (failure := house.failures().get(plugin)) is not None:
            told["migration_failed"] = failure.why
            told["migration_tried_at"] = failure.at
        if brand_slug is not None:
            brand = find_brand(house, brand_slug)
            with operating(house, brand) as s:
                told["agreed"] = [
                    {"version": one.version, "by": one.agreed_by, "at": one.agreed_at}
                    for one in agreements.newest(s, plugin)
                ]
                told["faults"] = len(faults.recent(s, plugin, limit=500))
                told["owed"] = sum(debt.parts for debt in owed.debts(s, plugin))
        told["hooks"] = _used(house, plugin, brand_slug)
    if as_json:
        print_json(told)
        return
    for key, value in told.items():
        if key not in ("declares", "hooks") and value not in ("", []):
            click.echo(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    for title, things, _technical in declared.titled(host, plugin, told["declares"]):
        click.echo(f"{title}:")
        for thing in things:
            click.echo(f"  {thing}")
    click.echo(_("Its hooks in the last %(days)s days:", days=WEEK))
    print_table(
        ("hook", "calls", "failed", "mean ms", "slowest ms"),
        [
            (
                use["hook"],
                use["calls"],
                use["failures"],
                f"{use['mean_ms']:.2f}",
                f"{use['slowest_ms']:.1f}",
            )
            for use in told["hooks"]
        ],
        _("None was called."),
    )


def _used(house: House, plugin: str, brand_slug: str | None) -> list[dict[str, Any]]:
    """What the tool's hooks did in the last days, in one brand or in all of them."""
    if not house.look_at_tables():
        return []
    with house.tenancy.control() as c:
        brands = list(c.scalars(sa.select(Brand)))
    found: dict[str, list[counts.Use]] = {}
    for brand in brands:
        if brand_slug in (None, brand.slug):
            with operating(house, brand) as s:
                for use in counts.used(s, plugin, WEEK):
                    found.setdefault(use.hook, []).append(use)
    return [
        {
            "hook": hook,
            "calls": (calls := sum(use.calls for use in uses)),
            "failures": sum(use.failures for use in uses),
            "mean_ms": sum(use.calls * use.mean_ms for use in uses) / max(calls, 1),
            "slowest_ms": max(use.slowest_ms for use in uses),
        }
        for hook, uses in sorted(found.items())
    ]
