"""What becomes of somebody's rows: shown, forgotten, merged, parted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from highstreet.customers.facts import CustomerFact
from highstreet.kit.bench import Bench, customer_columns
from highstreet.kit.check import Finding, NotAsked, check
from highstreet.kit.life import Life
from highstreet.kit.rows import Row
from highstreet_tenants.base import Base
from highstreet_tenants.errors import HighstreetError


def _of(bench: Bench, customer: CustomerFact) -> list[Row]:
    """The tool's rows that point at somebody."""
    columns = {table.name: customer_columns(table) for table in bench.tables()}
    return [
        row
        for row in bench.rows()
        if any(row.values[column] == customer.id for column in columns[row.table])
    ]


def _both(bench: Bench, *hooks: str) -> Iterator[Life]:
    """A club's store, and one that owns its customers; none where it does not answer the hooks,
    for then tables-people has said so. Raises NotAsked where nothing is held about anybody.
    """
    answered = {hook.name for hook in bench.hooks()}
    if answered >= set(hooks) and any(customer_columns(table) for table in bench.tables()):
        lives = (bench.club_life, bench.store_life)
        if not any(_of(bench, one) for life in lives for one in life.people):
            raise NotAsked(f"its tables hold nothing about anybody; {bench.HAND}")
        yield from lives


def _content(row: Row) -> list[str]:
    """What a row says, but for ids and keys, as an export may say it."""
    table = Base.metadata.tables[row.table]
    said: list[str] = []
    for column in table.c:
        value = row.values[column.name]
        if value is None or isinstance(value, UUID | bool) or value in ("", [], {}):
            continue
        if isinstance(value, datetime):
            said.append(value.isoformat(timespec="seconds")[:19])
        elif isinstance(value, date):
            said.append(value.isoformat())
        elif isinstance(value, int | float):
            said += [str(value)] if abs(value) > 9 else []
        elif isinstance(value, str):
            said += [json.dumps(value)[1:-1]] if len(value) > 2 else []
    return said


def _untold(rows: Iterable[Row], told: Any) -> list[Row]:
    """Rows of which an export says nothing."""
    text = json.dumps(told, default=str)
    found = []
    for row in rows:
        said = _content(row)
        whole = str(row.values.get("id")) in text or any(one in text for one in said)
        if not whole and (said or not told):
            found.append(row)
    return found


def _told(bench: Bench, life: Life, customer: CustomerFact) -> Any:
    return life.shop.export(customer)["tools"].get(bench.tool.name)


@check("person-export")
def person_export(bench: Bench) -> Iterator[Finding]:
    """Whoever asks gets every row that the tool holds about them."""
    for life in _both(bench, "export_customer"):
        ann = life.people[0]
        held = _of(bench, ann)
        missing = _untold(held, _told(bench, life, ann))
        for table in sorted({row.table for row in missing}):
            many = sum(row.table == table for row in missing)
            yield Finding(
                f"export_customer leaves out {many} of"
                f" {sum(row.table == table for row in held)} rows of {table} about somebody in"
                f" {life.shop.slug}.",
                "Give all of them, with what they say, as JSON-able values.",
                bench.place_of_hook("export_customer") or bench.place_of_table(table),
            )
        yield from bench.faults()


@check("person-erase")
def person_erase(bench: Bench) -> Iterator[Finding]:
    """Whoever is forgotten leaves nothing in the tool's tables: no id, no name, no number."""
    for life in _both(bench, "erase_customer"):
        ann, bea = life.people
        traces, of_ann = _traces(bea, life), _traces(ann, life)
        life.shop.merge(bea, ann)
        if not any(_points_only_at(row, ann.id) for row in _of(bench, ann)):
            traces += of_ann  # what was merged goes as well (else person-merge has said so)
        life.shop.erase(bea)
        left = [(row, trace) for row in bench.rows() for trace in traces if trace in _as_text(row)]
        for table in sorted({row.table for row, _trace in left}):
            trace = next(trace for row, trace in left if row.table == table)
            kind = "id" if trace in (*_ids(ann), *_ids(bea)) else f"“{trace}”"
            yield Finding(
                f"After erase_customer {table} still bears somebody's {kind}.",
                "Delete the row, or set what names them to NULL and keep what is a sum.",
                bench.place_of_hook("erase_customer") or bench.place_of_table(table),
            )
        yield from bench.faults()


