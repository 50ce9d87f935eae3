"""Who did what: the trail of a store or a brand, searched and taken along, and the sign-ins."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for
from msgspec import Struct
from msgspec.structs import replace

from highstreet.customers.listing import store_names
from highstreet.host import state
from highstreet.host.access import requires
from highstreet.host.snapshot import Place
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.spreadsheet import as_csv
from highstreet.stores import trail_words
from highstreet.web.current import current
from highstreet_tenants import clock
from highstreet_tenants.errors import Invalid
from highstreet_tenants.people import directory, events
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import Tenancy
from highstreet_tenants.trail import reading, words
from highstreet_tenants.trail.models import TrailEntry
from highstreet_tenants.trail.reading import Wanted

trail = Blueprint("trail", __name__)
STORE, OFFICE = "/store/<brand>/<store>/trail", "/office/<brand>/trail"
#: Sign-ins are shown for so long back.
SIGN_INS = timedelta(days=31)
_COLUMNS = (
    *("at", "actor_kind", "actor", "actor_id", "action", "object_kind", "object", "object_id"),
    *("store_id", "from_kind", "from", "details"),
)


class Asked(Struct, frozen=True):
    """What the form asks. who: as typed; many: the people whom that may mean."""

    wanted: Wanted
    who: str = ""
    many: tuple[directory.Entry, ...] = ()
    nobody: bool = False


@trail.get(f"{STORE}/", endpoint="store")
@trail.get(f"{OFFICE}/", endpoint="office")
@requires("trail.view")
def page(brand: str, store: str | None = None) -> str:
    """The newest entries, or those that were asked for."""
    errors: dict[str, list[str]] = {}
    try:
        asked = _asked()
    except Invalid as error:
        asked, errors = Asked(Wanted()), error.fields
    found: list[TrailEntry] = []
    names: dict[UUID | None, str] = {}
    places: dict[UUID | None, Place] = {}
    with current.session() as s:
        if not (asked.many or asked.nobody or errors):
            found = reading.page(s, asked.wanted, limit=reading.PAGE + 1)
            names = dict(store_names(s, (one.store_id for one in found)))
            places = {one: state.place(s, one) for one in {one.store_id for one in found}}
    shown = found[: reading.PAGE]
    known = words.known(current.house.host.actions())
    more = len(found) > reading.PAGE
    return render_template(
        "shared/trail.html",
        rows=[_row(entry, names, known, places[entry.store_id]) for entry in shown],
        actions=[("", _("Everything")), *known.items()],
        asked=asked,
        form=request.args,
        errors=errors,
        href=_href,
        sheet_href=_href(".csv", **_query()) if shown else None,
        next_href=_href("", **_query(), after=reading.cursor(shown[-1])) if more else None,
    )


@trail.get(f"{STORE}.csv", endpoint="store_csv")
@trail.get(f"{OFFICE}.csv", endpoint="office_csv")
@requires("trail.view")
def sheet(brand: str, store: str | None = None) -> Response:
    """All entries that were asked for, as a file that is written while it is read."""
    wanted = replace(_asked().wanted, after=None)
    lines = _lines(current.house.tenancy, current.place.scope, wanted)
    response = Response(lines, mimetype="text/csv")
    name = f"trail-{current.place.store.slug if current.place.store else brand}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@trail.get(f"{STORE}/sign-ins", endpoint="store_signins")
@trail.get(f"{OFFICE}/sign-ins", endpoint="office_signins")
@requires("trail.view")
def sign_ins(brand: str, store: str | None = None) -> str:
    """Sign-ins, failed ones, passwords and second factors of whoever holds a role here."""
    with current.house.tenancy.control() as s:
        found = events.of_place(
            s,
            current.place.node,
            clock.now() - SIGN_INS,
            after=request.args.get("after"),
            limit=events.PAGE + 1,
        )
    shown = found[: events.PAGE]
    more = len(found) > events.PAGE
    return render_template(
        "shared/sign_ins.html",
        events=shown,
        href=_href,
        days=SIGN_INS.days,
        next_href=_href("_signins", after=shown[-1].cursor) if more else None,
    )


def _row(
    entry: TrailEntry, names: dict[UUID | None, str], known: dict[str, str], place: Place
) -> dict[str, Any]:
    host = current.house.host
    return {
        "at": entry.at,
        "who": entry.actor_name,
        "who_href": _href(actor=entry.actor_id) if entry.actor_id else None,
        "through": words.origin(entry),
        "action": known.get(entry.action, entry.action),
        "thing": trail_words.thing(entry, host),
        "thing_href": _href(object=entry.object_id or entry.object_name)
        if entry.object_id or entry.object_name
        else None,
        "store": names.get(entry.store_id, "") if entry.store_id else _("whole brand"),
        "details": trail_words.told(entry, host, place),
    }


def _lines(tenancy: Tenancy, scope: Scope, wanted: Wanted) -> Iterator[str]:
    """The file, a thousand lines at a time, each read in a session of its own: a reader who is
    slow holds nothing open."""
    yield as_csv([_COLUMNS])
    while True:
        with tenancy.session(scope) as s:
            found = reading.page(s, wanted, limit=1_000)
            text = as_csv([_cells(entry) for entry in found]).lstrip("\ufeff")
        yield text
        if len(found) < 1_000:
            return
        wanted = replace(wanted, after=reading.cursor(found[-1]))


def _cells(entry: TrailEntry) -> tuple[object, ...]:
    return (
        *(entry.at.isoformat(), entry.actor_kind, entry.actor_name, entry.actor_id, entry.action),
        *(entry.object_kind, entry.object_name, entry.object_id, entry.store_id),
        *(entry.origin_kind, entry.origin_name, words.as_json(entry.details)),
    )


def _asked() -> Asked:
    """What the address asks for. Raises Invalid (fields "since", "until")."""
    given = request.args
    since, until = _day("since"), _day("until")
    wanted = Wanted(
        actor_id=_id(given.get("actor")),
        action=given.get("action") or None,
        object=_object(given.get("object", "").strip()[:200]) or None,
        since=_begins(since) if since else None,
        until=_begins(until + timedelta(days=1)) if until else None,
        after=given.get("after"),
    )
    who = given.get("who", "").strip()[:200]
    if not who:
        return Asked(wanted)
    people = _people(who)
    if len(people) == 1:
        return Asked(replace(wanted, actor_id=people[0].user_id), who)
    return Asked(wanted, who, tuple(people), nobody=not people)


def _object(text: str) -> str:
    """A tool's name, where its title was typed."""
    host, said = current.house.host, text.casefold()
    for name in (*host.plugins, *host.quarantined):
        if said and said == host.title(name, language()).casefold():
            return name
    return text


