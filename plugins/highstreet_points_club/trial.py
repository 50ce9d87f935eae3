"""Trying a programme on last month's purchases before it is saved: the set-up page's answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from highstreet.sdk import (
    Ctx,
    PurchaseFact,
    SettingsTrial,
    Statement,
    TrialFact,
    TrialLine,
    TrialOutcome,
    TrialPeriod,
    bought,
    own,
)
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_points_club import programme as programmes
from highstreet_points_club import rules, simulation, words, worth
from highstreet_points_club.programme import RewardRule
from highstreet_points_club.simulation import Compared, Reckoned, Side, Source

#: Purchases that are reckoned, so that the page comes within some seconds; the latest. Where it
#: matters what was bought their lines must be read, too.
MOST, MOST_WITH_LINES = 40_000, 20_000
#: Purchases whose members are looked up in one go.
_CHUNK = 1000

_THERE = Statement(
    f"SELECT COUNT(*) FROM {bought('p')} WHERE p.store_id = :at_store"
    " AND p.business_date BETWEEN :first AND :last AND p.customer_id IS NOT NULL"
    f" AND {own('p')}",
    returns="value",
)


def run(
    ctx: Ctx, now: Mapping[str, Any], proposed: Mapping[str, Any], period: TrialPeriod
) -> TrialOutcome:
    """What the members' purchases of a month earn by two programmes, in the store of `ctx`."""
    sides = programmes.load(now), programmes.load(proposed)
    lines = any(map(simulation.looks_at_lines, sides))
    there = _THERE(ctx.s, at_store=ctx.store_id, first=period.first, last=period.last)
    most = MOST_WITH_LINES if lines else MOST
    purchases = ctx.purchases.of_days(
        period.first, period.last, members=True, lines=lines, limit=most
    )
    found = simulation.compare(*sides, _with_members(ctx, purchases), rules.place(ctx).zone)
    more, less, same = found.moved()
    return TrialOutcome(
        facts=[
            TrialFact(_("Purchases of members"), "count", found.purchases),
            TrialFact(_("Spent in them"), "money", found.spent),
            TrialFact(_("Members who bought"), "count", found.members),
        ],
        lines=_lines(found),
        changes=[
            TrialFact(_("Members who get more"), "count", more, people=more),
            TrialFact(_("Members who get less"), "count", less, people=less),
            TrialFact(_("Members for whom nothing changes"), "count", same, people=same),
        ],
        parts=_parts(found),
        notes=_notes(found),
        people=found.members,
        read=found.purchases,
        there=int(there or 0),
    )


TRIAL = SettingsTrial(_l("Try it on last month’s purchases"), run)


def _with_members(ctx: Ctx, purchases: Iterable[PurchaseFact]) -> Iterator[Reckoned]:
    """Each purchase with the record that its member is now."""
    known: dict[UUID, UUID] = {}
    waiting: list[PurchaseFact] = []

    def looked_up() -> Iterator[Reckoned]:
        unknown = {one.customer_id for one in waiting if one.customer_id} - known.keys()
        if unknown:
            known.update({one: root.id for one, root in ctx.customers.roots(unknown).items()})
        for one in waiting:
            if one.customer_id is not None:
                yield Reckoned(known.get(one.customer_id, one.customer_id), one)

    for purchase in purchases:
        waiting.append(purchase)
        if len(waiting) == _CHUNK:
            yield from looked_up()
            waiting = []
    yield from looked_up()


def _lines(found: Compared) -> list[TrialLine]:
    now, proposed = found.now, found.proposed
    units = words.units(proposed.programme)
    lines = [
        TrialLine(
            _("%(units)s for these purchases", units=units), "points", now.points, proposed.points
        ),
        TrialLine(_("Purchases that earn"), "count", now.earning, proposed.earning),
    ]
    if worth.dearest(now.programme) or worth.dearest(proposed.programme):
        lines.append(
            TrialLine(
                _("What that is worth"),
                "money",
                worth.of(now.programme, now.points),
                worth.of(proposed.programme, proposed.points),
            )
        )
    for key in dict.fromkeys(one.key for side in (proposed, now) for one in side.programme.rewards):
        before, after = now.programme.reward(key), proposed.programme.reward(key)
        name = (after or before).name  # type: ignore[union-attr]  # it is a key of one of them
        lines.append(
            TrialLine(
                _("Enough for so many times: %(reward)s", reward=name),
                "count",
                _times(now, before),
                _times(proposed, after),
            )
        )
    return lines


def _times(side: Side, rule: RewardRule | None) -> int | None:
    return None if rule is None else side.points // rule.points


def _parts(found: Compared) -> list[TrialLine]:
    spelled = found.now.spelled | found.proposed.spelled
    return [
        TrialLine(_called(source, spelled), "points", now, proposed, people=people)
        for source, now, proposed, people in simulation.sources(found)
    ]


def _called(source: Source, spelled: Mapping[str, str]) -> str:
    kind, which, department = source
    if kind == "bonus":
        return _("Bonus time: %(name)s", name=which)
    if kind == "items":
        said = _("By the piece: %(department)s", department=spelled.get(department, department))
    else:
        said = _("For each visit") if kind == "visit" else _("For what is paid")
    return said if which == "1" else f"{said} ({which})"


def _notes(found: Compared) -> list[str]:
    sides = (found.now.programme, found.proposed.programme)
    said = [
        _("Reckoned is what is left of each purchase: what came back earns nothing."),
        _(
            "Left out on both sides: campaigns of head office, points for joining, on birthdays and"
            " by hand, and points that lapse."
        ),
    ]
    dearest = [one for one in map(worth.dearest, sides) if one is not None]
    if dearest:
        names = dict.fromkeys(one.name for one in dearest)
        said.append(
            _(
                "Worth is reckoned by the reward that gives most for a point: %(rewards)s.",
                rewards=", ".join(names),
            )
        )
    if any(one.often_blocks and one.often_most for one in sides):
        said.append(
            _("What a member buys more often in a day than may be earns nothing here, too.")
        )
    return said
