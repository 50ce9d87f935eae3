"""``highstreet import``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from highstreet.cli.base import (
    brand_option,
    find_brand,
    json_option,
    open_house,
    print_json,
    progress,
)
from highstreet.i18n import gettext as _
from highstreet.imports import mapping as mappings
from highstreet.imports import tools
from highstreet.imports.columns import KINDS
from highstreet.imports.feeding import Besides
from highstreet.imports.opening import Beside, shape_of
from highstreet.imports.run import Report, run
from highstreet_tenants.errors import Invalid
from highstreet_tenants.people.operate import OPERATOR


@click.command("import")
@click.argument("kind", metavar="KIND")
@click.argument("file", type=click.Path(path_type=Path))
@brand_option
@click.option(
    "--mapping",
    "mapping_file",
    type=click.Path(path_type=Path),
    help="TOML file that says what the columns mean.",
)
@click.option("--by-line", is_flag=True, help="Each row is a line of a receipt.")
@click.option(
    "--lines",
    "lines_file",
    type=click.Path(path_type=Path),
    help="File of the receipts' lines, a row for each.",
)
@click.option(
    "--products",
    "products_file",
    type=click.Path(path_type=Path),
    help="File that says in which department a product is.",
)
@click.option("--dry-run", is_flag=True, help="Do everything, then take it back.")
@click.option("--create-stores", is_flag=True, help="Open a store for each unknown number.")
@json_option
def import_(
    kind: str,
    file: Path,
    brand_slug: str,
    mapping_file: Path | None,
    by_line: bool,
    lines_file: Path | None,
    products_file: Path | None,
    dry_run: bool,
    create_stores: bool,
    as_json: bool,
) -> None:
    """Take in a CSV file, packed with gzip or not, or an XLSX.

    KIND is purchases, customers, or a tool's own file, such as points_club.balances.

    Rows that can't go in are written to FILE.errors.csv with the reason; the rest goes in. A run
    that was stopped goes on where it was; a file that is taken in twice changes nothing.
    """
    beside = Beside(by_line, lines_file, products_file)
    if kind not in KINDS:
        _import_for_tool(kind, file, brand_slug, mapping_file, beside, dry_run, as_json)
        return
    mapping = mappings.load(mapping_file, shape_of(kind, beside))
    with open_house() as house:
        brand = find_brand(house, brand_slug)
        with _stoppable(), progress(as_json) as move:
            report = run(
                house.tenancy,
                brand,
                kind,
                file,
                mapping=mapping,
                beside=beside,
                dry_run=dry_run,
                create_stores=create_stores,
                actor=OPERATOR,
                progress=move,
            )
    if as_json:
        print_json(report)
    else:
        tell(report)


def _import_for_tool(
    name: str,
    file: Path,
    brand_slug: str,
    mapping_file: Path | None,
    beside: Beside,
    dry_run: bool,
    as_json: bool,
) -> None:
    with open_house() as house:
        tool, kind = tools.find(house.host, name)
        if beside != Beside():
            raise Invalid(_("Lines and products belong to purchases, not to %(kind)s.", kind=name))
        mapping = mappings.load(mapping_file, name, tools.fields_of(kind))
        brand = find_brand(house, brand_slug)
        with progress(as_json) as move:
            report = tools.run(
                house.tenancy,
                brand,
                tool,
                kind,
                file,
                mapping=mapping,
                dry_run=dry_run,
                actor=OPERATOR,
                progress=move,
            )
    if as_json:
        print_json(report)
    else:
        tell(report)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Whoever presses Ctrl-C hears that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(_("Stopped. Run the same command again: it goes on where it was."), err=True)
        raise click.exceptions.Exit(130) from None


def tell(report: Report) -> None:
    """The report as words."""
    click.echo(
        _(
            "Read as %(encoding)s, columns: %(columns)s",
            encoding=report.encoding,
            columns=", ".join(f"{name} = {column}" for name, column in report.columns.items()),
        )
    )
    if report.sheet:
        click.echo(_("Sheet “%(name)s”.", name=report.sheet))
    if report.unread:
        click.echo(
            _(
                "Not read: %(sheets)s. A mapping may name another sheet.",
                sheets=", ".join(f"“{name}”" for name in report.unread),
            )
        )
    if report.resumed_at:
        click.echo(_("Went on behind record %(at)s of a stopped run.", at=report.resumed_at))
    if report.stores_opened:
        click.echo(_("%(count)s stores opened.", count=report.stores_opened))
    click.echo(
        _(
            "%(records)s rows: %(created)s new, %(known)s known, %(refused)s refused; "
            "%(customers)s new customers; %(seconds)s s",
            records=report.records,
            created=report.created,
            known=report.known,
            refused=report.refused,
            customers=report.customers,
            seconds=report.seconds,
        )
    )
    if not report.records:
        click.echo(_("The file has names of columns, but no rows."))
    for reason, count in list(report.reasons.items())[:10]:
        click.echo(f"  {count} × {reason}")
    if report.errors_file:
        click.echo(_("Refused rows: %(path)s", path=report.errors_file))
    for beside in report.beside:
        _tell_beside(beside)
    if report.dry_run:
        click.echo(_("This was a dry run: nothing was written."))


def _tell_beside(beside: Besides) -> None:
    if beside.refused:
        click.echo(
            _(
                "%(count)s rows of %(file)s can't be read",
                count=beside.refused,
                file=beside.file,
            )
            + (f": {beside.errors_file}" if beside.errors_file else "")
        )
    if beside.unused:
        click.echo(
            _(
                "%(count)s rows of %(file)s belong to receipts that are not there, the first in "
                "line %(line)s.",
                count=beside.unused,
                file=beside.file,
                line=beside.first_unused,
            )
        )
