"""Every field and key of a mapping is in the documentation."""

from pathlib import Path

from highstreet.imports import mapping
from highstreet.imports.columns import COLUMNS
from highstreet.imports.mapping import DATE_ORDERS, MappingSchema, parse

TEXT = (Path(__file__).parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")


def test_every_field_is_documented() -> None:
    for fields in COLUMNS.values():
        for name in fields:
            assert f"`{name}`" in TEXT, name


def test_every_key_is_documented() -> None:
    assert all(order in TEXT for order in DATE_ORDERS if order != "auto")
    for name, field in MappingSchema().fields.items():
        assert f"[{name}]" in TEXT or f"`{name} = " in TEXT, name
        for key in getattr(getattr(field, "schema", None), "fields", {}):
            assert f"\n{key} = " in TEXT, key


def test_the_documented_mapping_is_good() -> None:
    import tomllib

    example = TEXT.split("```toml\n")[1].split("```")[0]
    found = parse(tomllib.loads(example), "purchases")
    assert found.pad == {"card": 13}
    assert isinstance(found, mapping.FileMapping)
