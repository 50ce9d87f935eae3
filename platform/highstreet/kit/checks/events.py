"""What it tells others' programmes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from highstreet.host.event_types import EventType
from highstreet.kit import marks
from highstreet.kit import rows as all_rows
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.subject import place_of
from highstreet.webhooks import subscriptions

#: What the core adds to every payload.
_ADDED = ("store", "store_id")


@check("events-sample", needs="tool")
def events_sample(bench: Bench) -> Iterator[Finding]:
    """The sample of each kind of event shows all that its schema may say, just as it is sent."""
    for one in bench.tool.plugin.events:
        schema = one.schema()
        if missing := sorted(set(schema.fields) - set(one.sample)):
            yield Finding(
                f"The sample of {one.name} does not show {', '.join(missing)}.",
                "Give each field a value: others write their programmes by the sample.",
                place_of(one.schema),
            )
            continue
        sent = schema.dump(schema.load(dict(one.sample)))
        for name, value in one.sample.items():
            if sent.get(name) != value:
                yield Finding(
                    f"The sample of {one.name} shows {name} as {_json(value)}, and it is sent as"
                    f" {_json(sent.get(name))}.",
                    "Write the sample as the schema writes it.",
                    place_of(one.schema),
                )


@check("events-told")
def events_told(bench: Bench) -> Iterator[Finding]:
    """What it tells where somebody listens fits the schema that its sample shows, and names nobody.

    In the rest of the kit nobody listens, so nothing of it is put together there.
    """
    kinds = {one.name: one for one in bench.tool.plugin.events}
    if not kinds:
        return
    for shop in bench.town.shops:
        with shop.session(write=True) as s:
            subscriptions.subscribe(
                s, name="The kit", url="https://kit.example/", events=list(kinds)
            )
    assert bench.lives
    yield from bench.faults()
    wrong: set[str] = set()
    for row in all_rows.everything(bench.database):
        one = kinds.get(row.values["type"]) if row.table == "core_webhook_event" else None
        if one is None or one.name in wrong:
            continue
        data = json.loads(row.values["body"])["data"]
        said = {name: value for name, value in data.items() if name not in _ADDED}
        if unfit := one.schema().validate(said):
            wrong.add(one.name)
            yield Finding(
                f"{one.name} was told with data that its schema does not take: {_json(unfit)}",
                "Others read by the schema: mend what is told, or the schema and its sample.",
                _place(bench, one),
            )
        elif named := sorted({str(mark) for mark in marks.found(_json(said))}):
            wrong.add(one.name)
            yield Finding(
                f"{one.name} tells words of {', '.join(named)}.",
                "Payloads leave the house: tell ids, amounts and words of a list, never a name.",
                _place(bench, one),
            )


def _place(bench: Bench, one: EventType) -> str:
    return bench.subject.at(f'"{one.name}"', ".py") or place_of(one.schema)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
