"""The bench on which a tool is tried: the house, a town in it, and what the tool did there."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from highstreet.host import access, dispatch, gating
from highstreet.host.registry import Host, Loaded
from highstreet.host.spec import Hook
from highstreet.kit import life as lives
from highstreet.kit import rows as all_rows
from highstreet.kit import stated
from highstreet.kit import town as towns
from highstreet.kit.check import Finding
from highstreet.kit.databases import Database
from highstreet.kit.life import Life
from highstreet.kit.outside import Outside
from highstreet.kit.past import Past
from highstreet.kit.rows import Row
from highstreet.kit.subject import Subject, place_of
from highstreet.kit.town import Shop, Town
from highstreet_tenants.base import Base
from highstreet_tenants.sessions import ScopedSession

#: Methods that Flask answers by itself.
METHODS_OF_FLASK = {"HEAD", "OPTIONS"}
MEND_RAISE = "The traceback above ends in the line that raised: handle that case there."


class Bench:
    """One check's own: a fresh town, lived in when first asked for. many: how large a batch is.
    fill: the author's own function that lets members use the tool.
    """

    #: What helps where a tool's tables stay empty.
    HAND = "highstreet_fill, or kit_fill.py in its package, lets members use the tool"

    def __init__(
        self,
        subject: Subject,
        app: Flask,
        database: Database,
        outside: Outside,
        past: Past,
        many: int,
    ) -> None:
        self.subject, self.app, self.database, self.past = subject, app, database, past
        self.outside, self.many = outside, many
        self.fill: Callable[[Town], object] | None = None

    @property
    def host(self) -> Host:
        """All tools that are installed."""
        host: Host = self.app.extensions["highstreet"].host
        return host

    @property
    def tool(self) -> Loaded:
        """The tool that is checked."""
        return self.host.get(self.subject.name)

    @cached_property
    def town(self) -> Town:
        """Two brands of two stores, the tool on in all of them."""
        return towns.build(self.app, self.database, self.subject.name)

    @cached_property
    def lives(self) -> dict[str, Life]:
        """What happened in each shop, by slug."""
        fresh = "town" not in self.__dict__
        if fresh and self.past.town is not None:
            self.town = self.past.town
            self.past.come_back(self.host, self.database)
            return self.past.lives
        found = lives.live(self.town)
        if self.fill is not None:
            self.fill(self.town)
        if fresh:
            self.past.keep(self.town, found)
        return found

    @property
    def lived_in(self) -> bool:
        """Whether anything has happened yet."""
        return "lives" in self.__dict__

    @property
    def store_life(self) -> Life:
        """Of a store that owns its customers."""
        return self.lives["quarry-1"]

    @property
    def club_life(self) -> Life:
        """Of a store of the brand's club."""
        return self.lives["harbour-1"]

    # What the tool answers.

    def hooks(self) -> Iterator[Hook]:
        """The hooks that it answers."""
        for hook in self.host.hooks.values():
            if self.tool.name in self.host.calls.get(hook.name, {}):
                yield hook

    def place_of_hook(self, name: str) -> str:
        """Where it answers a hook."""
        call = self.host.calls.get(name, {}).get(self.tool.name)
        return place_of(call.function) if call else ""

    def place_of(self, label: str) -> str:
        """Where that is written which a fault names: a hook, or a slot ("slot:today.panel")."""
        kind, _sign, name = label.partition(":")
        if kind == "slot" and name in self.tool.plugin.slots:
            return place_of(self.tool.plugin.slots[name])
        return self.place_of_hook(label)

    def routes(self, *faces: str) -> Iterator[tuple[str, Rule]]:
        """(face, rule) of its screens and operations, in these faces or all.

        Those that do not say whom they let in, and those of a console that let in everybody, open
        for nobody: screens-permission says so.
        """
        for face, rule in self.all_routes():
            shut = stated.unstated(self.app, [rule]) or self.never_public(face, rule)
            if (not faces or face in faces) and not shut:
                yield face, rule

    def all_routes(self) -> Iterator[tuple[str, Rule]]:
        """(face, rule) of all its screens and operations."""
        for tool, face, rule in tool_routes(self.app):
            if tool == self.tool.name:
                yield face, rule

    def place_of_view(self, rule: Rule) -> str:
        """Where a view is written."""
        return place_of(self.app.view_functions[rule.endpoint])

    def permission(self, rule: Rule) -> str | None:
        """What a view requires."""
        return access.permission_of(self.app.view_functions[rule.endpoint])

    def public(self, rule: Rule) -> bool:
        """Whether a view says that it is for everybody."""
        return access.why_public(self.app.view_functions[rule.endpoint]) is not None

    def never_public(self, face: str, rule: Rule) -> bool:
        """Whether a view says that it is for everybody where the host lets nobody in unknown."""
        return face in ("store", "office") and self.public(rule)

    # What stands in its tables.

    def tables(self) -> list[sa.Table]:
        """Its tables."""
        return [Base.metadata.tables[name] for name in sorted(self.tool.tables)]

    def rows(self) -> list[Row]:
        """Everything in them."""
        return [row for row in all_rows.everything(self.database) if row.table in self.tool.tables]

    def place_of_table(self, name: str) -> str:
        """Where a table is declared."""
        for mapper in Base.registry.mappers:
            if getattr(mapper.local_table, "name", "") == name:
                return place_of(mapper.class_)
        return self.subject.at(f'"{name}"', ".py")

    def within(self, s: ScopedSession) -> list[str]:
        """Its rows as a session sees them, without ids and times: equal lists did the same."""
        found = []
        for table in self.tables():
            kept = [c for c in table.c if _is_content(c)]
            query = sa.select(*kept).where(*s.scope.owns(table)) if kept else None
            for row in s.execute(query) if query is not None else ():
                found.append(json.dumps([table.name, *map(str, row)]))
        return sorted(found)

    # Asking it, and noting what goes wrong.

    def ask(self, s: ScopedSession, hook: Hook, given: Mapping[str, Any]) -> Any:
        """Dispatch a hook as its kind demands; to all tools that are on."""
        arguments = {name: given[name] for name in hook.arguments}
        if hook.name == "till_deeds":
            arguments["purchases"] = [one.id for one in given["purchases"]]
        if hook.kind == "first":
            return dispatch.first(s, hook.name, **arguments)
        if hook.kind == "veto":
            return dispatch.veto(s, hook.name, **arguments)
        if hook.kind == "all":
            return dispatch.together(s, hook.name, **arguments)
        if hook.kind == "chain":
            return dispatch.chain(s, hook.name, arguments.pop(hook.arguments[0]), **arguments)
        return dispatch.collect(s, hook.name, **arguments)

    def faults(self, *kinds: str) -> list[Finding]:
        """What the host recorded against it, of these kinds ("error", "slow"), as findings."""
        found = []
        seen = set()
        for row in all_rows.everything(self.database):
            said = row.values
            if row.table != "core_plugin_fault" or said["plugin"] != self.tool.name:
                continue
            if said["kind"] not in (kinds or ("error",)) or (said["hook"], said["message"]) in seen:
                continue
            seen.add((said["hook"], said["message"]))
            found.append(
                Finding(
                    f"{said['hook']} failed: {said['error']} {said['message']}".strip(),
                    "Handle that case in the hook. Whatever raises is undone and tried again.",
                    _last_own(said["traceback"], self.subject) or self.place_of(said["hook"]),
                )
            )
        return found

    def open(
        self, client: Any, rule: Rule, method: str, values: Mapping[str, Any], **more: Any
    ) -> Any:
        """One request; a Finding if the view raised or answered 5xx, else the answer."""
        said = f"{method} {rule.rule}"
        path = self.path(rule, values)
        try:
            answer = client.open(path, method=method, **more)
        except Exception as error:
            where = self.subject.blame(error.__traceback__) or self.place_of_view(rule)
            shown = "".join(traceback.format_exception(error)[-3:])
            return Finding(
                f"{said} raised {type(error).__name__}: {error}\n{shown}", MEND_RAISE, where
            )
        if answer.status_code >= 500:
            return Finding(
                f"{said} answered {answer.status_code}: {self.text(answer)[-300:]}",
                "No input may cost more than a refusal: raise one of the sdk's errors.",
                self.place_of_view(rule),
            )
        return answer

    @staticmethod
    def text(answer: Any) -> str:
        """What an answer shows, its headers too; of a file, whatever of it can be read."""
        return f"{answer.headers}\n{answer.get_data().decode('utf-8', 'replace')}"

    def path(self, rule: Rule, values: Mapping[str, Any]) -> str:
        """The address of a rule; a random id, or something, for what `values` do not name."""
        full = {name: values.get(name, stand_in(rule, name)) for name in rule.arguments}
        path: str = self.app.url_map.bind("localhost").build(rule.endpoint, full)
        return path

    def ids_of(self, shop: Shop, argument: str) -> list[UUID]:
        """What an argument of an address may mean in a shop: customers, purchases, own rows."""
        if not self.lived_in:
            return []
        life = self.lives[shop.slug]
        if "customer" in argument or "member" in argument:
            return [one.id for one in life.people]
        if "purchase" in argument:
            return [one.id for one in life.bought]
        own = [row for row in self.rows() if row.store == shop.id and "id" in row.values]
        return [row.values["id"] for row in own]

    def meant(self, shop: Shop, argument: str, face: str = "store") -> list[UUID]:
        """What a page's argument means: rows of the tool's table that is called like it, the shop's
        before its brand's own (which alone are head office's); without such a table as `ids_of`."""
        table = f"{self.town.tool}_{argument.removesuffix('_id')}"
        if table not in {one.name for one in self.tables()}:
            return self.ids_of(shop, argument)
        rows = [one for one in self.rows() if (one.table, one.brand) == (table, shop.office.id)]
        whose = (None,) if face == "office" else (shop.id, None)
        return [row.values["id"] for store in whose for row in rows if row.store == store]

    def asked(self) -> list[str]:
        """Names of form and query values that its code asks for."""
        found: set[str] = set()
        for path in self.subject.trees:
            source = path.read_text(encoding="utf-8")
            found |= set(
                re.findall(r'request\.(?:form|args|values)(?:\.get\w*\(|\[)\s*"([^"]+)"', source)
            )
        return sorted(found)

    def slugs(self, shop: Shop) -> dict[str, str]:
        """Arguments of an address in a shop."""
        return {"brand": shop.office.slug, "store": shop.slug}


