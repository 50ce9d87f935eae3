"""``highstreet mailings``: plan, select, approve, release; where everybody went."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import sqlalchemy as sa

from highstreet.cli.base import (
    brand_option,
    json_option,
    open_house,
    print_done,
    print_json,
    print_table,
    progress,
    standing,
    standing_scope,
)
from highstreet.cli.base import plain as plain_fact
from highstreet.i18n import gettext as _
from highstreet.mailings import drafting, post, pressing, queries, releasing, telling
from highstreet.mailings.facts import REASONS, MailingFact, MailingIn
from highstreet.mailings.models import Mailing
from highstreet.printing import queries as designs
from highstreet.printing import writing
from highstreet.segments import queries as segments
from highstreet.spreadsheet import plain
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession

store_option = click.option("--store", "store_slug", help="A store's own; else head office's.")
_text_file = click.Path(exists=True, dir_okay=False, path_type=Path)
number_argument = click.argument("number", type=click.IntRange(1))


def _numbered(s: ScopedSession, number: int) -> UUID:
    place = s.store_id or s.brand_id
    found = s.scalar(
        sa.select(Mailing.id).where(Mailing.number == number, Mailing.place_id == place)
    )
    if found is None:
        raise NotFound(_("There is no mailing %(number)s here.", number=number))
    return found


@click.group()
def mailings() -> None:
    """Mailings: whom one goes to, why others get nothing, and what became of every piece."""


@mailings.command("list")
@brand_option
@store_option
@json_option
def list_mailings(brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """The mailings of a place, the newest first."""
    with standing(brand_slug, store_slug) as s:
        rows = [_told(one) for one in queries.listed(s)]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("number", "name", "channel", "status", "selected", "released"),
        [
            (r["number"], r["name"], r["channel"], r["status"], r["selected"], r["released_at"])
            for r in rows
        ],
        _("There are no mailings here yet."),
    )


def _told(one: MailingFact) -> dict[str, Any]:
    return {name: getattr(one, name) for name in MailingFact.__struct_fields__}


@mailings.command()
@brand_option
@store_option
@click.option("--name", required=True, help="What people call it.")
@click.option("--purpose", required=True, help="What consent is asked for, such as magazine.")
@click.option("--segment", required=True, help="Name of the segment it goes to.")
@click.option("--holdout", type=click.FloatRange(0, 50), default=0, help="Percent of households.")
@click.option("--by-person", is_flag=True, help="Each gets one, not each household.")
@click.option("--verified", is_flag=True, help="Only to addresses whose form is right.")
@click.option("--not-after", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="With its zone.")
@click.option("--channel", type=click.Choice(["post", "email"]), default="post", show_default=True)
@click.option("--design", type=click.IntRange(1), help="Number of the print design, by post.")
@click.option("--subject", help="Of an e-mail, in Liquid.")
@click.option("--text-file", type=_text_file, help="Text of an e-mail, in Liquid.")
@click.option("--html-file", type=_text_file, help="HTML of an e-mail, in Liquid.")
@json_option
def draft(
    brand_slug: str, store_slug: str | None, name: str, purpose: str, segment: str,
    holdout: float, by_person: bool, verified: bool, not_after: datetime | None, channel: str,
    design: int | None, subject: str | None, text_file: Path | None, html_file: Path | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Plan a mailing to a segment; gives its number."""
    content: dict[str, Any] = {
        name: text
        for name, text in (
            ("subject", subject), ("text", _read(text_file)), ("html", _read(html_file))
        )
        if text is not None
    }  # fmt: skip
    with standing(brand_slug, store_slug, write=True) as s:
        found = [one for one in segments.listed(s) if one.name.casefold() == segment.casefold()]
        if not found:
            known = ", ".join(one.name for one in segments.listed(s)) or "—"
            raise NotFound(
                _(
                    "There is no segment “%(name)s”; there are: %(known)s.",
                    name=segment,
                    known=known,
                )
            )
        if design is not None:
            content["design"] = str(_designed(s, design))
        given = MailingIn(
            name, purpose, channel, found[0].id, content, by_household=not by_person,
            verified=verified, holdout=round(holdout * 100), not_after=not_after,
        )  # fmt: skip
        one = queries.get(s, drafting.draft(s, given))
    words = _("Mailing %(number)s is planned. Next: highstreet mailings select", number=one.number)
    print_done(as_json, words, number=one.number, id=one.id)


