"""``highstreet migrate`` and ``highstreet check``."""

from __future__ import annotations

from dataclasses import dataclass

import click
import sqlalchemy as sa

from highstreet.cli.base import json_option, open_house, print_json
from highstreet.house import House
from highstreet.i18n import gettext as _


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the tables of the core and of every tool up to date. Make a backup first."""
    with open_house(ready=False) as house:
        moved = house.migrate()
    if as_json:
        print_json({"moved": moved})
        return
    for line in moved or [_("Everything is up to date.")]:
        click.echo(line)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``advice`` says what to do if it is not in order."""

    what: str
    fine: bool
    advice: str = ""


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Look whether this installation is in order: database, tables, tools, Redis, key.

    Exit code 1 if anything is not.
    """
    with open_house(ready=False) as house:
        findings = look(house)
    fine = all(finding.fine for finding in findings)
    if as_json:
        print_json({"fine": fine, "findings": findings})
    else:
        for finding in findings:
            mark = "ok  " if finding.fine else "FAIL"
            click.echo(f"{mark} {finding.what}" + (f": {finding.advice}" * (not finding.fine)))
    raise SystemExit(0 if fine else 1)


def look(house: House) -> list[Finding]:
    """Everything worth looking at before trouble comes."""
    findings = [_database(house)]
    if findings[0].fine:
        behind = house.behind()
        findings.append(
            Finding(
                _("tables are up to date"),
                not behind,
                _("%(owners)s behind; run: highstreet migrate", owners=", ".join(behind)),
            )
        )
        findings.append(_role(house))
    quarantined = house.host.quarantined.values()
    findings.append(
        Finding(
            _("every installed tool was loaded"),
            not quarantined,
            "; ".join(str(one) for one in quarantined),
        )
    )
    if house.config["redis_url"]:
        findings.append(_redis(house.config["redis_url"]))
    return findings


def _database(house: House) -> Finding:
    what = _("the database answers")
    try:
        with house.engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError as error:
        return Finding(what, False, str(getattr(error, "orig", error)).strip().splitlines()[0])
    return Finding(what, True)


def _role(house: House) -> Finding:
    """Row-level security binds only a role that can't bypass it and does not own the tables."""
    what = _("the database role is held by row-level security")
    if house.engine.dialect.name != "postgresql":
        return Finding(_("SQLite: rows are guarded by the application alone"), True)
    with house.engine.connect() as connection:
        loose = connection.execute(
            sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).scalar()
    return Finding(
        what,
        not loose,
        _("sign in as a plain role (DATABASE_URL), and as the owner only to migrate"),
    )


def _redis(url: str) -> Finding:
    from redis import Redis, RedisError

    what = _("Redis answers")
    try:
        Redis.from_url(url, socket_connect_timeout=3).ping()
    except (RedisError, ValueError, OSError) as error:
        return Finding(what, False, str(error))
    return Finding(what, True)
