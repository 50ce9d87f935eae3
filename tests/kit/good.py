"""One good tool that brings something of everything: what `plugins new` writes, and a slot, a job,
a verb, hooks that read, an event and a message with a place in it. The bad ones are made of it.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from highstreet.kit import scaffold

from .tools import put

NAME = "good"
PACKAGE = scaffold.package_of(NAME)

MORE = '''"""A piece of the store's day, a job and a verb."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from highstreet.sdk import Ctx, CustomerField, EventType, JobHandler, Periodic, Scope
from highstreet.sdk import ScopedSession, SettingsTrial, aggregates
from highstreet.sdk import TrialLine, TrialOutcome, TrialPeriod, Verb
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from markupsafe import Markup
from marshmallow import Schema, fields

from highstreet_good import entries
from highstreet_good.models import Entry


def panel(ctx: Ctx) -> Markup:
    """How many wait."""
    names = [one.name for one in entries.waiting(ctx)]
    words = _("%(count)s wait", count=len(names))
    return Markup("<p>{}</p>").format(words)


def tidy(s: ScopedSession, payload: Mapping[str, Any]) -> None:
    """Who was thanked is no more to be seen."""
    rows = s.scalars(sa.select(Entry)).all()
    for row in rows:
        if row.thanked_at is not None:
            s.delete(row)
    s.flush()


def count(ctx: Ctx, options: Mapping[str, str]) -> list[dict[str, object]]:
    """How many there are."""
    return [{"entries": ctx.s.scalar(sa.select(sa.func.count(Entry.id))) or 0}]


def often(_ctx: Ctx) -> sa.Select[Any]:
    """How often somebody is to be thanked."""
    return sa.select(Entry.customer_id, sa.func.count(Entry.id)).group_by(Entry.customer_id)


FIELDS = [CustomerField("good.often", _l("Times to thank"), "number", often)]
def tried(
    ctx: Ctx, now: Mapping[str, Any], proposed: Mapping[str, Any], period: TrialPeriod
) -> TrialOutcome:
    """How many would go on the list."""
    totals = ctx.s.scalars(sa.select(Entry.total_minor)).all()
    before, after = (sum(one >= side["least"] for one in totals) for side in (now, proposed))
    return TrialOutcome(lines=[TrialLine(_("To be thanked"), "count", before, after)])


@aggregates.aggregate("good.waiting", people="people", keys=("store_id",), across="store_id")
def _waiting(scope: Scope) -> sa.Select[Any]:
    """Whom each store is still to thank."""
    people = sa.func.count(Entry.customer_id.distinct()).label("people")
    return (
        sa.select(Entry.store_id, people, sa.func.count(Entry.id).label("entries"))
        .where(*scope.owns(Entry), Entry.thanked_at.is_(None))
        .group_by(Entry.store_id)
    )


class Noted(Schema):
    """Somebody came onto the list."""

    customer_id = fields.UUID(required=True)
    total_minor = fields.Integer(required=True)
    why = fields.String(required=True)


EVENTS = [
    EventType(
        "good.noted",
        _l("Somebody is to be thanked"),
        _l("A purchase was large enough."),
        Noted,
        {"customer_id": str(UUID(int=7)), "total_minor": 12000, "why": "bought"},
    )
]
SLOTS = {"today.panel": panel}
JOBS = [JobHandler("good.tidy", tidy)]
PERIODIC = [Periodic("good.tidy", at="03:00")]
VERBS = [Verb("good.count", _l("How many wait"), count)]
TRIAL = SettingsTrial(_l("How many wait"), tried)
'''

SUMMARY = '''

@hookimpl
def customer_summary(ctx: Ctx, customer: CustomerFact) -> list[SummaryRow]:
    """How often to thank them."""
    rows = entries.of_customer(ctx, customer.id)
    return [SummaryRow(_("To be thanked"), str(len(rows)))]


@hookimpl
def store_owes(ctx: Ctx) -> list[Owed]:
    """Thanks."""
    cells = aggregates.run(ctx.s, "good.waiting")
    mine = [cell for cell in cells if cell["store_id"] == ctx.store_id]
    return [Owed(_l("To be thanked"), cell["entries"], cell["people"]) for cell in mine]
'''

TOLD = """    for one in made:
        who = one.customer_id
        data = {"customer_id": who, "total_minor": one.total_minor, "why": "bought"}
        ctx.events.publish("good.noted", data, at=one.bought_at, store_id=one.store_id)
    return len(made)
"""

CHINESE = """
msgid "%(count)s wait"
msgstr "%(count)s 人等候"

msgid "How many wait"
msgstr "等候人数"

msgid "Times to thank"
msgstr "应致谢次数"

msgid "To be thanked"
msgstr "待致谢"

msgid "Somebody is to be thanked"
msgstr "有会员待致谢"

msgid "A purchase was large enough."
msgstr "有一笔购买达到金额。"
"""


def write(folder: Path) -> Path:
    """The sources of the good tool: its package."""
    source = scaffold.write(NAME, folder)
    package = source / PACKAGE
    (package / "more.py").write_text(MORE)
    edit(package, "hooks.py", "", SUMMARY)
    imported = "from highstreet.sdk import gettext as _\n"
    more = imported.replace("gettext as _", "lazy_gettext as _l")
    more += "from highstreet.sdk import Owed, aggregates\n"
    edit(package, "hooks.py", imported, imported + more)
    edit(package, "entries.py", "    return len(made)\n", TOLD)
    edit(
        package,
        "__init__.py",
        "    translations=",
        "    trial=more.TRIAL,\n    fields=more.FIELDS,\n    events=more.EVENTS,\n"
        "    slots=more.SLOTS,\n    jobs=more.JOBS,\n"
        "    periodic=more.PERIODIC,\n    verbs=more.VERBS,\n    translations=",
    )
    edit(package, "__init__.py", "import hooks, models", "import hooks, models, more")
    edit(package, "plugin.toml", '["customers.read"]', '["customers.read", "jobs"]')
    edit(package, PO, "", CHINESE)
    compile_(package)
    return package


PO = "translations/zh_Hans/LC_MESSAGES/messages.po"


def edit(package: Path, file: str, old: str, new: str) -> None:
    """Put `new` in the place of `old`, which must be there; at the end if `old` is empty."""
    path = package / file
    text = path.read_text("utf-8")
    assert old in text, f"{file} has no {old!r}"
    path.write_text(text.replace(old, new) if old else text + new, "utf-8")


def compile_(package: Path) -> None:
    """Compile the catalogue anew."""
    path = package / PO
    with path.with_suffix(".mo").open("wb") as file:
        write_mo(file, read_po(BytesIO(path.read_bytes()), locale="zh_Hans"))


def install(package: Path, site: Path) -> None:
    """Let it be found."""
    site.mkdir()
    put(package.parent, site, name=NAME, package=PACKAGE)
