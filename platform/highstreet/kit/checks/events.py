"""What it tells others' programmes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from highstreet.host.event_types import EventType
from highstreet.kit import marks
from highstreet.kit import rows as all_rows
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, NotAsked, check
from highstreet.kit.subject import place_of

#: What the core adds to every payload.
_ADDED = ("store", "store_id")
#: Shorter names are found in any text.
LEAST = 3


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
    """What it tells fits the schema that its sample shows, and names nobody: no name, card, phone,
    e-mail or birthday.

    In the rest of the kit nobody listens, so nothing of it is put together there.
    """
    kinds = {one.name: one for one in bench.tool.plugin.events}
    if not kinds:
        return
    bench.town.listen()
    assert bench.lives
    bench.town.run_jobs()
    yield from bench.faults()
    people, wrong = _known(bench), set[str]()
    told = bench.town.told()
    for name, data in told:
        if name in wrong:
            continue
        one = kinds[name]
        said = {name: value for name, value in data.items() if name not in _ADDED}
        named = [str(mark) for mark in sorted(marks.found(_json(said)))]
        named += [f"somebody (“{one}”)" for one in people.findall(_json(said))]
        if unfit := one.schema().validate(said):
            wrong.add(one.name)
            yield Finding(
                f"{one.name} was told with data that its schema does not take: {_json(unfit)}",
                "Others read by the schema: mend what is told, or the schema and its sample.",
                _place(bench, one),
            )
        elif named:
            wrong.add(one.name)
            yield Finding(
                f"{one.name} tells words of {named[0]}.",
                "Payloads leave the house: tell ids, amounts and words of a list, never a name.",
                _place(bench, one),
            )
    if not told:
        raise NotAsked(f"nothing that the kit does is told by its events; {bench.HAND}")


def _known(bench: Bench) -> re.Pattern[str]:
    """What tells who people are, wherever it stands as a word."""
    found = set()
    for row in all_rows.everything(bench.database):
        if row.table == "core_customer":
            found |= {str(row.values["name"]), str(row.values["birthday"] or "")}
        elif row.table == "core_customer_identity":
            found.add(str(row.values["value"]))
    words = (re.escape(one) for one in sorted(found) if len(one) >= LEAST)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])")


def _place(bench: Bench, one: EventType) -> str:
    return bench.subject.at(f'"{one.name}"', ".py") or place_of(one.schema)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