@contextmanager
def let_go(session: Any) -> Iterator[ScopedSession]:
    """A session whose work is undone at its end."""
    try:
        with session as s:
            yield s
            raise _LetGo
    except _LetGo:
        pass


class _LetGo(Exception):
    """Ends a session as an error would."""


def tool_routes(app: Flask) -> list[tuple[str, str, Rule]]:
    """(tool, face, rule) of every route that is known as a tool's."""
    found = []
    for rule in app.url_map.iter_rules():
        blueprint = app.blueprints.get(rule.endpoint.rpartition(".")[0])
        tool = gating.tool_of(blueprint)
        if tool is not None:
            found.append((tool, gating.face_of(blueprint) or "", rule))
    return found


def stand_in(rule: Rule, name: str) -> Any:
    """A value that an argument takes and that names nothing."""
    converter = rule._converters[name]
    items = getattr(converter, "items", None)
    if items is not None:
        return sorted(items)[0]
    kinds = {"UUIDConverter": uuid4(), "IntegerConverter": 1, "FloatConverter": 1.0}
    return kinds.get(type(converter).__name__, "nothing")


def methods(rule: Rule) -> list[str]:
    """What a rule answers, but for what Flask does by itself."""
    return sorted((rule.methods or set()) - METHODS_OF_FLASK)


def customer_columns(table: sa.Table) -> list[str]:
    """Columns that point at a customer, in the table's order."""
    pointing = {
        str(element.parent.name)
        for key in table.foreign_key_constraints
        if key.referred_table.name == "core_customer"
        for element in key.elements
    } - {"brand_id"}
    return [column.name for column in table.c if column.name in pointing]


def _is_content(column: Any) -> bool:
    kind = column.type
    if isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl
    return not isinstance(kind, sa.Uuid | sa.DateTime | sa.LargeBinary) and not isinstance(
        kind, sa.JSON
    )


def _last_own(trace: str, subject: Subject) -> str:
    """The innermost line of the tool's own code in a traceback that was written down."""
    found = re.findall(r'(?:File ")?([^\s"]+\.py)"?(?:, line |:)(\d+)', trace)
    stem = subject.package.replace(".", "/")
    own = [f"{path}:{line}" for path, line in found if f"{stem}/" in path.replace("\\", "/")]
    return own[-1] if own else ""
