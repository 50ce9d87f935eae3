"""The schema keeps tenants apart by itself: keys carry the brand, for the core and for tools."""

from pathlib import Path

import pytest
import sqlalchemy as sa

import highstreet_schema  # noqa: F401 - every model is loaded
from highstreet_tenants.base import Base
from highstreet_tenants.control import CONTROL_TABLES

ROOT = Path(__file__).parents[2]
TABLES = sorted(name for name in Base.metadata.tables if not name.startswith("walltest_"))
TENANT = [name for name in TABLES if name not in CONTROL_TABLES]


def test_the_control_plane_is_named_table_by_table():
    without_scope = {
        name
        for name in TABLES
        if [c.name for c in Base.metadata.tables[name].primary_key] != ["brand_id", "id"]
    }
    assert without_scope == CONTROL_TABLES & set(TABLES)
    assert set(TABLES) >= CONTROL_TABLES, "a table is listed that does not exist"


@pytest.mark.parametrize("name", TENANT)
def test_every_key_carries_the_brand(name):
    table = Base.metadata.tables[name]
    assert [c.name for c in table.primary_key] == ["brand_id", "id"]
    for constraint in table.constraints:
        if isinstance(constraint, sa.UniqueConstraint):
            assert "brand_id" in constraint.columns, f"{name}: {constraint.name}"
        if isinstance(constraint, sa.ForeignKeyConstraint):
            target = constraint.referred_table.name
            columns = [c.name for c in constraint.columns]
            if target == "core_brand":
                assert columns == ["brand_id"]
            else:
                assert columns[0] == "brand_id" and len(columns) == 2, f"{name}: {columns}"
                assert target not in CONTROL_TABLES, f"{name} points into the control plane"
            assert constraint.ondelete is None, f"{name}: rows go by verbs, not by cascades"
    for index in table.indexes:
        first = next(iter(index.columns), None)
        assert first is not None and first.name == "brand_id", f"{name}: {index.name}"


@pytest.mark.parametrize("name", TENANT)
def test_a_table_says_whether_it_is_about_people(name):
    table = Base.metadata.tables[name]
    assert "personal" in table.info
    if "customer_id" in table.c:
        assert table.info["personal"], f"{name} names customers"
        assert "store_id" in table.c, f"{name}: a store's customers stay with the store"


@pytest.mark.parametrize("name", sorted(CONTROL_TABLES & set(TABLES)))
def test_the_control_plane_holds_no_customer_data(name):
    """A signed link must name its customer before a scope exists: the bare id, and nothing else."""
    columns = set(Base.metadata.tables[name].c.keys())
    pointers = {c for c in columns if c.startswith("customer_")}
    assert pointers == ({"customer_id"} if name == "core_member_link" else set())
    if pointers:
        assert not columns & {"name", "phone", "email", "card", "address", "birthday", "payload"}


def test_names_begin_with_their_owner():
    for name in TABLES:
        assert name.startswith(("core_", "direct_mail_", "magazine_", "points_club_")), name


@pytest.mark.parametrize("root", ["platform", "tenants", "plugins", "migrations"])
def test_source_roots_are_not_packages(root):
    assert not (ROOT / root / "__init__.py").exists(), "it would shadow a module of that name"


def test_pythons_own_platform_module_is_reached():
    import platform

    assert hasattr(platform, "python_version")
