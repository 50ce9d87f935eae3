"""The documented blueprint is good, and holds every key there is."""

import tomllib
from pathlib import Path
from typing import Any

from marshmallow import Schema, fields

from highstreet.blueprints import document, source
from highstreet.blueprints.schema import BlueprintSchema

TEXT = (Path(__file__).parents[3] / "docs" / "blueprints.md").read_text(encoding="utf-8")
EXAMPLE = TEXT.split("```toml\n")[1].split("```")[0].replace('extends = "base.toml"', "")


def test_the_documented_blueprint_is_good(tmp_path: Path) -> None:
    path = tmp_path / "brand.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert document.check(source.read(path), {"points_club"}).slug == "harbour-bakery"


def keys(schema: Schema, data: Any, path: str = "") -> list[str]:
    """Keys of the schema that the data do not show."""
    missing = []
    for name, field in schema.fields.items():
        key = field.data_key or name
        if isinstance(data, list):
            held = [one[key] for one in data if key in one]
        else:
            held = [data[key]] if key in data else []
        if not held:
            missing.append(f"{path}{key}")
            continue
        inner: Any = field
        while isinstance(inner, fields.List):
            inner = inner.inner
        if isinstance(inner, fields.Dict) and isinstance(inner.value_field, fields.Nested):
            inner, held = inner.value_field, [one for table in held for one in table.values()]
        if isinstance(inner, fields.Nested):
            flat = [two for one in held for two in (one if isinstance(one, list) else [one])]
            missing += keys(inner.schema, flat, f"{path}{key}.")
    return missing


def test_every_key_is_documented() -> None:
    missing = keys(BlueprintSchema(), tomllib.loads(EXAMPLE))
    assert missing == ["tools.overrides.region"]
    assert "a region's or a store's" in TEXT
