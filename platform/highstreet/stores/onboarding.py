"""Takes stores in from a file: made where they are new, changed only where the row says so.

All good rows go in together, in one transaction: a run that is killed leaves nothing, and the same
file again finds everything as it should be and changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct, field

from highstreet.host import state
from highstreet.i18n import gettext as _
from highstreet.imports import marks
from highstreet.imports.errors import ErrorsFile, Refusal
from highstreet.imports.mapping import FileMapping
from highstreet.purchases.models import Purchase
from highstreet.stores import reading
from highstreet.stores.managers import Invited, Managers
from highstreet.stores.reading import ADDRESS, Row
from highstreet_tenants import turns
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import ending
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import SYSTEM, Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy
from highstreet_tenants.trail import record


class Told(Struct, frozen=True):
    """What becomes of one row's store. changes: {field: [before, after]}; nothing for "same"."""

    line: int
    number: str
    name: str
    action: Literal["add", "change", "same"]
    changes: Mapping[str, tuple[str, str]]


class Outcome(Struct):
    """What a file of stores did, or would do.

    made: new regions and owners. links: of managers who were invited; their tokens are kept
    nowhere else, and a dry run has none. errors_file: the refused rows, on the command line.
    """

    dry_run: bool
    told: list[Told] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    links: list[Invited] = field(default_factory=list)
    errors_file: str | None = None

    def count(self, action: str) -> int:
        """How many rows' stores are added, changed or the same."""
        return sum(one.action == action for one in self.told)


class _Undone(Exception):
    """Rolls a dry run back."""


def take_in(
    tenancy: Tenancy,
    brand: Brand,
    path: Path,
    *,
    mapping: FileMapping | None = None,
    make: bool = False,
    again: bool = False,
    dry_run: bool = False,
    errors_beside: bool = False,
    actor: Actor = SYSTEM,
    by: UUID | None = None,
    catalogue: Catalogue,
) -> Outcome:
    """Take in the stores of a file and invite their managers.

    A field that is empty, or has no column, stays as it is; of a new store it is the brand's. make:
    make regions and owners that are not there, instead of refusing the row. again: new links for
    managers who were invited earlier and have not come yet. by: the person who does it. dry_run
    does everything and takes it back. Raises Invalid for a file that can't be read.
    """
    outcome = Outcome(dry_run)
    found, placed = reading.survey(path, mapping or FileMapping())
    with marks.alone(path):
        rows = list(reading.rows(found, placed, outcome.refused))
        try:
            with tenancy.session(Scope.operator(brand.id, actor), write=True) as s:
                turns.take(s, "stores", "onboarding")
                work = _Work(s, brand, outcome, make, Managers(s, brand, catalogue, by, again))
                for row in rows:
                    work.row(row)
                work.finish()
                if dry_run:
                    raise _Undone
        except _Undone:
            pass
    outcome.refused.sort(key=lambda one: one.line)
    if errors_beside and not dry_run:
        errors = ErrorsFile(path, found.header)
        errors.add(outcome.refused)
        settled = errors.settle()
        outcome.errors_file = str(settled) if settled else None
    return outcome


