"""``highstreet migrate`` and ``highstreet check``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
import sqlalchemy as sa

from highstreet import config
from highstreet.cli.base import (
    json_option,
    open_house,
    operating,
    print_json,
    safe_mode_option,
    telling_of_the_database,
)
from highstreet.host import policy
from highstreet.host.plugin import Finding
from highstreet.host.registry import Loaded
from highstreet.house import House
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet_migrations.histories import CORE, MigrationFailed
from highstreet_tenants import rls
from highstreet_tenants.errors import Unavailable
from highstreet_tenants.models import Brand

#: Characters; secrets.token_urlsafe(24) gives as many, 192 bits.
SHORTEST_KEY = 32


@click.command()
@safe_mode_option
@click.option("--dry-run", is_flag=True, help="Say what would move, and where tools would wait.")
@click.option("--strict", is_flag=True, help="Exit code 1 if a tool's tables could not be moved.")
@json_option
def migrate(dry_run: bool, strict: bool, as_json: bool) -> None:
    """Bring the tables of the core and of every tool up to date. Make a backup first.

    A tool whose migration fails, or hangs for longer than HIGHSTREET_MIGRATION_SECONDS, is left as
    it was and left out until it is mended; the core and all other tools go on without it.
    """
    if dry_run:
        with open_house(ready=False) as house:
            _foretell(house, as_json)
        return
    failed: dict[str, str] = {}
    with open_house(ready=False) as house:
        try:
            moved = house.migrate()
        except MigrationFailed as error:
            moved, failed = error.moved, error.failed
            click.echo(error.detail, err=True)
    if as_json:
        print_json({"moved": moved, "failed": failed})
    else:
        for line in moved or ([] if failed else [_("Everything is up to date.")]):
            click.echo(line)
    raise SystemExit(1 if failed and strict else 0)


def _foretell(house: House, as_json: bool) -> None:
    """What an upgrade does: tables that move, and places where a tool waits for agreement."""
    with telling_of_the_database():
        behind = {name: str(why) for name, why in house.pending().items()}
    waits: list[dict[str, str]] = []
    if CORE.name not in behind:
        with house.tenancy.control() as c:
            brands = list(c.scalars(sa.select(Brand).order_by(Brand.slug)))
        for brand in brands:
            with operating(house, brand) as s:
                waits += [
                    {
                        "brand": brand.slug,
                        "place": one.place.slug,
                        "tool": one.plugin,
                        "before": one.before.state,
                        "after": one.after.state,
                    }
                    for name in house.host.plugins
                    for one in policy.upgraded(s, name)
                ]
    left_out = {one.name: str(one.detail) for one in house.host.quarantined.values()}
    if as_json:
        print_json({"behind": behind, "changes": waits, "left_out": left_out})
        return
    for name, why in behind.items():
        click.echo(f"{name}: {why}")
    for one in waits:
        click.echo(f"{one['brand']}/{one['place']}: {one['tool']} {one['before']} → {one['after']}")
    for name, why in left_out.items():
        click.echo(_("Left out: %(tool)s", tool=f"{name}: {why}"))
    if not behind and not waits:
        click.echo(_("Nothing changes."))


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Look whether this installation is in order: database, tables, tools, Redis, key.

    Exit code 1 if anything is not; a note lets nothing fail.
    """
    with open_house(ready=False) as house:
        findings = look(house)
    fine = all(finding.fine for finding in findings)
    if as_json:
        print_json({"fine": fine, "findings": findings})
    else:
        for finding in findings:
            said = finding.note if finding.fine else finding.advice
            mark = "FAIL" if not finding.fine else "note" if said else "ok  "
            click.echo(f"{mark} {finding.what}" + f": {said}" * bool(said))
    raise SystemExit(0 if fine else 1)


def look(house: House) -> list[Finding]:
    """Everything worth looking at before trouble comes."""
    findings = [_database(house)]
    if findings[0].fine:
        findings += [_tables(house), _role(house)]
    quarantined = house.host.quarantined.values()
    findings.append(
        Finding(
            _("every installed tool was loaded and has its tables"),
            not quarantined,
            "; ".join(str(one) for one in quarantined),
        )
    )
    findings += [_key(house), _variables()]
    if house.config["redis_url"]:
        findings.append(_redis(house.config["redis_url"]))
    for tool in house.host.plugins.values():
        for check in tool.plugin.checks:
            findings += _of_tool(tool, check)
    return findings


def _of_tool(tool: Loaded, check: Callable[[], Iterable[Finding]]) -> list[Finding]:
    """What a tool looks at for itself. One that can't is no reason to hear nothing of the rest."""
    try:
        return list(check())
    except Exception as error:
        what = _("%(tool)s can say whether it is in order", tool=tool.manifest.titled(language()))
        return [Finding(what, False, f"{type(error).__name__}: {error}")]


def _database(house: House) -> Finding:
    what = _("the database answers")
    try:
        with house.engine.connect().execution_options(highstreet_write=False) as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError as error:
        return Finding(what, False, str(getattr(error, "orig", error)).strip().splitlines()[0])
    return Finding(what, True)


def _tables(house: House) -> Finding:
    what = _("the core's tables are up to date")
    try:
        with telling_of_the_database():
            fine = house.look_at_tables()
    except Unavailable as error:  # the application's role may not even look
        return Finding(what, False, error.detail)
    return Finding(what, fine, _("run: highstreet migrate"))


def _role(house: House) -> Finding:
    """Row-level security binds only a role that can't bypass it and does not own the tables."""
    what = _("the database role is held by row-level security")
    if house.engine.dialect.name != "postgresql":
        return Finding(_("SQLite: rows are guarded by the application alone"), True)
    with house.engine.connect() as connection:
        loose, bare = rls.escapes(connection), rls.unprotected(connection)
    if bare:
        advice = _("%(tables)s lack it; run: highstreet migrate", tables=", ".join(bare))
        return Finding(what, False, advice)
    return Finding(
        what,
        not loose,
        _("sign in as a plain role (DATABASE_URL), and as the owner only to migrate"),
    )


def _key(house: House) -> Finding:
    """Links and sessions are signed with it: one that can be guessed opens every door."""
    return Finding(
        _("the secret key is long enough"),
        len(house.config["secret_key"]) >= SHORTEST_KEY,
        _(
            "HIGHSTREET_SECRET_KEY needs %(count)s characters or more; make one with: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
            count=SHORTEST_KEY,
        ),
    )


def _variables() -> Finding:
    """A misspelt variable is silent, and its setting stays what it was."""
    strangers = config.strangers()
    return Finding(
        _("every HIGHSTREET_ variable is known"),
        not strangers,
        _(
            "nobody reads %(names)s; there are: %(known)s",
            names=", ".join(strangers),
            known=", ".join(config.variables()),
        ),
    )


def _redis(url: str) -> Finding:
    from redis import Redis, RedisError

    what = _("Redis answers")
    try:
        Redis.from_url(url, socket_connect_timeout=3).ping()
    except (RedisError, ValueError, OSError) as error:
        return Finding(what, False, str(error))
    return Finding(what, True)
