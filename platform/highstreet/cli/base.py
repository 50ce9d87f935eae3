"""What commands share: opening the house, finding brands and stores, printing for both readers."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO, TypeVar
from uuid import UUID

import click
import sqlalchemy as sa

from highstreet.i18n import gettext as _
from highstreet_migrations.histories import CORE, MigrationFailed
from highstreet_tenants import trouble
from highstreet_tenants.errors import Invalid, NotFound, Unavailable
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.operate import OPERATOR
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.values import fields_of

if TYPE_CHECKING:
    from flask import Flask

    from highstreet.house import House

F = TypeVar("F", bound=Callable[..., Any])

INSUFFICIENT_PRIVILEGE = "42501"
"""PostgreSQL's code for what a role may not do (its manual, appendix A)."""

_json_out: TextIO | None = None


def _json_alone(context: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    """Keep standard output for JSON alone: whatever a tool prints goes to standard error, also from
    a program that it starts."""
    global _json_out
    if not wanted:
        return wanted
    before, saved = sys.stdout, None
    with suppress(OSError, ValueError, AttributeError):  # a test's standard output is no file
        if before.fileno() == 1:
            before.flush()
            saved = os.dup(1)
            os.dup2(2, 1)
    _json_out = before if saved is None else os.fdopen(saved, "w", encoding=before.encoding)
    sys.stdout = sys.stderr

    def restore() -> None:
        global _json_out
        out, _json_out = _json_out, None
        sys.stdout = before
        if saved is not None and out is not None:
            out.flush()
            os.dup2(saved, 1)
            out.close()

    context.call_on_close(restore)
    return wanted


json_option = click.option(
    "--json", "as_json", is_flag=True, callback=_json_alone, help="Print JSON for machines."
)


def _safely(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        context.find_root().obj["config"]["safe_mode"] = True


#: After the command as well as before it: who needs it is in no mood for the order of words.
safe_mode_option = click.option(
    "--safe-mode",
    is_flag=True,
    expose_value=False,
    callback=_safely,
    help="Start without any tool.",
)
brand_option = click.option("--brand", "brand_slug", required=True, help="Slug of the brand.")


def make_app(*, faces: bool = False, base_url: str | None = None) -> Flask:
    """The application of the current command, with its settings.

    ``base_url`` holds unless the operator has set another.
    """
    from highstreet.app import create_app

    config = dict(click.get_current_context().find_root().obj["config"])
    if base_url and not {"HIGHSTREET_BASE_URL", "HIGHSTREET_CONFIG"} & os.environ.keys():
        config["base_url"] = base_url
    return create_app(config, faces=faces)


@contextmanager
def open_house(*, ready: bool = True, faces: bool = False) -> Iterator[House]:
    """The house, in an application context; closed again at the end.

    With ``ready`` the tables must be up to date: an empty embedded database is set up on the
    spot, any other is the operator's to migrate. Raises Unavailable.
    """
    from highstreet.app import house_of

    app = make_app(faces=faces)
    house = house_of(app)
    try:
        with app.app_context(), telling_of_the_database():
            if ready:
                be_ready(house)
            yield house
            house.counting.end()
    finally:
        house.engine.dispose()


@contextmanager
def telling_of_the_database() -> Iterator[None]:
    """Raise Unavailable, with what to do, for a database that is away or lets us do nothing."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = (str(error.orig).strip().splitlines() or [""])[0]
        if error.statement is None:  # it was about the connection
            raise Unavailable(
                _("The database is out of reach: %(reason)s", reason=reason)
            ) from error
        if trouble.passes(error):
            raise _busy(reason) from error
        if getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE:
            raise Unavailable(
                _(
                    "PostgreSQL refuses: %(reason)s. Set HIGHSTREET_OWNER_DATABASE_URL to the role "
                    "that owns the tables, then run: highstreet migrate",
                    reason=reason,
                )
            ) from error
        raise
    except sqlite3.OperationalError as error:  # the transaction could not even begin
        if trouble.passes(error):
            raise _busy(str(error)) from error
        raise


def _busy(reason: str) -> Unavailable:
    return Unavailable(
        _("The database is busy (%(reason)s). Try again in a moment.", reason=reason)
    )


def be_ready(house: House) -> None:
    """Set up an empty embedded database; raise Unavailable for any other whose core is behind.

    A tool whose tables are not up to date is left alone, and that is said.
    """
    with telling_of_the_database():
        fine = house.look_at_tables()
        empty = house.engine.dialect.name == "sqlite" and (
            not fine and not sa.inspect(house.engine).get_table_names()
        )
        if empty:
            with suppress(MigrationFailed):  # a tool's: it is left alone
                house.migrate()
            fine = house.look_at_tables()
    if not fine:
        raise Unavailable(
            _(
                "The tables of %(owners)s are not up to date. Make a backup, then run: "
                "highstreet migrate",
                owners=CORE.name,
            )
        )
    for name in house.host.unready:
        click.echo(_("Left out: %(tool)s", tool=house.host.quarantined[name]), err=True)


def find_brand(house: House, slug: str) -> Brand:
    """The brand. Raises NotFound that lists the slugs there are."""
    with house.tenancy.control() as s:
        brands = {brand.slug: brand for brand in s.scalars(sa.select(Brand))}
    if slug not in brands:
        raise NotFound(
            _(
                "There is no brand “%(slug)s”; there are: %(known)s.",
                slug=slug,
                known=", ".join(sorted(brands)) or "—",
            )
        )
    return brands[slug]


@contextmanager
def operating(house: House, brand: Brand, *, write: bool = False) -> Iterator[ScopedSession]:
    """A session on the whole brand for whoever runs the installation."""
    with house.tenancy.session(Scope.operator(brand.id, OPERATOR), write=write) as s:
        yield s


def find_store(s: ScopedSession, slug: str) -> Store:
    """A store by its slug or its code. Raises NotFound."""
    store = s.scalar(sa.select(Store).where(sa.or_(Store.slug == slug, Store.code == slug)))
    if store is None:
        raise NotFound(
            _("There is no store “%(slug)s” in this brand; see: highstreet stores list", slug=slug)
        )
    return store


@contextmanager
def standing(
    brand_slug: str, store_slug: str | None, *, write: bool = False, people: bool = False
) -> Iterator[ScopedSession]:
    """A session in a store, or without one in head office: what people there see and do.

    people: it is about customers. Raises NotFound, and Invalid where head office has none.
    """
    with (
        open_house() as house,
        house.tenancy.session(
            standing_scope(house, brand_slug, store_slug, people=people), write=write
        ) as s,
    ):
        yield s


def standing_scope(
    house: House, brand_slug: str, store_slug: str | None, *, people: bool = False
) -> Scope:
    """The scope of `standing`, for what opens sessions of its own. Raises as it does."""
    brand = find_brand(house, brand_slug)
    if store_slug is not None:
        with operating(house, brand) as s:
            return Scope.store(brand.id, find_store(s, store_slug).id, OPERATOR)
    if people and brand.customers == "store":
        raise Invalid(
            _("In this brand each store keeps its own customers. Name the store: --store")
        )
    return Scope.brand(brand, OPERATOR)


@contextmanager
def progress(as_json: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, moved by (done, of how many); None where nobody looks."""
    if as_json or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

    with Progress(
        BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    ) as bar:
        task = bar.add_task("", total=None)

        def move(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield move


def plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if (names := fields_of(type(value))) is not None:
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def print_json(value: Any) -> None:
    """One JSON value on standard output."""
    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2), file=_json_out)


def print_done(as_json: bool, words: str, **facts: Any) -> None:
    """That something was done: ``facts`` for machines, ``words`` for people."""
    if as_json:
        print_json(facts)
    else:
        click.echo(words)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Rows for a person: aligned on a terminal, tab-separated into a pipe; ``empty`` if none."""
    if not rows:
        click.echo(empty, err=True)
        return
    if not sys.stdout.isatty():
        click.echo("\t".join(columns))
        for row in rows:
            click.echo("\t".join("" if cell is None else str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        numbers = all(isinstance(row[place], int) for row in rows)
        table.add_column(column, justify="right" if numbers else "left")
    for row in rows:
        table.add_row(
            *(
                Text(f"{cell:,}" if type(cell) is int else "" if cell is None else str(cell))
                for cell in row
            )
        )
    Console().print(table)
