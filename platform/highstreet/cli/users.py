"""``highstreet users``: people who sign in."""

from __future__ import annotations

import click
import sqlalchemy as sa

from highstreet.cli.base import json_option, open_house, print_done, print_json, print_table
from highstreet.i18n import LANGUAGES
from highstreet.i18n import gettext as _
from highstreet_tenants.people import operate
from highstreet_tenants.people.models import SecondFactor, User
from highstreet_tenants.people.permissions import ROLES, Catalogue


@click.group()
def users() -> None:
    """People who sign in, and their roles."""


@users.command("list")
@json_option
def list_users(as_json: bool) -> None:
    """Everybody with an account."""
    with open_house() as house, house.tenancy.control() as s:
        confirmed = SecondFactor.confirmed_at.is_not(None)
        having = set(s.scalars(sa.select(SecondFactor.user_id).where(confirmed)))
        rows = [
            {
                "email": user.email,
                "name": user.name,
                "password": user.password_hash is not None,
                "disabled": user.disabled_at is not None,
                "second_factor": user.id in having,
            }
            for user in s.scalars(sa.select(User).order_by(User.email))
        ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("e-mail", "name", "password", "second factor", "disabled"),
        [
            (
                r["email"],
                r["name"],
                _yes(r["password"]),
                _yes(r["second_factor"]),
                _yes(r["disabled"]),
            )
            for r in rows
        ],
        _("Nobody yet. Begin with: highstreet users create EMAIL --name NAME"),
    )


def _yes(value: object) -> str:
    return _("yes") if value else _("no")


@users.command()
@click.argument("email")
@click.option("--name", required=True, help="The person's name.")
@click.option("--locale", type=click.Choice(list(LANGUAGES)), help="Language of the consoles.")
@json_option
def create(email: str, name: str, locale: str | None, as_json: bool) -> None:
    """Make an account, and print a link by which the person chooses a password."""
    with open_house() as house:
        operate.create_user(house, email, name, locale=locale)
        link = operate.make_link(house, email, "invite")
    if as_json:
        print_json({"email": email, "link": link})
    else:
        click.echo(link)


@users.command()
@click.argument("email")
@click.option("--purpose", type=click.Choice(["sign_in", "reset", "invite"]), default="sign_in")
@json_option
def link(email: str, purpose: str, as_json: bool) -> None:
    """Print a one-time link for somebody who has an account."""
    with open_house() as house:
        made = operate.make_link(house, email, purpose)  # type: ignore[arg-type]  # checked by click
    if as_json:
        print_json({"email": email, "link": made})
    else:
        click.echo(made)


@users.command()
@click.argument("email")
@click.argument("role", type=click.Choice(list(ROLES)))
@click.argument("place")
@json_option
def grant(email: str, role: str, place: str, as_json: bool) -> None:
    """Give somebody a ROLE at a PLACE.

    PLACE is BRAND, BRAND/region/SLUG, BRAND/owner/SLUG or BRAND/store/SLUG.
    """
    with open_house() as house:
        catalogue = Catalogue(house.host.permissions())
        operate.grant(house, email, role, place, catalogue=catalogue)
    facts = {"email": email, "role": role, "place": place}
    print_done(as_json, _("%(email)s is %(role)s at %(place)s.", **facts), **facts)


@users.command("reset-factor")
@click.argument("email")
@json_option
def reset_factor(email: str, as_json: bool) -> None:
    """Take somebody's lost second factor away; they are signed out, the password stays."""
    with open_house() as house:
        done = operate.reset_factor(house, email)
    words = (
        _("%(email)s signs in with the password alone until another is set up.", email=email)
        if done
        else _("%(email)s has no second factor.", email=email)
    )
    print_done(as_json, words, email=email, reset=done)


@users.command()
@click.argument("email")
@json_option
def disable(email: str, as_json: bool) -> None:
    """Close an account; whoever is signed in is signed out."""
    with open_house() as house:
        operate.set_disabled(house, email, True)
    words = _("%(email)s can no longer sign in.", email=email)
    print_done(as_json, words, email=email, disabled=True)


@users.command()
@click.argument("email")
@json_option
def enable(email: str, as_json: bool) -> None:
    """Open a closed account again."""
    with open_house() as house:
        operate.set_disabled(house, email, False)
    words = _("%(email)s can sign in again.", email=email)
    print_done(as_json, words, email=email, disabled=False)