def _ids(customer: CustomerFact) -> tuple[str, str]:
    return str(customer.id), customer.id.hex


def _traces(customer: CustomerFact, life: Life) -> list[str]:
    with life.shop.session() as s:
        from highstreet.customers import queries

        known = queries.detail(s, customer.id).identities
    return [*_ids(customer), customer.name, *(one.value for one in known)]


def _as_text(row: Row) -> str:
    return json.dumps({k: str(v) for k, v in row.values.items()}, ensure_ascii=False)


@check("person-merge")
def person_merge(bench: Bench) -> Iterator[Finding]:
    """When two records become one, what the tool kept for the one is the other's."""
    for life in _both(bench, "customers_merged", "export_customer"):
        kept, gone = life.people
        before = _of(bench, gone)
        life.shop.merge(kept, gone)
        stuck = [row for row in _of(bench, gone) if _points_only_at(row, gone.id)]
        for table in sorted({row.table for row in stuck}):
            yield Finding(
                f"After customers_merged rows of {table} still point at the record that is gone.",
                "Point what you keep for `gone` at `kept`, in one statement.",
                bench.place_of_hook("customers_merged") or bench.place_of_table(table),
            )
        if not stuck:
            for row in _untold(before, _told(bench, life, kept))[:1]:
                yield Finding(
                    f"After customers_merged an export does not tell what {row.table} held for the"
                    " record that is gone.",
                    "Its rows are `kept`'s now: read them by customer_id or ctx.customers.lineage.",
                    bench.place_of_hook("export_customer"),
                )
        yield from bench.faults()


def _points_only_at(row: Row, customer_id: UUID) -> bool:
    """Whether no column of a row says that it is somebody else's by now."""
    table = Base.metadata.tables[row.table]
    first = [c for c in customer_columns(table) if not table.c[c].nullable]
    columns = first or customer_columns(table)[:1]
    return all(row.values[column] == customer_id for column in columns)


@check("person-unmerge")
def person_unmerge(bench: Bench) -> Iterator[Finding]:
    """When that is taken back, each record has what it had."""
    for life in _both(bench, "customers_merged", "customers_unmerged"):
        kept, gone = life.people
        before = _pointers(bench)
        life.shop.merge(kept, gone)
        try:
            life.shop.unmerge(gone)
        except HighstreetError as error:
            yield Finding(
                f"A merge could not be taken back: {error}",
                "Answer customers_unmerged, and raise Conflict only where nobody could tell apart.",
                bench.place_of_hook("customers_unmerged"),
            )
            continue
        after = _pointers(bench)
        wrong = [key for key in before if key in after and after[key] != before[key]]
        wrong += [key for key in before if key not in after]
        for table in sorted({table for table, _id in wrong}):
            yield Finding(
                f"After customers_unmerged {sum(t == table for t, _id in wrong)} rows of {table}"
                " are not with the customer that they were with before the merge.",
                "Remember in customers_merged whose a row was, and give it back to exactly those.",
                bench.place_of_hook("customers_unmerged") or bench.place_of_table(table),
            )
        yield from bench.faults()


def _pointers(bench: Bench) -> Mapping[tuple[str, Any], tuple[Any, ...]]:
    """(table, id) → which customers a row points at."""
    columns = {table.name: customer_columns(table) for table in bench.tables()}
    return {
        (row.table, row.values["id"]): tuple(row.values[c] for c in columns[row.table])
        for row in bench.rows()
        if columns[row.table]
    }
