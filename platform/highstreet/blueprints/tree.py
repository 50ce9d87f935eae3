"""Brings a brand's tree, people and custom fields to what its blueprint says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa

from highstreet.blueprints.changes import Outcome
from highstreet.blueprints.document import Document, RoleAt
from highstreet.blueprints.source import Path_, Source, dotted
from highstreet.customers import fields, service
from highstreet.customers.models import Customer
from highstreet.i18n import gettext as _
from highstreet.purchases.models import Purchase
from highstreet_tenants.errors import Conflict, HighstreetError
from highstreet_tenants.ids import new_id
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import accounts, ending, roles
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.sessions import ScopedSession

Row = TypeVar("Row", Brand, Region, Owner, Store)


def apply_tree(s: ScopedSession, document: Document, source: Source, outcome: Outcome) -> Brand:
    """The brand itself, its regions, owners, stores and custom fields; gives the brand.

    Raises Conflict, naming the line, for changes that would make what is recorded wrong.
    """
    brand = s.get_one(Brand, s.brand_id)
    _brand(s, brand, document, source, outcome)
    regions = _named(s, Region, document.regions, outcome, "region")
    owners = _named(s, Owner, document.owners, outcome, "owner")
    _stores(s, brand, document, source, outcome, regions, owners)
    _fields(s, document, source, outcome)
    s.flush()
    return brand


def _brand(
    s: ScopedSession, brand: Brand, document: Document, source: Source, outcome: Outcome
) -> None:
    wanted = dict(document.brand)
    if brand.customers != wanted["customers"] and _any(s, Customer):
        raise _conflict(
            source,
            ("brand", "customers"),
            _(
                "The customers of “%(brand)s” belong to the %(now)s, and there are customers: "
                "that can't change any more.",
                brand=brand.slug,
                now=brand.customers,
            ),
        )
    outcome.change("brand", brand.slug, _lay(brand, wanted))


def _conflict(source: Source, path: Path_, words: str) -> Conflict:
    return Conflict(
        f"{source.where(path)}: {dotted(path)}: {words}", fields={dotted(path): [words]}
    )


def _any(s: ScopedSession, model: type[Customer] | type[Purchase], *where: Any) -> bool:
    return s.scalar(sa.select(model.id).where(*where).limit(1)) is not None


def _named(
    s: ScopedSession,
    model: type[Row],
    wanted: Mapping[str, Mapping[str, Any]],
    outcome: Outcome,
    what: str,
) -> dict[str, UUID]:
    there = {row.slug: row for row in s.scalars(sa.select(model))}
    for slug, values in wanted.items():
        row = there.get(slug)
        if row is None:
            row = there[slug] = model(brand_id=s.brand_id, id=new_id(), **values)
            s.add(row)
            outcome.add(what, slug)
        else:
            outcome.change(what, slug, _lay(row, values))
    _leave(outcome, what, there.keys() - wanted.keys())
    s.flush()
    return {slug: row.id for slug, row in there.items()}


def _stores(
    s: ScopedSession,
    brand: Brand,
    document: Document,
    source: Source,
    outcome: Outcome,
    regions: Mapping[str, UUID],
    owners: Mapping[str, UUID],
) -> None:
    there = {store.slug: store for store in s.scalars(sa.select(Store))}
    region_slugs = {id_: slug for slug, id_ in regions.items()}
    owner_slugs = {id_: slug for slug, id_ in owners.items()}
    codes = _free_codes(s, document, source, there)
    for place, (slug, values) in enumerate(document.stores.items()):
        columns = dict(values)
        region, owner = columns.pop("region"), columns.pop("owner")
        store = there.get(slug)
        if store is None:
            s.add(
                Store(
                    brand_id=s.brand_id,
                    id=new_id(),
                    region_id=regions[region] if region else None,
                    owner_id=owners[owner] if owner else None,
                    **columns,
                )
            )
            outcome.add("store", slug)
            continue
        if store.currency != columns["currency"] and _any(
            s, Purchase, Purchase.store_id == store.id
        ):
            raise _conflict(
                source,
                ("stores", place, "currency"),
                _(
                    "Store “%(store)s” has purchases in %(currency)s: its currency can't change.",
                    store=slug,
                    currency=store.currency,
                ),
            )
        details = _lay(store, columns)
        if slug in codes:
            details["code"] = (codes[slug], store.code)
        details |= _point(
            store, "region_id", "region", region_slugs, regions[region] if region else None
        )
        details |= _point(store, "owner_id", "owner", owner_slugs, owners[owner] if owner else None)
        if store.status == "closed":
            details |= _end(s, Node.of(brand, store))
        outcome.change("store", slug, details)
    _leave(outcome, "store", there.keys() - document.stores.keys())
    s.flush()


def _end(s: ScopedSession, node: Node) -> dict[str, tuple[Any, Any]]:
    """What opens a store ends with it; gives how many there were of each."""
    ended = ending.end_store(s, node)
    counts = {_("API keys"): ended.keys, _("tills"): ended.tills, _("PINs"): ended.pins}
    return {name: (count, 0) for name, count in counts.items() if count}


def _free_codes(
    s: ScopedSession, document: Document, source: Source, there: Mapping[str, Store]
) -> dict[str, str]:
    """Take from stores the codes that others are to have; gives what they were, by slug.

    Two stores may exchange their codes: no order of single changes would do it. Raises Conflict
    for a code of a store that the blueprint does not mention, for that one stays as it is.
    """
    holders = {store.code: store for store in there.values()}
    freed: dict[str, str] = {}
    for place, (slug, values) in enumerate(document.stores.items()):
        holder = holders.get(values["code"])
        if holder is None or holder.slug == slug:
            continue
        if holder.slug not in document.stores:
            raise _conflict(
                source,
                ("stores", place, "code"),
                _(
                    "“%(code)s” is the code of the store “%(store)s”, which is not in the "
                    "blueprint and stays. A store is known again by its slug: keep that, and "
                    "change the name.",
                    code=values["code"],
                    store=holder.slug,
                ),
            )
        freed[holder.slug] = holder.code
        holder.code = f"~{holder.id.hex}"
    s.flush()
    return freed


def _point(
    store: Store, column: str, name: str, slugs: Mapping[UUID, str], target: UUID | None
) -> dict[str, tuple[Any, Any]]:
    before: UUID | None = getattr(store, column)
    if before == target:
        return {}
    setattr(store, column, target)
    return {name: (slugs.get(before, "—") if before else "—", slugs[target] if target else "—")}


def _lay(row: Any, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set the columns that differ, and say which."""
    details: dict[str, tuple[Any, Any]] = {}
    for name, value in wanted.items():
        before = getattr(row, name)
        if before != value:
            setattr(row, name, value)
            details[name] = ("—" if before in (None, {}) else before, value)
    return details