class _Work:
    """The brand's stores, regions and owners in memory, and what the file makes of them."""

    def __init__(
        self, s: ScopedSession, brand: Brand, outcome: Outcome, make: bool, managers: Managers
    ) -> None:
        self.s, self.brand, self.outcome, self.make = s, brand, outcome, make
        self.managers = managers
        self.stores = {store.code: store for store in s.scalars(sa.select(Store))}
        self.slugs = {store.slug for store in self.stores.values()}
        self.regions = _known(s.scalars(sa.select(Region)))
        self.owners = _known(s.scalars(sa.select(Owner)))
        self.moved: list[Store] = []
        self.invite: list[tuple[Store, str, str]] = []

    def row(self, row: Row) -> None:
        """Make or change the row's store, or refuse the row."""
        store = self.stores.get(row.number)
        try:
            columns, words = self._columns(row, store)
        except _Refused as error:
            record = row.record
            self.outcome.refused.append(Refusal(record.line, str(error), record.fields))
            return
        if store is None:
            store = self._add(row, columns)
            action: Literal["add", "change", "same"] = "add"
        else:
            for name, value in columns.items():
                setattr(store, name, value)
            action = "change" if columns else "same"
            if columns:
                self._record(store, "store.changed", words)
            if {"owner_id", "region_id"} & columns.keys():
                self.moved.append(store)
        if email := row.said.get("manager_email"):
            self.invite.append((store, email, row.said.get("manager_name", "")))
        told = Told(row.record.line, row.number, store.name, action, words)
        self.outcome.told.append(told)

    def finish(self) -> None:
        """Write all, end PINs of strangers where a store went elsewhere, invite the managers."""
        self.s.flush()
        if self.outcome.count("add") or self.outcome.count("change"):
            state.touch(self.s)
        for store in self.moved:
            ending.end_strangers_pins(self.s, Node.of(self.brand, store), self.managers.catalogue)
        for store, email, name in self.invite:
            invited = self.managers.invite(store, email, name)
            if invited is not None and not self.outcome.dry_run:
                self.outcome.links.append(invited)

    def _columns(
        self, row: Row, store: Store | None
    ) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
        """What differs from the store as it is: columns to set, and the same in words."""
        said = row.said
        columns: dict[str, Any] = {}
        words: dict[str, tuple[str, str]] = {}
        plain = {
            name: said[name] for name in ("name", "zone", "currency", "locale") if name in said
        }
        for name, value in plain.items():
            before = getattr(store, name) if store else ""
            if before != value:
                columns[name], words[name] = value, (before, value)
        if store is not None and "currency" in columns and self._has_purchases(store):
            raise _Refused(
                _(
                    "the store has purchases in %(currency)s: its currency can’t change",
                    currency=store.currency,
                )
            )
        for name, known, make in (
            ("region", self.regions, self._new_region),
            ("owner", self.owners, self._new_owner),
        ):
            if name in said:
                target = self._find(name, said[name], known, make)
                before_id = getattr(store, f"{name}_id") if store else None
                if before_id != target.id:
                    columns[f"{name}_id"] = target.id
                    was = next((one.name for one in known.values() if one.id == before_id), "")
                    words[name] = (was, target.name)
        there = dict(store.address) if store else {}
        given = {part: said[part] for part in ADDRESS if part in said}
        if given.items() - there.items():
            columns["address"] = {**there, **given}
            words |= {
                part: (str(there.get(part, "")), value)
                for part, value in given.items()
                if there.get(part) != value
            }
        return columns, words

    def _add(self, row: Row, columns: dict[str, Any]) -> Store:
        usual = {name: getattr(self.brand, name) for name in ("zone", "currency", "locale")}
        name = _("Store %(code)s", code=row.number)
        values = {**usual, "name": name, "address": {}, **columns}
        slug = _free(_slug(f"{values['name']}") or _slug(f"store-{row.number}"), self.slugs)
        store = Store(brand_id=self.s.brand_id, id=new_id(), slug=slug, code=row.number, **values)
        self.slugs.add(slug)
        self.stores[row.number] = store
        self.s.add(store)
        self._record(store, "store.added", {"number": ("", row.number)})
        return store

    def _record(self, store: Store, action: str, words: Mapping[str, Any]) -> None:
        record(self.s, action, "store", store.id, store.name, store_id=store.id, details=words)

    def _has_purchases(self, store: Store) -> bool:
        one = sa.select(Purchase.id).where(Purchase.store_id == store.id).limit(1)
        return self.s.scalar(one) is not None

    def _find(self, kind: str, word: str, known: dict[str, Any], make: Callable[[str], Any]) -> Any:
        found = known.get(word.casefold())
        if found is not None:
            return found
        if not self.make:
            names = sorted({one.name for one in known.values()})
            listed = ", ".join(names[:12]) + (" …" if len(names) > 12 else "")
            raise _Refused(
                _("there is no region “%(word)s”; there are: %(known)s", word=word, known=listed)
                if kind == "region"
                else _(
                    "there is no owner “%(word)s”; there are: %(known)s", word=word, known=listed
                )
            )
        row = make(word)
        self.s.add(row)
        known[word.casefold()] = known[row.slug] = row
        self.outcome.made.append(word)
        record(self.s, f"{kind}.added", kind, row.id, row.name)
        return row

    def _new_region(self, name: str) -> Region:
        slug = _free(_slug(name) or "region", self.regions)
        return Region(brand_id=self.s.brand_id, id=new_id(), slug=slug, name=name)

    def _new_owner(self, name: str) -> Owner:
        slug = _free(_slug(name) or "owner", self.owners)
        return Owner(brand_id=self.s.brand_id, id=new_id(), slug=slug, name=name, legal_name=name)


class _Refused(Exception):
    """Why a row's store can't go in."""


def _known(rows: Iterable[Any]) -> dict[str, Any]:
    """By slug and by name; a slug wins over another's name."""
    there = list(rows)
    return {one.name.casefold(): one for one in there} | {one.slug: one for one in there}


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")[:50].strip("-")


def _free(slug: str, taken: Iterable[str]) -> str:
    number, found = 1, slug
    while found in taken:
        number += 1
        found = f"{slug}-{number}"
    return found
