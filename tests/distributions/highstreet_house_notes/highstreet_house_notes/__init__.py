"""House notes: what the staff of a store should know today. As small as a whole tool can be."""

from highstreet.sdk import NavEntry, Plugin
from highstreet.sdk import lazy_gettext as _l
from highstreet_house_notes import hooks, models
from highstreet_house_notes.screen import page
from highstreet_house_notes.settings import HouseNotesSchema

plugin = Plugin(
    name="house_notes",
    hooks=hooks,
    settings=HouseNotesSchema,
    migrations="highstreet_house_notes.migrations",
    translations="translations",
    screens=[page],
    nav=[NavEntry(_l("House notes"), "house_notes-store.notes", "house_notes.read", icon="book")],
)

__all__ = ["models", "plugin"]
