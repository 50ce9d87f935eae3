"""What a tool hands to the host: one `Plugin` object, named `plugin`, in its package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from flask import Blueprint
    from marshmallow import Schema

    from highstreet.host.campaign_actions import CampaignAction
    from highstreet.host.customer_fields import CustomerField
    from highstreet.host.event_types import EventType
    from highstreet.host.notices import Notice
    from highstreet.host.settings_trial import SettingsTrial
    from highstreet.host.taking import ImportKind
    from highstreet.jobs import JobHandler, Periodic

#: Which console a screen or an entry of its navigation belongs to.
Face = Literal["store", "office", "member"]

#: What a tool tells of itself, in a form that can be printed as a table or as JSON.
Facts = Mapping[str, Any]

#: A piece of a page: gets `ctx` and what the page offers, gives Markup or None for nothing.
Slot = Callable[..., Any]


class NavEntry(Struct, frozen=True):
    """One entry of a console's navigation, shown where the tool is on and the reader may use it.

    label: a lazy translation. endpoint: of one of the tool's screens. icon: the name of a 20 px
    line icon. face: which console.
    """

    label: object
    endpoint: str
    permission: str
    icon: str = "plug"
    face: Face = "store"


class Verb(Struct, frozen=True):
    """`highstreet tool <name> --brand BRAND [--store STORE] [OPTION=VALUE …]`.

    name: `<tool>.<what>`. title: a lazy translation. run: gets `ctx` and the options given, as
    texts; gives rows of plain facts, which are printed as a table or as JSON. options: each with
    what it means (a lazy translation). at: "brand" works for the whole brand, or for one store if
    the operator names it; "store" in one store only. writes: it changes something.
    """

    name: str
    title: object
    run: Callable[[Any, Mapping[str, str]], Sequence[Facts]]
    options: Mapping[str, object] = field(default_factory=dict)
    at: Literal["brand", "store"] = "brand"
    writes: bool = False


class Finding(Struct, frozen=True):
    """One thing that `highstreet check` looked at.

    what: as it should be. fine: whether it is. advice: what to do if not. note: a remark all the
    same, which lets nothing fail.
    """

    what: str
    fine: bool
    advice: str = ""
    note: str = ""


class Plugin(Struct, frozen=True):
    """A tool. Everything but the name is optional; nothing here acts until a store has it on.

    name: as in plugin.toml and as the entry point's name; also the prefix of its tables, jobs and
    permissions. hooks: an object or module whose `@hookimpl` functions answer the rooms' hooks.
    settings: a marshmallow Schema class, each field with a `load_default`; trial: how they can be
    tried on the last month before they are saved. migrations: dotted name of the package that holds
    its Alembic revisions. screens, api: blueprints made by
    `sdk.screens` and `sdk.api`. jobs, periodic: handlers named `<name>.<what>` and what runs in
    each store's local day. slots: pieces of the consoles' pages by slot name. imports: files that
    the command line takes in for the tool, named `<name>.<what>`. verbs: what an operator may ask
    of it there, named alike. campaigns: what head office's campaigns can do with the tool. checks:
    what `highstreet check` is to look at for it, asked without a database or a request. events:
    what it tells others' programmes by webhook, named `<name>.<what>`. actions: what it writes into
    the trail by `ctx.record`, named `<name>.<what>`, each with its words (a lazy translation).
    fields: facts about a customer that others may ask for by name, named `<name>.<what>`. notices:
    what it writes to one member by e-mail (`ctx.mail.notice`), named `<name>.<what>`.
    translations: directory of its gettext catalogues, beside the package.
    """

    name: str
    hooks: object | None = None
    settings: type[Schema] | None = None
    trial: SettingsTrial | None = None
    migrations: str | None = None
    screens: Sequence[Blueprint] = ()
    api: Sequence[Blueprint] = ()
    jobs: Sequence[JobHandler] = ()
    periodic: Sequence[Periodic] = ()
    nav: Sequence[NavEntry] = ()
    slots: Mapping[str, Slot] = field(default_factory=dict)
    imports: Sequence[ImportKind] = ()
    verbs: Sequence[Verb] = ()
    campaigns: Sequence[CampaignAction] = ()
    checks: Sequence[Callable[[], Iterable[Finding]]] = ()
    events: Sequence[EventType] = ()
    actions: Mapping[str, object] = field(default_factory=dict)
    fields: Sequence[CustomerField] = ()
    notices: Sequence[Notice] = ()
    translations: str | None = None