def _designed(s: ScopedSession, number: int) -> UUID:
    found = next((one for one in designs.listed(s) if one.number == number), None)
    if found is None:
        known = ", ".join(f"{one.number} {one.name}" for one in designs.listed(s)) or "—"
        raise NotFound(
            _("There is no design %(number)s; there are: %(known)s.", number=number, known=known)
        )
    return found.id


def _read(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        words = _("%(file)s can't be read: %(why)s", file=path.name, why=error)
        raise Invalid(words) from error


@mailings.command()
@number_argument
@brand_option
@store_option
@json_option
def select(number: int, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """Work out who gets it, and why others get nothing. May be done again until it is approved."""
    with standing(brand_slug, store_slug, write=True) as s:
        mailing_id = _numbered(s, number)
        drafting.select(s, mailing_id)
        told = _shown(s, mailing_id)
    _print(told, as_json)


@mailings.command()
@number_argument
@brand_option
@store_option
@json_option
def show(number: int, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """One mailing, and where everybody who was selected went."""
    with standing(brand_slug, store_slug) as s:
        told = _shown(s, _numbered(s, number))
    _print(told, as_json)


def _shown(s: ScopedSession, mailing_id: UUID) -> dict[str, Any]:
    return {
        "mailing": _told(queries.get(s, mailing_id)),
        "audience": telling.audience(s, mailing_id),
        "waterfall": queries.waterfall(s, mailing_id),
    }


def _print(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    one, fall = told["mailing"], told["waterfall"]
    click.echo(f"{one['number']} {one['name']}: {one['status']}")
    for depth, words in told["audience"]:
        click.echo(f"{'  ' * (depth + 1)}{words}")
    rows: list[tuple[str, int]] = [(_("selected"), fall.selected)]
    for step in fall.steps:
        late = f" ({_('at the release')})" if step.late else ""
        rows.append((f"− {REASONS[step.reason]}{late}", -step.people))
    rows += [(_("failed"), -fall.failed)] if fall.failed else []
    rows += [(_("waiting to go"), fall.ready), (_("sent"), fall.sent)]
    print_table(("", "people"), rows, "")
    if one["manifest"]:
        click.echo(_("Manifest: %(digest)s", digest=one["manifest"]))


@mailings.command()
@number_argument
@brand_option
@store_option
@click.option("--manifest", required=True, help="Digest of what was looked at; `show` prints it.")
@json_option
def approve(
    number: int, brand_slug: str, store_slug: str | None, manifest: str, as_json: bool
) -> None:
    """Let it go out as it was looked at."""
    with standing(brand_slug, store_slug, write=True) as s:
        drafting.approve(s, _numbered(s, number), manifest)
    print_done(as_json, _("Approved."), number=number, status="approved")


def _step(name: str, verb: Callable[[ScopedSession, UUID], object], about: str, done: str) -> None:
    """A command that takes a mailing one step on."""

    def run(number: int, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
        with standing(brand_slug, store_slug, write=True) as s:
            mailing_id = _numbered(s, number)
            verb(s, mailing_id)
            status = queries.get(s, mailing_id).status
        print_done(as_json, done, number=number, status=status)

    run.__doc__ = about
    decorated = json_option(store_option(brand_option(number_argument(run))))
    mailings.command(name)(decorated)


_step("release", releasing.release, "Let an approved mailing go out: a job does it.", "Released.")
_step("pause", releasing.pause, "Hand nothing more over until it is resumed.", "Paused.")
_step("resume", releasing.resume, "Go on where it was paused.", "Resumed.")
_step("stop", releasing.stop, "Hand nothing over any more; what was sent stays sent.", "Stopped.")
_step("discard", drafting.discard, "Throw a plan away.", "Thrown away.")


@mailings.command()
@number_argument
@brand_option
@store_option
@click.option("--batch", type=click.IntRange(1), help="Of one batch only.")
@click.option("--output", type=click.Path(dir_okay=False), help="File to write; else printed.")
def export(
    number: int, brand_slug: str, store_slug: str | None, batch: int | None, output: str | None
) -> None:
    """The pieces that are sent, as a CSV file for the mail house."""
    with standing(brand_slug, store_slug) as s:
        rows = post.rows(s, _numbered(s, number), batch)
        if output is None:
            _write(sys.stdout, rows)
            return
        try:
            with open(output, "w", encoding="utf-8-sig", newline="") as file:
                _write(file, rows)
        except OSError as error:
            raise Invalid(
                _("%(file)s can't be written: %(why)s", file=output, why=error.strerror or "")
            ) from error


def _write(file: Any, rows: Iterator[list[Any]]) -> None:
    writer = csv.writer(file)
    for row in rows:
        writer.writerow(["" if cell is None else plain(str(cell)) for cell in row])


@mailings.command()
@number_argument
@brand_option
@store_option
@json_option
def preflight(number: int, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """What is to be mended before it is printed, piece by piece, from `select` on."""
    with standing(brand_slug, store_slug) as s, progress(as_json) as move:
        found = pressing.preflight(s, _numbered(s, number), progress=move or _unseen)
    if as_json:
        print_json(found)
        return
    rows = [(one.key, one.area, one.words) for one in found.found]
    print_table(("piece", "area", "to mend"), rows, _("All can be printed as it is."))
    click.echo(_("Pieces looked at: %(count)s", count=found.pieces))


def _unseen(_done: int, _total: int) -> None:
    """Nobody looks."""


pdf_option = click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PDF to write."
)


@mailings.command()
@number_argument
@brand_option
@store_option
@pdf_option
@json_option
def proof(
    number: int, brand_slug: str, store_slug: str | None, output: Path, as_json: bool
) -> None:
    """A PDF of the pieces that are likeliest to go wrong, from `select` on."""
    with standing(brand_slug, store_slug) as s:
        data = pressing.proof(s, _numbered(s, number))
    _keep(output, data, as_json)


@mailings.command()
@number_argument
@brand_option
@store_option
@click.option("--sheet", required=True, help="Number on the box: L7160, L7163, 5160, 5163.")
@click.option("--start", type=click.IntRange(1), default=1, help="First label that is free.")
@pdf_option
@json_option
def labels(
    number: int, brand_slug: str, store_slug: str | None, sheet: str, start: int, output: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """A PDF of address labels, from `select` on."""
    with standing(brand_slug, store_slug) as s:
        data = pressing.labels(s, _numbered(s, number), sheet, start=start)
    _keep(output, data, as_json)


def _keep(path: Path, data: bytes, as_json: bool) -> None:
    with writing.whole(path) as out:
        out.write(data)
    print_done(as_json, _("Written: %(file)s", file=path), file=str(path), bytes=len(data))


@mailings.command("print")
@number_argument
@brand_option
@store_option
@click.option("--take-away", is_flag=True, help="Delete the files: they hold names and addresses.")
@json_option
def print_files(
    number: int, brand_slug: str, store_slug: str | None, take_away: bool, as_json: bool
) -> None:
    """Write PDFs of what was released, a thousand pieces in each. Goes on where it was stopped."""
    with open_house() as house:
        scope = standing_scope(house, brand_slug, store_slug)
        with house.tenancy.session(scope) as s:
            mailing_id = _numbered(s, number)
            if take_away:
                gone = pressing.take_away(s, mailing_id)
                print_done(as_json, _("Files deleted: %(count)s", count=gone), deleted=gone)
                return
        with progress(as_json) as move:
            pressing.write(lambda: house.tenancy.session(scope), mailing_id, move or _unseen)
        with house.tenancy.session(scope) as s:
            made = pressing.files(s, mailing_id)
    if as_json:
        print_json([{"path": str(path), **plain_fact(one)} for path, one in made])
        return
    rows = [(str(path), one.pieces, one.pages, one.sha256) for path, one in made]
    print_table(("file", "pieces", "pages", "SHA-256"), rows, "")


@mailings.command()
@click.argument("code")
@brand_option
@store_option
@json_option
def why(code: str, brand_slug: str, store_slug: str | None, as_json: bool) -> None:
    """Why somebody got a piece, by the code that it bears: mailing, audience, consent, sender."""
    with standing(brand_slug, store_slug) as s:
        told = telling.why(s, queries.piece_by_code(s, code))
    if as_json:
        print_json(told)
        return
    for line in told.lines():
        click.echo(line)
