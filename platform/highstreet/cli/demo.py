"""``highstreet demo``."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click
import sqlalchemy as sa

from highstreet.cli.base import be_ready, print_json
from highstreet.cli.serve import address, check_port, serve
from highstreet.demo import build as demos
from highstreet.demo import whole
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Conflict
from highstreet_tenants.models import Brand

TEXTS = 2
"""How many columns of the report hold text, to the left; numbers follow."""


@click.command()
@click.option("--serve/--no-serve", "serving", default=True, help="Serve the consoles afterwards.")
@click.option("--reset", is_flag=True, help="Throw the demo's database away and begin anew.")
@click.option(
    "--full",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the whole Complete Journey: one brand more, with its 27 campaigns.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5050, show_default=True, type=click.IntRange(0, 65535))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(
    serving: bool, reset: bool, folder: Path | None, host: str, port: int, as_json: bool
) -> None:
    """Build three demo brands from real purchases, print ways in, and serve them.

    The database is an embedded one in ./instance. Run again it starts from what is there.
    """
    from highstreet import config
    from highstreet.app import create_app, house_of

    given = dict(click.get_current_context().find_root().obj["config"])
    instance = Path(config.load({**given, "database_url": ""})["instance"])  # and make it
    database = instance / "highstreet.db"
    if os.environ.get("HIGHSTREET_DATABASE_URL"):
        click.echo(
            _("The demo leaves HIGHSTREET_DATABASE_URL alone and uses %(path)s.", path=database),
            err=True,
        )
    if serving:
        check_port(host, port)  # also lest the database of a demo that runs is thrown away
    if reset:
        _throw_away(database)
    began = time.perf_counter()
    app = create_app(
        {
            **given,
            "database_url": f"sqlite:///{database}",
            "owner_database_url": "",
            "redis_url": "",
            "query_seconds": 0,
            "base_url": address(host, port),
        },
        faces=serving,
    )
    house = house_of(app)
    with app.app_context():
        be_ready(house)
        reports = demos.build(house, _tell)
        if folder is not None:
            reports.append(demos.report(house, whole.build(house, folder, _tell)))
        links = [link for brand in _brands(house, reports) for link in demos.links(house, brand)]
    seconds = round(time.perf_counter() - began, 1)
    if as_json:
        print_json({"brands": reports, "seconds": seconds, "links": links})
    else:
        _print(reports, links, seconds)
    if serving:
        sys.stdout.flush()
        serve(app, house, host, port, runner=True)
    house.engine.dispose()


def _tell(brand: str) -> None:
    if sys.stderr.isatty():
        click.echo(_("%(brand)s …", brand=brand), err=True)


def _brands(house: House, reports: list[demos.BrandReport]) -> list[Brand]:
    with house.tenancy.control() as s:
        found = {brand.slug: brand for brand in s.scalars(sa.select(Brand))}
    return [found[report.slug] for report in reports]


def _throw_away(database: Path) -> None:
    """Delete the demo's database. Raises Conflict if it holds other brands than the demo's."""
    if not database.exists():
        return
    others = _brand_slugs(database) - demos.slugs()
    if others:
        raise Conflict(
            _(
                "%(path)s holds brands that are not the demo's (%(brands)s), so it is not thrown "
                "away. Use another folder: highstreet --instance DIR demo",
                path=database,
                brands=", ".join(sorted(others)),
            )
        )
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _brand_slugs(database: Path) -> set[str]:
    engine = sa.create_engine(f"sqlite:///{database}")
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("core_brand"):
                return set()
            return set(connection.scalars(sa.text("SELECT slug FROM core_brand")))
    finally:
        engine.dispose()


def _print(reports: list[demos.BrandReport], links: list[demos.SignInLink], seconds: float) -> None:
    columns = {
        _("brand"): "slug",
        _("customers of"): "customers_of",
        _("stores"): "stores",
        _("customers"): "customers",
        _("purchases"): "purchases",
        _("without a card"): "anonymous",
        _("points"): "points_earned",
        _("rewards"): "rewards_issued",
        _("handed over"): "rewards_redeemed",
    }
    rows = [list(columns)] + [
        [_shown(getattr(report, column)) for column in columns.values()] for report in reports
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(columns))]
    for row in rows:
        cells = [
            cell.ljust(width) if place < TEXTS else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join(cells).rstrip())
    click.echo(_("%(seconds)s seconds", seconds=seconds))
    click.echo()
    click.echo(_("Ways in (a link of staff opens once, within a day):"))
    for link in links:
        click.echo(f"  {link.brand}: {link.role.replace('_', ' ')}, {link.name}")
        click.echo(f"    {link.url}")


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