def _fields(s: ScopedSession, document: Document, source: Source, outcome: Outcome) -> None:
    there = {one.key: one for one in fields.listed(s)}
    for place, (key, wanted) in enumerate(document.fields.items()):
        one = there.get(key)
        before = (
            {name: getattr(one, name) for name in ("label", "kind", "choices", "required")}
            if one
            else {}
        )
        after = {**wanted, "choices": tuple(wanted["choices"])}
        after.pop("key")
        if before == after:
            continue
        try:
            service.define_field(s, key=key, **after)
        except HighstreetError as error:
            path = ("fields", place)
            raise type(error)(f"{source.where(path)}: {dotted(path)}: {error.detail}") from error
        if one is None:
            outcome.add("field", key)
        else:
            outcome.change(
                "field",
                key,
                {
                    name: (before[name], value)
                    for name, value in after.items()
                    if before[name] != value
                },
            )
    _leave(outcome, "field", there.keys() - document.fields.keys())


def apply_people(
    s: ScopedSession, brand: Brand, document: Document, outcome: Outcome, catalogue: Catalogue
) -> None:
    """Users and their roles. Nobody loses a role for not being mentioned.

    A store that went to another owner or region does not take along the PINs of people whose roles
    it left.
    """
    nodes = _nodes(s, brand)
    for email, values in document.users.items():
        user = accounts.find_user(s, email)
        if user is None:
            user = accounts.create_user(s, email, values["name"], locale=values["locale"])
            outcome.add("user", email)
        held = {(one.node_kind, one.node_id, one.role) for one in grants_of(s, user.id)}
        for one in document.roles[email]:
            node = nodes[one.kind, "" if one.kind == "brand" else one.slug]
            if (node.kind, node.id, one.role) not in held:
                roles.grant(s, user.id, one.role, node, by=None, catalogue=catalogue)
                outcome.add("role", role_name(email, one))
    for change in outcome.changes:
        if change.what == "store" and change.details.keys() & {"owner", "region"}:
            ending.end_strangers_pins(s, nodes["store", change.name], catalogue)


def role_name(email: str, one: RoleAt) -> str:
    """A role as a change names it."""
    at = "brand" if one.kind == "brand" else f"{one.kind} {one.slug}"
    return f"{email}: {one.role} at {at}"


def _nodes(s: ScopedSession, brand: Brand) -> dict[tuple[str, str], Node]:
    nodes = {("brand", ""): Node.of(brand)}
    for kind, model in (("region", Region), ("owner", Owner), ("store", Store)):
        rows: Iterable[Any] = s.scalars(sa.select(model))
        for row in rows:
            nodes[kind, row.slug] = Node.of(brand, row)
    return nodes


def _leave(outcome: Outcome, what: str, slugs: Iterable[str]) -> None:
    outcome.left.extend(f"{what} {slug}" for slug in sorted(slugs))
