"""What may be set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from time import perf_counter
from typing import Any

from marshmallow import Schema, ValidationError
from marshmallow import fields as ma_fields

from highstreet.host import settings as host_settings
from highstreet.host import state, trying
from highstreet.host.settings_trial import TrialPeriod
from highstreet.host.trial_sums import Tried
from highstreet.kit.bench import MEND_RAISE, Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.checks.manifest import set_aside
from highstreet.kit.life import Life
from highstreet.kit.rows import changed, everything, fingerprint
from highstreet.kit.subject import Subject, place_of
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError

#: Values that somebody types, or a blueprint bears, sooner or later.
GARBAGE: tuple[Any, ...] = (
    None, "", " ", "x" * 5_000, "-1", "1e999", "NaN", "٣", "\x00", "\ud800", "<b>", "${x}",
    0, -1, 2**70, -(2**70), 1.5, float("nan"), float("inf"), True, [], [[]], {}, {"a": {"b": []}},
    ["x"] * 500, "2026-02-30", "99:99",
)  # fmt: skip


#: Seconds that trying settings may take on a handful of purchases.
TRIAL_SECONDS = 2.0


@check("settings-defaults", needs="files")
def settings_defaults(subject: Subject) -> Iterator[Finding]:
    """Every setting has a default that its own schema takes."""
    mend = "Give the field a load_default that its validators let through."
    yield from set_aside(subject, "settings-defaults", mend, "Schema", ".py")


@check("settings-labels", needs="tool")
def settings_labels(bench: Bench) -> Iterator[Finding]:
    """Every setting is called something by those who set it."""
    schema = bench.tool.plugin.settings
    for name, one in (schema._declared_fields if schema else {}).items():
        if isinstance(one, ma_fields.Field) and not one.metadata.get("label"):
            yield Finding(
                f"The setting {name} has no label, so its form shows the name.",
                f'metadata={{"label": _l("…")}} on the field {name}.',
                bench.subject.at(f"{name} =", ".py") or place_of(schema),
            )


@check("settings-garbage")
def settings_garbage(bench: Bench) -> Iterator[Finding]:
    """Whatever is typed as a setting is taken or refused, and never breaks anything."""
    schema = bench.tool.plugin.settings
    if schema is None:
        return
    where = place_of(schema)
    shop = bench.town.shops[2]
    browser = shop.browser()
    for name, value in _cases(schema):
        said = f"The setting {name} with {value!r:.60}"
        try:
            schema().load({name: value})
        except ValidationError:
            continue
        except Exception as error:
            at = bench.subject.blame(error.__traceback__) or where
            yield Finding(
                f"{said} raised {type(error).__name__}: {error}",
                "A validator raises marshmallow's ValidationError and nothing else.",
                at,
            )
            continue
        # Taken, so it must be of use: kept, read back, and shown on the page that sets it.
        try:
            with shop.session(write=True) as s:
                host_settings.put(s, bench.tool.name, {name: value})
            with shop.ctx() as ctx:
                ctx.settings()[name]
        except HighstreetError:
            continue
        except Exception as error:
            yield Finding(
                f"{said} is taken, and then {type(error).__name__}: {error}", MEND_RAISE, where
            )
            continue
        page = browser.get(f"{shop.address}/tools/{bench.tool.name}/set-up")
        if page.status_code >= 500:
            yield Finding(f"{said} breaks the page on which it is set.", MEND_RAISE, where)


@check("settings-trial")
def settings_trial(bench: Bench) -> Iterator[Finding]:
    """Trying its settings answers in every store, soon, and writes nothing."""
    trial = bench.tool.plugin.trial
    if trial is None:
        return
    where = place_of(trial.run)
    for life in bench.lives.values():
        before = fingerprint(iter(everything(bench.database)))
        began = perf_counter()
        tried = tried_in(bench, life)
        took = perf_counter() - began
        if tried.outcome is None:
            yield from bench.faults() or [Finding("Its trial gave no answer.", MEND_RAISE, where)]
            return
        for table in changed(before, fingerprint(iter(everything(bench.database)))):
            yield Finding(
                f"Trying its settings in {life.shop.slug} changed {table}.",
                "People try before they decide: read through ctx, and write nothing.",
                where,
            )
        if took > TRIAL_SECONDS:
            yield Finding(
                f"Trying its settings on {len(life.bought)} purchases took {took * 1000:.0f} ms; it"
                f" has {TRIAL_SECONDS * 1000:.0f} ms.",
                "Ask the database for sums, or read less (limit=) and say so by read and there.",
                where,
            )


def tried_in(bench: Bench, life: Life) -> Tried:
    """Its settings as they are, tried on what happened in a shop just now."""
    with life.shop.session() as s:
        today = clock.business_date(clock.now(), state.place(s).zone)
        period = TrialPeriod(today - timedelta(days=30), today)
        return trying.run(s, host_settings.propose(s, bench.tool.name, {}), period=period)


def _cases(schema: type[Schema]) -> Iterator[tuple[str, Any]]:
    for name, one in schema._declared_fields.items():
        if isinstance(one, ma_fields.Field):
            yield from ((name, value) for value in GARBAGE)
