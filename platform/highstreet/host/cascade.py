"""How a setting's value comes about: plugin default → brand → region → store, with locks. Pure.

Rows are append-only and each says from when it is valid, so what held at any past moment can be
worked out: the till that was offline earns points by the rule of the hour of the purchase.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from marshmallow import EXCLUDE, Schema, ValidationError
from msgspec import Struct

Level = Literal["default", "brand", "region", "store"]
ORDER: tuple[Level, ...] = ("brand", "region", "store")
MASK = "••••••••"


class Given(Struct, frozen=True):
    """One value that a level gave to one setting. given=False: it was taken back."""

    level: Level
    key: str
    value: Any
    by: str
    at: datetime
    valid_from: datetime
    seq: int = 0
    given: bool = True
    locked: bool = False


class Source(Struct, frozen=True):
    """Where a resolved value comes from. at: when it was set (UTC), None for the default.

    locked: a level above the store holds it there; `lock` names that level.
    """

    level: Level
    locked: bool = False
    by: str = ""
    at: datetime | None = None
    lock: Level | None = None


class Resolved(Mapping[str, Any]):
    """Validated values by key, to be read and not changed: they are shared.

    provenance: where each comes from. secrets: keys that are never shown. problems: keys whose
    stored value the tool no longer accepts (it fell back to the level above), with the reason.
    """

    __slots__ = ("_values", "problems", "provenance", "secrets")

    def __init__(
        self,
        values: Mapping[str, Any],
        provenance: Mapping[str, Source],
        secrets: frozenset[str] = frozenset(),
        problems: Mapping[str, str] | None = None,
    ) -> None:
        self._values = dict(values)
        self.provenance = dict(provenance)
        self.secrets = secrets
        self.problems = dict(problems or {})

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Resolved({self.shown()!r})"

    def shown(self) -> dict[str, Any]:
        """The values as a person may see them: a secret that is set is a row of dots."""
        return {
            key: MASK if key in self.secrets and value not in (None, "") else value
            for key, value in self._values.items()
        }


def secrets_of(schema: type[Schema] | None) -> frozenset[str]:
    """Keys whose field says `metadata={"secret": True}`."""
    if schema is None:
        return frozenset()
    return frozenset(
        name for name, field in schema._declared_fields.items() if field.metadata.get("secret")
    )


def newest(rows: Sequence[Given], at: datetime) -> dict[tuple[Level, str], Given]:
    """The row that counts for each (level, key) at a moment: the newest that is valid by then."""
    found: dict[tuple[Level, str], Given] = {}
    for row in sorted(rows, key=lambda r: (r.valid_from, r.at, r.seq)):
        if row.valid_from <= at:
            found[row.level, row.key] = row
    return found


def fold(
    rows: Mapping[tuple[Level, str], Given],
) -> tuple[dict[str, Any], dict[str, Source], dict[str, list[Given]]]:
    """(raw values, their sources, for each key the rows that gave it, from the top down)."""
    values: dict[str, Any] = {}
    sources: dict[str, Source] = {}
    givers: dict[str, list[Given]] = {}
    for key in dict.fromkeys(key for _level, key in rows):
        lock: Level | None = None
        for level in ORDER:
            row = rows.get((level, key))
            if row is None:
                continue
            if row.given:
                values[key] = row.value
                sources[key] = Source(level, by=row.by, at=row.at)
                givers.setdefault(key, []).append(row)
            if row.locked and level != "store":
                lock = level
                break
        if lock is not None:
            source = sources.get(key, Source("default"))
            sources[key] = Source(source.level, True, source.by, source.at, lock)
    return values, sources, givers


def resolve(schema_class: type[Schema] | None, rows: Mapping[tuple[Level, str], Given]) -> Resolved:
    """The validated values. A stored value that the tool refuses falls back to the level above it:
    a tool's new version must not stop a till over a setting."""
    if schema_class is None:
        return Resolved({}, {})
    schema = schema_class(unknown=EXCLUDE)
    raw, sources, givers = fold({k: v for k, v in rows.items() if k[1] in schema.fields})
    problems: dict[str, str] = {}
    while True:
        try:
            values: dict[str, Any] = schema.load(raw)
            break
        except ValidationError as error:
            messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
            bad = [key for key in messages if key in raw] or list(raw)
            if not bad:
                raise  # the tool refuses its own defaults: the author's defect
            for key in bad:
                problems[key] = str(messages.get(key, messages))
                _fall_back(key, raw, sources, givers)
    ordered = {name: values[name] for name in schema.fields if name in values}
    provenance = {name: sources.get(name, Source("default")) for name in ordered}
    return Resolved(ordered, provenance, secrets_of(schema_class), problems)


def _fall_back(
    key: str,
    raw: dict[str, Any],
    sources: dict[str, Source],
    givers: dict[str, list[Given]],
) -> None:
    givers[key].pop()
    lock = sources[key].lock
    if givers[key]:
        above = givers[key][-1]
        raw[key] = above.value
        sources[key] = Source(above.level, lock is not None, above.by, above.at, lock)
    else:
        del raw[key]
        sources[key] = Source("default", lock is not None, lock=lock)


class History:
    """All that was ever given to one tool's settings in one place, resolved for any moment.

    Between two changes nothing changes, so each stretch is worked out once.
    """

    __slots__ = ("_moments", "_resolved", "_rows", "_schema")

    def __init__(self, schema: type[Schema] | None, rows: Sequence[Given]) -> None:
        self._schema = schema
        self._rows = rows
        self._moments = sorted({row.valid_from for row in rows})
        self._resolved: dict[int, Resolved] = {}

    @property
    def rows(self) -> Sequence[Given]:
        """Everything given, in no order."""
        return self._rows

    def at(self, moment: datetime) -> Resolved:
        """The settings at a moment (aware)."""
        stretch = bisect_right(self._moments, moment)
        found = self._resolved.get(stretch)
        if found is None:
            since = self._moments[stretch - 1] if stretch else _EVER
            found = self._resolved[stretch] = resolve(self._schema, newest(self._rows, since))
        return found


_EVER = datetime.min.replace(tzinfo=UTC)
