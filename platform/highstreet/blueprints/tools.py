"""Brings a brand's tools to what its blueprint says: policy, stores' choices, settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from highstreet.blueprints.changes import Outcome
from highstreet.blueprints.document import Document, Settings, Tool
from highstreet.blueprints.source import Path_, Source
from highstreet.host import policy, settings
from highstreet.host.models import PluginChoice, PluginPolicy, PluginSetting
from highstreet.i18n import gettext as _
from highstreet.purchases.models import Purchase
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError, Invalid
from highstreet_tenants.models import Brand, Region, Store
from highstreet_tenants.sessions import ScopedSession

EVER = datetime(1980, 1, 1, tzinfo=UTC)
"""From when the settings of a brand without purchases count."""


def apply_tools(
    s: ScopedSession, brand: Brand, document: Document, source: Source, outcome: Outcome
) -> None:
    """Policy, choices, approvals and settings of every tool that the blueprint names.

    Raises Invalid, naming the line, for what the host or the tool refuses.
    """
    # Nothing was bought yet: what is imported from earlier years counts by these rules, too.
    fresh = s.scalar(sa.select(Purchase.id).limit(1)) is None
    regions = {row.slug: row.id for row in s.scalars(sa.select(Region))}
    stores = {row.slug: row.id for row in s.scalars(sa.select(Store))}
    for tool in document.tools.values():
        try:
            _policy(s, brand, tool, regions, outcome)
            _choices(s, tool, stores, outcome)
        except HighstreetError as error:
            raise _placed(source, ("tools", tool.name), error) from error
        for level in tool.settings:
            node = {"region": regions, "store": stores}.get(level.level, {}).get(level.slug)
            try:
                _settings(s, brand, tool, level, node, outcome, fresh=fresh)
            except HighstreetError as error:
                raise _placed(source, _path(document, tool, level), error) from error


def _path(document: Document, tool: Tool, level: Settings) -> Path_:
    if level.level == "brand":
        return ("tools", tool.name, "settings")
    others = [one for one in tool.settings if one.level != "brand"]
    return ("tools", tool.name, "overrides", others.index(level))


def _placed(source: Source, path: Path_, error: HighstreetError) -> Invalid:
    """The error with the line of the blueprint in front, and what is wrong with each key."""
    from highstreet.blueprints.source import dotted

    lines = [f"{source.where(path)}: {dotted(path)}: {error.detail}"]
    for key, messages in error.fields.items():
        parts = (int(part) if part.isdecimal() else part for part in key.split("."))
        inner = (*path, *parts)
        words = " ".join(str(one) for one in messages)
        lines.append(f"{source.where(inner)}: {dotted(inner)}: {words}")
    return Invalid("\n".join(lines), fields=error.fields)


def _policy(
    s: ScopedSession, brand: Brand, tool: Tool, regions: Mapping[str, UUID], outcome: Outcome
) -> None:
    there = {
        row.node_id: row.level
        for row in s.scalars(sa.select(PluginPolicy).where(PluginPolicy.plugin == tool.name))
    }
    wanted: list[tuple[str, UUID | None, str]] = []
    if tool.policy is not None:
        wanted.append(("brand", None, str(tool.policy)))
    wanted += [
        (f"region {slug}", regions[slug], str(level)) for slug, level in tool.regions.items()
    ]
    for where, region_id, level in wanted:
        before = there.get(region_id or brand.id)
        if before == level:
            continue
        policy.set_policy(s, tool.name, level, region_id=region_id)
        name = f"{tool.name} at {where}"
        if before is None:
            outcome.add("policy", name, level=level)
        else:
            outcome.change("policy", name, {"level": (before, level)})


def _choices(s: ScopedSession, tool: Tool, stores: Mapping[str, UUID], outcome: Outcome) -> None:
    there = {
        row.node_id: row
        for row in s.scalars(sa.select(PluginChoice).where(PluginChoice.plugin == tool.name))
    }
    for slug, on in (*((one, True) for one in tool.on), *((one, False) for one in tool.off)):
        row = there.get(stores[slug])
        if row is not None and row.wanted == on:
            continue
        policy.choose(s, tool.name, on, store_id=stores[slug])
        name = f"{tool.name} in {slug}"
        if row is None:
            outcome.add("choice", name, wanted="on" if on else "off")
        else:
            outcome.change("choice", name, {"wanted": ("off", "on") if on else ("on", "off")})
    for slug in tool.approved:
        row = there.get(stores[slug])
        if row is None or row.approval != "granted":
            policy.approve(s, tool.name, stores[slug])
            outcome.add("approval", f"{tool.name} in {slug}")


def _settings(
    s: ScopedSession,
    brand: Brand,
    tool: Tool,
    level: Settings,
    node: UUID | None,
    outcome: Outcome,
    *,
    fresh: bool,
) -> None:
    before = _given(s, tool.name, node or brand.id)
    since = EVER if fresh else None
    if tool.since is not None:
        since = datetime.combine(tool.since, time.min, clock.zone(brand.zone))
    settings.put(
        s,
        tool.name,
        dict(level.values),
        region_id=node if level.level == "region" else None,
        store_id=node if level.level == "store" else None,
        lock=level.lock,
        unlock=[key for key, row in before.items() if row.locked and key not in level.lock],
        valid_from=since,
    )
    after = _given(s, tool.name, node or brand.id)
    at = "brand" if level.level == "brand" else f"{level.level} {level.slug}"
    for key, row in after.items():
        old = before.get(key)
        if old is not None and old.id == row.id:
            continue
        name = f"{tool.name} {key} at {at}"
        details: dict[str, tuple[Any, Any]] = {}
        if row.given and (old is None or old.value != row.value):
            details["value"] = (old.value if old is not None and old.given else None, row.value)
        if row.locked != (old is not None and old.locked):
            details["locked"] = (None, _("yes") if row.locked else _("no"))
        if old is None:
            outcome.add("setting", name, **{one: after_ for one, (_b, after_) in details.items()})
        else:
            outcome.change("setting", name, details)


def _given(s: ScopedSession, plugin: str, node_id: UUID) -> dict[str, PluginSetting]:
    """The newest row of each key that was given at a node."""
    s.flush()
    rows = s.scalars(
        sa.select(PluginSetting)
        .where(PluginSetting.plugin == plugin, PluginSetting.node_id == node_id)
        .order_by(PluginSetting.seq)
    )
    return {row.key: row for row in rows}
