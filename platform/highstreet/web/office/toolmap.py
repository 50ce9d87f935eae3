"""The map of tools by store: few tools against many stores, or sums where there are too many."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import url_for
from msgspec import Struct, field

from highstreet.host.lattice import Ruling
from highstreet.host.registry import Host
from highstreet.host.snapshot import Place as StorePlace
from highstreet.host.snapshot import Snapshot
from highstreet.i18n import gettext as _
from highstreet.web import toolfaces
from highstreet.web.current import current

#: More columns than this nobody reads; then each tool's states are counted.
MOST_STORES = 60
ORDER = (
    "required",
    "on",
    "off",
    "waiting",
    "held",
    "paused",
    "refused",
    "forbidden",
    "unavailable",
)


class ToolMap(Struct):
    """`rows` against `stores` grouped by `regions`; or `totals` by state (`words`)."""

    stores: list[dict[str, Any]] = field(default_factory=list)
    regions: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    totals: list[dict[str, Any]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    @property
    def held(self) -> dict[str, int]:
        """In how many stores each tool waits for somebody to agree, where it does."""
        return {name: c["held"] for name, c in self.counts.items() if c["held"]}

    @property
    def paused(self) -> dict[str, int]:
        """In how many stores each tool is paused, where it is."""
        return {name: c["paused"] for name, c in self.counts.items() if c["paused"]}


def build(rows: Snapshot, host: Host) -> ToolMap:
    """The map of all stores in a snapshot."""
    stores = _in_order(rows)
    rulings = {place.store_id: rows.rulings(host, place.store_id) for place in stores}
    found = ToolMap()
    for name in host.plugins:
        found.counts[name] = Counter(rulings[place.store_id][name].state for place in stores)
    if len(stores) > MOST_STORES:
        _sum_up(found, host)
    else:
        _draw(found, host, rows, stores, rulings)
    return found


def legend() -> list[tuple[str, str, str]]:
    """(symbol, colour, words) of each sign."""
    said = {
        "required": _("required"),
        "on": _("on"),
        "off": _("off"),
        "waiting": _("waiting for approval"),
        "paused": _("paused after faults"),
        "forbidden": _("forbidden"),
    }
    return [(*toolfaces.MARKS[state], words) for state, words in said.items()]


def on_count(counts: Counter[str]) -> int:
    """In how many stores a tool works."""
    return counts["on"] + counts["required"]


def _in_order(rows: Snapshot) -> list[StorePlace]:
    places = [place for place in rows.places.values() if place.store_id is not None]
    return sorted(
        places,
        key=lambda p: (p.region_id is None, rows.regions.get(p.region_id or p.node, ""), p.name),
    )


def _draw(
    found: ToolMap,
    host: Host,
    rows: Snapshot,
    stores: list[StorePlace],
    rulings: Mapping[UUID | None, Mapping[str, Ruling]],
) -> None:
    edges = set()
    last: object = object()
    for place in stores:
        if place.region_id != last:
            last = place.region_id
            edges.add(place.store_id)
            name = rows.regions.get(place.region_id, "") if place.region_id else ""
            found.regions.append({"name": name, "count": 0})
        found.regions[-1]["count"] += 1
        found.stores.append(
            {
                "name": place.name,
                "edge": place.store_id in edges,
                "href": url_for("office.store", **current.place.slugs, slug=place.slug)
                if current.may("stores.view")
                else "",
            }
        )
    if not any(region["name"] for region in found.regions):
        found.regions = []
    for name in host.plugins:
        cells = []
        for place in stores:
            state = rulings[place.store_id][name].state
            sign, look = toolfaces.MARKS[state]
            word = toolfaces.words(state).lower()
            edge = place.store_id in edges
            cells.append({"sign": sign, "look": look, "word": word, "edge": edge})
        found.rows.append(
            {
                "title": toolfaces.face(host, name).title,
                "href": url_for("office.policy", **current.place.slugs, tool=name)
                if current.may("policy.edit")
                else "",
                "cells": cells,
                "on": on_count(found.counts[name]),
            }
        )


def _sum_up(found: ToolMap, host: Host) -> None:
    used = [state for state in ORDER if any(c[state] for c in found.counts.values())]
    found.words = [toolfaces.words(state) for state in used]
    found.totals = [
        {
            "title": toolfaces.face(host, name).title,
            "counts": [found.counts[name][state] for state in used],
        }
        for name in host.plugins
    ]