def _people(text: str) -> list[directory.Entry]:
    """Whom of this place a text may mean: the start of a name or e-mail."""
    place = current.place
    with current.house.tenancy.control() as s:
        if place.store is None:
            found = directory.people_of_brand(s, place.brand.id, text=text, limit=20)
        else:
            start = text.casefold()
            found = [
                entry
                for entry in directory.people_of_store(s, place.node)
                if entry.email.startswith(start) or entry.name.casefold().startswith(start)
            ]
    return list({entry.user_id: entry for entry in found}.values())


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    if not text:
        return None
    try:
        found = date.fromisoformat(text)
        if not 1970 <= found.year <= 9998:
            raise ValueError(text)
    except ValueError as error:
        message = _("Write the day as 2027-12-31, or leave it empty.")
        raise Invalid(message, fields={name: [message]}) from error
    return found


def _begins(day: date) -> datetime:
    return clock.from_local(datetime(day.year, day.month, day.day), current.place.zone)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _query() -> dict[str, str]:
    asked = ("who", "actor", "action", "object", "since", "until")
    return {name: value for name in asked if (value := request.args.get(name, "").strip())}


def _href(part: str = "", **values: Any) -> str:
    face = "store" if current.place.store else "office"
    endpoint = f"trail.{face}{part.replace('.', '_')}"
    return url_for(endpoint, **current.place.slugs, **values)
