"""A tool that brings one of everything a tool can bring. It has no table, so that loading it leaves
the schema alone, and it does nothing but tell `spy` that it was reached.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from markupsafe import Markup
from marshmallow import Schema, fields

from highstreet.sdk import (
    Cells,
    EventType,
    ImportDone,
    ImportKind,
    ImportRow,
    JobHandler,
    NavEntry,
    Notice,
    Periodic,
    Plugin,
    ScopedSession,
    Verb,
    api,
    ctx_of,
    open_ctx,
    public,
    requires,
    screens,
)
from highstreet.sdk import lazy_gettext as _l
from probe.tool import spy

NAME = "probe_tool"
LOOK, OFFICE = "probe_tool.look", "probe_tool.office"

store = screens(NAME, template_folder=None)
office = screens(NAME, "office", template_folder=None)
member = screens(NAME, "member", template_folder=None)
operations = api(NAME, "The probe's operations.")


class Said(Schema):
    """What the operations answer."""

    said = fields.String(required=True)


class Settings(Schema):
    """One setting."""

    motto = fields.String(load_default="", metadata={"label": _l("Motto")})


@store.get("/")
@requires(LOOK)
def look() -> str:
    """A page of the store's console."""
    return "works"


@store.get("/people/<uuid:customer_id>")
@requires(LOOK)
def person(customer_id: UUID) -> str:
    """A page about a customer."""
    with open_ctx() as ctx:
        return ctx.customers.get(customer_id).name


@store.post("/deed")
@requires(LOOK)
def deed() -> str:
    """A form's answer."""
    with open_ctx(write=True):
        return "works"


@office.get("/")
@requires(OFFICE)
def overview() -> str:
    """A page of head office's console."""
    return "works"


@member.get("/")
@public("the link is the key: it was given to this member only")
def card() -> str:
    """A page of the member's own."""
    return "works"


@operations.route("/ping")
@operations.response(200, Said)
@requires("till.read")
def ping() -> dict[str, str]:
    """Answer."""
    return {"said": "works"}


@operations.route("/ping", methods=["POST"])
@operations.response(200, Said)
@requires("till.write")
def pong() -> dict[str, str]:
    """Answer, with an Idempotency-Key."""
    return {"said": "works"}


def _piece(ctx: Any, **offered: Any) -> Markup:
    return Markup("probe-tool-piece")


def _chore(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    spy.tell(ctx_of(s, NAME), "job:chore")


def _duty(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    spy.tell(ctx_of(s, NAME), "job:duty")


def _say(ctx: Any, options: Mapping[str, str]) -> list[dict[str, str]]:
    spy.tell(ctx, "verb:say")
    return [{"said": "works"}]


def _read(cells: Cells) -> str:
    return cells.text("word")


def _take(ctx: Any, rows: Sequence[ImportRow]) -> ImportDone:
    spy.tell(ctx, "import:words", rows)
    return ImportDone(len(rows))


class Happened(Schema):
    """What the tool tells others' programmes."""

    on = fields.Boolean(required=True)


#: A file of the tool's own.
WORDS = ImportKind(
    f"{NAME}.words", _l("Words"), {"word": ("word",)}, needs=("word",), read=_read, write=_take
)


def make(hooks: object, slots: Mapping[str, str]) -> Plugin:
    """The tool, answering `hooks` and filling every one of `slots`."""
    return Plugin(
        name=NAME,
        actions={"probe_tool.tried": "Tried"},
        hooks=hooks,
        settings=Settings,
        screens=[store, office, member],
        api=[operations],
        jobs=[
            JobHandler("probe_tool.chore", _chore),
            JobHandler("probe_tool.duty", _duty, winddown=True),
            JobHandler("probe_tool.census", _chore),
            JobHandler("probe_tool.closing", _duty, winddown=True),
        ],
        periodic=[
            Periodic("probe_tool.chore", at="00:00"),
            Periodic("probe_tool.duty", at="00:00"),
            Periodic("probe_tool.census", at="00:00", scope="brand"),
            Periodic("probe_tool.closing", at="00:00", scope="brand"),
        ],
        nav=[
            NavEntry(_l("Probe tool"), "probe_tool-store.look", LOOK),
            NavEntry(_l("Probe tool"), "probe_tool-office.overview", OFFICE, face="office"),
        ],
        slots=dict.fromkeys(slots, _piece),
        imports=[WORDS],
        events=[
            EventType(
                f"{NAME}.happened",
                _l("It happened"),
                _l("A trial."),
                Happened,
                {"on": True},
                personal=False,
            )
        ],
        notices=[
            Notice(
                f"{NAME}.hello", _l("A greeting"), _l("Hello"), _l("Hello {{ what }}"), {"what": ""}
            )
        ],
        verbs=[Verb(f"{NAME}.say", _l("Say something"), _say)],
    )


plugin = make(spy.every_hook(), spy.every_slot())
