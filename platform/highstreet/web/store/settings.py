"""A store's settings: what head office keeps of it, the tools' set-up, the reader's own choices."""

from flask import Blueprint, render_template, url_for

from highstreet.host import state
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.web import contact_words, formats, toolfaces
from highstreet.web.current import current
from highstreet_tenants.models import Owner, Region, Store
from highstreet_tenants.sessions import ScopedSession

settings = Blueprint("settings", __name__, url_prefix="/store/<brand>/<store>/settings")


@settings.get("/", endpoint="store")
@requires("today.view")
def store_page(brand: str, store: str) -> str:
    """Facts of the store, links to set-up pages, language and theme."""
    place = current.place
    assert place.store is not None
    host = current.house.host
    setups = []
    with current.session() as s:
        facts = store_facts(s, place.store)
        contacting = contact_words.here(s)
        if current.may("settings.edit"):
            for name in host.plugins:
                loaded = host.plugins[name]
                if loaded.plugin.settings is not None and state.is_on(s, name):
                    href = url_for("tools.set_up", tool=name, **place.slugs)
                    setups.append({"title": toolfaces.face(host, name).title, "href": href})
    return render_template("store/settings.html", facts=facts, setups=setups, contacting=contacting)


def store_facts(s: ScopedSession, store: Store) -> list[tuple[str, str]]:
    """What is kept of a store, in words."""
    region = s.get(Region, (s.brand_id, store.region_id)) if store.region_id else None
    owner = s.get(Owner, (s.brand_id, store.owner_id)) if store.owner_id else None
    address = ", ".join(str(part) for part in _address(store) if part)
    rows = [
        (_("Store"), store.name),
        (_("Number"), store.code),
        (_("Region"), region.name if region else ""),
        (_("Owner"), owner.name if owner else ""),
        (_("Address"), address),
        (_("Currency"), store.currency),
        (_("Time zone"), store.zone),
        (_("Opened on"), formats.day(store.opened_on, year=True) if store.opened_on else ""),
    ]
    return [(label, value) for label, value in rows if value]


def _address(store: Store) -> list[object]:
    known = ("street", "line1", "line2", "city", "region", "state", "postcode", "country")
    address = store.address or {}
    return [address.get(name) for name in known]
