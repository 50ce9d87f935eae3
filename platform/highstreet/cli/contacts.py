"""``highstreet contacts``: what head office lays down, and who must not be contacted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import sqlalchemy as sa

from highstreet.cli.base import (
    brand_option,
    find_brand,
    find_store,
    json_option,
    open_house,
    operating,
    print_done,
    print_json,
    print_table,
    standing,
)
from highstreet.consent import gate, laying_down, suppressions
from highstreet.consent.facts import CHANNELS, SUPPRESSIONS
from highstreet.consent.gate import Asking
from highstreet.customers import identities
from highstreet.i18n import gettext as _
from highstreet.results import holdouts
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.models import Region
from highstreet_tenants.sessions import ScopedSession

channel_option = click.option(
    "--channel", type=click.Choice(["*", *sorted(CHANNELS)]), default="*", help="* is all of them."
)
region_option = click.option("--region", help="Slug of a region it holds in.")
store_option = click.option("--store", "store_slug", help="Slug or code of a store it holds in.")
whose_option = click.option("--store", "store_slug", help="The store that asks, or whose they are.")


@click.group()
def contacts() -> None:
    """How often, at what hours and on what basis people are contacted; who must not be."""


@contacts.command()
@brand_option
@json_option
def rules(brand_slug: str, as_json: bool) -> None:
    """What is laid down, for the brand and below."""
    with open_house() as house, operating(house, find_brand(house, brand_slug)) as s:
        found = laying_down.listed(s)
        everything = holdouts.of_use(s, "")
    if as_json:
        print_json({"rules": found, "holdout_percent": everything.share / 100 if everything else 0})
        return
    print_table(
        ("id", "kind", "channel", "where", "what"),
        [
            (
                one.id,
                one.kind,
                one.channel,
                "region" if one.region_id else "store" if one.place_id else "brand",
                _what(one),
            )
            for one in found
        ],
        _("Nothing is laid down: whoever agreed may be contacted at any hour, however often."),
    )
    if everything and everything.share:
        click.echo(_("Held out from everything: %(share)s %%", share=f"{everything.share / 100:g}"))


def _what(one: laying_down.RuleFact) -> str:
    if one.kind == "cap":
        return f"{one.most} / {one.days} days"
    if one.kind == "quiet":
        return f"{_clock(one.starts or 0)}-{_clock(one.ends or 0)}"
    return "no yes needed"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@contacts.command()
@brand_option
@channel_option
@region_option
@store_option
@click.option("--most", type=int, required=True, help="At most so many contacts.")
@click.option("--days", type=int, required=True, help="Within so many days.")
@json_option
def cap(
    brand_slug: str, channel: str, region: str | None, store_slug: str | None, most: int,
    days: int, as_json: bool,
) -> None:  # fmt: skip
    """At most so many contacts within so many days, whoever of the brand they come from."""
    _lay_down(brand_slug, as_json, "cap", channel, region, store_slug, most=most, days=days)


@contacts.command()
@brand_option
@channel_option
@region_option
@store_option
@click.option("--from", "starts", required=True, help="Such as 21:00.")
@click.option("--to", "ends", required=True, help="Such as 08:00.")
@json_option
def quiet(
    brand_slug: str, channel: str, region: str | None, store_slug: str | None, starts: str,
    ends: str, as_json: bool,
) -> None:  # fmt: skip
    """Hours, by the clock of each place, at which nobody is disturbed."""
    _lay_down(
        brand_slug, as_json, "quiet", channel, region, store_slug,
        starts=_minutes(starts), ends=_minutes(ends),
    )  # fmt: skip


def _minutes(text: str) -> int:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if match is None:
        raise Invalid(_("“%(text)s” is no time of the day. Write it like 21:00.", text=text))
    return int(match[1]) * 60 + int(match[2])


@contacts.command()
@brand_option
@click.option("--channel", type=click.Choice(sorted(CHANNELS)), required=True)
@json_option
def basis(brand_slug: str, channel: str, as_json: bool) -> None:
    """On this channel no yes is needed, only that nobody refused. Ask your lawyer first."""
    _lay_down(brand_slug, as_json, "basis", channel, None, None)


def _lay_down(
    brand_slug: str, as_json: bool, kind: str, channel: str, region: str | None,
    store_slug: str | None, **more: Any,
) -> None:  # fmt: skip
    with open_house() as house, operating(house, find_brand(house, brand_slug), write=True) as s:
        found = laying_down.lay_down(
            s,
            kind,
            channel,
            region_id=_region(s, region) if region else None,
            place_id=find_store(s, store_slug).id if store_slug else None,
            **more,
        )
    print_done(as_json, _("Laid down."), id=found.id, kind=kind, channel=channel)


def _region(s: ScopedSession, slug: str) -> UUID:
    found = s.scalar(sa.select(Region.id).where(Region.slug == slug))
    if found is None:
        raise NotFound(_("There is no such region in this brand."))
    return found


@contacts.command()
@click.argument("rule_id", type=click.UUID)
@brand_option
@json_option
def withdraw(rule_id: UUID, brand_slug: str, as_json: bool) -> None:
    """A rule holds no longer."""
    with open_house() as house, operating(house, find_brand(house, brand_slug), write=True) as s:
        laying_down.withdraw(s, rule_id)
    print_done(as_json, _("Withdrawn."), id=rule_id)


@contacts.command()
@brand_option
@click.argument("percent", type=click.FloatRange(0, 50))
@json_option
def holdout(brand_slug: str, percent: float, as_json: bool) -> None:
    """Hold out a share of households from everything, so that the effect of all can be told."""
    with open_house() as house, operating(house, find_brand(house, brand_slug), write=True) as s:
        found = holdouts.hold_out(s, "", round(percent * 100))
    print_done(as_json, _("Held out."), share=found.share, seed=found.seed)


@contacts.command()
@brand_option
@whose_option
@click.argument("cards", nargs=-1)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Card numbers, one a line.",
)
@click.option("--reason", type=click.Choice(sorted(SUPPRESSIONS)), required=True)
@json_option
def suppress(
    brand_slug: str,
    store_slug: str | None,
    cards: tuple[str, ...],
    file: Path | None,
    reason: str,
    as_json: bool,
) -> None:
    """Never contact the holders of these cards again, for a reason: as a list of the deceased or a
    do-not-mail list says."""
    wanted = [*cards, *(file.read_text("utf-8").split() if file else ())]
    if not wanted:
        raise Invalid(_("Name cards, or a file of them."))
    with standing(brand_slug, store_slug, write=True, people=True) as s:
        found = identities.holders(s, wanted)
        new = suppressions.suppress_many(s, found.values(), reason=reason, source="import")
    unknown = [card for card in wanted if card not in found]
    words = _("%(new)s are suppressed now, %(unknown)s cards are nobody's.", new=new,
              unknown=len(unknown))  # fmt: skip
    print_done(as_json, words, new=new, known=len(found), unknown=unknown)


@contacts.command()
@brand_option
@whose_option
@click.argument("card")
@click.option("--purpose", required=True)
@click.option("--channel", type=click.Choice(sorted(CHANNELS)), required=True)
@json_option
def ask(
    brand_slug: str, store_slug: str | None, card: str, purpose: str, channel: str, as_json: bool
) -> None:
    """Whether the holder of a card may be contacted now, and why (not)."""
    with standing(brand_slug, store_slug, people=True) as s:
        who = identities.holders(s, [card]).get(card)
        if who is None:
            raise NotFound(_("Nobody here has the card %(number)s.", number=card))
        answer = gate.may_contact(s, who, Asking(purpose, channel))
    print_done(as_json, answer.reason, allowed=answer.allowed, reason=answer.reason)
